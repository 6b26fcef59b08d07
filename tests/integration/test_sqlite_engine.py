"""What connections to SQLite promise: how they are set up, who waits for whom, what errors become."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from tests.integration.databases import populate, run_sql

from catalog.adapters.sql import open_sqlite
from catalog.adapters.sql.sqlite.database import SqliteDatabase
from catalog.adapters.sql.storage import SqlStorage
from catalog.adapters.system import Uuid7Generator
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, SourceKey
from catalog.domain.callers import Caller
from catalog.domain.errors import (
    CatalogError,
    Interrupted,
    StorageBusy,
    StorageFailed,
    StorageFull,
    StorageUnavailable,
    UnknownAuthors,
)
from catalog.domain.identifiers import Number
from catalog.domain.kinds import Kind
from catalog.domain.queries import AuthorQuery, BookQuery, PageRequest
from catalog.domain.values import Isbn, Scheme
from catalog.testing.doubles import NOBODY, Cataloguers, StillClock

CALLER = Caller(actor="tester")
SOON = 0.2
"""A busy timeout that tests can wait for."""

DIARY = b"Dear diary, " * 1000
BEGIN_WRITING = "BEGIN IMMEDIATE"
COUNT = "SELECT count(*) FROM author"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "catalog.db"


@pytest.fixture
async def sqlite(path: Path) -> AsyncGenerator[SqlStorage]:
    """An empty catalogue that waits only a short time for others."""
    async with open_sqlite(str(path), busy_timeout=SOON) as storage:
        yield storage


async def test_no_import_looks_through_a_whole_table(sqlite: SqlStorage, path: Path) -> None:
    """SQLite would, of pairs, and each unit would take longer the more there is."""
    asked: list[tuple[str, Any]] = []
    writer = sqlite._database.writer.sync_engine
    event.listen(writer, "before_cursor_execute", lambda *given: asked.append((given[2], given[3])))
    ids = [uuid4() for _ in range(5)]

    async with sqlite.unit_of_work(CALLER) as unit:
        await unit.books.find_by_sources([SourceKey(source, "1") for source in ("gutenberg", "goodreads")])
        await unit.books.find_by_isbns({(Isbn("9780141439587"), None), (Isbn("9780141439600"), "gutenberg")})
        await unit.authors.find_by_numbers([Number(Scheme("viaf"), "1"), Number(Scheme("wikidata"), "Q1")])
        await unit.authors.get_many(ids)
        await unit.log.versions(Kind.BOOK, dict.fromkeys(ids, 1))
        await unit.log.last(Kind.BOOK, ids)

    assert len(asked) == 6
    with closing(sqlite3.connect(path)) as connection:
        for statement, values in asked:
            steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            assert not [step for step in steps if step.startswith("SCAN") and "CONSTANT" not in step], steps


async def test_a_large_unit_leaves_the_log_of_sqlite_to_small_ones_as_it_was(sqlite: SqlStorage) -> None:
    async def pages() -> int:
        async with sqlite._database.writer.connect() as connection:
            return int((await connection.exec_driver_sql("PRAGMA wal_autocheckpoint")).scalar_one())

    before = await pages()
    asked: list[str] = []
    async with sqlite._database.writer.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.set_trace_callback(asked.append)

    made = [Author.recorded(AuthorDetails(name=f"A {n}"), id=uuid4(), at=StillClock().now()) for n in range(150)]
    async with sqlite.unit_of_work(CALLER) as unit:
        await unit.authors.add(*made)

    assert [each for each in asked if "wal_autocheckpoint" in each or each == "COMMIT"][-3:] == [
        "PRAGMA wal_autocheckpoint=4000",
        "COMMIT",
        "PRAGMA wal_autocheckpoint=1000",
    ]
    assert await pages() == before


async def open_once(path: Path) -> None:
    async with open_sqlite(str(path), busy_timeout=SOON):
        pass


async def scalar(engine: AsyncEngine, sql: str) -> object:
    """What the statement returns on a connection of the engine."""
    async with engine.connect() as connection:
        return (await connection.exec_driver_sql(sql)).scalar()


async def in_another_process(path: Path, sql: str) -> str:
    """What another process that does not wait gets to hear."""
    program = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "try: print(connection.execute(sys.argv[2]).fetchone())\n"
        "except sqlite3.OperationalError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program, str(path), sql]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@asynccontextmanager
async def somebody_writing(path: Path) -> AsyncGenerator[sqlite3.Connection]:
    """Somebody else who has begun to write."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(BEGIN_WRITING)
        yield connection


