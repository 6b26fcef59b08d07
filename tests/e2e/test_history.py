"""What happened to a record, and how it is taken back: revisions, revert, restore, merge and unmerge over HTTP."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY

from .clients import (
    Client,
    added,
    added_author,
    added_book,
    every_change,
    in_parallel,
    in_process,
    places_in,
    problem_in,
)

KINDS = ("authors", "books")
NAME = {"authors": "name", "books": "title"}


def other(kind: str) -> str:
    return {"authors": "books", "books": "authors"}[kind]


async def renamed(client: httpx.AsyncClient, kind: str, id: str, *names: str) -> None:
    for name in names:
        assert (await client.patch(f"/{kind}/{id}", json={NAME[kind]: name})).status_code == 200


async def merged(client: httpx.AsyncClient, kind: str, id: str, into: str) -> dict[str, Any]:
    response = await client.post(f"/{kind}/{id}/merge", json={"into": into})
    assert response.status_code == 200, response.text
    survivor: dict[str, Any] = response.json()
    return survivor


async def operations_on(client: httpx.AsyncClient, kind: str, id: str) -> list[tuple[int, str]]:
    page = (await client.get(f"/{kind}/{id}/revisions", params={"pageSize": 100})).json()
    return [(revision["version"], revision["operation"]) for revision in page["items"]]


# ---- revisions


@pytest.mark.parametrize("kind", KINDS)
async def test_the_revisions_of_a_record_are_paged_newest_first(client: Client, kind: str) -> None:
    record = await added(client, kind, "First")
    await renamed(client, kind, record["id"], *(f"Name {version}" for version in range(2, 8)))
    await added(client, kind, "Somebody else")

    pages = [
        (await client.get(f"/{kind}/{record['id']}/revisions", params={"pageSize": 3, "currentPage": number})).json()
        for number in (1, 2, 3, 4)
    ]

    assert [[item["version"] for item in page["items"]] for page in pages] == [[7, 6, 5], [4, 3, 2], [1], []]
    assert {(page["limit"], page["total"], page["as_of"]["seq"]) for page in pages} == {(3, 7, 8)}
    assert [page["offset"] for page in pages] == [0, 3, 6, 9]
    texts = [item["after"][NAME[kind]] for page in pages for item in page["items"]]
    assert texts == [*(f"Name {version}" for version in range(7, 1, -1)), "First"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_revision_tells_who_did_what_in_which_request_and_how_the_record_stood(
    client: Client, kind: str
) -> None:
    created = await client.post(
        f"/{kind}", json={NAME[kind]: "First", **({"author_id": None} if kind == "books" else {})}
    )
    record = created.json()

    revision = (await client.get(f"/{kind}/{record['id']}/revisions/1")).json()

    embedded = {"author"} if kind == "books" else set()
    assert revision == {
        "seq": 1,
        "kind": kind.removesuffix("s"),
        "id": record["id"],
        "version": 1,
        "operation": "create",
        "actor": "anonymous",
        "request_id": created.headers["x-request-id"],
        "group": None,
        "into": None,
        "after": {name: value for name, value in record.items() if name not in embedded},
        "withheld": None,
        "at": record["created_at"],
    }
    assert (await every_change(client)) == [revision]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_revisions_of_removed_and_of_merged_records_can_still_be_read(client: Client, kind: str) -> None:
    gone, loser, survivor = [await added(client, kind, name) for name in ("Gone", "Loser", "Survivor")]
    await client.delete(f"/{kind}/{gone['id']}")
    await merged(client, kind, loser["id"], survivor["id"])

    assert await operations_on(client, kind, gone["id"]) == [(2, "remove"), (1, "create")]
    assert await operations_on(client, kind, loser["id"]) == [(2, "merge"), (1, "create")]
    tombstone = (await client.get(f"/{kind}/{gone['id']}/revisions/2")).json()
    redirect = (await client.get(f"/{kind}/{loser['id']}/revisions/2")).json()
    assert (tombstone["after"], tombstone["into"]) == (None, None)
    assert (redirect["after"], redirect["into"]) == (None, survivor["id"])
    for id, name in ((gone["id"], "Gone"), (loser["id"], "Loser")):
        assert (await client.get(f"/{kind}/{id}/revisions/1")).json()["after"][NAME[kind]] == name
        (difference,) = [
            each
            for each in (await client.get(f"/{kind}/{id}/revisions/2/differences")).json()["differences"]
            if each["field"] == NAME[kind]
        ]
        assert difference == {"field": NAME[kind], "before": name, "after": None}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_never_was_has_no_history_and_neither_has_what_is_of_another_kind(client: Client, kind: str) -> None:
    record = await added(client, other(kind), "Another kind")

    for id in (NOBODY, record["id"]):
        for path in ("revisions", "revisions/1", "revisions/1/differences"):
            problem_in(await client.get(f"/{kind}/{id}/{path}"), 404, "not-found")


async def test_a_version_that_never_was_is_not_found_and_the_problem_names_the_newest(client: Client) -> None:
    path = f"/authors/{(await added_author(client))['id']}/revisions"

    for version in (2, 2**31 - 1):
        for question in (f"{path}/{version}", f"{path}/{version}/differences"):
            problem = problem_in(await client.get(question), 404, "no-such-version")
            assert f"no version {version}" in problem["detail"]
            assert "the newest is 1" in problem["detail"]


async def test_a_version_to_compare_with_that_the_log_does_not_have_is_not_found(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    async with in_process(Settings(storage=f"sqlite:///{file}")) as client:
        path = f"/authors/{(await added_author(client))['id']}"
        await renamed(client, "authors", path.rpartition("/")[2], "Second", "Third")
        with closing(sqlite3.connect(file)) as connection, connection:
            # As after a migration, before which nobody kept what records said.
            connection.execute("DELETE FROM revision WHERE version = 1")

        problem = problem_in(await client.get(f"{path}/revisions/3/differences?from=1"), 404, "no-such-version")

        assert "no version 1" in problem["detail"]


async def test_a_number_that_can_be_no_version_is_refused_and_the_problem_says_why(client: Client) -> None:
    path = f"/authors/{(await added_author(client))['id']}/revisions"
    for version in (0, -1, 2**31, 2**70):
        for question in (f"{path}/{version}", f"{path}/{version}/differences"):
            problem = problem_in(await client.get(question), 404, "no-such-version")
            assert f"no version {version} " in problem["detail"]


async def test_what_is_no_number_is_no_version(client: Client) -> None:
    author = await added_author(client)

    for version in ("x", "1.5", "1e3", "%00", " "):
        problem_in(await client.get(f"/authors/{author['id']}/revisions/{version}"), 404, "not-found")


async def test_what_can_be_no_version_to_compare_with_is_refused_by_name(client: Client) -> None:
    author = await added_author(client)

    for earlier in ("-1", "x", "", str(2**40), "1.0", "01"):
        response = await client.get(f"/authors/{author['id']}/revisions/1/differences", params={"from": earlier})

        assert places_in(problem_in(response, 400, "invalid-request")) == ["from"]


# ---- differences


async def test_versions_are_compared_field_by_field_with_the_one_before_or_with_any_earlier_one(client: Client) -> None:
    author = await added_author(client)
    book = await added_book(client, "Ema", isbn="9780141439600")
    path = f"/books/{book['id']}/revisions"
    await client.patch(f"/books/{book['id']}", json={"title": "Emma", "isbn": None, "languages": ["en"]})
    await client.patch(f"/books/{book['id']}", json={"author_id": author["id"], "isbn": "9780141439600"})

    async def compared(version: int, **query: int) -> tuple[object, object, dict[str, tuple[object, object]]]:
        answer = (await client.get(f"{path}/{version}/differences", params=query)).json()
        fields = {each["field"]: (each["before"], each["after"]) for each in answer["differences"]}
        return answer["earlier"], answer["later"], fields

    assert await compared(2) == (
        1,
        2,
        {
            "title": ("Ema", "Emma"),
            "isbn": ("9780141439600", None),
            "identifiers": ([{"scheme": "isbn", "value": "9780141439600", "as_given": None, "status": "valid"}], []),
            "languages": ([], ["eng"]),
        },
    )
    assert await compared(3, **{"from": 1}) == (
        1,
        3,
        {"title": ("Ema", "Emma"), "author_id": (None, author["id"]), "languages": ([], ["eng"])},
    )
    earlier, later, fields = await compared(1)
    assert (earlier, later, fields["title"]) == (None, 1, (None, "Ema"))
    assert await compared(1, **{"from": 0}) == (earlier, later, fields)
    for version, not_earlier in ((2, 2), (1, 2), (3, 2**31 - 1)):
        response = await client.get(f"{path}/{version}/differences", params={"from": not_earlier})
        assert places_in(problem_in(response, 400, "invalid-request")) == ["from"]
    assert fields.keys().isdisjoint({"id", "version", "created_at", "updated_at"})


# ---- revert

NOWHERE: list[tuple[Any, int, str, list[str] | None]] = [
    ({"to_version": 0}, 404, "no-such-version", None),
    ({"to_version": -1}, 404, "no-such-version", None),
    ({"to_version": 3}, 404, "no-such-version", None),
    ({"to_version": 2**31 - 1}, 404, "no-such-version", None),
    ({"to_version": 2**40}, 400, "invalid-body", ["/to_version"]),
    ({"to_version": 2**70}, 400, "invalid-body", ["/to_version"]),
    ({"to_version": "x"}, 400, "invalid-body", ["/to_version"]),
    ({"to_version": "1"}, 400, "invalid-body", ["/to_version"]),
    ({"to_version": 1.5}, 400, "invalid-body", ["/to_version"]),
    ({"to_version": True}, 400, "invalid-body", ["/to_version"]),
    ({"to_version": None}, 400, "invalid-body", ["/to_version"]),
    ({"to_version": [1]}, 400, "invalid-body", ["/to_version"]),
    ({}, 400, "invalid-body", ["/to_version"]),
    ({"version": 1}, 400, "invalid-body", ["/to_version", "/version"]),
    ({"to_version": 1, "why": "so"}, 400, "invalid-body", ["/why"]),
    ([], 400, "invalid-body", [""]),
    (None, 400, "invalid-body", [""]),
]
"""Bodies of a revert that can not be, and what is to be said of them: status, problem, places."""


@pytest.mark.parametrize("kind", KINDS)
async def test_a_revert_gives_the_record_the_content_it_had_as_its_next_version(client: Client, kind: str) -> None:
    record = await added(client, kind, "First")
    await renamed(client, kind, record["id"], "Second", "Third")
    path = f"/{kind}/{record['id']}"

    response = await client.post(f"{path}/revert", json={"to_version": 1})

    reverted = response.json()
    assert response.status_code == 200
    assert reverted == {**record, "version": 4, "updated_at": reverted["updated_at"]}
    assert reverted["updated_at"] > record["updated_at"]
    assert (await client.get(path)).json() == reverted
    assert (await client.get(path)).headers["etag"] == response.headers["etag"]
    assert (await operations_on(client, kind, record["id"]))[0] == (4, "revert")


async def test_a_revert_to_what_stands_changes_nothing(client: Client) -> None:
    author = await added_author(client, "First")
    await renamed(client, "authors", author["id"], "Second", "First")
    before = await every_change(client)

    for version in (1, 3):
        response = await client.post(f"/authors/{author['id']}/revert", json={"to_version": version})

        assert (response.status_code, response.json()["version"]) == (200, 3)
    assert await every_change(client) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_a_revert_to_nowhere_is_refused_and_changes_nothing(client: Client, kind: str) -> None:
    record = await added(client, kind, "First")
    await renamed(client, kind, record["id"], "Second")
    before = await every_change(client)

    for body, status, slug, places in NOWHERE:
        response = await client.post(
            f"/{kind}/{record['id']}/revert", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )

        problem = problem_in(response, status, slug)
        assert places is None or places_in(problem) == places, body
    assert await every_change(client) == before


async def test_a_version_at_which_the_record_was_gone_can_not_be_gone_back_to(client: Client) -> None:
    author = await added_author(client)
    await client.delete(f"/authors/{author['id']}")
    await client.post(f"/authors/{author['id']}/restore")
    before = await every_change(client)

    problem_in(await client.post(f"/authors/{author['id']}/revert", json={"to_version": 2}), 409, "version-is-removal")

    assert await every_change(client) == before


async def test_a_revert_to_an_author_who_is_gone_is_refused_and_names_him(client: Client) -> None:
    gone, stays = await added_author(client, "Gone"), await added_author(client, "Stays")
    book = await added_book(client, "Emma", gone["id"], contributors=[{"author_id": stays["id"]}])
    await client.patch(f"/books/{book['id']}", json={"author_id": None})
    await client.delete(f"/authors/{gone['id']}")
    before = await every_change(client)

    problem = problem_in(
        await client.post(f"/books/{book['id']}/revert", json={"to_version": 1}), 422, "unknown-reference"
    )

    assert [error["detail"] for error in problem["errors"]] == [f"there is no author with the id {gone['id']}"]
    assert "restore" in problem["detail"]
    assert await every_change(client) == before
    await client.post(f"/authors/{gone['id']}/restore")
    assert (await client.post(f"/books/{book['id']}/revert", json={"to_version": 1})).status_code == 200


async def test_a_revert_names_who_stands_for_an_author_by_now(client: Client) -> None:
    loser, survivor = await added_author(client, "Loser"), await added_author(client, "Survivor")
    book = await added_book(client, "Emma", loser["id"])
    await renamed(client, "books", book["id"], "Emma!")
    await merged(client, "authors", loser["id"], survivor["id"])

    reverted = (await client.post(f"/books/{book['id']}/revert", json={"to_version": 1})).json()

    assert (reverted["title"], reverted["author_id"]) == ("Emma", survivor["id"])


@pytest.mark.parametrize("kind", KINDS)
async def test_revert_and_merge_know_if_match(client: Client, kind: str) -> None:
    record, survivor = await added(client, kind, "First"), await added(client, kind, "Survivor")
    await renamed(client, kind, record["id"], "Second")
    before = await every_change(client)
    path = f"/{kind}/{record['id']}"

    for what, body in (("revert", {"to_version": 1}), ("merge", {"into": survivor["id"]})):
        for tag in ('"1-0"', 'W/"2-0"', "2", '"3"'):
            response = await client.post(f"{path}/{what}", json=body, headers={"If-Match": tag})
            problem_in(response, 412, "stale-version")
    assert await every_change(client) == before

    etag = (await client.get(path)).headers["etag"]
    reverted = await client.post(f"{path}/revert", json={"to_version": 1}, headers={"If-Match": etag})
    assert reverted.json()["version"] == 3
    etag = reverted.headers["etag"]
    joined = await client.post(f"{path}/merge", json={"into": survivor["id"]}, headers={"If-Match": f'"7-0", {etag}'})
    assert (joined.status_code, joined.json()["id"]) == (200, survivor["id"])


# ---- removed records, and restoring them


@pytest.mark.parametrize("kind", KINDS)
async def test_a_restored_record_is_as_it_was_when_it_was_removed(client: Client, kind: str) -> None:
    record = await added(client, kind, "First")
    await renamed(client, kind, record["id"], "Second")
    path = f"/{kind}/{record['id']}"
    before = (await client.get(path)).json()
    await client.delete(path)
    assert (await client.get(f"/{kind}")).json()["total"] == 0

    response = await client.post(f"{path}/restore")

    restored = response.json()
    assert response.status_code == 200
    assert restored == {**before, "version": 4, "updated_at": restored["updated_at"]}
    assert (await client.get(path)).json() == restored
    assert (await client.get(f"/{kind}")).json()["items"] == [restored]
    assert await operations_on(client, kind, record["id"]) == [
        (4, "restore"),
        (3, "remove"),
        (2, "revise"),
        (1, "create"),
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_restoring_what_stands_changes_nothing(client: Client, kind: str) -> None:
    record = await added(client, kind, "First")
    before = await every_change(client)

    response = await client.post(f"/{kind}/{record['id']}/restore")

    assert (response.status_code, response.json()) == (200, record)
    assert await every_change(client) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_what_never_was_can_not_be_brought_back(client: Client, kind: str) -> None:
    record = await added(client, other(kind), "Another kind")
    before = await every_change(client)

    for id in (NOBODY, record["id"]):
        for what in ("restore", "unmerge"):
            problem_in(await client.post(f"/{kind}/{id}/{what}"), 404, "not-found")
    assert await every_change(client) == before


async def test_a_book_by_an_author_who_is_gone_can_not_be_restored_before_him(client: Client) -> None:
    author = await added_author(client)
    book = await added_book(client, "Emma", author["id"])
    await client.delete(f"/books/{book['id']}")
    await client.delete(f"/authors/{author['id']}")
    before = await every_change(client)

    problem_in(await client.post(f"/books/{book['id']}/restore"), 422, "unknown-reference")
    assert await every_change(client) == before

    await client.post(f"/authors/{author['id']}/restore")
    restored = await client.post(f"/books/{book['id']}/restore")
    assert (restored.status_code, restored.json()["author"]["name"]) == (200, "Jane Austen")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_removed_record_can_neither_be_reverted_nor_merged_nor_unmerged(client: Client, kind: str) -> None:
    record, survivor = await added(client, kind, "First"), await added(client, kind, "Survivor")
    await client.delete(f"/{kind}/{record['id']}")
    before = await every_change(client)

    for what, body in (("revert", {"to_version": 1}), ("merge", {"into": survivor["id"]}), ("unmerge", None)):
        problem_in(await client.post(f"/{kind}/{record['id']}/{what}", json=body), 410, "removed")
    assert await every_change(client) == before


async def test_the_time_of_a_removal_is_that_of_the_last_one(client: Client) -> None:
    author = await added_author(client)
    path = f"/authors/{author['id']}"
    await client.delete(path, headers={"X-Request-Id": "the-first"})
    await client.post(f"{path}/restore")
    await client.delete(path, headers={"X-Request-Id": "the-second"})

    problem = problem_in(await client.get(path), 410, "removed")

    tombstone = (await every_change(client))[-1]
    assert (problem["removed_by_request"], problem["removed_at"]) == ("the-second", tombstone["at"])
    assert "the-second" in problem["detail"]


# ---- merge


@pytest.mark.parametrize("kind", KINDS)
async def test_a_merged_id_redirects_to_the_record_that_stands_for_it(settings: Settings, kind: str) -> None:
    async with in_parallel(settings) as client:  # Litestar's own client follows redirects by itself
        loser, survivor = await added(client, kind, "Loser"), await added(client, kind, "Survivor")
        await merged(client, kind, loser["id"], survivor["id"])
        before = await every_change(client)
        body = {"title": "Changed", "author_id": None} if kind == "books" else {"name": "Changed"}

        for method, content in {"GET": None, "HEAD": None, "PATCH": body, "PUT": body, "DELETE": None}.items():
            response = await client.request(method, f"/{kind}/{loser['id']}", json=content)

            assert (response.status_code, response.headers["location"]) == (308, f"/{kind}/{survivor['id']}")
            assert response.headers["content-type"] == "application/problem+json"
            if method != "HEAD":
                problem_in(response, 308, "merged")
        assert await every_change(client) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_follows_redirects_reads_and_writes_the_survivor(settings: Settings, kind: str) -> None:
    async with in_parallel(settings) as client:
        client.follow_redirects = True
        loser, survivor = await added(client, kind, "Loser"), await added(client, kind, "Survivor")
        await merged(client, kind, loser["id"], survivor["id"])
        path = f"/{kind}/{loser['id']}"

        assert (await client.get(path)).json() == survivor
        assert (await client.head(path)).status_code == 200
        changed = (await client.patch(path, json={NAME[kind]: "Changed"})).json()
        assert (changed["id"], changed["version"]) == (survivor["id"], 2)
        assert (await client.delete(path)).status_code == 204
        problem_in(await client.get(f"/{kind}/{survivor['id']}"), 410, "removed")


async def test_what_a_merge_moves_and_fills_belongs_to_one_group(client: Client) -> None:
    loser = await added_author(client, "J. Austen", dob="1775-12-16")
    survivor = await added_author(client, "Jane Austen")
    by_loser = await added_book(client, "Emma", loser["id"])
    with_loser = await added_book(client, "Letters", contributors=[{"author_id": loser["id"], "role": "aut"}])
    untouched = await added_book(client, "Sanditon", survivor["id"])
    since = len(await every_change(client))

    answer = await merged(client, "authors", loser["id"], survivor["id"])

    changes = (await every_change(client))[since:]
    assert (answer["id"], answer["name"], answer["dob"], answer["version"]) == (
        survivor["id"],
        "Jane Austen",
        "1775-12-16",
        2,
    )
    assert {(change["id"], change["operation"]) for change in changes} == {
        (id, "merge") for id in (loser["id"], survivor["id"], by_loser["id"], with_loser["id"])
    }
    assert len({change["group"] for change in changes}) == 1
    assert changes[0]["group"] is not None
    assert (await client.get(f"/books/{by_loser['id']}")).json()["author_id"] == survivor["id"]
    contributors = (await client.get(f"/books/{with_loser['id']}")).json()["contributors"]
    assert contributors == [{"author_id": survivor["id"], "role": "aut", "credited_as": None}]
    assert (await client.get(f"/books/{untouched['id']}")).json() == {**untouched, "author": answer}
    assert (await client.get("/books", params={"author_id": survivor["id"]})).json()["total"] == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_merging_again_changes_nothing(client: Client, kind: str) -> None:
    loser, survivor = await added(client, kind, "Loser"), await added(client, kind, "Survivor")
    first = await client.post(f"/{kind}/{loser['id']}/merge", json={"into": survivor["id"]})
    before = await every_change(client)

    second = await client.post(f"/{kind}/{loser['id']}/merge", json={"into": survivor["id"]})

    assert (second.status_code, second.content, second.headers["etag"]) == (200, first.content, first.headers["etag"])
    assert await every_change(client) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_whoever_was_merged_into_the_loser_leads_to_the_survivor_at_once(client: Client, kind: str) -> None:
    a, b, c = [await added(client, kind, name) for name in "ABC"]
    await merged(client, kind, a["id"], b["id"])
    await merged(client, kind, b["id"], c["id"])

    for id in (a["id"], b["id"]):
        response = await client.get(f"/{kind}/{id}", follow_redirects=False)
        assert response.headers["location"] == f"/{kind}/{c['id']}"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_merge_that_can_not_be_is_refused_and_changes_nothing(client: Client, kind: str) -> None:
    record, removed, lost, survivor = [await added(client, kind, name) for name in ("A", "Removed", "Lost", "B")]
    foreign = await added(client, other(kind), "Of another kind")
    await client.delete(f"/{kind}/{removed['id']}")
    await merged(client, kind, lost["id"], survivor["id"])
    before = await every_change(client)

    async def refused(id: str, into: object, status: int, slug: str, said: str = "", **more: object) -> None:
        response = await client.post(f"/{kind}/{id}/merge", json={"into": into, **more})
        problem = problem_in(response, status, slug)
        assert said in response.text
        if status in {400, 422}:
            assert places_in(problem) == (["/into"] if not more else sorted(f"/{name}" for name in more))

    id = record["id"]
    await refused(id, id, 409, "not-mergeable", "into itself")
    await refused(id, removed["id"], 409, "not-mergeable", f"POST /{kind}/{removed['id']}/restore")
    await refused(id, lost["id"], 409, "not-mergeable", f"merge into /{kind}/{survivor['id']}")
    await refused(lost["id"], id, 409, "not-mergeable", f"POST /{kind}/{lost['id']}/unmerge")
    await refused(lost["id"], lost["id"], 409, "not-mergeable")
    await refused(id, foreign["id"], 422, "unknown-reference", "another kind")
    await refused(id, str(NOBODY), 422, "unknown-reference", str(NOBODY))
    await refused(str(NOBODY), id, 404, "not-found")
    await refused(foreign["id"], id, 404, "not-found")
    await refused(removed["id"], id, 410, "removed")
    for wrong in ("x", "", None, 1, [], {}, id[:-1]):
        await refused(id, wrong, 400, "invalid-body")
    await refused(id, survivor["id"], 400, "invalid-body", why="so")
    problem_in(await client.post(f"/{kind}/{id}/merge", json={}), 400, "invalid-body")
    problem_in(await client.post(f"/{kind}/{id}/merge", content=b""), 400, "invalid-body")
    problem_in(await client.post(f"/{kind}/{id}/merge", content=b"{}"), 415, "not-json")

    assert await every_change(client) == before


@pytest.mark.parametrize("kind", KINDS)
async def test_a_merged_record_has_no_life_of_its_own_until_it_is_unmerged(client: Client, kind: str) -> None:
    loser, survivor = await added(client, kind, "Loser"), await added(client, kind, "Survivor")
    await merged(client, kind, loser["id"], survivor["id"])
    before = await every_change(client)

    for what, body in (("revert", {"to_version": 1}), ("restore", None)):
        response = await client.post(f"/{kind}/{loser['id']}/{what}", json=body, follow_redirects=False)

        assert f"/{kind}/{loser['id']}/unmerge" in problem_in(response, 409, "unmerge-first")["detail"]
    assert await every_change(client) == before


async def test_a_merged_author_can_be_named_no_more_and_the_refusal_tells_who_stands_for_him(client: Client) -> None:
    loser, survivor = await added_author(client, "Loser"), await added_author(client, "Survivor")
    await merged(client, "authors", loser["id"], survivor["id"])

    response = await client.post("/books", json={"title": "Emma", "author_id": loser["id"]})

    problem = problem_in(response, 422, "unknown-reference")
    assert places_in(problem) == ["/author_id"]
    assert survivor["id"] in problem["errors"][0]["detail"]


# ---- unmerge


@pytest.mark.parametrize("kind", KINDS)
async def test_an_unmerge_needs_no_body_does_not_redirect_and_brings_the_record_back(
    settings: Settings, kind: str
) -> None:
    async with in_parallel(settings) as client:
        loser, survivor = await added(client, kind, "Loser"), await added(client, kind, "Survivor")
        await merged(client, kind, loser["id"], survivor["id"])

        response = await client.post(f"/{kind}/{loser['id']}/unmerge")

        answer = response.json()
        assert response.status_code == 200
        assert answer["left_alone"] == []
        assert answer["record"] == {**loser, "version": 3, "updated_at": answer["record"]["updated_at"]}
        assert (await client.get(f"/{kind}/{loser['id']}")).json() == answer["record"]
        assert (await client.get(f"/{kind}/{survivor['id']}")).json() == survivor
        assert await operations_on(client, kind, loser["id"]) == [(3, "unmerge"), (2, "merge"), (1, "create")]


async def test_an_unmerge_gives_back_what_still_stands_and_tells_what_it_left_alone(client: Client) -> None:
    loser = await added_author(client, "J. Austen", dob="1775-12-16")
    survivor = await added_author(client, "Jane Austen")
    kept = await added_book(client, "Emma", loser["id"])
    changed = await added_book(client, "Persuasion", loser["id"])
    third = await added_author(client, "Somebody else")
    await merged(client, "authors", loser["id"], survivor["id"])
    await client.patch(f"/authors/{survivor['id']}", json={"dob": "1775-12-17"})
    await client.patch(f"/books/{changed['id']}", json={"author_id": third["id"]})

    answer = (await client.post(f"/authors/{loser['id']}/unmerge")).json()

    left_alone = {(left["kind"], left["id"]): left["reason"] for left in answer["left_alone"]}
    assert left_alone.keys() == {("author", survivor["id"]), ("book", changed["id"])}
    assert "birth" in left_alone["author", survivor["id"]]
    assert answer["record"]["dob"] == "1775-12-16"
    assert (await client.get(f"/books/{kept['id']}")).json()["author_id"] == loser["id"]
    assert (await client.get(f"/books/{changed['id']}")).json()["author_id"] == third["id"]
    assert (await client.get(f"/authors/{survivor['id']}")).json()["dob"] == "1775-12-17"


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_not_merged_can_not_be_unmerged(client: Client, kind: str) -> None:
    loser, survivor = await added(client, kind, "Loser"), await added(client, kind, "Survivor")
    await merged(client, kind, loser["id"], survivor["id"])
    await client.post(f"/{kind}/{loser['id']}/unmerge")
    before = await every_change(client)

    for id in (loser["id"], survivor["id"]):
        problem_in(await client.post(f"/{kind}/{id}/unmerge"), 409, "not-merged")
    assert await every_change(client) == before


# ---- duplicates


async def test_authors_whose_names_are_the_same_once_folded_are_candidates(client: Client) -> None:
    await added_author(client, "Somebody else")
    brontes = [await added_author(client, name) for name in ("Emily Brontë", "EMILY BRONTE", "emily  bronte!")]
    twins = [await added_author(client, "Ann Aikin") for _ in range(2)]
    before = await every_change(client)

    page = (await client.get("/authors/duplicates")).json()

    assert [(each["name"], each["authors"]) for each in page["items"]] == [
        ("ann aikin", sorted(twins, key=lambda author: str(author["id"]))),
        ("emily bronte", sorted(brontes, key=lambda author: str(author["id"]))),
    ]
    assert (page["total"], page["limit"], page["offset"], page["as_of"]["seq"]) == (2, 10, 0, 6)
    second = (await client.get("/authors/duplicates", params={"pageSize": 1, "currentPage": 2})).json()
    assert (second["items"], second["total"]) == (page["items"][1:], 2)
    assert await every_change(client) == before


async def test_a_merge_takes_candidates_off_the_list(client: Client) -> None:
    one, two = [await added_author(client, "Ann Aikin") for _ in range(2)]
    await merged(client, "authors", one["id"], two["id"])

    assert (await client.get("/authors/duplicates")).json()["items"] == []
    await client.post(f"/authors/{one['id']}/unmerge")
    assert (await client.get("/authors/duplicates")).json()["total"] == 1


async def test_wrong_parameters_of_the_new_lists_are_refused_by_name(client: Client) -> None:
    author = await added_author(client)

    for path in ("/authors/duplicates", f"/authors/{author['id']}/revisions"):
        for query in ("pageSize=0", "pageSize=101", "currentPage=0", "author_id=x", "pageSize=1&pageSize=1"):
            problem = problem_in(await client.get(f"{path}?{query}"), 400, "invalid-request")
            assert places_in(problem) == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/changes", "GET, HEAD, OPTIONS"),
        ("/authors/duplicates", "GET, HEAD, OPTIONS"),
        (f"/books/{NOBODY}/revisions", "GET, HEAD, OPTIONS"),
        (f"/books/{NOBODY}/revisions/1", "GET, HEAD, OPTIONS"),
        (f"/books/{NOBODY}/revert", "OPTIONS, POST"),
        (f"/authors/{NOBODY}/unmerge", "OPTIONS, POST"),
    ],
)
async def test_options_tells_the_methods_of_the_new_resources(shared_client: Client, path: str, methods: str) -> None:
    response = await shared_client.options(path)
    refused = await shared_client.put(path, json={})

    assert (response.status_code, response.headers["allow"]) == (204, methods)
    assert problem_in(refused, 405, "method-not-allowed")
    assert refused.headers["allow"] == methods


async def test_history_outlasts_the_process_where_the_storage_does(tmp_path: Path) -> None:
    settings = Settings(storage=f"sqlite:///{tmp_path}/catalog.db")
    async with in_process(settings) as client:
        loser, survivor = await added_author(client, "Loser"), await added_author(client, "Survivor")
        await merged(client, "authors", loser["id"], survivor["id"])
        before = await every_change(client)

    async with in_process(settings) as client:
        assert await every_change(client) == before
        answer = (await client.post(f"/authors/{loser['id']}/unmerge")).json()

    assert answer["record"]["name"] == "Loser"
