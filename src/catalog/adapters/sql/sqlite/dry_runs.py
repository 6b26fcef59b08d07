"""What dry runs remember, in a file of SQLite that has no name."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import mkstemp
from threading import Lock
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import msgspec

from catalog.adapters.sql.slices import slices
from catalog.domain.authors import Author
from catalog.domain.books import Book, SourceKey
from catalog.domain.errors import StorageFailed, StorageUnavailable
from catalog.domain.identifiers import Number
from catalog.domain.kinds import Kind
from catalog.domain.values import Isbn, TextValue

from .errors import translate

P = ParamSpec("P")
T = TypeVar("T")

ON_DISK = Path("/var/tmp")  # noqa: S108 - files of others are not touched; /tmp is in memory on many machines
CACHE = 8 * 1024
"""KiB of the file that are held in memory."""
MOST_ASKED = 500
"""Keys in one statement."""

_BEGINNING = """
PRAGMA journal_mode = MEMORY; -- the way back: SQLite makes no second file beside one that has no name
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
CREATE TABLE record (id BLOB PRIMARY KEY, kind TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE found_by (key TEXT, id BLOB, PRIMARY KEY (key, id)) WITHOUT ROWID;
CREATE TABLE came_from (id BLOB, source TEXT, PRIMARY KEY (id, source)) WITHOUT ROWID;
"""


class SqliteDryRuns:
    """Room on the disk, for as long as each dry run takes."""

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator["SqliteDryRun"]:
        """Begin a dry run; nothing of it is left, however the process ends."""
        with _translated():
            dry = await asyncio.to_thread(SqliteDryRun)
        try:
            yield dry
        finally:
            await asyncio.to_thread(dry.close)


class SqliteDryRun:
    """One file, which is gone when it is closed, and by then has no name already.

    A key by which a record was found once stays, and what is found is asked whether it still has it.
    """

    def __init__(self) -> None:
        # A database without a name, which SQLite would remove by itself, is one in memory for some of its builds.
        descriptor, self._file = mkstemp(prefix="catalog-dry-run-", dir=_folder())
        os.close(descriptor)
        try:
            self._connection = _connected(self._file)
        finally:
            self._remove()
        self._lock = Lock()
        """Who is cancelled leaves a thread behind that is still asking."""

    def close(self) -> None:
        """Drop all of it."""
        with self._lock:
            self._connection.close()
        self._remove()

    async def keep(self, *records: Author | Book) -> None:
        await self._do(self._keep, records)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Author | Book]:
        return await self._do(self._get_many, ids) if ids else {}

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        found = await self._do(self._find, map(_key_of_name, names))
        return [each for each in found if isinstance(each, Author) and each.folded_name in names]

    async def find_by_numbers(self, numbers: Collection[Number]) -> Sequence[Author]:
        found = await self._do(self._find, map(_key_of_number, numbers))
        return [each for each in found if isinstance(each, Author) and not each.numbers().isdisjoint(numbers)]

    async def find_by_sources(self, sources: Collection[SourceKey]) -> Mapping[SourceKey, Book]:
        found = await self._do(self._find, map(_key_of_source, sources))
        books = {source.id: book for book in found if isinstance(book, Book) for source in book.sources}
        return {source: books[source] for source in sources if source in books}

    async def find_by_isbns(self, isbns: Collection[tuple[Isbn, str | None]]) -> Sequence[Book]:
        found: dict[UUID, Book] = {}
        by_source = sorted(isbns, key=lambda each: each[1] or "")
        for source, some in groupby(by_source, itemgetter(1)):
            wanted = {isbn for isbn, _ in some}
            for book in await self._do(self._find, map(_key_of_isbn, wanted), source):
                if isinstance(book, Book) and not wanted.isdisjoint(book.isbns()):
                    found[book.id] = book
        return list(found.values())

    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the disk in a thread, for it may take its time; one question after the other."""

        def alone() -> T:
            with self._lock, _translated():
                return function(*args, **kwargs)

        return await asyncio.to_thread(alone)

    def _keep(self, records: Sequence[Author | Book]) -> None:
        last = {record.id: record for record in records}.values()
        with self._connection, closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN")
            cursor.executemany(
                "INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET content = excluded.content",
                [(record.id.bytes, record.KIND.value, _encode(record)) for record in last],
            )
            # In the order of the index, for a page of it is then written once.
            cursor.executemany(
                "INSERT OR IGNORE INTO found_by VALUES (?, ?)",
                sorted({(key, record.id.bytes) for record in last for key in _keys(record)}),
            )
            cursor.executemany(
                "INSERT OR IGNORE INTO came_from VALUES (?, ?)",
                [(book.id.bytes, each.source) for book in last if isinstance(book, Book) for each in book.sources],
            )

    def _get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Author | Book]:
        statement = "SELECT kind, content FROM record WHERE id IN ({})"
        return self._records(statement, (id.bytes for id in ids))

    def _find(self, keys: Iterable[str], not_from: str | None = None) -> Sequence[Author | Book]:
        """Return what was found by the keys at some time; without books that have a record of that source."""
        statement = (
            "SELECT kind, content FROM record WHERE id IN (SELECT id FROM found_by WHERE key IN ({})"
            " AND NOT EXISTS (SELECT 1 FROM came_from WHERE came_from.id = found_by.id AND source = ?))"
        )
        return [*self._records(statement, keys, not_from).values()]

    def _records(self, statement: str, asked: Iterable[Any], *more: Any) -> dict[UUID, Author | Book]:
        found: dict[UUID, Author | Book] = {}
        for some in slices(asked, MOST_ASKED):
            # Always so many, some of them twice: a statement is prepared once.
            values = [*some, *[some[0]] * (MOST_ASKED - len(some)), *more]
            with closing(self._connection.execute(statement.format(_MARKS), values)) as rows:
                found |= {record.id: record for record in (_DECODERS[kind].decode(content) for kind, content in rows)}
        return found

    def _remove(self) -> None:
        with suppress(OSError):  # it is gone, or the system keeps the names of open files
            Path(self._file).unlink()


