"""The write side: Advanced Alchemy repositories of rows behind the domain's repositories of records."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from advanced_alchemy.filters import CollectionFilter
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import CompoundSelect, Table, bindparam, delete, exists, func, select, tuple_, union
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
from .loading import Loader
from .log import Ledger, SqlRevisionLog
from .mapping import columns_of, converter, inserts_of, record_of, structure, update_row
from .rows import AuthorRow, BookRow, ContributorRow, IsbnRow, NumberRow, SourceRow
from .slices import MOST_PARAMETERS, slices
from .transaction import Transaction
from .turn import Inserts

RecordT = TypeVar("RecordT", Author, Book)


_ISBN, _NUMBER = (cast("Table", row.__table__) for row in (IsbnRow, NumberRow))

_BOOKS_BY_SOURCES = select(SourceRow.key, SourceRow.book_id).where(
    SourceRow.source == bindparam("source"), SourceRow.key.in_(bindparam("keys", expanding=True))
)
_BOOKS_BY_ISBNS = select(_ISBN.c.book_id).where(_ISBN.c.isbn.in_(bindparam("isbns", expanding=True)))
_OTHERS_BY_ISBNS = _BOOKS_BY_ISBNS.where(
    ~exists().where(SourceRow.book_id == _ISBN.c.book_id, SourceRow.source == bindparam("not_from"))
)

_AUTHOR_COLUMNS = columns_of(AuthorRow, Author)
_AUTHORS = select(*_AUTHOR_COLUMNS).with_for_update(read=True)
_AUTHORS_BY_IDS = _AUTHORS.where(AuthorRow.id.in_(bindparam("ids", expanding=True)))
_AUTHORS_BY_KEYS = _AUTHORS.where(AuthorRow.name_key.in_(bindparam("keys", expanding=True)))
_AUTHOR_OF = Loader(Author, [column.key for column in _AUTHOR_COLUMNS])
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
            self._transaction.insert([*inserts_of(records, self.ROW), *self._found_by(records)])
            self._ledger.more[self.KIND] += len(records)
            self._ledger.changes += (Change.leading_to(record, operation, at) for record in records)

    async def replace(self, *records: RecordT, operation: Operation = Operation.REVISE) -> None:
        if not records:
            return
        for record in records:
            row = await self._standing(record.id, record.version - 1)
            await self._note(row, record)
            update_row(row, record)
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
            self._transaction.insert(self._found_by([record]))

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
        self._known[record.id] = record

    async def names(self, ids: Collection[UUID]) -> Mapping[UUID, Name]:
        """Return what the authors are called; most have been read already, to see whether they are there."""
        known = {id: author for id in ids if (author := self._known.get(id)) is not None}
        return known | dict(await self.get_many([id for id in ids if id not in known]))

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        found: dict[UUID, Author] = {}
        for some in slices({name[:SORT_KEY_LENGTH] for name in names}):
            found |= self._looked_at(await self._transaction.execute(_AUTHORS_BY_KEYS, {"keys": some}))
        self._known |= found
        return [author for author in found.values() if author.folded_name in names]

    async def find_by_numbers(self, numbers: Collection[Number]) -> Sequence[Author]:
        ids: set[UUID] = set()
        for some in slices(numbers, MOST_PARAMETERS // 2):
            named = tuple_(_NUMBER.c.scheme, _NUMBER.c.value).in_([(each.scheme, each.value) for each in some])
            ids |= set((await self._transaction.execute(select(_NUMBER.c.author_id).where(named))).scalars())
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
        keys: dict[str, list[str]] = {}
        for each in sources:
            keys.setdefault(each.source, []).append(each.key)
        ids: dict[SourceKey, UUID] = {}
        for source, all_keys in keys.items():
            for some in slices(all_keys):
                rows = await self._transaction.execute(_BOOKS_BY_SOURCES, {"source": source, "keys": some})
                ids |= {SourceKey(source, row.key): row.book_id for row in rows}
        books = await self.get_many(set(ids.values()))
        return {each: books[id] for each, id in ids.items()}

    async def find_by_isbns(self, isbns: Collection[Isbn], *, not_from: str | None = None) -> Sequence[Book]:
        ids: set[UUID] = set()
        statement = _BOOKS_BY_ISBNS if not_from is None else _OTHERS_BY_ISBNS
        for some in slices(map(str, isbns)):
            found = await self._transaction.execute(statement, {"isbns": some, "not_from": not_from})
            ids |= set(found.scalars())
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


def _naming(author_id: UUID) -> CompoundSelect[UUID]:
    return union(
        select(BookRow.id).where(BookRow.author_id == author_id),
        select(ContributorRow.book_id).where(ContributorRow.author_id == author_id),
    )
