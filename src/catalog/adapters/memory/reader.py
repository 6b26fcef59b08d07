"""The query side."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import TypeVar
from uuid import UUID

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookRecord
from catalog.domain.errors import NotFound, SeqNotReached
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

from .log import MemoryLog, at_version
from .snapshot import Snapshot

T = TypeVar("T")


class MemoryReader:
    """Reads the snapshot that stands at the moment of each question."""

    def __init__(self, current: Callable[[], Snapshot], log: MemoryLog) -> None:
        self._current = current
        self._log = log

    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound, Removed or Merged."""
        snapshot = self._current()
        if author := snapshot.authors.get(id):
            return author
        raise self._absence(snapshot, Kind.AUTHOR, id)

    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a page of authors."""
        snapshot = self._current()
        return self._page(snapshot, snapshot.authors_in_order, query.page)

    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound, Removed or Merged."""
        snapshot = self._current()
        if book := snapshot.books.get(id):
            return _with_author(snapshot, book)
        raise self._absence(snapshot, Kind.BOOK, id)

    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a page of books."""
        snapshot = self._current()
        books = snapshot.books_in_order
        if query.author_id is not None:
            books = [book for book in books if book.author_id == query.author_id]
        return self._page(snapshot, books, query.page).map(lambda book: _with_author(snapshot, book))

    async def position(self) -> Position:
        """Return how far the log has come."""
        return self._log.position(self._current().seq)

    async def changes(self, query: ChangeQuery) -> Sequence[Revision]:
        """Return what happened since; raise SeqNotReached."""
        last = self._current().seq
        if query.since > last:
            raise SeqNotReached(query.since, last)
        found: list[Revision] = []
        for seq in range(query.since + 1, last + 1):
            if len(found) == query.limit:
                break
            revision = self._log.revisions[seq - 1]
            if query.kind in (None, revision.kind):
                found.append(revision)
        return found

    async def revisions(self, query: RevisionQuery) -> Page[Revision]:
        """Return a page of what happened to a record, newest first; raise NotFound."""
        snapshot = self._current()
        return self._page(snapshot, self._history(snapshot, query.kind, query.id)[::-1], query.page)

    async def revision(self, kind: Kind, id: UUID, version: int) -> Revision:
        """Return what made that version; raise NotFound, or VersionNotFound."""
        return at_version(self._history(self._current(), kind, id), version)

    async def duplicates(self, page: PageRequest) -> Page[Candidates]:
        """Return authors whose sort keys are equal, by sort key."""
        snapshot = self._current()
        by_key = groupby(snapshot.authors_in_order, key=lambda author: author.sort_key)
        groups = [Candidates(name=key, authors=authors) for key, found in by_key if len(authors := list(found)) > 1]
        return self._page(snapshot, groups, page)

    def _history(self, snapshot: Snapshot, kind: Kind, id: UUID) -> Sequence[Revision]:
        if history := self._log.of_record(kind, id, snapshot.seq):
            return history
        raise NotFound(kind, id)

    def _absence(self, snapshot: Snapshot, kind: Kind, id: UUID) -> Exception:
        history = self._log.of_record(kind, id, snapshot.seq)
        return absence(kind, id, history[-1] if history else None)

    def _page(self, snapshot: Snapshot, everything: Sequence[T], page: PageRequest) -> Page[T]:
        part = everything[page.offset : page.offset + page.size]
        return Page[T].of(part, page, len(everything), self._log.position(snapshot.seq))


def _with_author(snapshot: Snapshot, book: Book) -> BookRecord:
    return BookRecord.of(book, None if book.author_id is None else snapshot.authors[book.author_id])
