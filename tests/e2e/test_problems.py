"""Every error is a problem (RFC 9457) that says what is wrong and what to do, and tells nothing else."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

import pytest
from dishka import Provider, Scope, provide

from catalog.domain.errors import Interrupted, StorageBusy, StorageFull, StorageUnavailable
from catalog.domain.ports import CatalogReader
from catalog.entrypoints.http.problems import PROBLEMS
from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY

from .clients import Client, added_author, added_book, every_change, in_parallel, in_process, places_in, problem_in

JSON = {"Content-Type": "application/json"}


class FailingReader:
    """Fails at every question, with the same error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def author(self, id: UUID) -> NoReturn:
        raise self._error

    async def authors(self, query: object) -> NoReturn:
        raise self._error

    async def book(self, id: UUID) -> NoReturn:
        raise self._error

    async def books(self, query: object) -> NoReturn:
        raise self._error


class FailingReaderProvider(Provider):
    """Puts it in the place of the storage's reader."""

    scope = Scope.APP

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    @provide
    def reader(self) -> CatalogReader:
        return FailingReader(self._error)


def failing(error: Exception) -> AbstractAsyncContextManager[Client]:
    """Start the application over a catalogue that can not be read."""
    return in_process(Settings(storage="memory://"), FailingReaderProvider(error))


# ---- what is not there


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/authors/1", "/books/not-a-uuid", "/books/%00", "/books/%FF", f"/books/{NOBODY}/x"],
)
async def test_an_unknown_path_is_not_found(shared_client: Client, path: str) -> None:
    response = await shared_client.get(path)

    problem_in(response, 404, "not-found")


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("kind", ["author", "book"])
async def test_an_unknown_record_is_not_found_and_the_problem_names_it(
    shared_client: Client, kind: str, method: str
) -> None:
    body = {"name": "Homer"} if kind == "author" else {"title": "Iliad", "author_id": None}

    response = await shared_client.request(
        method, f"/{kind}s/{NOBODY}", json=None if method in {"GET", "DELETE"} else body
    )

    assert problem_in(response, 404, "not-found")["detail"] == f"There is no {kind} with the id {NOBODY}."


@pytest.mark.parametrize("kind", ["author", "book"])
async def test_a_removed_record_is_gone_and_the_problem_says_when_by_whom_and_in_which_request(
    client: Client, kind: str
) -> None:
    record = await (added_author(client) if kind == "author" else added_book(client))
    path = f"/{kind}s/{record['id']}"
    body = {"name": "Homer"} if kind == "author" else {"title": "Iliad", "author_id": None}

    removed = await client.delete(path)

    assert removed.status_code == 204
    (_, tombstone) = await every_change(client)
    assert tombstone["operation"] == "remove"
    for method, content in {"GET": None, "PATCH": body, "PUT": body, "DELETE": None}.items():
        problem = problem_in(await client.request(method, path, json=content), 410, "removed")
        assert (problem["removed_at"], problem["removed_by"]) == (tombstone["at"], "anonymous")
        assert problem["removed_by_request"] == tombstone["request_id"] == removed.headers["x-request-id"]
        assert problem["request_id"] != problem["removed_by_request"]
    headed = await client.head(path)
    assert (headed.status_code, headed.content) == (410, b"")
    assert len(await every_change(client)) == 2


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/authors", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/books", "GET, HEAD, OPTIONS, POST"),
        ("POST", f"/books/{NOBODY}", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("TRACE", f"/authors/{NOBODY}", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("POST", "/livez", "GET, HEAD, OPTIONS"),
    ],
)
async def test_an_unknown_method_is_refused_and_all_that_there_are_are_named(
    shared_client: Client, method: str, path: str, allowed: str
) -> None:
    response = await shared_client.request(method, path)

    problem_in(response, 405, "method-not-allowed")
    assert response.headers["allow"] == allowed


# ---- what is wrong with a request


