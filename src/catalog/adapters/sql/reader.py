"""The query side: Core statements, no ORM objects; a record or a part of a list costs one."""

from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import groupby
from typing import Any
from uuid import UUID

from attrs import frozen
from sqlalchemy import BigInteger, BindParameter, bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.domain.authors import Author
from catalog.domain.books import BookRecord, SourceRecord
from catalog.domain.errors import NotFound, SeqNotReached, VersionNotFound
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
from .known import Known
from .listing import Lists
from .lists import AUTHOR_COLUMNS, AUTHOR_NAMES, BOOK_COLUMNS, BOOK_NAMES, OF_ITS_AUTHOR
from .loading import Loader
from .log import POSITION, REVISIONS, position_of, revision_of
from .rows import AuthorRow, BookRow, LogRow, RevisionRow, SourceRow
from .slices import slices
from .waiting import asked_again, within

# Built once: building a statement costs more than SQLite takes to answer it.
_ID: BindParameter[Any] = bindparam("id")
_LIMIT: BindParameter[Any] = bindparam("limit")
_OFFSET: BindParameter[Any] = bindparam("offset", type_=BigInteger)

_AUTHOR_BY_ID = select(*AUTHOR_COLUMNS).where(AuthorRow.id == _ID)
_BOOK_BY_ID = (
    select(*BOOK_COLUMNS, *OF_ITS_AUTHOR)
    .outerjoin(AuthorRow, AuthorRow.id == BookRow.author_id)
    .where(BookRow.id == _ID)
)
_AUTHOR_VERSIONS = select(AuthorRow.version).where(AuthorRow.id == _ID)
_BOOK_VERSIONS = (
    select(BookRow.version, AuthorRow.version.label("author__version"))
    .outerjoin(AuthorRow, AuthorRow.id == BookRow.author_id)
    .where(BookRow.id == _ID)
)
_SOURCES = (
    select(SourceRow.book_id, SourceRow.source, SourceRow.key, SourceRow.format, SourceRow.content)
    .where(SourceRow.book_id.in_(bindparam("ids", expanding=True)))
    .order_by(SourceRow.book_id, SourceRow.position)
)
_POSITION = select(LogRow.seq, LogRow.at)

_SINCE = REVISIONS.where(RevisionRow.seq > bindparam("since")).order_by(RevisionRow.seq).limit(_LIMIT)
# The kind is written out, for only then SQLite takes the index of the authors' revisions, of whom there are few.
_SINCE_OF_KIND = {kind: _SINCE.where(RevisionRow.kind == literal_column(f"'{kind.value}'")) for kind in Kind}
_OF_RECORD = RevisionRow.id == _ID, RevisionRow.kind == bindparam("kind")
_HISTORY = REVISIONS.where(*_OF_RECORD).order_by(RevisionRow.version.desc())
_HISTORY_PAGE = _HISTORY.limit(_LIMIT).offset(_OFFSET)
_HISTORY_COUNT = select(func.count()).select_from(RevisionRow).where(*_OF_RECORD)
_VERSION = REVISIONS.where(*_OF_RECORD, RevisionRow.version == bindparam("version", type_=BigInteger))

_SHARED_KEYS = select(AuthorRow.name_key).group_by(AuthorRow.name_key).having(func.count() > 1)
_SHARED_KEY_COUNT = select(func.count()).select_from(_SHARED_KEYS.subquery())
_SHARED_KEY_PAGE = _SHARED_KEYS.order_by(AuthorRow.name_key).limit(_LIMIT).offset(_OFFSET)
_AUTHORS_WITH_KEYS = (
    select(*AUTHOR_COLUMNS)
    .where(AuthorRow.name_key.in_(bindparam("keys", expanding=True)))
    .order_by(AuthorRow.name_key, AuthorRow.id)
)


class _Records:
    """Makes records of rows; with a database, of rows as its driver gives them."""

    def __init__(self, database: Database | None = None) -> None:
        def reads(columns: Sequence[Any]) -> list[Any]:
            return [] if database is None else [database.reader_of(column.type) for column in columns]

        self._authors = Loader(Author, AUTHOR_NAMES, reads(AUTHOR_COLUMNS))
        of_its_author = Loader(Author, AUTHOR_NAMES, reads(AUTHOR_COLUMNS), start=len(BOOK_NAMES))
        self._books = Loader(BookRecord, BOOK_NAMES, reads(BOOK_COLUMNS), joined={"author": of_its_author})

    def author(self, row: Sequence[Any]) -> Author:
        """Return the author that a row holds."""
        return self._authors.record(row)

    def book(self, row: Sequence[Any]) -> BookRecord:
        """Return the book that a row holds: its own columns, then those of its author."""
        return self._books.record(row)

    def of(self, kind: Kind, row: Sequence[Any]) -> Any:
        """Return the record of that kind that a row holds."""
        return self.author(row) if kind is Kind.AUTHOR else self.book(row)


