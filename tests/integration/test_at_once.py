"""Questions that are answered on the event loop, and those that are left to threads."""

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.adapters.sql.sqlite.at_once import LEFT_TO_THREADS, STEPS, AtOnce
from catalog.adapters.sql.sqlite.database import SqliteDatabase

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000) SELECT count(*) FROM n"


@pytest.fixture
def other(tmp_path: Path) -> Generator[sqlite3.Connection]:
    """A connection of somebody else to a file with one record."""
    connection = sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE book (title TEXT)")
    connection.execute("INSERT INTO book VALUES ('Emma')")
    yield connection
    connection.close()


@pytest.fixture
def at_once(other: sqlite3.Connection, tmp_path: Path) -> Generator[AtOnce]:
    connection = AtOnce(str(tmp_path / "catalog.db"))
    yield connection
    connection.close()


def test_a_short_question_is_answered(at_once: AtOnce) -> None:
    assert at_once.fetch("SELECT title FROM book WHERE title = ?", ["Emma"]) == [("Emma",)]


def test_a_question_without_end_is_given_up(at_once: AtOnce) -> None:
    assert at_once.fetch(ENDLESS, []) is None
    assert at_once.fetch("SELECT title FROM book", []) == [("Emma",)]


def test_what_was_late_is_left_to_threads_for_a_while(at_once: AtOnce) -> None:
    slow = f"SELECT count(*) FROM book WHERE ? = 'Emma' OR 0 = ({ENDLESS})"
    assert at_once.fetch(slow, ["Persuasion"]) is None

    answers = [at_once.fetch(slow, ["Emma"]) for _ in range(LEFT_TO_THREADS + 1)]

    assert answers == [None] * LEFT_TO_THREADS + [[(1,)]]


def test_it_does_not_wait_for_a_lock(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "plain.db", isolation_level=None)) as other:
        other.execute("CREATE TABLE book (title TEXT)")  # without a write-ahead log, where a writer locks readers out
        at_once = AtOnce(str(tmp_path / "plain.db"))
        other.execute("BEGIN EXCLUSIVE")

        assert at_once.fetch("SELECT title FROM book", []) is None

        other.execute("ROLLBACK")
        at_once.close()


def test_it_writes_nothing(at_once: AtOnce, other: sqlite3.Connection) -> None:
    assert at_once.fetch("DELETE FROM book", []) is None
    assert other.execute("SELECT count(*) FROM book").fetchall() == [(1,)]


def test_every_commit_of_others_changes_the_version(at_once: AtOnce, other: sqlite3.Connection) -> None:
    seen = [at_once.version(), at_once.version()]
    other.execute("INSERT INTO book VALUES ('Persuasion')")
    seen.append(at_once.version())

    assert seen[0] == seen[1] != seen[2]


def test_the_version_is_told_however_often_it_is_asked_for(at_once: AtOnce) -> None:
    """SQLite counts the steps of a statement over all its runs, and looks at the clock every thousand of them."""
    assert at_once.fetch(ENDLESS, []) is None

    assert len({at_once.version() for _ in range(STEPS)}) == 1


async def test_what_takes_long_is_answered_by_a_thread(other: sqlite3.Connection, tmp_path: Path) -> None:
    database = SqliteDatabase(str(tmp_path / "catalog.db"), busy_timeout=5)
    try:
        assert [tuple(row) for row in await database.fetch(text(LONG), {})] == [(300_000,)]
        assert [tuple(row) for row in await database.fetch(text("SELECT title FROM book"), {})] == [("Emma",)]
    finally:
        await database.close()


def test_the_version_is_told_however_long_it_takes(at_once: AtOnce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.adapters.sql.sqlite.at_once.SECONDS", -1)
    at_once._connection.set_progress_handler(at_once._is_late, 1)

    assert at_once.fetch("SELECT title FROM book", []) is None
    assert at_once.version() == at_once.version()