async def test_all_that_is_wrong_with_a_body_is_said_at_once(shared_client: Client) -> None:
    body = {
        "title": " ",
        "author_id": 5,
        "contributors": [{"author_id": str(NOBODY)}, {"role": "translator"}, "Homer"],
        "isbn": "9780141439601",
        "published": "1871-13",
        "languages": ["eng", "english"],
        "a/b~c": None,
    }

    response = await shared_client.post("/books", json=body)

    problem = problem_in(response, 400, "invalid-body")
    assert places_in(problem) == [
        "/author_id",
        "/a~1b~0c",
        "/contributors/1/author_id",
        "/contributors/1/role",
        "/contributors/2",
        "/isbn",
        "/languages/1",
        "/published",
        "/title",
    ]
    assert all(error["detail"] for error in problem["errors"])


async def test_somebody_who_is_named_twice_in_one_role_is_told_of_under_whatever_names(shared_client: Client) -> None:
    named = [{"author_id": str(NOBODY), "role": "trl", "credited_as": name} for name in ("Currer Bell", None)]

    response = await shared_client.post("/books", json={"title": "A", "author_id": None, "contributors": named})

    (error,) = problem_in(response, 400, "invalid-body")["errors"]
    assert error == {
        "pointer": "/contributors",
        "detail": "must not say the same twice, and items 0 and 1 are equal in author_id and role",
    }


async def test_all_that_is_wrong_with_a_patch_is_said_at_once(client: Client) -> None:
    book = await added_book(client)

    response = await client.patch(f"/books/{book['id']}", json={"title": None, "isbn": "1", "id": str(NOBODY)})

    assert places_in(problem_in(response, 400, "invalid-body")) == ["/id", "/isbn", "/title"]


async def test_all_missing_fields_are_named(shared_client: Client) -> None:
    response = await shared_client.post("/books", json={})

    assert places_in(problem_in(response, 400, "invalid-body")) == ["/author_id", "/title"]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"{'name': 'Homer'}",
        b'{"name": "Homer"} {}',
        b'{"name": "Hom\xe9re"}',
        b'\xff\xfe{\x00"\x00',
        b'{"name": "\\ud800"}',
        b'{"name": "\\udfff\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"name": NaN}',
    ],
    ids=["cut", "quotes", "trailing", "Latin-1", "UTF-16", "surrogate", "surrogates", "surrogate key", "NaN"],
)
async def test_a_body_that_is_not_json_in_utf_8_is_refused(shared_client: Client, content: bytes) -> None:
    response = await shared_client.post("/authors", content=content, headers=JSON)

    assert places_in(problem_in(response, 400, "invalid-body")) == [""]


@pytest.mark.parametrize("content", [b"null", b"[]", b'"Homer"', b"1", b"true"])
async def test_a_body_that_is_not_an_object_is_refused(shared_client: Client, content: bytes) -> None:
    response = await shared_client.post("/authors", content=content, headers=JSON)

    problem = problem_in(response, 400, "invalid-body")
    assert places_in(problem) == [""]
    assert "object" in problem["errors"][0]["detail"]


async def test_a_missing_body_is_called_missing(shared_client: Client) -> None:
    response = await shared_client.post("/authors", headers=JSON)

    assert "body" in problem_in(response, 400, "invalid-body")["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({"dob": "1929-10-21", "birth": "1871"}, "must have one day of birth"),
        ({"birth": "1929", "death": "1871"}, "must not die before being born"),
    ],
)
async def test_dates_that_can_not_both_be_are_refused_whoever_is_told(
    client: Client, said: dict[str, str], detail: str
) -> None:
    author = (await client.post("/authors", json={"name": "Ursula", "death": "1900"})).json()

    added = problem_in(await client.post("/authors", json={"name": "Ursula"} | said), 400, "invalid-body")
    changed = problem_in(await client.patch(f"/authors/{author['id']}", json=said), 400, "invalid-body")
    late = await client.patch(f"/authors/{author['id']}", json={"birth": "1929"})

    assert added["errors"][0]["detail"].startswith(detail)
    assert changed["errors"][0]["detail"].startswith(detail)
    assert changed["errors"][0]["pointer"] == ""
    assert "must not die before being born" in problem_in(late, 400, "invalid-body")["errors"][0]["detail"]
    assert (await client.get(f"/authors/{author['id']}")).json() == author


async def test_a_birth_in_the_future_is_refused(shared_client: Client) -> None:
    response = await shared_client.post("/authors", json={"name": "Nobody", "dob": "9999-12-31"})

    assert places_in(problem_in(response, 400, "invalid-body")) == ["/dob"]


