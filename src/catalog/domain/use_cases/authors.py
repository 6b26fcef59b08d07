"""Cataloguing authors."""

from collections.abc import Collection
from uuid import UUID

from attrs import frozen

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.callers import Caller
from catalog.domain.errors import AuthorHasBooks
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.records import Changes, must_stand_at

from .atomic import atomic


@frozen
class AuthorCataloguing:
    """Whatever changes the authors of the catalogue."""

    storage: Storage
    caller: Caller
    clock: Clock
    ids: IdGenerator

    @atomic
    async def add(self, unit: UnitOfWork, details: AuthorDetails) -> Author:
        """Add an author."""
        now = self.clock.now()
        details.must_be_born_by(now.date())
        author = Author.recorded(details, id=self.ids.new(), at=now)
        await unit.authors.add_all([author])
        return author

    @atomic
    async def amend(
        self,
        unit: UnitOfWork,
        id: UUID,
        changes: Changes[AuthorDetails],
        *,
        known_versions: Collection[int] | None = None,
    ) -> Author:
        """Change some fields of an author."""
        author = await unit.authors.get(id)
        must_stand_at(author, known_versions)
        return await self._revise(unit, author, changes.applied_to(author.details))

    @atomic
    async def replace(
        self, unit: UnitOfWork, id: UUID, details: AuthorDetails, *, known_versions: Collection[int] | None = None
    ) -> Author:
        """Say everything about an author anew."""
        author = await unit.authors.get(id)
        must_stand_at(author, known_versions)
        return await self._revise(unit, author, details)

    @atomic
    async def remove(self, unit: UnitOfWork, id: UUID, *, known_versions: Collection[int] | None = None) -> None:
        """Remove an author whom no book names."""
        author = await unit.authors.get(id)
        must_stand_at(author, known_versions)
        if books := await unit.books.count_naming(id):
            raise AuthorHasBooks(id, books)
        await unit.authors.remove(author)

    async def _revise(self, unit: UnitOfWork, author: Author, details: AuthorDetails) -> Author:
        now = self.clock.now()
        details.must_be_born_by(now.date())
        revised = author.revised(details, at=now)
        if revised is not author:
            await unit.authors.replace(revised)
        return revised