def an_author(name: str) -> Author:
    return Author.recorded(AuthorDetails(name=name), id=Uuid7Generator().new(), at=StillClock().now())


async def add(storage: SqlStorage, name: str = "Jane Austen") -> Author:
    return await Cataloguers(storage).authors.add(AuthorDetails(name=name))


async def add_authors(storage: SqlStorage, number: int) -> None:
    for each in range(number):
        await add(storage, f"{each} {'x' * 400}")


async def names(storage: SqlStorage) -> list[str]:
    page = await storage.reader.authors(AuthorQuery(page=PageRequest(size=100)))
    return [author.name for author in page.items]


@pytest.mark.parametrize(
    ("pragma", "expected"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 200)]
)
@pytest.mark.parametrize("engine", ["reader", "writer"])
async def test_every_connection_is_set_up(sqlite: SqlStorage, engine: str, pragma: str, expected: object) -> None:
    assert await scalar(getattr(sqlite._database, engine), f"PRAGMA {pragma}") == expected


@pytest.mark.parametrize("engine", ["reader", "writer"])
async def test_python_begins_no_transactions_of_its_own(sqlite: SqlStorage, engine: str) -> None:
    async with getattr(sqlite._database, engine).connect() as connection:
        raw = await connection.get_raw_connection()

        assert raw.driver_connection.isolation_level is None


async def test_every_reader_of_the_pool_is_set_up(sqlite: SqlStorage) -> None:
    connections = [await sqlite._database.reader.connect() for _ in range(4)]

    settings = [(await each.exec_driver_sql("PRAGMA query_only")).scalar() for each in connections]

    for connection in connections:
        await connection.close()
    assert settings == [1] * 4


async def test_a_reader_can_not_write(sqlite: SqlStorage) -> None:
    async with sqlite._database.reader.connect() as connection:
        with pytest.raises(OperationalError, match="readonly"):
            await connection.exec_driver_sql("DELETE FROM author")


async def test_while_a_unit_is_open_nobody_else_begins_to_write(sqlite: SqlStorage, path: Path) -> None:
    async with sqlite.unit_of_work(CALLER) as unit:
        await unit.books.count_naming(NOBODY)
        others = await in_another_process(path, BEGIN_WRITING)

    assert others == "database is locked"
    assert await in_another_process(path, BEGIN_WRITING) == "None"


async def test_while_a_unit_is_open_everybody_can_read(sqlite: SqlStorage, path: Path) -> None:
    await add(sqlite, "Standing")

    async with sqlite.unit_of_work(CALLER) as unit:
        await unit.authors.add(an_author("Not yet"))
        others = await in_another_process(path, COUNT)
        ours = await names(sqlite)

    assert others == "(1,)"
    assert ours == ["Standing"]


async def test_a_list_being_read_stops_no_writer(sqlite: SqlStorage) -> None:
    async with sqlite._database.reader.connect() as reading:
        await reading.exec_driver_sql(COUNT)

        await add(sqlite)

        assert (await reading.exec_driver_sql(COUNT)).scalar() == 0
    assert await names(sqlite) == ["Jane Austen"]


async def test_a_unit_waits_for_another_process_to_finish(path: Path) -> None:
    async with open_sqlite(str(path), busy_timeout=60) as storage:
        async with somebody_writing(path) as other:
            waiting = asyncio.create_task(add(storage))
            done, _ = await asyncio.wait({waiting}, timeout=SOON)
            assert not done
            other.execute("COMMIT")
            await waiting

        assert await names(storage) == ["Jane Austen"]


async def test_a_unit_that_can_not_begin_in_time_is_told_that_the_catalogue_is_busy(
    sqlite: SqlStorage, path: Path
) -> None:
    async with somebody_writing(path):
        began = monotonic()
        with pytest.raises(StorageBusy):
            await add(sqlite)
        waited = monotonic() - began

    assert SOON / 2 < waited < 20 * SOON


async def test_a_unit_that_can_not_have_the_writer_in_time_is_told_that_the_catalogue_is_busy(
    sqlite: SqlStorage,
) -> None:
    async with sqlite.unit_of_work(CALLER) as unit:
        await unit.books.count_naming(NOBODY)  # a unit begins with what it does first
        with pytest.raises(StorageBusy):
            await add(sqlite)

    assert await names(sqlite) == []


