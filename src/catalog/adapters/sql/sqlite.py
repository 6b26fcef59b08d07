"""What is SQLite's own: how connections are set up, how transactions begin, what its errors mean.

Python's sqlite3 module begins transactions by guessing from the statement, and then a SELECT followed by an UPDATE
loses updates without a word. So its guessing is switched off and every transaction is begun here: a
writer's with BEGIN IMMEDIATE, which waits its turn before it reads anything; a reader's with BEGIN.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from catalog.domain.errors import CatalogError, StorageBusy, StorageFull, StorageUnavailable

from .one_hop import ONE_HOP

READERS = 4


def reader_engine(path: str, busy_timeout: float) -> AsyncEngine:
    """Return an engine whose connections can only read."""
    engine = _engine(path, busy_timeout, pool_size=READERS, max_overflow=0)
    _set_up(engine, begin="BEGIN", query_only=True)
    return engine


def writer_engine(path: str, busy_timeout: float) -> AsyncEngine:
    """Return an engine with one connection: the pool's queue is the queue of writers, first come, first served."""
    engine = _engine(path, busy_timeout, pool_size=1, max_overflow=0, pool_timeout=2 * busy_timeout)
    _set_up(engine, begin="BEGIN IMMEDIATE", query_only=False)
    return engine


def migration_engine(path: str, busy_timeout: float) -> AsyncEngine:
    """Return an engine that keeps no connection open."""
    engine = _engine(path, busy_timeout, poolclass=NullPool)
    _set_up(engine, begin="BEGIN IMMEDIATE", query_only=False)
    return engine


def translate(error: DBAPIError) -> CatalogError | None:
    """Return what a driver's error means to the catalogue; None where it is a bug.

    A broken constraint is one: BEGIN IMMEDIATE lets nobody write between a check and what was checked.
    """
    name = getattr(error.orig, "sqlite_errorname", "")
    match name:
        case "SQLITE_FULL":
            return StorageFull()
        case _ if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StorageBusy()
        case _ if name.startswith(
            ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_PERM")
        ):
            return StorageUnavailable(f"SQLite says: {error.orig} ({name})")
        case _:
            return None


def identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from any other that ever has its name; None where there is none."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def must_be_a_catalogue(path: str, version_table: str) -> None:
    """Raise StorageUnavailable where the file is another program's; a missing or empty one may become ours."""
    if not Path(path).is_file():
        return
    with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError:
            return  # whatever is wrong with it, opening it will say
    if tables and version_table not in tables:
        some = ", ".join(sorted(tables)[:3])
        raise StorageUnavailable(f"{path} is not a catalogue: it has the tables {some}; name another file")


def must_be_usable(path: Path) -> None:
    """Raise StorageUnavailable where there can be no database file."""
    if path.is_dir():
        raise StorageUnavailable(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise StorageUnavailable(f"there is no folder {path.parent}; make it first")


def _engine(path: str, busy_timeout: float, **options: Any) -> AsyncEngine:
    url = URL.create("sqlite+aiosqlite", database=path)
    # Its own rollback at each return is one more trip to the connection's thread; the reset hook below knows better.
    options |= {"module": ONE_HOP, "pool_reset_on_return": None}
    return create_async_engine(url, connect_args={"timeout": busy_timeout}, **options)


def _set_up(engine: AsyncEngine, *, begin: str, query_only: bool) -> None:
    def on_connect(dbapi_connection: Any, _record: object) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        # WAL: readers and the writer do not block each other. FULL: an acknowledged write is on the disk.
        # secure_delete: what is erased from the log leaves no copy in free pages.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"query_only={int(query_only)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    def on_reset(dbapi_connection: Any, _record: object, state: Any) -> None:
        # SQLAlchemy trusts a failed COMMIT to have ended its transaction. SQLite keeps it open, and the pool
        # would hand the next user a connection that holds the lock for ever.
        if not state.terminate_only and dbapi_connection.driver_connection.in_transaction:
            dbapi_connection.rollback()

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    event.listen(engine.sync_engine, "reset", on_reset)