def _connected(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    try:
        connection.executescript(f"PRAGMA cache_size = -{CACHE}; {_BEGINNING}")
    except BaseException:
        connection.close()
        raise
    return connection


def _folder() -> Path | None:
    """Return where SQLite itself would put it, if nobody says where: on a disk, that can be; None for elsewhere."""
    is_usable = "TMPDIR" not in os.environ and os.access(ON_DISK, os.W_OK | os.X_OK)
    return ON_DISK if is_usable else None


@contextmanager
def _translated() -> Generator[None]:
    """Say in the core's terms what SQLite, or the disk, refuses."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error) or StorageFailed from error
    except OSError as error:
        raise StorageUnavailable(f"no temporary file can be made for the dry run: {error.strerror}") from error


def _keys(record: Author | Book) -> Iterable[str]:
    if isinstance(record, Author):
        return [_key_of_name(record.folded_name), *map(_key_of_number, record.numbers())]
    return [*(_key_of_source(each.id) for each in record.sources), *map(_key_of_isbn, record.isbns())]


def _key_of_name(name: str) -> str:
    return f"name {name}"


def _key_of_number(number: Number) -> str:
    return f"number {number.scheme} {number.value}"


def _key_of_source(source: SourceKey) -> str:
    return f"source {source.source} {source.key}"


def _key_of_isbn(isbn: Isbn) -> str:
    return f"isbn {isbn}"


def _text_of(value: Any) -> str:
    if isinstance(value, TextValue):
        return str(value)
    raise NotImplementedError


def _value_of(kind: type[Any], text: Any) -> Any:
    if issubclass(kind, TextValue):
        return kind.kept(text)
    raise NotImplementedError


_MARKS = ", ".join("?" * MOST_ASKED)
_encode = msgspec.msgpack.Encoder(enc_hook=_text_of, uuid_format="bytes").encode
_DECODERS: Mapping[str, msgspec.msgpack.Decoder[Any]] = {
    Kind.AUTHOR.value: msgspec.msgpack.Decoder(Author, dec_hook=_value_of),
    Kind.BOOK.value: msgspec.msgpack.Decoder(Book, dec_hook=_value_of),
}
