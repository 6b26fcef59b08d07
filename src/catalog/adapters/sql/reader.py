"""The query side: Core statements, no ORM objects; a list costs four short statements whatever its length."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookRecord, Contributor, SourceKey
from catalog.domain.errors import CatalogError, NotFound, SeqNotReached, VersionNotFound
from catalog.domain.kinds import Kind
from catalog.domain.queries import (
    AuthorQuery,
    BookQuery,
    Candidates,
    ChangeQuery,
    Page,
    PageRequest,
    Position,
    RevisionQuery,
)
from catalog.domain.revisions import Revision, absence

from .database import Database
from .errors import translated
from .log import POSITION, REVISIONS, position_of, revision_of
from .mapping import columns_of, structure
from .rows import AuthorRow, BookRow, ContributorRow, RevisionRow, SourceRow
from .waiting import asked_again, within

_AUTHOR = "author__"

# Built once: building a statement costs more than SQLite takes to answer it.
_ID: BindParameter[Any] = bindparam("id")
_LIMIT: BindParameter[Any] = bindparam("limit")
_OFFSET: BindParameter[Any] = bindparam("offset", type_=BigInteger)

_AUTHORS = select(*columns_of(AuthorRow, Author))
_AUTHOR_BY_ID = _AUTHORS.where(AuthorRow.id == _ID)
_AUTHOR_PAGE = _AUTHORS.order_by(AuthorRow.sort_key, AuthorRow.id).limit(_LIMIT).offset(_OFFSET)

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
_SOURCES = (
    select(SourceRow.book_id, *columns_of(SourceRow, SourceKey))
    .where(SourceRow.book_id.in_(bindparam("ids", expanding=True)))
    .order_by(SourceRow.book_id, SourceRow.position)
)

_SINCE = REVISIONS.where(RevisionRow.seq > bindparam("since")).order_by(RevisionRow.seq).limit(_LIMIT)
# The kind is written out, for only then SQLite takes the index of the authors' revisions, of whom there are few.
_SINCE_OF_KIND = {kind: _SINCE.where(RevisionRow.kind == literal_column(f"'{kind.value}'")) for kind in Kind}
_OF_RECORD = RevisionRow.id == _ID, RevisionRow.kind == bindparam("kind")
_HISTORY = REVISIONS.where(*_OF_RECORD).order_by(RevisionRow.version.desc())
_HISTORY_PAGE = _HISTORY.limit(_LIMIT).offset(_OFFSET)
_HISTORY_COUNT = select(func.count()).select_from(RevisionRow).where(*_OF_RECORD)
_VERSION = REVISIONS.where(*_OF_RECORD, RevisionRow.version == bindparam("version", type_=BigInteger))

_SHARED_KEYS = select(AuthorRow.sort_key).group_by(AuthorRow.sort_key).having(func.count() > 1)
_SHARED_KEY_COUNT = select(func.count()).select_from(_SHARED_KEYS.subquery())
_SHARED_KEY_PAGE = _SHARED_KEYS.order_by(AuthorRow.sort_key).limit(_LIMIT).offset(_OFFSET)
_AUTHORS_WITH_KEYS = (
    select(*columns_of(AuthorRow, Author))
    .where(AuthorRow.sort_key.in_(bindparam("keys", expanding=True)))
    .order_by(AuthorRow.sort_key, AuthorRow.id)
)


def _book_page(*conditions: ColumnElement[bool]) -> Select[Any]:
    # The page's keys come from the index alone; joining before the offset would read every book it skips.
    keys = select(BookRow.id).where(*conditions).order_by(BookRow.sort_key, BookRow.id).limit(_LIMIT).offset(_OFFSET)
    return _BOOKS.where(BookRow.id.in_(keys)).order_by(BookRow.sort_key, BookRow.id)


def _book_count(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(func.count()).select_from(BookRow).where(*conditions)


_BY_AUTHOR = BookRow.author_id == bindparam("author_id")
_BOOK_PAGE = _book_page()
_BOOK_PAGE_BY_AUTHOR, _BOOK_COUNT_BY_AUTHOR = _book_page(_BY_AUTHOR), _book_count(_BY_AUTHOR)


class SqlReader:
    """Reads one state of the database per question."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asked_again
    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound, Removed or Merged."""
        async with self._connection() as connection:
            found = await _mappings(connection, _AUTHOR_BY_ID, id=id)
            if not found:
                raise await _absence(connection, Kind.AUTHOR, id)
        return structure(found[0], Author)

    @asked_again
    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a page of authors."""
        page = query.page
        async with self._connection() as connection:
            log = (await connection.execute(POSITION)).one()
            found = await _mappings(connection, _AUTHOR_PAGE, limit=page.size, offset=page.offset)
        return Page.of([structure(values, Author) for values in found], page, log.authors, position_of(log))

    @asked_again
    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound, Removed or Merged."""
        async with self._connection() as connection:
            found = await _books(connection, _BOOK_BY_ID, id=id)
            if not found:
                raise await _absence(connection, Kind.BOOK, id)
        return found[0]

    @asked_again
    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a page of books."""
        size, offset = query.page.size, query.page.offset
        async with self._connection() as connection:
            log = (await connection.execute(POSITION)).one()
            if query.author_id is None:
                total = log.books
                books = await _books(connection, _BOOK_PAGE, limit=size, offset=offset)
            else:
                by = {"author_id": query.author_id}
                total = (await connection.execute(_BOOK_COUNT_BY_AUTHOR, by)).scalar_one()
                books = await _books(connection, _BOOK_PAGE_BY_AUTHOR, limit=size, offset=offset, **by)
        return Page.of(books, query.page, total, position_of(log))

    @asked_again
    async def position(self) -> Position:
        """Return how far the log has come."""
        async with self._connection() as connection:
            return position_of((await connection.execute(POSITION)).one())

    @asked_again
    async def changes(self, query: ChangeQuery) -> Sequence[Revision]:
        """Return what happened since; raise SeqNotReached."""
        values: dict[str, Any] = {"since": query.since, "limit": query.limit}
        async with self._connection() as connection:
            if query.kind is None:
                rows = (await connection.execute(_SINCE, values)).all()
            else:
                rows = (await connection.execute(_SINCE_OF_KIND[query.kind], values)).all()
            if not rows and query.since > (last := (await connection.execute(POSITION)).one().seq):
                raise SeqNotReached(query.since, last)
        return [revision_of(row) for row in rows]

    @asked_again
    async def revisions(self, query: RevisionQuery) -> Page[Revision]:
        """Return a page of what happened to a record, newest first; raise NotFound."""
        record = {"id": query.id, "kind": query.kind.value}
        window = {"limit": query.page.size, "offset": query.page.offset}
        async with self._connection() as connection:
            log = (await connection.execute(POSITION)).one()
            total = (await connection.execute(_HISTORY_COUNT, record)).scalar_one()
            rows = (await connection.execute(_HISTORY_PAGE, {**record, **window})).all()
        if not total:
            raise NotFound(query.kind, query.id)
        return Page.of([revision_of(row) for row in rows], query.page, total, position_of(log))

    @asked_again
    async def revision(self, kind: Kind, id: UUID, version: int) -> Revision:
        """Return what made that version; raise NotFound, or VersionNotFound."""
        record = {"id": id, "kind": kind.value}
        async with self._connection() as connection:
            row = (await connection.execute(_VERSION, {**record, "version": version})).one_or_none()
            if row is None:
                last = await _last(connection, kind, id)
                raise NotFound(kind, id) if last is None else VersionNotFound(kind, id, version, last.version)
        return revision_of(row)

    @asked_again
    async def duplicates(self, page: PageRequest) -> Page[Candidates]:
        """Return authors whose sort keys are equal, by sort key."""
        window = {"limit": page.size, "offset": page.offset}
        async with self._connection() as connection:
            log = (await connection.execute(POSITION)).one()
            total = (await connection.execute(_SHARED_KEY_COUNT)).scalar_one()
            keys = (await connection.execute(_SHARED_KEY_PAGE, window)).scalars().all()
            found = await _mappings(connection, _AUTHORS_WITH_KEYS, keys=keys)
        by_key = groupby((structure(values, Author) for values in found), key=lambda author: author.sort_key)
        candidates = [Candidates(name=key, authors=list(authors)) for key, authors in by_key]
        return Page.of(candidates, page, total, position_of(log))

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[AsyncConnection]:
        with translated():
            async with AsyncExitStack() as stack:
                async with within(self._database.patience):
                    connection = await stack.enter_async_context(self._database.reader.connect())
                yield connection


