"""Opening a database into an object of ports."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from catalog.domain.callers import Caller
from catalog.domain.errors import StorageUnavailable

from . import migrations, sqlite
from .errors import translated
from .reader import SqlReader
from .rows import LogRow
from .unit_of_work import SqlUnitOfWork


class SqlStorage:
    """A catalogue in a SQL database: one engine reads, one writes."""

    def __init__(self, *, path: str, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self._path = path
        self._identity = sqlite.identity(path)
        self._reader = reader
        self._writer = writer
        self.reader = SqlReader(reader)

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[SqlUnitOfWork]:
        """Begin a transaction; it is committed when the block ends well, and rolled back otherwise."""
        self._must_be_the_file_that_was_opened()
        with translated():
            async with AsyncSession(self._writer, expire_on_commit=False, autoflush=False) as session, session.begin():
                unit = SqlUnitOfWork(session, caller)
                yield unit
                await unit.finish()

    async def promote(self) -> None:
        """Follow nobody any more."""
        self._must_be_the_file_that_was_opened()
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(LogRow).values(follows=None))

    async def check(self) -> None:
        """Raise StorageUnavailable unless the database can be read and is at the newest migration."""
        self._must_be_the_file_that_was_opened()
        with translated():
            async with self._reader.connect() as connection:
                applied = set(await migrations.applied(connection))
        if applied != (newest := set(migrations.newest())):
            raise StorageUnavailable(
                f"the database is at migration {sorted(applied) or 'none'}, and this program needs {sorted(newest)}; "
                "run `catalog database upgrade`"
            )

    def _must_be_the_file_that_was_opened(self) -> None:
        """Refuse to write where nobody would find it: SQLite goes on in a file that was removed."""
        if sqlite.identity(self._path) != self._identity:
            raise StorageUnavailable(f"{self._path} was removed or replaced while it was open; start the service again")

    async def close(self) -> None:
        """Let go of all connections."""
        await self._writer.dispose()
        await self._reader.dispose()


@asynccontextmanager
async def open_sqlite(path: str, *, busy_timeout: float) -> AsyncGenerator[SqlStorage]:
    """Open the SQLite file, made if there is none and brought to the newest migration; raise StorageUnavailable."""
    with translated():
        await asyncio.to_thread(migrations.upgrade, path, busy_timeout)
    storage = SqlStorage(
        path=path, reader=sqlite.reader_engine(path, busy_timeout), writer=sqlite.writer_engine(path, busy_timeout)
    )
    try:
        yield storage
    finally:
        await storage.close()
