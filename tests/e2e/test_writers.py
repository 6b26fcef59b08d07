"""Many writers at once lose nothing, and what is answered 201 is kept."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from catalog.entrypoints.settings import Settings

from .clients import added_author, added_book, in_parallel, in_process, problem_in
from .servers import Server

WRITERS = 64


async def at_once(*requests: Awaitable[httpx.Response]) -> list[httpx.Response]:
    return await asyncio.gather(*requests)


async def everything(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """Return all items of a list of at most a hundred."""
    page = (await client.get(path, params={"pageSize": 100})).json()
    assert len(page["items"]) == page["total"]
    items: list[dict[str, Any]] = page["items"]
    return items


# ---- nothing is lost


async def added_books_are_all_kept(client: httpx.AsyncClient) -> None:
    author = await added_author(client)
    titles = [f"Book {n:02d}" for n in range(WRITERS)]

    responses = await at_once(
        *(client.post("/books", json={"title": title, "author_id": author["id"]}) for title in titles)
    )

    assert Counter(response.status_code for response in responses) == {201: WRITERS}
    kept = await everything(client, "/books")
    assert [book["title"] for book in kept] == titles
    assert kept == sorted((response.json() for response in responses), key=lambda book: str(book["title"]))


async def changes_of_one_record_are_all_kept(client: httpx.AsyncClient) -> None:
    book = await added_book(client)
    path = f"/books/{book['id']}"
    changes = [{("title", "subtitle")[n % 2]: f"Change {n:02d}"} for n in range(WRITERS)]

    responses = await at_once(*(client.patch(path, json=change) for change in changes))

    assert Counter(response.status_code for response in responses) == {200: WRITERS}
    by_version = {response.json()["version"]: change for response, change in zip(responses, changes, strict=True)}
    assert sorted(by_version) == list(range(2, WRITERS + 2)), "every change made a version of its own"
    replayed = book
    for version in sorted(by_version):
        replayed = replayed | by_version[version]
    kept = (await client.get(path)).json()
    assert (kept["title"], kept["subtitle"]) == (replayed["title"], replayed["subtitle"])
    assert kept["version"] == WRITERS + 1


async def one_of_many_with_the_same_knowledge_wins(client: httpx.AsyncClient) -> None:
    book = await added_book(client)
    path = f"/books/{book['id']}"
    etag = (await client.get(path)).headers["etag"]
    titles = [f"By {n}" for n in range(8)]

    responses = await at_once(
        *(client.patch(path, json={"title": title}, headers={"If-Match": etag}) for title in titles)
    )

    assert Counter(response.status_code for response in responses) == {200: 1, 412: 7}
    (winner,) = (response for response in responses if response.status_code == 200)
    assert (await client.get(path)).json() == winner.json()


Promise = Callable[[httpx.AsyncClient], Awaitable[None]]


@pytest.mark.parametrize(
    "promise", [added_books_are_all_kept, changes_of_one_record_are_all_kept, one_of_many_with_the_same_knowledge_wins]
)
async def test_writers_at_once_lose_nothing(settings: Settings, promise: Promise) -> None:
    async with in_parallel(settings) as client:
        await promise(client)


async def test_writers_at_once_lose_nothing_on_the_server(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve("--storage", f"sqlite:///{tmp_path}/catalog.db")

    async with server.parallel_client() as client:
        await added_books_are_all_kept(client)
        await changes_of_one_record_are_all_kept(client)
        await one_of_many_with_the_same_knowledge_wins(client)


async def test_writers_in_two_processes_lose_nothing(serve: Callable[..., Server], tmp_path: Path) -> None:
    one, two = [serve("--storage", f"sqlite:///{tmp_path}/catalog.db") for _ in range(2)]
    async with one.parallel_client() as first, two.parallel_client() as second:
        book = await added_book(first)
        path = f"/books/{book['id']}"

        responses = await at_once(
            *((first, second)[n % 2].patch(path, json={"title": f"Change {n:02d}"}) for n in range(WRITERS))
        )

        assert Counter(response.status_code for response in responses) == {200: WRITERS}
        assert sorted(response.json()["version"] for response in responses) == list(range(2, WRITERS + 2))


async def test_an_author_is_not_removed_while_books_by_him_are_added(settings: Settings) -> None:
    async with in_parallel(settings) as client:
        authors = [await added_author(client, f"Author {n}") for n in range(16)]
        pairs = [
            (
                client.post("/books", json={"title": "Book", "author_id": author["id"]}),
                client.delete(f"/authors/{author['id']}"),
            )
            for author in authors
        ]

        responses = await at_once(*(request for pair in pairs for request in pair))

        outcomes = {
            (one.status_code, two.status_code) for one, two in zip(responses[::2], responses[1::2], strict=True)
        }
        assert outcomes <= {(201, 409), (422, 204)}
        standing = {author["id"] for author in await everything(client, "/authors")}
        assert {book["author_id"] for book in await everything(client, "/books")} == standing


# ---- what fails is not kept, and what is kept is not failed


async def test_a_failed_commit_never_answers_that_all_is_well(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    async with in_process(Settings(storage=f"sqlite:///{file}")) as client:
        _run(
            file,
            # Checked at COMMIT, and not at the INSERT that breaks it.
            "CREATE TABLE planted (author_id BLOB REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER plant AFTER INSERT ON author BEGIN INSERT INTO planted VALUES (x'00'); END",
        )
        failed = await client.post("/authors", json={"name": "Lost"})
        _run(file, "DROP TRIGGER plant")
        kept = await client.post("/authors", json={"name": "Kept"})

        assert failed.status_code in {500, 503}
        assert kept.status_code == 201
        assert await everything(client, "/authors") == [kept.json()]


async def test_a_store_that_others_write_to_for_long_is_busy_and_recovers(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    settings = Settings(storage=f"sqlite:///{file}", busy_timeout_seconds=0.1)
    async with in_parallel(settings) as client:
        with _held_by_another(file):
            refused = await at_once(*(client.post("/authors", json={"name": "Refused"}) for _ in range(3)))
            read = await client.get("/authors")
        taken = await client.post("/authors", json={"name": "Taken"})

        for response in refused:
            problem_in(response, 503, "busy")
            assert int(response.headers["retry-after"]) >= 1
        assert (read.status_code, read.json()["total"]) == (200, 0)
        assert taken.status_code == 201
        assert await everything(client, "/authors") == [taken.json()]


async def test_a_writer_waits_for_others_that_write_shortly(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    async with in_parallel(Settings(storage=f"sqlite:///{file}")) as client:
        with _held_by_another(file):
            waiting = asyncio.create_task(client.post("/authors", json={"name": "Patient"}))
            done, _ = await asyncio.wait([waiting], timeout=0.3)
        response = await waiting

        assert not done
        assert response.status_code == 201


@contextmanager
def _held_by_another(file: Path) -> Generator[None]:
    """Hold the write lock of the file, as another process would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def _run(file: Path, *statements: str) -> None:
    """Change the database beside the service."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