async def test_unknown_authors_are_all_named_where_they_stand(client: Client) -> None:
    author = await added_author(client)
    contributors = [{"author_id": author["id"]}, {"author_id": str(NOBODY)}]

    response = await client.post(
        "/books", json={"title": "Iliad", "author_id": str(NOBODY), "contributors": contributors}
    )

    assert places_in(problem_in(response, 422, "unknown-reference")) == ["/author_id", "/contributors/1/author_id"]


async def test_all_that_is_wrong_with_parameters_is_said_at_once(shared_client: Client) -> None:
    response = await shared_client.get("/books?pageSize=0&currentPage=1&currentPage=2&author_id=x&sort=title&sort=id")

    problem = problem_in(response, 400, "invalid-request")
    assert places_in(problem) == ["author_id", "currentPage", "pageSize", "sort"]


@pytest.mark.parametrize("path", ["/authors", f"/authors/{NOBODY}", "/livez", "/readyz", "/schema/openapi.json"])
async def test_unknown_parameters_are_refused_everywhere(shared_client: Client, path: str) -> None:
    response = await shared_client.get(path, params={"unknown": "1"})

    assert places_in(problem_in(response, 400, "invalid-request")) == ["unknown"]


async def test_a_parameter_given_twice_is_refused_even_with_the_same_value(shared_client: Client) -> None:
    response = await shared_client.get("/authors?pageSize=10&pageSize=10")

    problem = problem_in(response, 400, "invalid-request")
    assert places_in(problem) == ["pageSize"]
    assert "once" in problem["errors"][0]["detail"]


async def test_a_null_is_no_author_to_filter_by(shared_client: Client) -> None:
    response = await shared_client.get("/books?author_id=null")

    assert places_in(problem_in(response, 400, "invalid-request")) == ["author_id"]


# ---- what the catalogue refuses


@pytest.mark.parametrize("books", [1, 2])
async def test_an_author_with_books_is_not_removed_and_the_problem_says_how_many(client: Client, books: int) -> None:
    author = await added_author(client)
    for title in ("Emma", "Persuasion")[:books]:
        await added_book(client, title, author["id"])

    response = await client.delete(f"/authors/{author['id']}")

    detail = problem_in(response, 409, "author-has-books")["detail"]
    assert detail.startswith(("1 book names", "2 books name")[books - 1])
    assert (await client.get(f"/authors/{author['id']}")).json() == author


async def test_an_author_who_contributed_to_a_book_is_not_removed(client: Client) -> None:
    author = await added_author(client)
    await added_book(client, contributors=[{"author_id": author["id"], "role": "trl"}])

    response = await client.delete(f"/authors/{author['id']}")

    problem_in(response, 409, "author-has-books")


async def test_a_stale_version_is_refused_and_the_problem_says_which_stands(client: Client) -> None:
    author = await added_author(client)
    await client.patch(f"/authors/{author['id']}", json={"name": "Homer"})

    response = await client.patch(f"/authors/{author['id']}", json={"name": "Hesiod"}, headers={"If-Match": '"1-0"'})

    assert problem_in(response, 412, "stale-version")["detail"] == "The author is at version 2 by now."


async def test_a_body_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    settings = Settings(storage="memory://", max_body_bytes=1024)
    async with in_process(settings) as client:
        fits = await client.post("/authors", json={"name": "x" * 400})
        too_large = await client.post("/authors", json={"name": "x" * 1100})

    assert fits.status_code == 201
    problem_in(too_large, 413, "body-too-large")


async def test_a_body_that_grows_too_large_without_announcing_it_is_refused() -> None:
    async def chunks() -> AsyncGenerator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b"[" * 1000

    async with in_parallel(Settings(storage="memory://")) as client:
        response = await client.post("/authors", content=chunks(), headers=JSON)

    problem_in(response, 413, "body-too-large")


async def test_a_page_of_another_origin_may_not_write(shared_client: Client) -> None:
    response = await shared_client.post("/authors", json={"name": "Homer"}, headers={"Origin": "https://evil.example"})

    problem_in(response, 403, "foreign-origin")


async def test_a_request_for_another_host_is_refused(shared_client: Client) -> None:
    response = await shared_client.get("/authors", headers={"Host": "evil.example"})

    problem_in(response, 421, "wrong-host")