async def test_what_was_refused_for_being_busy_goes_through_later(sqlite: SqlStorage, path: Path) -> None:
    async with somebody_writing(path):
        with pytest.raises(StorageBusy):
            await add(sqlite)

    await add(sqlite)

    assert await names(sqlite) == ["Jane Austen"]


@pytest.fixture
async def commits_fail(sqlite: SqlStorage, path: Path) -> None:
    """Every COMMIT of a new author fails, for a deferred reference is broken."""
    run_sql(path, "CREATE TABLE planted (author_id REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED)")
    run_sql(path, "CREATE TRIGGER planted AFTER INSERT ON author BEGIN INSERT INTO planted VALUES (x'00'); END")


@pytest.mark.usefixtures("commits_fail")
async def test_a_unit_whose_commit_fails_has_failed(sqlite: SqlStorage) -> None:
    with pytest.raises(StorageFailed):
        async with sqlite.unit_of_work(CALLER) as unit:
            await unit.authors.add(an_author("Refused"))

    assert await names(sqlite) == []


@pytest.mark.usefixtures("commits_fail")
async def test_a_commit_that_fails_leaves_no_transaction_behind(sqlite: SqlStorage, path: Path) -> None:
    with pytest.raises(StorageFailed):
        await add(sqlite, "Refused")

    assert await in_another_process(path, BEGIN_WRITING) == "None"
    run_sql(path, "DROP TRIGGER planted")
    await add(sqlite, "Accepted")
    assert await names(sqlite) == ["Accepted"]


@pytest.mark.usefixtures("commits_fail")
async def test_a_session_that_is_only_closed_after_its_commit_failed_leaves_no_transaction_behind(
    sqlite: SqlStorage, path: Path
) -> None:
    async with AsyncSession(sqlite._database.writer) as session:
        await session.execute(text("INSERT INTO planted VALUES (x'00')"))
        with pytest.raises(IntegrityError):
            await session.commit()

    assert await in_another_process(path, BEGIN_WRITING) == "None"


async def test_writing_to_a_full_storage_says_that_it_is_full_and_leaves_nothing_behind(sqlite: SqlStorage) -> None:
    await populate(sqlite)
    before = await names(sqlite)
    pages = await scalar(sqlite._database.writer, "PRAGMA page_count")
    await scalar(sqlite._database.writer, f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageFull):
        async with sqlite.unit_of_work(CALLER) as unit:
            await unit.authors.add(*(an_author(f"{number} {'x' * 400}") for number in range(200)))

    assert await names(sqlite) == before


async def test_a_storage_with_room_again_takes_writes_again(sqlite: SqlStorage) -> None:
    pages = await scalar(sqlite._database.writer, "PRAGMA page_count")
    await scalar(sqlite._database.writer, f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFull):
        await add_authors(sqlite, 1000)
    before = await names(sqlite)

    await scalar(sqlite._database.writer, "PRAGMA max_page_count = 100000")
    await add(sqlite, "Last")

    assert len(before) < 100
    assert sorted(await names(sqlite)) == sorted([*before, "Last"])


async def test_writing_to_what_became_read_only_says_that_it_is_not_available(sqlite: SqlStorage) -> None:
    async with sqlite._database.writer.connect() as connection:
        await connection.exec_driver_sql("PRAGMA query_only = 1")

    with pytest.raises(StorageUnavailable, match="SQLITE_READONLY"):
        await add(sqlite)


@pytest.fixture
def read_only(path: Path) -> Path:
    """A file that may not be written to."""
    path.touch()
    path.chmod(0o444)
    if os.access(path, os.W_OK):
        pytest.skip("whoever runs this may write to read-only files")
    return path


async def test_a_read_only_file_is_not_available(read_only: Path) -> None:
    with pytest.raises(StorageUnavailable, match="SQLITE_READONLY"):
        await open_once(read_only)


@pytest.fixture
def diary(path: Path) -> Path:
    """A file that is no database."""
    path.write_bytes(DIARY)
    return path


async def test_a_file_that_is_no_database_is_not_available(diary: Path) -> None:
    with pytest.raises(StorageUnavailable, match="file is not a database"):
        await open_once(diary)


def test_a_file_that_is_no_database_is_left_as_it_is(diary: Path) -> None:
    with pytest.raises(StorageUnavailable):
        asyncio.run(open_once(diary))

    assert diary.read_bytes() == DIARY


async def test_a_folder_is_not_available(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="is a folder"):
        await open_once(tmp_path)


