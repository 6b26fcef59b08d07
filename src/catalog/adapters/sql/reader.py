"""The query side: Core statements, no ORM objects; a list costs three short statements whatever its length."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookRecord, Contributor
from catalog.domain.errors import Kind, NotFound
from catalog.domain.queries import AuthorQuery, BookQuery, Page

from .errors import translated
from .mapping import columns_of, structure
from .rows import AuthorRow, BookRow, ContributorRow

_AUTHOR = "author__"

_select_authors = select(*columns_of(AuthorRow, Author))
_select_books = select(
    *columns_of(BookRow, Book),
    *(column.label(f"{_AUTHOR}{column.key}") for column in columns_of(AuthorRow, Author)),
).outerjoin(AuthorRow, AuthorRow.id == BookRow.author_id)
_select_contributors = select(ContributorRow.book_id, *columns_of(ContributorRow, Contributor)).order_by(
    ContributorRow.book_id, ContributorRow.position
)


class SqlReader:
    """Reads one state of the database per question."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound."""
        async with self._connection() as connection:
            found = await self._mappings(connection, _select_authors.where(AuthorRow.id == id))
        if not found:
            raise NotFound(Kind.AUTHOR, id)
        return structure(found[0], Author)

    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a page of authors."""
        statement = _select_authors.order_by(AuthorRow.sort_key, AuthorRow.id)
        async with self._connection() as connection:
            total = await self._count(connection, AuthorRow.id)
            found = await self._mappings(connection, statement.limit(query.page.size).offset(query.page.offset))
        return Page.of([structure(values, Author) for values in found], query.page, total)

    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound."""
        async with self._connection() as connection:
            found = await self._books(connection, _select_books.where(BookRow.id == id))
        if not found:
            raise NotFound(Kind.BOOK, id)
        return found[0]

    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a page of books."""
        conditions = [] if query.author_id is None else [BookRow.author_id == query.author_id]
        # The page's keys come from the index alone; joining before the offset would read every book it skips.
        keys = (
            select(BookRow.id)
            .where(*conditions)
            .order_by(BookRow.sort_key, BookRow.id)
            .limit(query.page.size)
            .offset(query.page.offset)
        )
        statement = _select_books.where(BookRow.id.in_(keys)).order_by(BookRow.sort_key, BookRow.id)
        async with self._connection() as connection:
            total = await self._count(connection, BookRow.id, *conditions)
            books = await self._books(connection, statement)
        return Page.of(books, query.page, total)

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[AsyncConnection]:
        with translated():
            async with self._engine.connect() as connection:
                yield connection

    @staticmethod
    async def _mappings(connection: AsyncConnection, statement: Select[Any]) -> Sequence[Mapping[str, Any]]:
        return [dict(row) for row in (await connection.execute(statement)).mappings()]

    @staticmethod
    async def _count(connection: AsyncConnection, column: Any, *conditions: ColumnElement[bool]) -> int:
        return (await connection.execute(select(func.count(column)).where(*conditions))).scalar_one()

    async def _books(self, connection: AsyncConnection, statement: Select[Any]) -> Sequence[BookRecord]:
        found = await self._mappings(connection, statement)
        contributors: dict[UUID, list[Mapping[str, Any]]] = {values["id"]: [] for values in found}
        if found:
            of_these = _select_contributors.where(ContributorRow.book_id.in_(contributors))
            for values in await self._mappings(connection, of_these):
                contributors[values["book_id"]].append(values)
        return [_book_record(values, contributors[values["id"]]) for values in found]


def _book_record(values: Mapping[str, Any], contributors: Sequence[Mapping[str, Any]]) -> BookRecord:
    author = {name.removeprefix(_AUTHOR): value for name, value in values.items() if name.startswith(_AUTHOR)}
    has_author = values["author_id"] is not None
    return structure({**values, "contributors": contributors, "author": author if has_author else None}, BookRecord)