async def _mappings(
    connection: AsyncConnection, statement: Select[Any], **parameters: Any
) -> Sequence[Mapping[str, Any]]:
    return [dict(row) for row in (await connection.execute(statement, parameters)).mappings()]


async def _books(connection: AsyncConnection, statement: Select[Any], **parameters: Any) -> Sequence[BookRecord]:
    found = await _mappings(connection, statement, **parameters)
    ids = [values["id"] for values in found]
    parts = {"contributors": await _parts(connection, _CONTRIBUTORS, ids)}
    parts["sources"] = await _parts(connection, _SOURCES, ids)
    return [_book_record({**values, **{name: of[values["id"]] for name, of in parts.items()}}) for values in found]


async def _parts(
    connection: AsyncConnection, statement: Select[Any], ids: Sequence[UUID]
) -> Mapping[UUID, list[Mapping[str, Any]]]:
    parts: dict[UUID, list[Mapping[str, Any]]] = {id: [] for id in ids}
    if ids:
        for values in await _mappings(connection, statement, ids=ids):
            parts[values["book_id"]].append(values)
    return parts


def _book_record(values: Mapping[str, Any]) -> BookRecord:
    author = {name.removeprefix(_AUTHOR): value for name, value in values.items() if name.startswith(_AUTHOR)}
    return structure({**values, "author": None if values["author_id"] is None else author}, BookRecord)


async def _last(connection: AsyncConnection, kind: Kind, id: UUID) -> Revision | None:
    row = (await connection.execute(_HISTORY.limit(1), {"id": id, "kind": kind.value})).one_or_none()
    return None if row is None else revision_of(row)


async def _absence(connection: AsyncConnection, kind: Kind, id: UUID) -> CatalogError:
    return absence(kind, id, await _last(connection, kind, id))
