"""Migration 0002 gives a catalogue that had no log one that tells how every record stands."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from click.testing import CliRunner
from tests.e2e.clients import every_change, in_process
from tests.e2e.servers import Server
from tests.integration.databases import alembic, content, revision_of, run_sql, tables

from catalog.domain.text import sort_key
from catalog.entrypoints.cli import main
from catalog.entrypoints.settings import Settings

EMPTY, FIRST = "0001", "2021-03-04 05:06:07.000000"


def id_of(number: int) -> UUID:
    """An id; the greater the number, the less is it, so that nothing is in order by accident."""
    return UUID(int=(0x01A2 << 112) | (7 << 76) | (2 << 62) | (2**40 - number))


def time_of(number: int) -> str:
    return f"2021-03-04 {number % 24:02d}:{number % 60:02d}:07.{number:06d}"


AUTHORS: list[dict[str, Any]] = [
    {"name": "Ursula K. Le Guin", "dob": "1929-10-21", "version": 1},
    {"name": "Ὅμηρος", "dob": None, "version": 7},
    {"name": '👩🏽‍🚀 "Quoted" \\ O\'Name', "dob": "0001-01-01", "version": 2},
    {"name": "x" * 500, "dob": "9999-12-31", "version": 2_000_000},
]
BOOKS: list[dict[str, Any]] = [
    {
        "title": "The Left Hand of Darkness 📚",
        "subtitle": "a novel\u00a0– ünïcödé",
        "author": 0,
        "contributors": [(1, "aui"), (0, None), (2, "trl"), (2, None)],
        "isbn": "9780441172719",
        "published": "1969-03",
        "languages": ["eng", "grc"],
        "sources": [("gutenberg", "21"), ("goodreads 📚", "k'ey"), ("gutenberg", "1")],
        "version": 3,
    },
    {"title": "Beowulf", "version": 1},
    {"title": "Ἰλιάς", "author": 1, "published": "-0700", "languages": ["grc"], "version": 12},
    {"title": "Only with", "contributors": [(3, "ill")], "sources": [("goodreads", "1")], "version": 2},
]


def old_catalogue(path: Path, authors: list[dict[str, Any]], books: list[dict[str, Any]]) -> None:
    """Make a database at migration 0001 and fill it as the program of that time did."""
    alembic(path).upgrade(EMPTY)
    with closing(sqlite3.connect(path)) as connection, connection:
        for n, author in enumerate(authors):
            connection.execute(
                "INSERT INTO author (id, version, created_at, updated_at, sort_key, name, dob) VALUES (?,?,?,?,?,?,?)",
                (
                    id_of(n).bytes,
                    author["version"],
                    FIRST,
                    time_of(n),
                    sort_key(author["name"]),
                    author["name"],
                    author.get("dob"),
                ),
            )
        for n, book in enumerate(books):
            id = id_of(1_000_000 + n).bytes
            author_id = None if book.get("author") is None else id_of(book["author"]).bytes
            connection.execute(
                "INSERT INTO book (id, version, created_at, updated_at, sort_key, title, subtitle, author_id, isbn,"
                " published, languages) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                (
                    id,
                    book["version"],
                    FIRST,
                    time_of(n),
                    sort_key(book["title"]),
                    book["title"],
                    book.get("subtitle"),
                    author_id,
                    book.get("isbn"),
                    book.get("published"),
                    json.dumps(book.get("languages", [])),
                ),
            )
            connection.executemany(
                "INSERT INTO contributor (book_id, position, author_id, role) VALUES (?,?,?,?)",
                [(id, n, id_of(author).bytes, role) for n, (author, role) in enumerate(book.get("contributors", ()))],
            )
            connection.executemany(
                "INSERT INTO source (source, key, book_id) VALUES (?,?,?)",
                [(source, key, id) for source, key in book.get("sources", ())],
            )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "catalog.db"


@pytest.fixture
def old(path: Path) -> Path:
    """A database in use, from before the log."""
    old_catalogue(path, AUTHORS, BOOKS)
    return path


async def pages(client: httpx.AsyncClient, kind: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    number = 1
    while True:
        page = (await client.get(f"/{kind}", params={"pageSize": 100, "currentPage": number})).json()
        items += page["items"]
        if not page["items"]:
            assert page["total"] == len(items)
            return items
        number += 1


def as_read(path: Path) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Return all records as the service tells them, by their ids, and the log."""

    async def read() -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        async with in_process(Settings(storage=f"sqlite:///{path}")) as client:
            records = {record["id"]: record for kind in ("authors", "books") for record in await pages(client, kind)}
            for record in records.values():
                kind = "books" if "title" in record else "authors"
                assert (await client.get(f"/{kind}/{record['id']}")).json() == record
            return records, await every_change(client)

    return asyncio.run(read())


