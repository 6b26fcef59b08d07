"""A SQLite file as the rest of the SQL adapter sees it."""

import asyncio
import os
from asyncio import timeout
from collections.abc import AsyncGenerator, Callable, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from advanced_alchemy.extensions.litestar import SQLAlchemyAsyncConfig
from sqlalchemy import Executable, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from catalog.adapters.sql import migrations
from catalog.adapters.sql.errors import translated
from catalog.adapters.sql.rows import LogRow
from catalog.adapters.sql.storage import SqlStorage
from catalog.adapters.sql.turn import Inserts, NewCard, Turn
from catalog.domain.errors import CatalogError, StorageBusy, StorageUnavailable

from .append import add_cards, append, insert
from .at_once import AtOnce
from .compiled import compiled, fetched, reader_of
from .connections import READERS, migration_engine, reader_engine, writer_engine
from .errors import translate
from .files import Identity, identity, must_be_a_catalogue, must_be_usable, must_be_whole, must_have
from .one_hop import adapted
from .readers import Readers
from .words import SqliteWords


class SqliteDatabase:
    """An opened file."""

    patience = None

    def __init__(self, path: str, busy_timeout: float) -> None:
        self.reader = reader_engine(path, busy_timeout)
        self.writer = writer_engine(path, busy_timeout)
        self.words = SqliteWords()
        self._writing = asyncio.Lock()
        self._longest_wait = 2 * busy_timeout
        self._readers = Readers(reader_engine(path, busy_timeout), READERS)
        self._path = path
        self._identity = identity(path)
        self._log = f"{path}-wal"
        self._identity_of_log: Identity | None = None
        self._at_once: AtOnce | None = None
        event.listen(self.writer.sync_engine, "connect", self._on_connect)
        event.listen(self.writer.sync_engine, "close", self._on_close)

    async def fetch(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return all rows: at once where that takes next to no time, else in one trip to a connection's thread."""
        asked = compiled(statement)
        ready = asked.values(values)
        found = self._here().fetch(asked.text, ready)
        return await self._readers.fetch(asked.text, ready) if found is None else found

    async def fetch_in(
        self, connection: AsyncConnection, statement: Executable, values: Mapping[str, Any]
    ) -> Sequence[Sequence[Any]]:
        """Return all rows: at once, where the transaction has not begun and takes next to no time; else in one trip."""
        asked = compiled(statement)
        ready = asked.values(values)
        under = adapted(connection)
        if under.can_read_ahead and (found := self._here().fetch(asked.text, ready)) is not None:
            under.read_ahead()
            return found
        return await under.trip(fetched, asked.text, ready)

    def reader_of(self, kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
        """Return what makes a value of what SQLite keeps."""
        return reader_of(kind)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """Wait for the turn and begin a transaction.

        The pool would hand its connection on as well, but in three turns of the event loop instead of one, and writers
        wait through each of them.
        """
        try:
            async with timeout(self._longest_wait if self._writing.locked() else None):
                await self._writing.acquire()
        except TimeoutError:
            raise StorageBusy from None
        try:
            connection = await self.writer.connect()
            try:
                await connection.begin()
                yield connection
            except BaseException:
                await asyncio.shield(asyncio.ensure_future(connection.close()))  # who is cancelled leaves nothing open
                raise
            await connection.close()
        finally:
            self._writing.release()

    async def forget_words(self, connection: AsyncConnection) -> None:
        """Write the index anew: FTS5 only notes what was taken away, until it merges its parts."""
        await connection.exec_driver_sql("INSERT INTO card_words (card_words) VALUES ('optimize')")

    async def match_alone(self, connection: AsyncConnection) -> None:
        """Whoever writes is alone already."""

    async def settle(self, changes: int) -> None:
        """The index that a statement takes is written in it, or follows from it, whatever the tables hold."""

    async def data_version(self) -> Hashable:
        """Ask SQLite, right here: that takes less time than a trip to another thread."""
        if not self._is_there():
            self.must_be_there()
        return self._here().version()

    def _here(self) -> AtOnce:
        if self._at_once is None:
            self._at_once = AtOnce(self._path)
        return self._at_once

    def _is_there(self) -> bool:
        try:
            status = os.stat(self._path)  # noqa: PTH116 - two microseconds; pathlib takes six
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    async def close(self) -> None:
        """Let go of all connections."""
        if self._at_once is not None:
            self._at_once.close()
        await self._readers.close()
        await self.writer.dispose()
        await self.reader.dispose()

    def must_be_there(self) -> None:
        """Refuse to write where nobody would find it: SQLite goes on in a file that was removed."""
        if identity(self._path) != self._identity:
            raise StorageUnavailable(f"{self._path} was removed or replaced while it was open; start the service again")
        if self._identity_of_log is not None and identity(self._log) != self._identity_of_log:
            raise StorageUnavailable(f"{self._log} was removed while it was open; stop the service, and start it again")

    def _on_connect(self, dbapi_connection: Any, _record: object) -> None:
        cursor = dbapi_connection.cursor()
        cursor.execute("SELECT count(*) FROM sqlite_master")  # nothing before this needs the write-ahead log
        cursor.close()
        self._identity_of_log = identity(self._log)

    def _on_close(self, _dbapi_connection: object, _record: object) -> None:
        self._identity_of_log = None  # whoever closes a file last removes its log

    async def insert(self, connection: AsyncConnection, inserts: Inserts) -> None:
        """Insert in one trip to the connection's thread."""
        await insert(connection, inserts)

    async def add_cards(self, connection: AsyncConnection, cards: Sequence[NewCard]) -> None:
        """Write cards and their words in one trip to the connection's thread."""
        await add_cards(connection, cards)

    async def append(self, connection: AsyncConnection, turn: Turn, inserts: Inserts) -> bool:
        """Insert, append and commit in one trip to the connection's thread."""
        return await append(connection, turn, inserts)


@asynccontextmanager
async def open_sqlite(path: str, *, busy_timeout: float) -> AsyncGenerator[SqlStorage]:
    """Open the SQLite file, made if there is none and brought to the newest migration; raise StorageUnavailable."""
    with translated():
        await asyncio.to_thread(upgrade, path, busy_timeout)
    database = SqliteDatabase(path, busy_timeout)
    storage = SqlStorage(database)
    try:
        # If whoever makes the one connection is cancelled meanwhile, all who wait for it wait in vain.
        with suppress(CatalogError), translated():
            async with database.writer.connect():
                pass
        yield storage
    finally:
        await storage.close()


def migration_config(path: str, busy_timeout: float) -> SQLAlchemyAsyncConfig:
    """Return the configuration of the database commands; raise StorageUnavailable where there can be no file."""
    must_be_usable(Path(path))
    return migrations.config(migration_engine(path, busy_timeout))


def upgrade(path: str, busy_timeout: float) -> None:
    """Bring the file to the newest migration; blocks, and needs a thread without an event loop."""
    must_be_a_catalogue(path, migrations.VERSION_TABLE)
    must_be_whole(path, busy_timeout)
    try:
        migrations.upgrade(migration_config(path, busy_timeout), path)
    except OperationalError as error:
        if translate(error.orig):
            raise
        raise StorageUnavailable(
            f"{path} is not a catalogue, and can not be made one ({error.orig}); name another file"
        ) from error
    must_have(path, LogRow.metadata.tables)
