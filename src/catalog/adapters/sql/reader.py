"""The query side: Core statements, no ORM objects; a list costs three short statements whatever its length."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookRecord, Contributor
from catalog.domain.errors import NotFound
from catalog.domain.kinds import Kind
from catalog.domain.queries import AuthorQuery, BookQuery, Page

from .errors import translated
from .mapping import columns_of, structure
from .rows import AuthorRow, BookRow, ContributorRow

_AUTHOR = "author__"

# Built once: building a statement costs more than SQLite takes to answer it.
_ID: BindParameter[Any] = bindparam("id")
_LIMIT: BindParameter[Any] = bindparam("limit")
_OFFSET: BindParameter[Any] = bindparam("offset")

_AUTHORS = select(*columns_of(AuthorRow, Author))
_AUTHOR_BY_ID = _AUTHORS.where(AuthorRow.id == _ID)
_AUTHOR_PAGE = _AUTHORS.order_by(AuthorRow.sort_key, AuthorRow.id).limit(_LIMIT).offset(_OFFSET)
_AUTHOR_COUNT = select(func.count()).select_from(AuthorRow)

_BOOKS = select(
    *columns_of(BookRow, Book),
    *(column.label(f"{_AUTHOR}{column.key}") for column in columns_of(AuthorRow, Author)),
).outerjoin(AuthorRow, AuthorRow.id == BookRow.author_id)
_BOOK_BY_ID = _BOOKS.where(BookRow.id == _ID)
_CONTRIBUTORS = (
    select(ContributorRow.book_id, *columns_of(ContributorRow, Contributor))
    .where(ContributorRow.book_id.in_(bindparam("ids", expanding=True)))
    .order_by(ContributorRow.book_id, ContributorRow.position)
)


def _book_page(*conditions: ColumnElement[bool]) -> Select[Any]:
    # The page's keys come from the index alone; joining before the offset would read every book it skips.
    keys = select(BookRow.id).where(*conditions).order_by(BookRow.sort_key, BookRow.id).limit(_LIMIT).offset(_OFFSET)
    return _BOOKS.where(BookRow.id.in_(keys)).order_by(BookRow.sort_key, BookRow.id)


def _book_count(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(BookRow).where(*conditions)


_BY_AUTHOR = BookRow.author_id == bindparam("author_id")
_BOOK_PAGE, _BOOK_COUNT = _book_page(), _book_count()
_BOOK_PAGE_BY_AUTHOR, _BOOK_COUNT_BY_AUTHOR = _book_page(_BY_AUTHOR), _book_count(_BY_AUTHOR)


class SqlReader:
    """Reads one state of the database per question."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound."""
        async with self._connection() as connection:
            found = await _mappings(connection, _AUTHOR_BY_ID, id=id)
        if not found:
            raise NotFound(Kind.AUTHOR, id)
        return structure(found[0], Author)

    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a page of authors."""
        page = query.page
        async with self._connection() as connection:
            total = (await connection.execute(_AUTHOR_COUNT)).scalar_one()
            found = await _mappings(connection, _AUTHOR_PAGE, limit=page.size, offset=page.offset)
        return Page.of([structure(values, Author) for values in found], page, total)

    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound."""
        async with self._connection() as connection:
            found = await _books(connection, _BOOK_BY_ID, id=id)
        if not found:
            raise NotFound(Kind.BOOK, id)
        return found[0]

    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a page of books."""
        page, count, conditions = _BOOK_PAGE, _BOOK_COUNT, {}
        if query.author_id is not None:
            page, count, conditions = _BOOK_PAGE_BY_AUTHOR, _BOOK_COUNT_BY_AUTHOR, {"author_id": query.author_id}
        async with self._connection() as connection:
            total = (await connection.execute(count, conditions)).scalar_one()
            books = await _books(connection, page, limit=query.page.size, offset=query.page.offset, **conditions)
        return Page.of(books, query.page, total)

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[AsyncConnection]:
        with translated():
            async with self._engine.connect() as connection:
                yield connection


async def _mappings(
    connection: AsyncConnection, statement: Select[Any], **parameters: Any
) -> Sequence[Mapping[str, Any]]:
    return [dict(row) for row in (await connection.execute(statement, parameters)).mappings()]


async def _books(connection: AsyncConnection, statement: Select[Any], **parameters: Any) -> Sequence[BookRecord]:
    found = await _mappings(connection, statement, **parameters)
    contributors: dict[UUID, list[Mapping[str, Any]]] = {values["id"]: [] for values in found}
    if found:
        for values in await _mappings(connection, _CONTRIBUTORS, ids=list(contributors)):
            contributors[values["book_id"]].append(values)
    return [_book_record(values, contributors[values["id"]]) for values in found]


def _book_record(values: Mapping[str, Any], contributors: Sequence[Mapping[str, Any]]) -> BookRecord:
    author = {name.removeprefix(_AUTHOR): value for name, value in values.items() if name.startswith(_AUTHOR)}
    has_author = values["author_id"] is not None
    return structure({**values, "contributors": contributors, "author": author if has_author else None}, BookRecord)