# ---- what is not the request's fault


@pytest.mark.parametrize("path", ["/authors", "/books", f"/authors/{NOBODY}", f"/books/{NOBODY}"])
async def test_a_bug_is_logged_with_the_request_id_that_the_client_got_and_told_to_nobody(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with failing(RuntimeError("secret")) as client:
            response = await client.get(path)

    problem = problem_in(response, 500, "internal-error")
    (record,) = (record for record in caplog.records if record.levelno >= logging.ERROR)
    assert problem["request_id"] in record.getMessage()
    assert "secret" in caplog.text
    assert not any(word in response.text for word in ("secret", "RuntimeError", "Traceback", ".py"))
    assert "secret" not in str(response.headers)


@pytest.mark.parametrize(
    ("error", "status", "slug", "retry_after"),
    [
        (StorageBusy(retry_after=7), 503, "busy", "7"),
        (Interrupted(), 503, "busy", "1"),
        (StorageUnavailable("/var/lib/secret.db is locked away"), 503, "unavailable", "10"),
        (StorageFull(), 507, "storage-full", None),
    ],
    ids=["busy", "interrupted", "unavailable", "full"],
)
async def test_a_catalogue_that_can_not_answer_says_when_to_try_again(
    error: Exception, status: int, slug: str, retry_after: str | None
) -> None:
    async with failing(error) as client:
        response = await client.get("/books")

    problem_in(response, status, slug)
    assert response.headers.get("retry-after") == retry_after
    assert "secret" not in response.text


async def test_a_database_at_another_migration_is_not_ready(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    async with in_process(Settings(storage=f"sqlite:///{file}")) as client:
        ready = await client.get("/readyz")
        _set_migration(file, "0001")

        response = await client.get("/readyz")

    assert (ready.status_code, ready.text) == (200, "ok\n")
    problem = problem_in(response, 503, "unavailable")
    assert response.headers["retry-after"]
    assert "catalog database upgrade" in problem["detail"]


def _set_migration(file: Path, number: str) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("UPDATE alembic_versions SET version_num = ?", (number,))
    connection.close()


# ---- what the types mean


@pytest.mark.parametrize("slug", sorted(PROBLEMS))
async def test_the_type_of_a_problem_leads_to_a_page_that_explains_it(shared_client: Client, slug: str) -> None:
    response = await shared_client.get(f"/problems/{slug}")

    assert (response.status_code, response.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert PROBLEMS[slug].title in response.text
    assert PROBLEMS[slug].remedy in response.text


async def test_a_type_that_there_is_not_has_no_page(shared_client: Client) -> None:
    problem_in(await shared_client.get("/problems/no-such"), 404, "not-found")


async def test_a_problem_has_the_members_of_the_standard_in_its_order_and_no_empty_ones(shared_client: Client) -> None:
    without_errors: dict[str, Any] = (await shared_client.get("/nothing")).json()
    with_errors: dict[str, Any] = (await shared_client.get("/books?x=1")).json()

    members = ["type", "title", "status", "detail", "instance", "request_id"]
    assert list(without_errors) == members
    assert list(with_errors) == [*members, "errors"]
    assert list(with_errors["errors"][0]) == ["detail", "parameter"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"title": "\\ud800"}', r"\ud800 is half of a character"),
        (b'{"title": "x\\uDC00y"}', r"\uDC00 is half of a character"),
        (b'{"title": "x', "truncated"),
    ],
)
async def test_what_is_no_json_says_where_it_breaks_off(shared_client: Client, body: bytes, told: str) -> None:
    response = await shared_client.post("/books", content=body, headers=JSON)

    assert told in problem_in(response, 400, "invalid-body")["errors"][0]["detail"]


async def test_a_number_of_pages_that_is_none_is_told_no_bounds_that_are_not_its_own(shared_client: Client) -> None:
    async def told(pages: Any) -> str:
        response = await shared_client.post("/books", json={"title": "x", "author_id": None, "pages": pages})
        detail: str = problem_in(response, 400, "invalid-body")["errors"][0]["detail"]
        return detail

    assert await told("x") == "must be a whole number"
    assert "1000000" in await told(0)
    assert "2147483647" in await told(2**40)
