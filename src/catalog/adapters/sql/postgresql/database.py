"""A PostgreSQL database as the rest of the SQL adapter sees it.

Transactions are READ COMMITTED: whoever changes a record locks it, versions are compared in SQL, and the one row that
counts the log is taken last. A reader's transactions see one state of the database.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import asyncpg
from advanced_alchemy.extensions.litestar import SQLAlchemyAsyncConfig
from sqlalchemy import Connection, Executable, Text, event, func, insert, select, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.types import TypeEngine

from catalog.adapters.sql import migrations
from catalog.adapters.sql.errors import translated
from catalog.adapters.sql.mapping import JSON_CODEC
from catalog.adapters.sql.rows import LogRow
from catalog.adapters.sql.storage import SqlStorage
from catalog.adapters.sql.turn import Inserts, NewCard, Turn
from catalog.adapters.sql.waiting import within

from .append import add_cards, append
from .errors import CONNECTION_LOST
from .hosts import Hosts
from .words import PostgresqlWords

CONNECTIONS = 10
"""Of readers, and as many of writers; each writer waits for the one before at the end of its work anyway."""

VERSION_SECONDS = 0.5
"""How long the version of the data is waited for: who does not get it asks for the data itself, and needs time, too."""

# Which transactions can be seen, so that what the log does not count is told, too; the log, for transactions that a
# crash has undone and whose numbers come again; the server, for numbers that another one has given, too.
_DATA_VERSION = select(func.pg_current_snapshot().cast(Text), LogRow.seq, LogRow.at, func.pg_postmaster_start_time())

_MIGRATION_LOCK = 0x626F6F6B
"""Any number; whoever migrates holds it, so that the next waits."""
_ANALYZE = text("ANALYZE author, book, card, contributor, source, isbn, number, revision, card_words")
_MATCH_ALONE = text(f"SELECT pg_advisory_xact_lock({0x6D617463}), set_config('enable_bitmapscan', 'off', true)")
"""Any number of its own; and for this transaction, no bitmaps: hundreds of names that are looked for at once would be
looked for by their trigrams, which the planner takes for cheap, and which takes a hundred times as long.
"""


class SharedQuestion:
    """A question that is put once for all who wait; who comes when it is on its way gets the answer to the next.

    So nobody gets an answer that is older than his own wish for it.
    """

    def __init__(self, ask: Callable[[], Awaitable[Hashable]]) -> None:
        self._ask = ask
        self._waiting: list[asyncio.Future[Hashable]] = []
        self._asking: asyncio.Task[None] | None = None

    async def answer(self) -> Hashable:
        """Return the answer to a question that is put from now on; raise whatever it raises."""
        waiting: asyncio.Future[Hashable] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._go_on())
        return await waiting

    async def _go_on(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            try:
                answer = await self._ask()
            except Exception as error:  # noqa: BLE001 - it is theirs who wait
                for waiting in together:
                    if not waiting.done():
                        waiting.set_exception(error)
            else:
                for waiting in together:
                    if not waiting.done():
                        waiting.set_result(answer)


class PostgresqlDatabase:
    """An opened database."""

    patience = 2.5

    def __init__(self, hosts: Hosts) -> None:
        pool: dict[str, Any] = {
            "pool_size": CONNECTIONS,
            "max_overflow": 0,
            "pool_timeout": self.patience,
            "pool_use_lifo": True,
        }
        self.writer = _engine(hosts, isolation_level="READ COMMITTED", **pool)
        self.words = PostgresqlWords()
        self.reader = _engine(hosts, isolation_level="REPEATABLE READ", **pool).execution_options(
            postgresql_readonly=True
        )
        self._single = self.reader.execution_options(isolation_level="AUTOCOMMIT", postgresql_readonly=False)
        self._telling = self.writer.execution_options(isolation_level="AUTOCOMMIT")
        self._changes, self._changes_to_tell = 0, 500
        self._data_version = SharedQuestion(self._ask_data_version)

    async def fetch(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return all rows, in one trip to the server: one statement is a transaction by itself."""
        async with AsyncExitStack() as stack:
            async with within(self.patience):
                connection = await stack.enter_async_context(self._single.connect())
            return (await connection.execute(statement, values)).all()

    async def fetch_in(
        self, connection: AsyncConnection, statement: Executable, values: Mapping[str, Any]
    ) -> Sequence[Sequence[Any]]:
        """Return all rows."""
        return (await connection.execute(statement, values)).all()

    def reader_of(self, kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
        """Nothing is left to be made: SQLAlchemy and asyncpg give values."""
        return None

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """Begin a transaction."""
        async with AsyncExitStack() as stack:
            async with within(self.patience):
                connection = await stack.enter_async_context(self.writer.connect())
                await connection.begin()
            yield connection

    async def forget_words(self, connection: AsyncConnection) -> None:
        """VACUUM does, as it does for all that was removed."""

    async def match_alone(self, connection: AsyncConnection) -> None:
        """Take a lock that ends with the transaction; each later statement sees what was committed before."""
        await connection.execute(_MATCH_ALONE)

    async def settle(self, changes: int) -> None:
        """Tell the planner how much there is by now, each time when that is twice as much.

        The server finds out by itself a minute later; until then it searches ten thousand new books as if there were
        none, and takes seconds for it.
        """
        self._changes += changes
        if self._changes < self._changes_to_tell:
            return
        self._changes_to_tell = 2 * self._changes
        # It is a kindness, and what was committed stays committed if it fails.
        with suppress(SQLAlchemyError, OSError, TimeoutError):
            async with AsyncExitStack() as stack:
                async with within(self.patience):
                    connection = await stack.enter_async_context(self._telling.connect())
                await connection.execute(_ANALYZE)

    async def close(self) -> None:
        """Let go of all connections."""
        await self.writer.dispose()
        await self.reader.dispose()

    async def data_version(self) -> Hashable:
        """Ask together with all who come before the question is put."""
        async with within(VERSION_SECONDS):
            return await self._data_version.answer()

    async def _ask_data_version(self) -> Hashable:
        (row,) = await self.fetch(_DATA_VERSION, {})
        return tuple(row)

    def must_be_there(self) -> None:
        """A server that is gone tells by itself."""

    async def insert(self, connection: AsyncConnection, inserts: Inserts) -> None:
        """Insert, table by table."""
        for table, rows in inserts:
            await connection.execute(insert(table), rows)

    async def add_cards(self, connection: AsyncConnection, cards: Sequence[NewCard]) -> None:
        """Write cards; the index of words follows from them."""
        await add_cards(connection, cards)

    async def append(self, connection: AsyncConnection, turn: Turn, inserts: Inserts) -> bool:
        """Append in one statement, when everything else is done."""
        await self.insert(connection, inserts)
        return await append(connection, turn)


@asynccontextmanager
async def open_postgresql(url: str) -> AsyncGenerator[SqlStorage]:
    """Open the database; raise StorageUnavailable where it can not be reached, or is ahead of this program.

    It is not migrated: several services may share it, and its operator chooses the moment.
    """
    database = PostgresqlDatabase(Hosts.of(url))
    storage = SqlStorage(database)
    try:
        with translated():
            async with database.reader.connect() as connection:
                migrations.must_be_known(await migrations.applied(connection))
        yield storage
    finally:
        await storage.close()


def migration_config(url: str) -> SQLAlchemyAsyncConfig:
    """Return the configuration of the database commands; raise StorageUnavailable for a URL that is none."""
    engine = _engine(Hosts.of(url), poolclass=NullPool, connect_args={"command_seconds": None})

    def on_begin(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})

    event.listen(engine.sync_engine, "begin", on_begin)
    return migrations.config(engine)


