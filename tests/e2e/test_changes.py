"""GET /changes as pages: everything that happened, once, in order."""

from typing import Any

import httpx
import pytest

from catalog.domain.queries import CHANGES_LIMIT, SEQ_LIMIT

from .clients import Client, added_author, added_book, every_change, places_in, problem_in


async def followed(client: httpx.AsyncClient, path: str) -> list[list[dict[str, Any]]]:
    """Return the parts to which the links lead, to the end."""
    parts: list[list[dict[str, Any]]] = []
    following: str | None = path
    while following is not None:
        part = (await client.get(following)).json()
        assert part.keys() == {"items", "next"}
        parts.append(part["items"])
        following = part["next"]
    return parts


async def some_life(client: httpx.AsyncClient) -> None:
    """Let all kinds of things happen: 14 revisions, 8 of authors."""
    one, two = await added_author(client, "One"), await added_author(client, "Two")
    book = await added_book(client, "Emma", one["id"])
    await client.patch(f"/books/{book['id']}", json={"title": "Emma!"})
    await client.post(f"/books/{book['id']}/revert", json={"to_version": 1})
    await client.post(f"/authors/{one['id']}/merge", json={"into": two["id"]})
    await client.post(f"/authors/{one['id']}/unmerge")
    gone = await added_author(client, "Gone")
    await client.delete(f"/authors/{gone['id']}")
    await client.post(f"/authors/{gone['id']}/restore")
    await client.put(f"/authors/{gone['id']}", json={"name": "Came back"})
    await client.delete(f"/books/{book['id']}")


async def test_the_links_lead_through_everything_once_and_in_order(client: Client) -> None:
    await some_life(client)
    everything = (await client.get("/changes")).json()["items"]

    for limit in (1, 3, 7, 14, 100):
        parts = await followed(client, f"/changes?limit={limit}")

        assert [change for part in parts for change in part] == everything
        assert [len(part) for part in parts[:-1]] == [limit] * (len(parts) - 1)
    assert [change["seq"] for change in everything] == list(range(1, 15))
    assert {change["operation"] for change in everything} == {
        "create",
        "revise",
        "remove",
        "restore",
        "merge",
        "unmerge",
        "revert",
    }


async def test_what_happens_while_somebody_pages_comes_at_the_end(client: Client) -> None:
    for n in range(4):
        await added_author(client, f"Author {n}")
    first = (await client.get("/changes?limit=2")).json()
    await added_author(client, "Late")

    rest = await followed(client, first["next"])

    assert [change["seq"] for part in rest for change in part] == [3, 4, 5]


async def test_since_is_where_to_go_on_after_the_end(client: Client) -> None:
    await some_life(client)
    last = (await every_change(client))[-1]["seq"]

    at_the_end = (await client.get("/changes", params={"since": last})).json()
    await added_author(client, "Late")
    later = (await client.get("/changes", params={"since": last})).json()

    assert at_the_end == {"items": [], "next": None}
    assert [change["after"]["name"] for change in later["items"]] == ["Late"]


async def test_the_changes_of_one_kind_are_all_of_them_and_no_others(client: Client) -> None:
    await some_life(client)
    everything = await every_change(client)

    for kind in ("author", "book"):
        parts = await followed(client, f"/changes?kind={kind}&limit=2")

        assert [change for part in parts for change in part] == [each for each in everything if each["kind"] == kind]


async def test_a_list_goes_on_where_it_says_that_it_ends(client: Client) -> None:
    await some_life(client)

    as_of = (await client.get("/authors")).json()["as_of"]

    last = (await every_change(client))[-1]
    assert as_of == {"seq": last["seq"], "at": last["at"]}
    assert (await client.get("/changes", params={"since": as_of["seq"]})).json()["items"] == []


async def test_an_empty_catalogue_is_as_of_nothing(shared_client: Client) -> None:
    for kind in ("authors", "books"):
        assert (await shared_client.get(f"/{kind}")).json()["as_of"] == {"seq": 0, "at": None}
    assert (await shared_client.get("/changes?since=0")).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        ("since", ["-1", "x", "", " ", "1.0", "1e3", "01", "٣", str(SEQ_LIMIT + 1), str(2**64), "9" * 5000]),
        ("limit", ["0", "-1", "x", "", str(CHANGES_LIMIT + 1), str(2**64)]),
        ("kind", ["", "shelf", "Author", "authors", "author,book"]),
    ],
)
async def test_what_can_not_be_is_refused_by_name(shared_client: Client, parameter: str, values: list[str]) -> None:
    for value in values:
        response = await shared_client.get("/changes", params={parameter: value})

        assert places_in(problem_in(response, 400, "invalid-request")) == [parameter], value


async def test_everything_wrong_with_a_question_is_told_at_once(shared_client: Client) -> None:
    response = await shared_client.get("/changes?since=x&limit=0&kind=shelf&until=3&since=1")

    assert places_in(problem_in(response, 400, "invalid-request")) == ["kind", "limit", "since", "until"]


async def test_what_the_log_has_not_reached_is_refused_for_the_catalogue_may_have_been_put_back(client: Client) -> None:
    await added_author(client)

    for since in (2, 1000, SEQ_LIMIT):
        problem = problem_in(await client.get("/changes", params={"since": since}), 400, "invalid-request")

        assert places_in(problem) == ["since"]
        assert "put back" in problem["detail"]
        (error,) = problem["errors"]
        assert error["detail"].startswith("must be at most 1,")


async def test_the_largest_part_is_as_large_as_it_says(client: Client) -> None:
    await some_life(client)

    assert len((await client.get("/changes", params={"limit": CHANGES_LIMIT})).json()["items"]) == 14
    assert (await client.get("/changes", params={"limit": 14})).json()["next"] is None
    assert (await client.get("/changes", params={"limit": 13})).json()["next"] == "/changes?since=13&limit=13"
    assert (await client.get("/changes", params={"since": 14, "limit": 14})).json() == {"items": [], "next": None}
