"""aiosqlite with one trip to the connection's thread for each statement.

SQLAlchemy's own cursor makes up to four: to make a cursor, to execute, to fetch, to close. A trip costs more than what
most of our statements take in SQLite. All rows are fetched at once, as SQLAlchemy's own cursor does, too. A
transaction begins in the trip of its first statement, and none is made to end what has ended.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite
from attrs import frozen
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.domain.errors import Interrupted

CAREFUL = 32
"""How many transactions begin before they read, after somebody else has committed in between."""

P = ParamSpec("P")
T = TypeVar("T")


@frozen
class _Result:
    """What there is to know of a statement that was executed."""

    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None
    rows: Sequence[Any] = ()


def _executed(connection: sqlite3.Connection, how: str, statement: str, parameters: Any) -> _Result:
    """Execute, fetch and close; runs in the thread of the connection."""
    cursor = connection.cursor()
    try:
        execute: Callable[[str, Any], object] = getattr(cursor, how)
        execute(statement, parameters)
        rows = cursor.fetchall() if cursor.description else ()
        return _Result(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
    finally:
        cursor.close()


class OneHopCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that exists in the thread of its connection only while it executes."""

    __slots__ = ("_result",)

    def __init__(self, adapt_connection: Any) -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._rows = deque[Any]()
        self._result = _Result()

    @property
    def arraysize(self) -> int:
        """How many rows fetchmany() gives unless told: one, for nobody asks for parts of what is here already."""
        return 1

    @arraysize.setter
    def arraysize(self, value: int) -> None:
        """Change nothing."""

    @property
    def description(self) -> Any:
        """The columns of the result."""
        return self._result.description

    @property
    def rowcount(self) -> int:
        """How many rows were written."""
        return self._result.rowcount

    @property
    def lastrowid(self) -> Any:
        """The rowid of the row that was inserted last."""
        return self._result.lastrowid

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._run("execute", operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._run("executemany", operation, seq_of_parameters)

    async def _run(self, how: str, operation: Any, parameters: Any) -> None:
        adapted: Any = self._adapt_connection
        async with adapted._execute_mutex:
            self._result = await adapted.trip(_executed, how, operation, parameters)
        self._rows = deque(self._result.rows)

    async def _async_soft_close(self) -> None:
        """It is closed already."""

    def close(self) -> None:
        """Forget the rows; there is nothing else left."""
        self._rows.clear()


class OneHopConnection(AsyncAdapt_aiosqlite_connection):
    """A connection whose cursors make one trip."""

    __slots__ = ("_begin", "_careful", "_has_read_ahead", "_is_open", "_version")

    _cursor_cls = OneHopCursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._begin: str | None = None
        self._is_open = False
        """Whether there may be a transaction."""
        self._has_read_ahead = False
        self._version: int | None = None
        """SQLite's data_version as of the last transaction: it changes when somebody else commits, not when we do."""
        self._careful = 0
        """How many transactions are still to begin before they read."""

    def begins(self, begin: str) -> None:
        """Begin a transaction with the next trip."""
        self._begin, self._has_read_ahead = begin, False
        self._careful = max(self._careful - 1, 0)

    @property
    def can_read_ahead(self) -> bool:
        """Whether another connection sees what this one would: nothing has begun, and nobody else seems to write."""
        return self._begin is not None and self._version is not None and not self._careful

    def read_ahead(self) -> None:
        """Note that the transaction relies on what another connection has read; it begins in that state or never."""
        self._has_read_ahead = True

    async def trip(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do the work in the connection's thread, in a transaction if one is to begin; its errors are sqlite3's own.

        Raises Interrupted where somebody else has committed since the connection read ahead, or shortly before.
        """
        driver: Any = self._connection
        begin, self._begin = self._begin, None
        has_read_ahead, self._has_read_ahead = self._has_read_ahead, False

        def done() -> T:
            if begin is not None:
                driver._conn.execute(begin)
                ((version,),) = driver._conn.execute("PRAGMA data_version")
                is_known, self._version = version == self._version, version
                if has_read_ahead and not is_known:
                    self._careful = CAREFUL
                    raise Interrupted
            return work(driver._conn, *args, **kwargs)

        # Whoever is cancelled leaves work behind in the thread, and nobody knows what it has begun.
        self._is_open = True
        try:
            result: T = await driver._execute(done)
        except sqlite3.Error:
            self._is_open = driver.in_transaction
            raise
        self._is_open = driver.in_transaction
        return result

    def commit(self) -> None:
        """Commit, if there may be anything to be committed."""
        self._begin = None
        if self._is_open:
            super().commit()
            self._is_open = False

    def rollback(self) -> None:
        """Roll back, if there may be anything to be rolled back."""
        self._begin = None
        if self._is_open:
            super().rollback()
            self._is_open = False


class OneHopAiosqlite(AsyncAdapt_aiosqlite_dbapi):
    """The driver, for `create_async_engine(module=…)`."""

    def connect(self, *arg: Any, **kw: Any) -> OneHopConnection:
        """Connect."""
        return OneHopConnection(self, super().connect(*arg, **kw)._connection)


def adapted(connection: AsyncConnection) -> OneHopConnection:
    """Return what is under SQLAlchemy's connection."""
    proxied: Any = connection.sync_connection
    under: OneHopConnection = proxied.connection.dbapi_connection
    return under


async def in_one_trip(connection: AsyncConnection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do several things on the connection in one trip; its errors are sqlite3's own."""
    return await adapted(connection).trip(work)


ONE_HOP = OneHopAiosqlite(aiosqlite, sqlite3)
