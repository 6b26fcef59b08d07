"""Conditional requests (RFC 9110, section 13), and the methods that every resource has."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY

from .clients import Client, added_author, added_book, in_parallel, problem_in
from .servers import Server

RECORD_ETAG = re.compile(r'"(?P<version>[0-9]+)-[0-9a-f]+"')


async def etag_of(client: Client, path: str) -> str:
    return str((await client.get(path)).headers["etag"])


# ---- ETag


async def test_the_etag_of_a_record_begins_with_its_version(client: Client) -> None:
    author = await added_author(client)
    path = f"/authors/{author['id']}"

    first = await client.get(path)
    changed = await client.patch(path, json={"name": "Homer"})
    second = await client.get(path)

    assert RECORD_ETAG.fullmatch(first.headers["etag"])["version"] == "1"  # type: ignore[index]
    assert RECORD_ETAG.fullmatch(second.headers["etag"])["version"] == "2"  # type: ignore[index]
    assert changed.headers["etag"] == second.headers["etag"]


async def test_what_is_read_has_the_etag_that_was_answered_when_it_was_written(client: Client) -> None:
    author = await added_author(client)

    created = await client.post("/books", json={"title": "Emma", "author_id": author["id"]})

    assert await etag_of(client, created.headers["location"]) == created.headers["etag"]


async def test_a_renamed_author_changes_the_etag_of_his_books_but_not_their_version(client: Client) -> None:
    author = await added_author(client, "Currer Bell")
    book = await added_book(client, "Jane Eyre", author["id"])
    path = f"/books/{book['id']}"
    before, list_before = await etag_of(client, path), await etag_of(client, "/books")

    await client.patch(f"/authors/{author['id']}", json={"name": "Charlotte Brontë"})

    again = await client.get(path, headers={"If-None-Match": before})
    assert again.status_code == 200
    assert again.json()["author"]["name"] == "Charlotte Brontë"
    assert again.json()["version"] == book["version"]
    assert again.headers["etag"].partition("-")[0] == before.partition("-")[0]
    assert (await client.get("/books", headers={"If-None-Match": list_before})).status_code == 200


# ---- If-None-Match


@pytest.mark.parametrize("what", ["record", "list"])
@pytest.mark.parametrize("tags", ["{}", "W/{}", '"other", {}', '{}, "other"', 'W/"other",W/{}', "*"])
async def test_who_has_the_answer_already_is_told_so_without_a_body(client: Client, what: str, tags: str) -> None:
    book = await added_book(client)
    path = f"/books/{book['id']}" if what == "record" else "/books"
    etag = await etag_of(client, path)

    response = await client.get(path, headers={"If-None-Match": tags.format(etag)})

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == etag
    assert "content-type" not in response.headers


@pytest.mark.parametrize("what", ["record", "list"])
async def test_who_has_an_older_answer_gets_the_new_one(client: Client, what: str) -> None:
    book = await added_book(client)
    path = f"/books/{book['id']}" if what == "record" else "/books"
    etag = await etag_of(client, path)
    await client.patch(f"/books/{book['id']}", json={"title": "Persuasion"})

    response = await client.get(path, headers={"If-None-Match": etag})

    assert response.status_code == 200
    assert "Persuasion" in response.text
    assert response.headers["etag"] != etag


@pytest.mark.parametrize("tags", ['"1-0"', '"1"', "1", "", '"*"'])
async def test_tags_of_something_else_match_nothing(client: Client, tags: str) -> None:
    book = await added_book(client)

    response = await client.get(f"/books/{book['id']}", headers={"If-None-Match": tags})

    assert response.status_code == 200
    assert response.json() == book


async def test_every_page_of_a_list_has_an_etag_of_its_own(client: Client) -> None:
    for title in ("Emma", "Persuasion"):
        await added_book(client, title)

    etags = {await etag_of(client, f"/books?pageSize=1&currentPage={page}") for page in (1, 2, 3)}

    assert len(etags) == 3


async def test_answers_may_be_kept_but_have_to_be_checked(client: Client) -> None:
    book = await added_book(client)

    for path in ("/books", f"/books/{book['id']}"):
        assert (await client.get(path)).headers["cache-control"] == "no-cache"


# ---- If-Match


def writes(kind: str) -> dict[str, dict[str, Any]]:
    """The methods that write a record, with a body that changes it."""
    body = {"name": "Changed"} if kind == "authors" else {"title": "Changed", "author_id": None}
    return {"PATCH": {"json": body}, "PUT": {"json": body}, "DELETE": {}}


async def written_twice(client: Client, kind: str) -> str:
    """Return the path of a record at version 2."""
    record = await (added_author(client) if kind == "authors" else added_book(client))
    path = f"/{kind}/{record['id']}"
    await client.patch(path, json={"name": "Second"} if kind == "authors" else {"title": "Second"})
    return path


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("kind", ["authors", "books"])
async def test_a_write_that_knows_an_older_version_is_refused(client: Client, kind: str, method: str) -> None:
    path = await written_twice(client, kind)
    before = await client.get(path)

    response = await client.request(method, path, headers={"If-Match": '"1-0"'}, **writes(kind)[method])

    problem_in(response, 412, "stale-version")
    assert (await client.get(path)).content == before.content


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("kind", ["authors", "books"])
async def test_a_write_that_knows_the_version_is_done(client: Client, kind: str, method: str) -> None:
    path = await written_twice(client, kind)
    etag = await etag_of(client, path)

    response = await client.request(method, path, headers={"If-Match": etag}, **writes(kind)[method])

    assert response.status_code == (204 if method == "DELETE" else 200)
    assert (await client.get(path)).status_code == (410 if method == "DELETE" else 200)


async def test_weak_foreign_and_malformed_tags_let_no_write_pass(client: Client) -> None:
    path = await written_twice(client, "books")
    before = await client.get(path)

    for tags in ('W/"2-0"', '"1-0", W/"2-0", "3-0"', '"other"', '"02x-0"', '"-2"', "2", ""):
        response = await client.patch(path, json={"title": "Changed"}, headers={"If-Match": tags})

        assert problem_in(response, 412, "stale-version"), tags
    assert (await client.get(path)).content == before.content


@pytest.mark.parametrize("tags", ["*", " * ", '"1-0", {}', '{},"7-0"', 'W/"1-0", {}'])
async def test_one_strong_tag_that_fits_lets_a_write_pass(client: Client, tags: str) -> None:
    path = await written_twice(client, "books")
    etag = await etag_of(client, path)

    response = await client.patch(path, json={"title": "Changed"}, headers={"If-Match": tags.format(etag)})

    assert (response.status_code, response.json()["version"]) == (200, 3)


async def test_a_renamed_author_does_not_make_what_one_knows_of_his_books_stale(client: Client) -> None:
    author = await added_author(client, "Currer Bell")
    book = await added_book(client, "Jane Eyre", author["id"])
    etag = await etag_of(client, f"/books/{book['id']}")
    await client.patch(f"/authors/{author['id']}", json={"name": "Charlotte Brontë"})

    response = await client.patch(f"/books/{book['id']}", json={"title": "Shirley"}, headers={"If-Match": etag})

    assert (response.status_code, response.json()["version"]) == (200, 2)


# ---- PATCH and PUT


@pytest.mark.parametrize(
    "changes", [{}, {"title": "Emma"}, {"title": "  Emma "}, {"isbn": "0-14-143960-2"}, {"languages": ["en"]}]
)
async def test_a_patch_that_changes_nothing_keeps_version_and_etag(client: Client, changes: dict[str, Any]) -> None:
    book = await added_book(client, "Emma", isbn="9780141439600", languages=["eng"])
    path = f"/books/{book['id']}"
    etag = await etag_of(client, path)

    response = await client.patch(path, json=changes)

    assert (response.status_code, response.headers["etag"]) == (200, etag)
    assert response.json() == book
    assert (await client.get(path)).json() == book


async def test_a_patch_keeps_what_it_does_not_name_and_clears_what_is_null(client: Client) -> None:
    book = await added_book(client, "Emma", subtitle="a novel", isbn="9780141439600", published="1815-12-23")

    response = await client.patch(f"/books/{book['id']}", json={"subtitle": None, "published": "1816"})

    changed = response.json()
    assert changed == {
        **book,
        "subtitle": None,
        "published": "1816",
        "version": 2,
        "updated_at": changed["updated_at"],
    }
    assert changed["updated_at"] > book["updated_at"]


async def test_put_replaces_and_clears_what_it_does_not_name(client: Client) -> None:
    author = await added_author(client, dob="1775-12-16")
    book = await added_book(client, "Emma", author["id"], subtitle="a novel", languages=["eng"])

    of_author = await client.put(f"/authors/{author['id']}", json={"name": "Austen"})
    of_book = await client.put(f"/books/{book['id']}", json={"title": "Emma", "author_id": None})

    assert (of_author.json()["name"], of_author.json()["dob"], of_author.json()["version"]) == ("Austen", None, 2)
    changed = of_book.json()
    assert changed == {
        **book,
        "author_id": None,
        "author": None,
        "subtitle": None,
        "languages": [],
        "version": 2,
        "updated_at": changed["updated_at"],
    }


async def test_put_never_creates(shared_client: Client) -> None:
    response = await shared_client.put(f"/authors/{NOBODY}", json={"name": "Nobody"})

    problem_in(response, 404, "not-found")
    assert (await shared_client.get("/authors")).json()["total"] == 0


# ---- HEAD and OPTIONS


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/authors", "GET, HEAD, OPTIONS, POST"),
        ("/books", "GET, HEAD, OPTIONS, POST"),
        (f"/authors/{NOBODY}", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        (f"/books/{NOBODY}", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/readyz", "GET, HEAD, OPTIONS"),
        ("/schema/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_tells_all_methods_of_a_resource(shared_client: Client, path: str, methods: str) -> None:
    response = await shared_client.options(path)

    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == methods


@pytest.mark.parametrize("path", ["/nothing", "/books/1", "/imports/1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_what_is_not_there_is_not_there_for_any_method(shared_client: Client, method: str, path: str) -> None:
    response = await shared_client.request(method, path)

    assert response.status_code == 404
    assert "allow" not in response.headers


@pytest.mark.parametrize("path", ["/nothing", "/authors/1"])
async def test_there_are_no_options_where_there_is_no_resource(shared_client: Client, path: str) -> None:
    problem_in(await shared_client.options(path), 404, "not-found")


async def test_head_is_answered_with_the_headers_of_get(client: Client) -> None:
    book = await added_book(client)

    for path in ("/books", f"/books/{book['id']}", "/livez"):
        got, headed = await client.get(path), await client.head(path)

        assert (headed.status_code, headed.content) == (200, b"")
        assert _lasting(headed.headers) == _lasting(got.headers)


def _lasting(headers: Any) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in {"x-request-id", "date"}}


def test_head_on_a_socket_has_no_body_and_disturbs_nothing(serve: Callable[..., Server]) -> None:
    server = serve("--storage", "memory://")
    with server.client() as client:
        got = client.get("/authors")

        headed = [client.head("/authors"), client.head("/livez"), client.head("/nothing")]
        after = client.get("/authors")

    assert [response.status_code for response in headed] == [200, 200, 404]
    assert [response.content for response in headed] == [b""] * 3
    assert _lasting(headed[0].headers) == _lasting(got.headers)
    assert after.json() == got.json()
    assert server.stop() == 0
    assert logging.getLevelName(logging.ERROR) not in server.output


async def test_if_match_may_stand_in_several_lines() -> None:
    async with in_parallel(Settings(storage="memory://")) as client:  # Litestar's own client makes them one
        author = await added_author(client)
        address = f"/authors/{author['id']}"
        await client.patch(address, json={"name": "y"})
        lines = [("If-Match", '"1-0"'), ("If-Match", '"2-0"')]

        response = await client.patch(address, json={"name": "z"}, headers=lines)

    assert response.status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_write_that_wants_there_to_be_nothing_yet_overwrites_nothing(client: Client, method: str) -> None:
    author = (await client.post("/authors", json={"name": "x"})).json()
    body = None if method == "DELETE" else {"name": "y"}

    standing = await client.request(method, f"/authors/{author['id']}", json=body, headers={"If-None-Match": "*"})
    missing = await client.request(method, f"/authors/{NOBODY}", json=body, headers={"If-None-Match": "*"})

    assert (standing.status_code, missing.status_code) == (412, 404)
    assert (await client.get(f"/authors/{author['id']}")).json() == author