def as_logged(record: dict[str, Any]) -> dict[str, Any]:
    """The record as the log tells it: without its author, and with its sources, of which nobody had kept the bytes."""
    logged = {name: value for name, value in record.items() if name != "author"}
    if "sources" in record:
        logged["sources"] = [{**source, "format": None, "content": None} for source in record["sources"]]
    return logged


def rows_of(path: Path) -> dict[str, Any]:
    """The records as they stand in the tables of 0001."""
    names = {
        "author": "id, version, created_at, updated_at, sort_key, name, dob",
        "book": "id, version, created_at, updated_at, sort_key, title, subtitle, author_id, isbn, published, languages",
        "contributor": "book_id, position, author_id, role",
        "source": "source, key, book_id",
    }
    rows = {table: run_sql(path, f"SELECT {columns} FROM {table} ORDER BY 1, 2") for table, columns in names.items()}
    # Lists are JSON, which may be written with spaces or without.
    return rows | {"book": [(*others, json.loads(languages)) for *others, languages in rows["book"]]}


def test_every_record_that_stands_gets_one_revision_that_tells_it_as_it_is_read(old: Path) -> None:
    alembic(old).upgrade("0002")

    records, log = as_read(old)

    assert len(records) == len(AUTHORS) + len(BOOKS) == len(log)
    assert {change["id"]: change["after"] for change in log} == {id: as_logged(r) for id, r in records.items()}
    for change in log:
        record = records[change["id"]]
        assert (change["version"], change["at"]) == (record["version"], record["updated_at"])
        assert (change["operation"], change["actor"], change["request_id"]) == ("create", "migration", None)
        assert (change["group"], change["into"], change["withheld"]) == (None, None, None)


def test_authors_come_first_for_books_name_them_and_no_number_is_left_out(old: Path) -> None:
    _, log = as_read(old)

    assert [change["seq"] for change in log] == list(range(1, len(log) + 1))
    assert [change["kind"] for change in log] == ["author"] * len(AUTHORS) + ["book"] * len(BOOKS)


def test_the_records_say_what_they_said_before(old: Path) -> None:
    records, _ = as_read(old)

    for n, author in enumerate(AUTHORS):
        record = records[str(id_of(n))]
        assert {name: record[name] for name in author} == author
        assert record["created_at"] == "2021-03-04T05:06:07Z"
    for n, book in enumerate(BOOKS):
        record = records[str(id_of(1_000_000 + n))]
        plain = ("title", "subtitle", "isbn", "published", "version")
        assert [record[name] for name in plain] == [book.get(name) for name in plain]
        assert record["languages"] == book.get("languages", [])
        assert record["author_id"] == (None if book.get("author") is None else str(id_of(book["author"])))
        assert record["contributors"] == [
            {"author_id": str(id_of(author)), "role": role, "credited_as": None}
            for author, role in book.get("contributors", ())
        ]
        assert sorted((each["source"], each["key"]) for each in record["sources"]) == sorted(book.get("sources", ()))


def test_the_tables_are_as_they_were_and_only_have_more_beside_them(old: Path) -> None:
    before = rows_of(old)

    alembic(old).upgrade("0002")

    assert rows_of(old) == before
    assert run_sql(old, "PRAGMA foreign_key_check") == []
    assert run_sql(old, "PRAGMA integrity_check") == [("ok",)]
    positions = run_sql(old, "SELECT book_id, position FROM source ORDER BY 1, 2")
    assert len(set(positions)) == len(positions) == 4
    assert max(position for _, position in positions) == 2


def test_the_counts_are_right_and_the_position_is_that_of_the_last_revision(old: Path) -> None:
    alembic(old).upgrade("0002")

    ((seq, at, authors, books, follows),) = run_sql(old, "SELECT seq, at, authors, books, follows FROM log")

    assert (seq, authors, books, follows) == (len(AUTHORS) + len(BOOKS), len(AUTHORS), len(BOOKS), None)
    assert run_sql(old, "SELECT at FROM revision ORDER BY seq DESC LIMIT 1") == [(at,)]


@pytest.mark.parametrize(("authors", "books"), [(0, 0), (1, 0), (0, 1), (1000, 1000), (1001, 2001)])
def test_a_catalogue_of_any_size_gets_its_log(path: Path, authors: int, books: int) -> None:
    old_catalogue(
        path,
        [{"name": f"Author {n}", "version": 1} for n in range(authors)],
        [
            {"title": f"Book {n}", "version": 2, "author": n % authors if authors else None, "sources": [("s", str(n))]}
            for n in range(books)
        ],
    )

    alembic(path).upgrade("0002")

    assert run_sql(path, "SELECT seq, authors, books FROM log") == [(authors + books, authors, books)]
    assert run_sql(path, "SELECT count(*), min(seq), max(seq), count(DISTINCT id) FROM revision") == [
        (authors + books, 1 if authors + books else None, authors + books or None, authors + books)
    ]
    assert run_sql(
        path, "SELECT count(*) FROM revision WHERE kind = 'author' AND seq > ?".replace("?", str(authors))
    ) == [(0,)]
    of = "SELECT count(*) FROM revision JOIN book USING (id) WHERE after LIKE '%\"' || title || '\"%'"
    assert run_sql(path, of) == [(books,)]


