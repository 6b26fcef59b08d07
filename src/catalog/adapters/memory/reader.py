"""The query side."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookRecord
from catalog.domain.errors import NotFound
from catalog.domain.kinds import Kind
from catalog.domain.queries import AuthorQuery, BookQuery, Page, PageRequest

from .snapshot import Snapshot

T = TypeVar("T")


class MemoryReader:
    """Reads the snapshot that stands at the moment of each question."""

    def __init__(self, current: Callable[[], Snapshot]) -> None:
        self._current = current

    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound."""
        if author := self._current().authors.get(id):
            return author
        raise NotFound(Kind.AUTHOR, id)

    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a page of authors."""
        return _page(self._current().authors_in_order, query.page)

    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound."""
        snapshot = self._current()
        if book := snapshot.books.get(id):
            return _with_author(snapshot, book)
        raise NotFound(Kind.BOOK, id)

    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a page of books."""
        snapshot = self._current()
        books = snapshot.books_in_order
        if query.author_id is not None:
            books = [book for book in books if book.author_id == query.author_id]
        return _page(books, query.page).map(lambda book: _with_author(snapshot, book))


def _page(everything: Sequence[T], page: PageRequest) -> Page[T]:
    return Page[T].of(everything[page.offset : page.offset + page.size], page, len(everything))


def _with_author(snapshot: Snapshot, book: Book) -> BookRecord:
    return BookRecord.of(book, None if book.author_id is None else snapshot.authors[book.author_id])
