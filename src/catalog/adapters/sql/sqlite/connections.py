"""How SQLite's connections are set up, and how their transactions begin.

Python's sqlite3 module begins transactions by guessing from the statement, and then a SELECT followed by an UPDATE
loses updates without a word. So its guessing is switched off and every transaction is begun here: a
writer's with BEGIN IMMEDIATE, which waits its turn before it reads anything; a reader's with BEGIN.
"""

from typing import Any

from sqlalchemy import BINARY, URL, Connection, event
from sqlalchemy.dialects.sqlite.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from catalog.adapters.sql.mapping import JSON_CODEC
from catalog.domain.errors import StorageUnavailable

from .one_hop import ONE_HOP

READERS = 4
READER_CACHE, WRITER_CACHE = 2_000, 16_000
"""KiB of the file that a connection keeps in memory; an import comes back to all the indexes with each of its units."""

# SQLite reports the column type of a UUID, BINARY(16), as NUMERIC unless told what BINARY is.
ischema_names["BINARY"] = BINARY


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
    """Return an engine that keeps no connection open, and commits nothing that breaks references.

    SQLite rebuilds a table by dropping the old one, and references to it must not stop or follow that; so they are
    not enforced at each statement, but looked at once more before the commit.
    """
    engine = _engine(path, busy_timeout, poolclass=NullPool)
    _set_up(engine, begin="BEGIN IMMEDIATE", query_only=False, foreign_keys=False)

    def on_commit(connection: Connection) -> None:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
        if broken:
            some = ", ".join(f"a row of {name} names one of {other} that is not there" for name, _, other, _ in broken)
            raise StorageUnavailable(f"{path} would not be whole ({some}); put a backup in its place")

    event.listen(engine.sync_engine, "commit", on_commit)
    return engine


def _engine(path: str, busy_timeout: float, **options: Any) -> AsyncEngine:
    url = URL.create("sqlite+aiosqlite", database=path)
    # Its own rollback at each return is one more trip to the connection's thread; the reset hook below knows better.
    options |= {"module": ONE_HOP, "pool_reset_on_return": None, **JSON_CODEC}
    return create_async_engine(url, connect_args={"timeout": busy_timeout}, **options)


def _set_up(engine: AsyncEngine, *, begin: str, query_only: bool, foreign_keys: bool = True) -> None:
    def on_connect(dbapi_connection: Any, _record: object) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        # WAL: readers and the writer do not block each other. FULL: an acknowledged write is on the disk.
        # secure_delete: what is erased from the log leaves no copy in free pages.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            f"foreign_keys={int(foreign_keys)}",
            "secure_delete=ON",
            f"query_only={int(query_only)}",
            f"cache_size=-{READER_CACHE if query_only else WRITER_CACHE}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        adapted: Any = connection.connection.dbapi_connection
        adapted.begins(begin)

    def on_reset(dbapi_connection: Any, _record: object, state: Any) -> None:
        # SQLAlchemy trusts a failed COMMIT to have ended its transaction. SQLite keeps it open, and the pool
        # would hand the next user a connection that holds the lock for ever.
        if not state.terminate_only:
            dbapi_connection.rollback()

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    event.listen(engine.sync_engine, "reset", on_reset)
