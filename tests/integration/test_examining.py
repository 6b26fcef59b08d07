"""`catalog doctor` finds what is wrong, and nothing that is well."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from attrs import evolve
from tests.cluster.shared import shared_server
from tests.integration.databases import REVISIONS, alembic
from tests.storages import STORAGES

from catalog.adapters.sql.postgresql.examination import PostgresqlExamination
from catalog.adapters.sql.postgresql.scratch import scratch
from catalog.adapters.sql.sqlite.examination import SqliteExamination, library_found
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails
from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Clock, Examinable, Finding, Severity, Storage
from catalog.domain.records import Amendment
from catalog.domain.use_cases.examining import Examining
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage, sqlite_path
from catalog.testing.doubles import Cataloguers, StillClock, log_of
from catalog.testing.suite.test_following import live

WHOLE = "log: no gaps"


async def examined(storage: Storage, clock: Clock | None = None) -> dict[str, Finding]:
    """What each check finds."""
    return {found.what: found async for found in Examining(storage.reader, clock or late()).examine()}


def late() -> StillClock:
    """A clock that is behind nothing that tests do."""
    return StillClock(StillClock().now() + timedelta(days=1))


def failed(findings: dict[str, Finding]) -> list[str]:
    """The checks that found something wrong."""
    return [what for what, found in findings.items() if found.severity is Severity.FAILED]


async def outside(examinable: Examinable) -> dict[str, Finding]:
    return {found.what: found async for found in examinable.examine()}


# ---- whatever the storage


@pytest.fixture
async def catalogue(storage: Storage) -> Cataloguers:
    """A catalogue in which all kinds of things happened."""
    catalogue = Cataloguers(storage)
    await live(catalogue)
    return catalogue


async def test_a_catalogue_that_is_well_is_found_so(catalogue: Cataloguers) -> None:
    forgotten = await catalogue.authors.add(AuthorDetails(name="To be forgotten"))
    await catalogue.log_keeping.erase(forgotten.id)
    catalogue.clock.move(60)
    async for _ in catalogue.log_keeping.compact(catalogue.clock.now()):
        pass

    findings = await examined(catalogue.storage)

    assert {found.severity for found in findings.values()} == {Severity.OK}
    assert findings[WHOLE].told == f"seq 1 to {len(await log_of(catalogue.storage.reader))}"


async def test_an_empty_catalogue_is_well(storage: Storage) -> None:
    findings = await examined(storage)

    assert {found.severity for found in findings.values()} == {Severity.OK}
    assert findings[WHOLE].told == "it is empty"


async def test_times_that_are_ahead_are_found(catalogue: Cataloguers) -> None:
    early = StillClock(StillClock().now() - timedelta(minutes=2))

    assert failed(await examined(catalogue.storage, early)) == ["times: none is ahead"]
    assert failed(await examined(catalogue.storage, evolve(early, time=catalogue.clock.now()))) == []


@pytest.mark.slow
async def test_a_catalogue_that_is_written_to_meanwhile_is_found_well(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    await live(catalogue)
    authors = [await catalogue.authors.add(AuthorDetails(name=f"Author {number}")) for number in range(150)]

    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            for author in authors[:5]:
                new = await catalogue.authors.add(AuthorDetails(name="Anew"))
                book = await catalogue.books.add(BookDetails(title="A book", author_id=new.id))
                await catalogue.books.remove(book.id)
                await catalogue.authors.remove(new.id)
                await catalogue.authors.revise(author.id, Amendment({"name": f"{author.name} {new.id}"}))
                await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    try:
        for _ in range(5):
            findings = await examined(storage)
            assert {what: findings[what].told for what in failed(findings)} == {}
            await asyncio.sleep(0.01)
    finally:
        stop.set()
        await writing


# ---- what the ports show of a damage


@asynccontextmanager
async def damaged(*sql: str) -> AsyncGenerator[Storage]:
    """Open a SQLite catalogue with some records, to which somebody did this past the program."""
    async with STORAGES["sqlite"]() as url, open_storage(Settings(storage=url)) as storage:
        catalogue = Cataloguers(storage)
        one, two = [await catalogue.authors.add(AuthorDetails(name=name)) for name in ("One", "Two")]
        three = await catalogue.authors.add(AuthorDetails(name="Three"))
        await catalogue.books.add(BookDetails(title="Book", author_id=one.id))
        await catalogue.books.add(BookDetails(title="Other", author_id=None))
        await catalogue.merging.merge(type(two), two.id, three.id)
        with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as connection:
            for statement in sql:
                connection.execute(statement)
        yield storage


REDIRECT = "(SELECT id FROM revision WHERE operation = 'merge')"


@pytest.mark.parametrize(
    ("sql", "wrong", "told"),
    [
        (
            "UPDATE author SET dob = '1900-01-01' WHERE name = 'One'",
            ["authors: as the log says"],
            "otherwise than seq 1",
        ),
        ("DELETE FROM book WHERE title = 'Other'", ["books: as the log says"], "not there, and stands since seq 5"),
        (
            (
                "INSERT INTO author (id, version, created_at, updated_at, sort_key, name, name_key) "
                "SELECT randomblob(16), 1, created_at, updated_at, 'x', 'X', 'x' FROM author LIMIT 1"
            ),
            ["authors: as the log says"],
            "the log does not know it",
        ),
        ("UPDATE log SET authors = 7", ["authors: total"], "the list says 7, and 2 stand by the log"),
        ("UPDATE log SET seq = 9", ["log: position"], "it says 9, and the last revision is 6"),
        ("UPDATE log SET at = '2001-01-01 00:00:00.000000'", ["log: position"], "it says 2001"),
        (
            "UPDATE revision SET version = 5 WHERE seq = 6",
            ["log: versions follow each other"],
            "followed by 5 at seq 6",
        ),
        (
            "UPDATE revision SET seq = 8 WHERE seq = 6; UPDATE log SET seq = 8",
            ["log: no gaps"],
            "5 is followed by 8",
        ),
        (
            "UPDATE revision SET \"into\" = x'00' WHERE seq = 6",
            ["log: readable", "authors: as the log says", "authors: total"],
            "seq 6: ",
        ),
        (f'UPDATE revision SET "into" = {REDIRECT} WHERE seq = 6', ["log: redirects"], "leads on"),
        ("UPDATE author SET sort_key = 'zzz' WHERE name = 'One'", ["authors: in order"], "comes too late"),
        (
            "UPDATE revision SET after = 'nonsense' WHERE seq = 5",
            ["log: readable", "books: as the log says", "books: total"],
            "seq 5: the storage failed",
        ),
        (
            "UPDATE book SET languages = 'x' WHERE title = 'Book'",
            ["books: readable", "books: as the log says"],
            "number 1 of the list",
        ),
        (
            "UPDATE book SET author_id = (SELECT id FROM revision WHERE operation = 'merge') WHERE title = 'Book'",
            ["books: as the log says", "books: name authors that are there"],
            "otherwise than seq 4 tells",
        ),
        (
            (
                "INSERT INTO contributor (book_id, position, author_id) "
                "SELECT id, 0, (SELECT id FROM revision WHERE operation = 'merge') FROM book"
            ),
            ["books: as the log says", "books: name authors that are there"],
            "otherwise than seq 4 tells",
        ),
    ],
)
async def test_what_is_wrong_is_found_and_named(sql: str, wrong: Sequence[str], told: str) -> None:
    async with damaged(*sql.split("; ")) as storage:
        findings = await examined(storage)

    assert failed(findings) == wrong, [findings[what] for what in failed(findings)]
    assert told in findings[wrong[0]].told


async def test_of_many_that_are_wrong_a_few_are_named() -> None:
    async with damaged(
        "DELETE FROM source", "DELETE FROM contributor", "DELETE FROM book", "DELETE FROM author"
    ) as storage:
        findings = await examined(storage)

    assert findings["authors: as the log says"].told.count("is not there") == 2


# ---- what only the adapters know


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite catalogue in which something happened."""
    file = tmp_path / "catalog.db"

    async def fill() -> None:
        async with open_storage(Settings(storage=f"sqlite:///{file}")) as storage:
            await live(Cataloguers(storage))

    asyncio.run(fill())
    return file