_OF_TYPED_ROWS = _Records()


@frozen
class _One:
    """How one record is asked for, how its versions alone are, and what these are of a record."""

    record: Any
    versions: Any
    versions_of: Callable[[Any], Hashable]


_ONE: Mapping[Kind, _One] = {
    Kind.AUTHOR: _One(_AUTHOR_BY_ID, _AUTHOR_VERSIONS, lambda author: (author.version,)),
    Kind.BOOK: _One(_BOOK_BY_ID, _BOOK_VERSIONS, lambda book: (book.version, book.author and book.author.version)),
}


class SqlReader:
    """Reads one state of the database per question."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lists = Lists(database)
        self._records = _Records(database)
        self._known = Known()
        self._time = database.reader_of(LogRow.__table__.c.at.type) or (lambda time: time)

    @asked_again
    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound, Removed or Merged."""
        author: Author = await self._one(Kind.AUTHOR, id)
        return author

    @asked_again
    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a part of the list of authors; raise InvalidValue for a cursor of another list."""
        with translated():
            return await self._lists.part(Kind.AUTHOR, query, self._records.author)

    @asked_again
    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound, Removed or Merged."""
        book: BookRecord = await self._one(Kind.BOOK, id)
        return book

    @asked_again
    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a part of the list of books; raise InvalidValue for a cursor of another list."""
        with translated():
            return await self._lists.part(Kind.BOOK, query, self._records.book)

    @asked_again
    async def sources(self, ids: Collection[UUID]) -> Mapping[UUID, tuple[SourceRecord, ...]]:
        """Return the records from which these books were imported, for those books that have any."""
        found: dict[UUID, list[SourceRecord]] = {}
        async with self._connection() as connection:
            for some in slices(ids):
                for id, source, key, format, content in await connection.execute(_SOURCES, {"ids": some}):
                    found.setdefault(id, []).append(SourceRecord(source, key, format, content))
        return {id: tuple(sources) for id, sources in found.items()}

    @asked_again
    async def position(self) -> Position:
        """Return how far the log has come."""
        with translated():
            ((seq, at),) = await self._database.fetch(_POSITION, {})
        return Position(seq=seq, at=at and self._time(at))

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
        """Return authors whose names are equal once folded, by name."""
        window = {"limit": page.size, "offset": page.offset}
        async with self._connection() as connection:
            log = (await connection.execute(POSITION)).one()
            total = (await connection.execute(_SHARED_KEY_COUNT)).scalar_one()
            keys = (await connection.execute(_SHARED_KEY_PAGE, window)).scalars().all()
            found = (await connection.execute(_AUTHORS_WITH_KEYS, {"keys": keys})).all()
        by_key = groupby(map(_OF_TYPED_ROWS.author, found), key=lambda author: author.name_key)
        candidates = [Candidates(name=key, authors=list(authors)) for key, authors in by_key]
        return Page.of(candidates, page, total, position_of(log))

    async def _one(self, kind: Kind, id: UUID) -> Any:
        """Return the record; raise NotFound, Removed or Merged."""
        one = _ONE[kind]
        with translated():
            if known := self._known.of(id):
                versions = await self._database.fetch(one.versions, {"id": id})
                if versions and (record := known.get(tuple(versions[0]))) is not None:
                    return record
            found = await self._database.fetch(one.record, {"id": id})
        if not found:
            return await self._missing(kind, id)
        record = self._records.of(kind, found[0])
        self._known.keep(id, {one.versions_of(record): record})
        return record

    async def _missing(self, kind: Kind, id: UUID) -> Any:
        """Return the record after all, if it has come meanwhile; raise NotFound, Removed or Merged."""
        async with self._connection() as connection:
            if found := (await connection.execute(_ONE[kind].record, {"id": id})).all():
                return _OF_TYPED_ROWS.of(kind, found[0])
            raise absence(kind, id, await _last(connection, kind, id))

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[AsyncConnection]:
        with translated():
            async with AsyncExitStack() as stack:
                async with within(self._database.patience):
                    connection = await stack.enter_async_context(self._database.reader.connect())
                yield connection


async def _last(connection: AsyncConnection, kind: Kind, id: UUID) -> Revision | None:
    row = (await connection.execute(_HISTORY.limit(1), {"id": id, "kind": kind.value})).one_or_none()
    return None if row is None else revision_of(row)