def test_an_empty_catalogue_begins_at_nothing_and_goes_on_from_there(path: Path) -> None:
    old_catalogue(path, [], [])

    records, log = as_read(path)

    async def write() -> Any:
        async with in_process(Settings(storage=f"sqlite:///{path}")) as client:
            assert (await client.get("/authors")).json()["as_of"] == {"seq": 0, "at": None}
            await client.post("/authors", json={"name": "Homer"})
            return [change["seq"] for change in await every_change(client)]

    assert (records, log) == ({}, [])
    assert asyncio.run(write()) == [1]


def test_what_stood_before_the_log_can_be_changed_reverted_removed_restored_and_merged(old: Path) -> None:
    async def live() -> None:
        async with in_process(Settings(storage=f"sqlite:///{old}")) as client:
            book = f"/books/{id_of(1_000_000)}"
            before = (await client.get(book)).json()

            changed = (await client.patch(book, json={"title": "Changed"})).json()
            assert changed["version"] == 4
            assert (await client.get(f"{book}/revisions/4/differences")).json()["differences"] == [
                {"field": "title", "before": before["title"], "after": "Changed"}
            ]
            first = (await client.get(f"{book}/revisions/3/differences")).json()
            assert first["earlier"] is None
            reverted = (await client.post(f"{book}/revert", json={"to_version": 3})).json()
            assert {**reverted, "version": 3, "updated_at": before["updated_at"]} == before
            for version in (1, 2):
                assert (await client.get(f"{book}/revisions/{version}")).status_code == 404
                assert (await client.post(f"{book}/revert", json={"to_version": version})).status_code == 404
            assert (await client.delete(book)).status_code == 204
            restored = (await client.post(f"{book}/restore")).json()
            assert {**restored, "version": 3, "updated_at": before["updated_at"]} == before
            loser, survivor = f"/authors/{id_of(1)}", str(id_of(0))
            assert (await client.post(f"{loser}/merge", json={"into": survivor})).status_code == 200
            assert (await client.post(f"{loser}/unmerge")).json()["left_alone"] == []

    asyncio.run(live())


def test_importing_again_what_was_imported_before_the_log_creates_nothing_twice(old: Path, tmp_path: Path) -> None:
    file = tmp_path / "books.csv"
    file.write_text("key,title\n21,The Left Hand of Darkness\n1,Once more\n2,New\n", "utf-8")

    result = CliRunner().invoke(main, ["import", str(file), "--source", "gutenberg", "--storage", f"sqlite:///{old}"])

    assert "1 created, 2 updated, 0 unchanged, 0 refused" in result.output


@pytest.fixture
def served(old: Path, tmp_path: Path) -> Iterator[Server]:
    """The migrated catalogue, as a server."""
    server = Server("--storage", f"sqlite:///{old}", folder=tmp_path)
    yield server
    server.kill()


def test_the_feed_of_a_migrated_catalogue_makes_it_anew_elsewhere(served: Server, old: Path, tmp_path: Path) -> None:
    replica = tmp_path / "replica.db"

    result = CliRunner().invoke(main, ["follow", served.address, "--once", "--storage", f"sqlite:///{replica}"])

    assert result.exit_code == 0, result.output
    assert as_read(replica) == as_read(old)
    assert rows_of(replica) == rows_of(old)


# ---- and back


def test_going_back_keeps_the_records_and_where_they_came_from(old: Path) -> None:
    before, tables_before = content(old), tables(old)

    alembic(old).upgrade("0002")
    alembic(old).downgrade("0001")

    assert (content(old), tables(old), revision_of(old)) == (before, tables_before, "0001")
    assert run_sql(old, "PRAGMA foreign_key_check") == []


def test_going_back_keeps_what_happened_since_and_a_new_log_begins_with_that(old: Path) -> None:
    async def live() -> None:
        async with in_process(Settings(storage=f"sqlite:///{old}")) as client:
            await client.patch(f"/books/{id_of(1_000_000)}", json={"title": "Changed"})
            await client.delete(f"/books/{id_of(1_000_001)}")
            await client.post(f"/authors/{id_of(1)}/merge", json={"into": str(id_of(0))})
            await client.post("/authors", json={"name": "New"})

    asyncio.run(live())
    records, _ = as_read(old)

    alembic(old).downgrade("0001")
    alembic(old).upgrade("0002")

    anew, log = as_read(old)
    assert anew == records
    assert {change["id"]: change["after"] for change in log} == {id: as_logged(r) for id, r in records.items()}
    assert {change["operation"] for change in log} == {"create"}