async def test_a_file_in_a_folder_that_is_not_there_is_not_available(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="there is no folder"):
        await open_once(tmp_path / "none" / "catalog.db")


async def test_opening_a_database_that_somebody_migrates_says_that_it_is_busy(path: Path) -> None:
    await open_once(path)

    async with somebody_writing(path):
        with pytest.raises(StorageBusy):
            await open_once(path)


ASK: Mapping[str, Callable[[SqlStorage], Awaitable[object]]] = {
    "read": names,
    "write": add,
    "check": SqlStorage.check,
}


@pytest.fixture
def damaged(path: Path) -> Path:
    """A database of which only the header is left."""
    asyncio.run(migrated_and_populated(path))
    header, size = path.read_bytes()[:100], path.stat().st_size
    path.write_bytes(header + b"\xff" * (size - len(header)))
    return path


async def migrated_and_populated(path: Path) -> None:
    async with open_sqlite(str(path), busy_timeout=SOON) as storage:
        await populate(storage)


@pytest.mark.parametrize("ask", ASK)
async def test_a_damaged_file_is_not_available(damaged: Path, ask: str) -> None:
    path = str(damaged)
    storage = SqlStorage(SqliteDatabase(path, SOON))

    with pytest.raises(StorageUnavailable, match="SQLITE_CORRUPT"):
        await ASK[ask](storage)

    await storage.close()


@pytest.mark.parametrize("ask", ["read", "write"])
async def test_a_missing_table_lets_no_exception_of_sqlalchemy_out(sqlite: SqlStorage, path: Path, ask: str) -> None:
    for table in ("contributor", "source", "book", "author"):
        run_sql(path, f"DROP TABLE {table}")

    with pytest.raises(CatalogError):
        await ASK[ask](sqlite)


async def test_text_is_ordered_by_its_bytes(sqlite: SqlStorage) -> None:
    given = ["b", "B", "a", "Z", "é", "e\u0301a", "ß", "道", "\uff5e", "😀", "_", "~", "a b", "a-b", "ab", "10", "9"]
    for name in given:
        await add(sqlite, name)

    async with sqlite._database.reader.connect() as connection:
        found = [name for (name,) in await connection.exec_driver_sql("SELECT name FROM author ORDER BY name")]

    assert found == sorted(found, key=str.encode)
    assert len(found) == len(given)


async def test_records_are_ordered_by_the_bytes_of_their_sort_keys(sqlite: SqlStorage) -> None:
    added = [
        await add(sqlite, name) for name in ["Zoë", "ångström", "\uff5ex", "😀", "b", "B", "道", "a b", "a-b", "ab"]
    ]

    found = await names(sqlite)

    assert found == [a.name for a in sorted(added, key=lambda a: (a.sort_key.encode(), a.id.bytes))]


async def test_who_read_ahead_begins_anew_if_somebody_else_has_committed_since(sqlite: SqlStorage, path: Path) -> None:
    mine = Cataloguers(sqlite)
    author = await mine.authors.add(AuthorDetails(name="Homer"))

    async def add_while_the_author_is_removed(other: SqlStorage) -> None:
        async with sqlite.unit_of_work(CALLER) as unit:
            assert author.id in await unit.authors.get_many([author.id])
            await Cataloguers(other).authors.remove(author.id)
            details = BookDetails(title="Iliad", author_id=author.id)
            await unit.books.add(Book.recorded(details, id=Uuid7Generator().new(), at=StillClock().now()))

    async with open_sqlite(str(path), busy_timeout=SOON) as other:
        with pytest.raises(Interrupted):
            await add_while_the_author_is_removed(other)
    with pytest.raises(UnknownAuthors):
        await mine.books.add(BookDetails(title="Iliad", author_id=author.id))
    assert (await sqlite.reader.books(BookQuery())).total == 0


async def test_writers_of_two_programs_are_neither_refused_nor_let_past_each_other(path: Path) -> None:
    async with open_sqlite(str(path), busy_timeout=5) as one, open_sqlite(str(path), busy_timeout=5) as other:
        author = await Cataloguers(one).authors.add(AuthorDetails(name="Homer"))
        books = [Cataloguers(storage, ids=Uuid7Generator()).books for storage in (one, other)]
        await asyncio.gather(
            *(books[n % 2].add(BookDetails(title=f"Song {n}", author_id=author.id)) for n in range(100))
        )

        assert (await other.reader.books(BookQuery())).total == 100
