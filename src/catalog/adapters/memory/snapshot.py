"""One state of the catalogue, never changed."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from uuid import UUID

from attrs import field, frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.sources import SourceKey


@frozen(slots=False)  # cached_property needs a __dict__
class Snapshot:
    """All records by id, and where books came from."""

    authors: Mapping[UUID, Author] = field(factory=dict[UUID, Author])
    books: Mapping[UUID, Book] = field(factory=dict[UUID, Book])
    sources: Mapping[SourceKey, UUID] = field(factory=dict[SourceKey, UUID])

    @cached_property
    def authors_in_order(self) -> Sequence[Author]:
        """By sort key, then id."""
        return sorted(self.authors.values(), key=lambda author: (author.sort_key, author.id.bytes))

    @cached_property
    def books_in_order(self) -> Sequence[Book]:
        """By sort key, then id."""
        return sorted(self.books.values(), key=lambda book: (book.sort_key, book.id.bytes))