def test_a_sqlite_file_that_is_well_is_found_so_and_is_not_changed(file: Path) -> None:
    before = file.read_bytes()

    findings = asyncio.run(outside(SqliteExamination(file, 5)))

    del findings["SQLite: version"]
    assert {found.severity for found in findings.values()} == {Severity.OK}
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("version", "severity"),
    [
        ((3, 40, 1), Severity.WARNING),
        ((3, 44, 6), Severity.OK),
        ((3, 45, 0), Severity.WARNING),
        ((3, 50, 7), Severity.OK),
        ((3, 51, 2), Severity.WARNING),
        ((3, 51, 3), Severity.OK),
        ((3, 53, 4), Severity.OK),
    ],
)
def test_a_sqlite_that_may_damage_the_file_is_warned_of(version: tuple[int, ...], severity: Severity) -> None:
    assert library_found(version).severity is severity


def test_a_damaged_page_is_found_and_ends_the_examination(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[3 * 4096 : 8 * 4096] = bytes(5 * 4096)
    file.write_bytes(content)

    findings = asyncio.run(outside(SqliteExamination(file, 5)))

    assert failed(findings) == ["file: whole"]
    assert findings["file: whole"].is_final


@pytest.mark.slow
async def test_a_file_that_is_behind_is_warned_of_and_not_migrated(file: Path) -> None:
    await asyncio.to_thread(alembic(file).downgrade, REVISIONS[0])

    findings = await outside(SqliteExamination(file, 5))

    assert findings["file: migrations"].severity is Severity.WARNING
    assert findings["file: migrations"].is_final
    assert f"at {REVISIONS[0]}, and this program needs {REVISIONS[-1]}" in findings["file: migrations"].told


@pytest.mark.parametrize(
    ("sql", "what", "told"),
    [
        ("UPDATE alembic_versions SET version_num = '9999'", "file: migrations", "upgrade the program"),
        ("UPDATE author SET sort_key = 'x'", "keys: as computed today", "catalog copy"),
        ("UPDATE book SET author_id = x'0000'", "file: references", "name what is not there, the first is book"),
    ],
)
async def test_what_is_wrong_with_a_file_is_found(file: Path, sql: str, what: str, told: str) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(sql)

    findings = await outside(SqliteExamination(file, 5))

    assert failed(findings) == [what]
    assert told in findings[what].told


def test_a_file_that_is_not_there_can_not_be_examined_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="there is no file"):
        asyncio.run(outside(SqliteExamination(tmp_path / "no.db", 5)))

    assert list(tmp_path.iterdir()) == []


