"""The write side: Advanced Alchemy repositories of rows behind the domain's repositories of records."""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from advanced_alchemy.base import DefaultBase
from advanced_alchemy.filters import CollectionFilter
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy import func, insert, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.changes import Change, Operation
from catalog.domain.errors import Interrupted, NotFound
from catalog.domain.kinds import Kind
from catalog.domain.sources import SourceKey
from catalog.domain.text import SORT_KEY_LENGTH

from .mapping import inserts_of, record_of, update_row
from .rows import AuthorRow, BookRow, ContributorRow, SourceRow

MOST_PARAMETERS = 10_000

RecordT = TypeVar("RecordT", Author, Book)


class AuthorRows(SQLAlchemyAsyncRepository[AuthorRow]):
    """Rows of authors."""

    model_type = AuthorRow


class BookRows(SQLAlchemyAsyncRepository[BookRow]):
    """Rows of books, with those of their contributors."""

    model_type = BookRow


class SourceRows(SQLAlchemyAsyncRepository[SourceRow]):
    """Rows of sources."""

    model_type = SourceRow


class _SqlRecords(Generic[RecordT]):
    """What the repositories of both kinds share."""

    KIND: ClassVar[Kind]
    RECORD: ClassVar[type[Any]]
    ROWS: ClassVar[type[SQLAlchemyAsyncRepository[Any]]]

    def __init__(self, session: AsyncSession, changes: list[Change]) -> None:
        self._session = session
        self._changes = changes
        self._rows = self.ROWS(session=session, wrap_exceptions=False, auto_refresh=False, auto_expunge=False)

    async def get(self, id: UUID) -> RecordT:
        row = await self._rows.get_one_or_none(id=id)
        if row is None:
            raise NotFound(self.KIND, id)
        return self._record(row)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, RecordT]:
        return {row.id: self._record(row) for row in await _rows_with(self._rows, "id", ids)}

    async def add_all(self, records: Sequence[RecordT]) -> None:
        if records:
            for table, values in inserts_of(records, self._rows.model_type):
                await self._session.execute(insert(table), values)
            self._changes += (Change(Operation.CREATE, record) for record in records)

    async def replace(self, record: RecordT) -> None:
        update_row(await self._standing(record.id, record.version - 1), record)
        await self._session.flush()
        self._changes.append(Change(Operation.REVISE, record))

    async def remove(self, record: RecordT) -> None:
        await self._session.delete(await self._standing(record.id, record.version))
        await self._session.flush()
        self._changes.append(Change(Operation.REMOVE, record))

    async def _standing(self, id: UUID, version: int) -> DefaultBase:
        """Return the row at that version; the UPDATE or DELETE that follows compares it once more, in SQL."""
        row: DefaultBase | None = await self._session.get(self._rows.model_type, id)
        if row is None or vars(row)["version"] != version:
            raise Interrupted
        return row

    def _record(self, row: DefaultBase) -> RecordT:
        record: RecordT = record_of(row, self.RECORD)
        return record


async def _rows_with(
    rows: SQLAlchemyAsyncRepository[Any], column: str, values: Collection[Any], **others: Any
) -> list[Any]:
    """Return the rows that have one of the values; asked in slices, for statements take only so many parameters."""
    remaining = iter(values)
    found: list[Any] = []
    while some := list(islice(remaining, MOST_PARAMETERS)):
        found += await rows.get_many(CollectionFilter(column, some), **others)
    return found


class SqlAuthorRepository(_SqlRecords[Author]):
    """Authors in SQL."""

    KIND = Kind.AUTHOR
    RECORD = Author
    ROWS = AuthorRows

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        keys = {name[:SORT_KEY_LENGTH] for name in names}
        rows = await _rows_with(self._rows, "sort_key", keys)
        return [author for author in map(self._record, rows) if author.folded_name in names]


class SqlBookRepository(_SqlRecords[Book]):
    """Books in SQL."""

    KIND = Kind.BOOK
    RECORD = Book
    ROWS = BookRows

    async def count_naming(self, author_id: UUID) -> int:
        books = union(
            select(BookRow.id).where(BookRow.author_id == author_id),
            select(ContributorRow.book_id).where(ContributorRow.author_id == author_id),
        )
        return await self._session.scalar(select(func.count()).select_from(books.subquery())) or 0


class SqlSourceRepository:
    """Where books came from, in SQL; a book that is removed takes its sources along (ON DELETE CASCADE)."""

    def __init__(self, session: AsyncSession) -> None:
        self._rows = SourceRows(session=session, wrap_exceptions=False, auto_refresh=False, auto_expunge=False)

    async def find(self, keys: Collection[SourceKey]) -> Mapping[SourceKey, UUID]:
        by_source: dict[str, list[str]] = {}
        for key in keys:
            by_source.setdefault(key.source, []).append(key.key)
        return {
            SourceKey(row.source, row.key): row.book_id
            for source, source_keys in by_source.items()
            for row in await _rows_with(self._rows, "key", source_keys, source=source)
        }

    async def add_all(self, origins: Mapping[SourceKey, UUID]) -> None:
        if origins:
            await self._rows.add_many(
                [SourceRow(source=key.source, key=key.key, book_id=id) for key, id in origins.items()]
            )
