"""A database as an object of ports."""

from collections.abc import AsyncGenerator, Hashable
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import update

from catalog.domain.callers import Caller

from . import migrations
from .database import Database
from .errors import translated
from .reader import SqlReader
from .rows import LogRow
from .transaction import Transaction
from .turn import MANY
from .unit_of_work import SqlUnitOfWork
from .waiting import within


class SqlStorage:
    """A catalogue in a SQL database: one engine reads, one writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.reader = SqlReader(database)

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[SqlUnitOfWork]:
        """Begin a transaction; it is committed when the block ends well, and rolled back otherwise."""
        self._database.must_be_there()
        async with AsyncExitStack() as stack:
            with translated():
                connection = await stack.enter_async_context(self._database.writing())
                transaction = Transaction(connection, self._database)
                stack.push_async_callback(transaction.close)
                unit = SqlUnitOfWork(transaction, caller)
                yield unit
                await unit.finish()
            with translated(ends=True):
                await connection.commit()
            changes = len(unit.changes)
        if changes >= MANY:
            await self._database.settle(changes)
        self._database.must_be_there()  # else what was committed is where nobody will find it

    async def promote(self) -> None:
        """Follow nobody any more."""
        self._database.must_be_there()
        with translated():
            async with self._database.writer.begin() as connection:
                await connection.execute(update(LogRow).values(follows=None))

    async def data_version(self) -> Hashable:
        """Return what stands for all that can be read now."""
        try:
            return await self._database.data_version()
        except Exception:
            with translated():  # not before there is something to translate: this is asked at every turn
                raise

    async def check(self) -> None:
        """Raise StorageUnavailable unless the database can be read and is at the newest migration."""
        self._database.must_be_there()
        with translated():
            async with within(self._database.patience), self._database.reader.connect() as connection:
                applied = await migrations.applied(connection)
        migrations.must_be_newest(applied)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._database.close()