async def test_a_file_of_another_program_is_not_examined(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE bookmark (url)")

    with pytest.raises(StorageUnavailable, match="not a catalogue"):
        await outside(SqliteExamination(tmp_path / "other.db", 5))


@pytest.mark.slow
async def test_a_postgresql_server_that_keeps_nothing_on_the_disk_is_warned_of() -> None:
    async with scratch(shared_server().url()) as url:
        findings = await outside(PostgresqlExamination(url))

    assert failed(findings) == []
    assert "fsync off" in findings["server: durability"].told
    assert findings["server: durability"].severity is Severity.WARNING
    well = ("database: migrations", "database: encoding", "database: indexes", "server: version", "server: clock")
    assert {findings[what].severity for what in well} == {Severity.OK}
    assert findings["server: standbys"].told == "none: one server"


@pytest.mark.slow
async def test_what_is_wrong_with_a_postgresql_database_is_found() -> None:
    async with scratch(shared_server().url()) as url:
        async with open_storage(Settings(storage=url)) as storage:
            await live(Cataloguers(storage))
        connection = await asyncpg.connect(url)
        await connection.execute("UPDATE author SET sort_key = 'x'")
        await connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_book_sort_key_id'::regclass"
        )
        indexes = await outside(PostgresqlExamination(url))
        await connection.execute("DROP TABLE alembic_versions")
        await connection.close()
        behind = await outside(PostgresqlExamination(url))

    assert failed(indexes) == ["database: indexes", "keys: as computed today"]
    assert "REINDEX INDEX ix_book_sort_key_id" in indexes["database: indexes"].told
    assert failed(behind) == ["database: migrations"]
    assert "catalog database upgrade" in behind["database: migrations"].told


async def test_a_postgresql_server_that_is_not_there_can_not_be_examined() -> None:
    with pytest.raises(StorageUnavailable, match="can not reach"):
        await outside(PostgresqlExamination("postgresql://nobody@127.0.0.1:1/catalog"))
