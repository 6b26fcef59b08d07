"""Cataloguing books."""

from collections.abc import Collection
from uuid import UUID

from attrs import frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book, BookDetails, BookRecord
from catalog.domain.callers import Caller
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.records import Amendment, must_stand_at

from .atomic import atomic
from .references import known_authors


@frozen
class BookCataloguing:
    """Whatever changes the books of the catalogue."""

    storage: Storage
    caller: Caller
    clock: Clock
    ids: IdGenerator

    @atomic
    async def add(self, unit: UnitOfWork, details: BookDetails) -> BookRecord:
        """Add a book."""
        author = await self._author_of(unit, details)
        book = Book.recorded(details, id=self.ids.new(), at=self.clock.now())
        await unit.books.add(book)
        return BookRecord.of(book, author)

    @atomic
    async def revise(
        self,
        unit: UnitOfWork,
        id: UUID,
        amendment: Amendment[BookDetails],
        *,
        known_versions: Collection[int] | None = None,
    ) -> BookRecord:
        """Amend a book; refuse if another version stands than those the caller knows."""
        book = await unit.books.get(id)
        must_stand_at(book, known_versions)
        details = amendment.applied_to(book.details)
        author = await self._author_of(unit, details)
        revised = book.revised(details, at=self.clock.now())
        if revised is not book:
            await unit.books.replace(revised)
        return BookRecord.of(revised, author)

    @atomic
    async def remove(self, unit: UnitOfWork, id: UUID, *, known_versions: Collection[int] | None = None) -> None:
        """Remove a book."""
        book = await unit.books.get(id)
        must_stand_at(book, known_versions)
        await unit.books.remove(book, at=self.clock.now())

    @staticmethod
    async def _author_of(unit: UnitOfWork, details: BookDetails) -> Author | None:
        """Return the main author; refuse details that name an author the catalogue does not hold."""
        known = await known_authors(unit, details)
        return known[details.author_id] if details.author_id is not None else None