def _engine(hosts: Hosts, **options: Any) -> AsyncEngine:
    if hosts.is_pooled:
        # Whatever is prepared may meet a server that has something else of the same name.
        unique = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": lambda: f"catalog_{uuid4().hex}"}
        options["connect_args"] = options.get("connect_args", {}) | unique
    engine = create_async_engine("postgresql+asyncpg://", async_creator=hosts.connect, **JSON_CODEC, **options)
    event.listen(engine.sync_engine, "handle_error", _on_error)
    return engine


def _on_error(context: ExceptionContext) -> BaseException | None:
    """Give up a connection that is lost, whatever the driver calls that."""
    error = context.original_exception
    is_bare = isinstance(error, TimeoutError | OSError)  # asyncpg raises these as they are
    is_confused = isinstance(error.__cause__, asyncpg.InternalClientError)  # it was cut off in the middle of something
    if is_bare or is_confused or str(getattr(error, "sqlstate", None) or "").startswith(CONNECTION_LOST):
        context.is_disconnect = True
        if context.connection is not None and not context.connection.invalidated:
            # Now: taking leave of a server that is frozen takes seconds.
            driver: Any = context.connection.connection.driver_connection
            driver.terminate()
    return OperationalError(context.statement, None, error, connection_invalidated=True) if is_bare else None
