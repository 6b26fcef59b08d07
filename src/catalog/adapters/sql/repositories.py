"""The write side: Advanced Alchemy repositories of rows behind the domain's repositories of records."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import zip_longest
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from advanced_alchemy.base import DefaultBase
from advanced_alchemy.filters import CollectionFilter
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import CompoundSelect, Table, bindparam, delete, exists, func, select, union, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.domain.authors import Author
from catalog.domain.books import Book, SourceKey
from catalog.domain.errors import Interrupted
from catalog.domain.identifiers import Number
from catalog.domain.kinds import Kind
from catalog.domain.revisions import Change, Operation, absence
from catalog.domain.text import SORT_KEY_LENGTH
from catalog.domain.values import Isbn

from .cards import Name
from .database import Database
from .loading import Loader
from .log import Ledger, SqlRevisionLog
from .mapping import columns_of, converter, inserts_of, record_of, structure, update_row
from .rows import AuthorRow, BookRow, ContributorRow, IsbnRow, NumberRow, SourceRow
from .slices import MOST_PARAMETERS, slices
from .transaction import Transaction
from .turn import Inserts

RecordT = TypeVar("RecordT", Author, Book)


_ISBN, _NUMBER = (cast("Table", row.__table__) for row in (IsbnRow, NumberRow))

# Of pairs SQLite would look through the whole table: it takes the index for two lists, and a few more rows come back.
_BOOKS_BY_SOURCES = select(SourceRow.source, SourceRow.key, SourceRow.book_id).where(
    SourceRow.source.in_(bindparam("sources", expanding=True)), SourceRow.key.in_(bindparam("keys", expanding=True))
)
_AUTHORS_BY_NUMBERS = select(_NUMBER).where(
    _NUMBER.c.scheme.in_(bindparam("schemes", expanding=True)), _NUMBER.c.value.in_(bindparam("values", expanding=True))
)

_MOST_ARMS = 50
"""Selects that are united in one statement, at most; SQLite takes 500."""

_AUTHOR_COLUMNS = columns_of(AuthorRow, Author)
_AUTHORS = select(*_AUTHOR_COLUMNS).with_for_update(read=True)
_AUTHORS_BY_IDS = _AUTHORS.where(AuthorRow.id.in_(bindparam("ids", expanding=True)))
_AUTHOR_OF = Loader(Author, [column.key for column in _AUTHOR_COLUMNS])
_KEYS = [f"key{n}" for n in range(500)]
# Always so many keys, some of them twice: what is compiled once is read several times as fast.
_AUTHORS_BY_KEYS = _AUTHORS.where(AuthorRow.name_key.in_(list(map(bindparam, _KEYS))))
_AUTHOR_BY_ID = _AUTHORS.where(AuthorRow.id == bindparam("id"))  # what most units ask for; a list takes twice as long


class AuthorRows(SQLAlchemyAsyncRepository[AuthorRow]):
    """Rows of authors."""

    model_type = AuthorRow


class BookRows(SQLAlchemyAsyncRepository[BookRow]):
    """Rows of books, with those of their contributors and sources."""

    model_type = BookRow


class _SqlRecords(ABC, Generic[RecordT]):
    """What the repositories of both kinds share."""

    KIND: ClassVar[Kind]
    RECORD: ClassVar[type[Any]]
    ROW: ClassVar[type[Any]]
    ROWS: ClassVar[type[SQLAlchemyAsyncRepository[Any]]]

    def __init__(self, transaction: Transaction, ledger: Ledger, log: SqlRevisionLog) -> None:
        self._transaction = transaction
        self._ledger = ledger
        self._log = log
        # The session forgets rows that nobody holds, and asks for each again when it is written.
        self._read: dict[UUID, DefaultBase] = {}
        self._new: dict[UUID, RecordT] = {}
        """Those that are still to be inserted."""

    async def get(self, id: UUID) -> RecordT:
        statement = select(self.ROW).with_for_update(key_share=True)
        row = await (await self._rows()).get_one_or_none(id=id, statement=statement)
        if row is None:
            raise absence(self.KIND, id, (await self._log.last(self.KIND, [id])).get(id))
        return self._record(row)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, RecordT]:
        if not ids:
            return {}
        return {row.id: self._record(row) for row in await _rows_with(await self._rows(), "id", ids)}

    async def add(self, *records: RecordT, operation: Operation = Operation.CREATE, at: datetime | None = None) -> None:
        if records:
            if not self._new:
                self._transaction.insert(self._inserts)
            self._new |= {record.id: record for record in records}
            self._ledger.more[self.KIND] += len(records)
            self._ledger.changes += (Change.leading_to(record, operation, at) for record in records)

    async def replace(self, *records: RecordT, operation: Operation = Operation.REVISE) -> None:
        is_written = False
        for record in records:
            if (new := self._new.get(record.id)) is not None and new.version == record.version - 1:
                self._new[record.id] = record  # nobody has seen the one before: it is not inserted yet
            else:
                row = await self._standing(record.id, record.version - 1)
                await self._note(row, record)
                update_row(row, record)
                is_written = True
        if is_written:
            await (await self._transaction.session()).flush()
        self._ledger.changes += (Change.leading_to(record, operation) for record in records)

    async def remove(
        self, *records: RecordT, at: datetime, operation: Operation = Operation.REMOVE, into: UUID | None = None
    ) -> None:
        session = await self._transaction.session()
        for record in records:
            await session.delete(await self._standing(record.id, record.version))
            self._read.pop(record.id, None)
        await session.flush()
        self._ledger.more[self.KIND] -= len(records)
        self._ledger.changes += (Change.taking(record, operation, at=at, into=into) for record in records)

    async def _note(self, row: Any, record: RecordT) -> None:
        """Note what else a change of the row changes."""
        if row.identifiers != converter.unstructure(record.identifiers):
            ((table, _),) = self._found_by([])
            await self._transaction.execute(delete(table).where(table.c[f"{self.KIND.value}_id"] == record.id))
            self._transaction.insert(partial(self._found_by, [record]))

    def _inserts(self) -> Inserts:
        """Return what makes the new records stand in the tables, as they are by now."""
        records: list[RecordT] = list(self._new.values())
        self._new.clear()
        return [*inserts_of(records, self.ROW), *self._found_by(records)]

    @abstractmethod
    def _found_by(self, records: Sequence[RecordT]) -> Inserts:
        """Return the rows by which records are found when they are imported."""

    async def _standing(self, id: UUID, version: int) -> DefaultBase:
        """Return the row at that version; the UPDATE or DELETE that follows compares it once more, in SQL."""
        row: DefaultBase | None = self._read.get(id) or await (await self._transaction.session()).get(self.ROW, id)
        if row is None or vars(row)["version"] != version:
            raise Interrupted
        return row

    async def _rows(self) -> SQLAlchemyAsyncRepository[Any]:
        # Where writers work side by side, nobody else changes what a unit relies on before it ends.
        statement = select(self.ROW).with_for_update(read=True)
        return _repository(self.ROWS, await self._transaction.session(), statement=statement)

    def _record(self, row: DefaultBase) -> RecordT:
        record: RecordT = record_of(row, self.RECORD)
        self._read[record.id] = row
        return record


def _repository(
    rows: type[SQLAlchemyAsyncRepository[Any]], session: AsyncSession, **options: Any
) -> SQLAlchemyAsyncRepository[Any]:
    return rows(session=session, wrap_exceptions=False, auto_refresh=False, auto_expunge=False, **options)


async def _rows_with(rows: SQLAlchemyAsyncRepository[Any], column: str, values: Collection[Any]) -> list[Any]:
    """Return the rows that have one of the values."""
    found: list[Any] = []
    for some in slices(values):
        found += await rows.get_many(CollectionFilter(column, some))
    return found


class SqlAuthorRepository(_SqlRecords[Author]):
    """Authors in SQL."""

    KIND = Kind.AUTHOR
    RECORD = Author
    ROW = AuthorRow
    ROWS = AuthorRows

    def __init__(self, transaction: Transaction, ledger: Ledger, log: SqlRevisionLog) -> None:
        super().__init__(transaction, ledger, log)
        self._known: dict[UUID, Author] = {}

    async def add(self, *records: Author, operation: Operation = Operation.CREATE, at: datetime | None = None) -> None:
        await super().add(*records, operation=operation, at=at)
        self._known |= {record.id: record for record in records}

    async def replace(self, *records: Author, operation: Operation = Operation.REVISE) -> None:
        await super().replace(*records, operation=operation)
        self._known |= {record.id: record for record in records}

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Author]:
        """Return those that there are; most are only looked at, so no row is kept that could be changed."""
        found: dict[UUID, Author] = {}
        for some in slices(ids):
            if len(some) == 1:
                found |= await self._one(some[0])
            else:
                found |= self._looked_at(await self._transaction.execute(_AUTHORS_BY_IDS, {"ids": some}))
        self._known |= found
        return found

    def _looked_at(self, rows: Iterable[Any]) -> dict[UUID, Author]:
        """Return the authors that the rows hold, by id."""
        return {author.id: author for author in map(_AUTHOR_OF.record, rows)}

    async def _one(self, id: UUID) -> Mapping[UUID, Author]:
        rows = await self._transaction.fetch(_AUTHOR_BY_ID, {"id": id})
        authors = [structure(self._transaction.read(_AUTHOR_COLUMNS, row), Author) for row in rows]
        return {author.id: author for author in authors}

    async def _note(self, row: Any, record: Author) -> None:
        """The cards of books hold the names of their authors."""
        await super()._note(row, record)
        if (row.name, row.sort_name) != (record.name, record.sort_name):
            self._ledger.renamed.add(record.id)

    async def names(self, ids: Collection[UUID]) -> Mapping[UUID, Name]:
        """Return what the authors are called; most have been read already, to see whether they are there."""
        known = {id: author for id in ids if (author := self._known.get(id)) is not None}
        return known | dict(await self.get_many([id for id in ids if id not in known]))

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        found: dict[UUID, Author] = {}
        for some in slices({name[:SORT_KEY_LENGTH] for name in names}, len(_KEYS)):
            keys = dict(zip_longest(_KEYS, some, fillvalue=some[0]))
            rows = await self._transaction.fetch(_AUTHORS_BY_KEYS, keys)
            found |= {author.id: author for author in map(_looking_at(self._transaction.database).record, rows)}
        self._known |= found
        return [author for author in found.values() if author.folded_name in names]

    async def find_by_numbers(self, numbers: Collection[Number]) -> Sequence[Author]:
        ids: set[UUID] = set()
        wanted = {(str(each.scheme), each.value) for each in numbers}
        for some in slices(wanted, MOST_PARAMETERS // 2):
            asked = {"schemes": list({scheme for scheme, _ in some}), "values": [value for _, value in some]}
            rows = await self._transaction.execute(_AUTHORS_BY_NUMBERS, asked)
            ids |= {row.author_id for row in rows if (row.scheme, row.value) in wanted}
        return list((await self.get_many(ids)).values())

    def _found_by(self, records: Sequence[Author]) -> Inserts:
        return [
            (
                _NUMBER,
                [
                    {"scheme": str(number.scheme), "value": number.value, "author_id": author.id}
                    for author in records
                    for number in author.numbers()
                ],
            )
        ]


class SqlBookRepository(_SqlRecords[Book]):
    """Books in SQL."""

    KIND = Kind.BOOK
    RECORD = Book
    ROW = BookRow
    ROWS = BookRows

    async def find_by_sources(self, sources: Collection[SourceKey]) -> Mapping[SourceKey, Book]:
        ids: dict[SourceKey, UUID] = {}
        wanted = set(sources)
        for some in slices(wanted, MOST_PARAMETERS // 2):
            asked = {"sources": list({each.source for each in some}), "keys": [each.key for each in some]}
            rows = await self._transaction.execute(_BOOKS_BY_SOURCES, asked)
            ids |= {key: row.book_id for row in rows if (key := SourceKey(row.source, row.key)) in wanted}
        books = await self.get_many(set(ids.values()))
        return {each: books[id] for each, id in ids.items()}

    async def find_by_isbns(self, isbns: Collection[tuple[Isbn, str | None]]) -> Sequence[Book]:
        ids: set[UUID] = set()
        for some in slices(isbns):
            by_source: dict[str | None, list[str]] = {}
            for isbn, source in some:
                by_source.setdefault(source, []).append(str(isbn))
            for arms in slices(by_source.items(), _MOST_ARMS):
                asked: dict[str, Any] = {f"isbns{n}": numbers for n, (_, numbers) in enumerate(arms)}
                asked |= {f"not_from{n}": source for n, (source, _) in enumerate(arms)}
                ids |= set((await self._transaction.execute(_books_by_isbns(len(arms)), asked)).scalars())
        return list((await self.get_many(ids)).values())

    def _found_by(self, records: Sequence[Book]) -> Inserts:
        rows = [{"isbn": str(isbn), "book_id": book.id} for book in records for isbn in set(book.isbns())]
        return [(_ISBN, rows)]

    async def find_naming(self, author_id: UUID) -> Sequence[Book]:
        rows = await (await self._rows()).get_many(BookRow.id.in_(_naming(author_id)))
        return sorted(map(self._record, rows), key=lambda book: book.id.bytes)

    async def count_naming(self, author_id: UUID) -> int:
        count = select(func.count()).select_from(_naming(author_id).subquery())
        found: int = (await self._transaction.execute(count)).scalar_one()
        return found


def _looking_at(database: Database) -> Loader[Author]:
    """Return what makes authors of the rows that the database fetches."""
    if (loader := _LOADERS.get(database)) is None:
        reads = [database.reader_of(column.type) for column in _AUTHOR_COLUMNS]
        loader = _LOADERS[database] = Loader(Author, [column.key for column in _AUTHOR_COLUMNS], reads)
    return loader


_LOADERS: WeakKeyDictionary[Database, Loader[Author]] = WeakKeyDictionary()


@cache
def _books_by_isbns(sources: int) -> CompoundSelect[Any]:
    """Return the statement that asks, for so many sources, for books with some ISBNs that do not come from them."""
    arms = [
        select(_ISBN.c.book_id).where(
            _ISBN.c.isbn.in_(bindparam(f"isbns{n}", expanding=True)),
            ~exists().where(SourceRow.book_id == _ISBN.c.book_id, SourceRow.source == bindparam(f"not_from{n}")),
        )
        for n in range(sources)
    ]
    return union_all(*arms)


def _naming(author_id: UUID) -> CompoundSelect[UUID]:
    return union(
        select(BookRow.id).where(BookRow.author_id == author_id),
        select(ContributorRow.book_id).where(ContributorRow.author_id == author_id),
    )
