"""One state of the catalogue, never changed."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from uuid import UUID

from attrs import field, frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book, SourceKey
from catalog.domain.receipts import Receipt


@frozen(slots=False)  # cached_property needs a __dict__
class Snapshot:
    """All records by id, which book came from which source, how far the log had come, and what else is kept."""

    authors: Mapping[UUID, Author] = field(factory=dict[UUID, Author])
    books: Mapping[UUID, Book] = field(factory=dict[UUID, Book])
    sources: Mapping[SourceKey, UUID] = field(factory=dict[SourceKey, UUID])
    receipts: Mapping[tuple[str, str], Receipt] = field(factory=dict[tuple[str, str], Receipt])
    seq: int = 0
    follows: str | None = None

    @cached_property
    def authors_in_order(self) -> Sequence[Author]:
        """By sort key, then id."""
        return sorted(self.authors.values(), key=lambda author: (author.sort_key, author.id.bytes))

    @cached_property
    def books_in_order(self) -> Sequence[Book]:
        """By sort key, then id."""
        return sorted(self.books.values(), key=lambda book: (book.sort_key, book.id.bytes))
