"""What the core needs from outside, in its own terms.

Whoever implements them promises what `tests/contract` checks.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import BinaryIO, Protocol
from uuid import UUID

from .authors import Author
from .books import Book, BookRecord
from .callers import Caller
from .changes import Change
from .queries import AuthorQuery, BookQuery, Page
from .sources import Entry, SourceKey


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the time in UTC, with its zone."""
        ...


class IdGenerator(Protocol):
    """Makes ids."""

    def new(self) -> UUID:
        """Return an id never returned before: UUID version 7 (RFC 9562), so that later ones sort later."""
        ...


class AuthorRepository(Protocol):
    """Authors, for writing."""

    async def get(self, id: UUID) -> Author:
        """Return the author; raise NotFound."""
        ...

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Author]:
        """Return those of the authors that there are, by id."""
        ...

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        """Return all authors whose folded name is among the names."""
        ...

    async def add_all(self, authors: Sequence[Author], /) -> None:
        """Add new authors."""
        ...

    async def replace(self, author: Author, /) -> None:
        """Put the author in the place of the version before; raise Interrupted if that does not stand."""
        ...

    async def remove(self, author: Author, /) -> None:
        """Remove the author; raise Interrupted if this version does not stand."""
        ...


class BookRepository(Protocol):
    """Books, for writing. The authors they name must be there."""

    async def get(self, id: UUID) -> Book:
        """Return the book; raise NotFound."""
        ...

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Book]:
        """Return those of the books that there are, by id."""
        ...

    async def count_naming(self, author_id: UUID) -> int:
        """Return how many books name the author, as main entry or contributor."""
        ...

    async def add_all(self, books: Sequence[Book], /) -> None:
        """Add new books."""
        ...

    async def replace(self, book: Book, /) -> None:
        """Put the book in the place of the version before; raise Interrupted if that does not stand."""
        ...

    async def remove(self, book: Book, /) -> None:
        """Remove the book, and where it came from; raise Interrupted if this version does not stand."""
        ...


class SourceRepository(Protocol):
    """Where books came from, so that importing a record again finds the book it made."""

    async def find(self, keys: Collection[SourceKey]) -> Mapping[SourceKey, UUID]:
        """Return the books that came from these records, for those that did."""
        ...

    async def add_all(self, origins: Mapping[SourceKey, UUID], /) -> None:
        """Remember from which record each book came."""
        ...


class RecordReader(Protocol):
    """Reads one file format."""

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each record says, in order and one by one; raise UnreadableFile where there are no records.

        A record that can not be understood is yielded as refused, and the next one is read.
        """
        ...


class UnitOfWork(Protocol):
    """Everything that one use case writes: all of it or nothing."""

    @property
    def caller(self) -> Caller:
        """On whose behalf the work is done."""
        ...

    @property
    def authors(self) -> AuthorRepository:
        """The authors."""
        ...

    @property
    def books(self) -> BookRepository:
        """The books."""
        ...

    @property
    def sources(self) -> SourceRepository:
        """Where books came from."""
        ...

    @property
    def changes(self) -> Sequence[Change]:
        """What the repositories were told so far, in order."""
        ...


class CatalogReader(Protocol):
    """The query side: every read that changes nothing, in ready records."""

    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound."""
        ...

    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a page of authors and the right total, past the end too."""
        ...

    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound."""
        ...

    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a page of books and the right total, past the end too."""
        ...


class Storage(Protocol):
    """An opened storage: what an adapter has to offer."""

    @property
    def reader(self) -> CatalogReader:
        """The query side."""
        ...

    def unit_of_work(self, caller: Caller) -> AbstractAsyncContextManager[UnitOfWork]:
        """Begin a unit of work: it is committed on clean exit and leaves nothing behind after an exception.

        Raises Interrupted where another writer came between, StorageBusy where it did not get its turn in time.
        A unit that is cancelled while it commits may have been committed.
        """
        ...

    async def check(self) -> None:
        """Raise StorageUnavailable, with the reason, unless the storage can be used as it is."""
        ...
