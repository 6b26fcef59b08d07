"""Cataloguing authors."""

from collections.abc import Collection
from uuid import UUID

from attrs import frozen

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.callers import Caller
from catalog.domain.errors import AuthorHasBooks
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.records import Amendment, must_stand_at

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
        await unit.authors.add(author)
        return author

    @atomic
    async def revise(
        self,
        unit: UnitOfWork,
        id: UUID,
        amendment: Amendment[AuthorDetails],
        *,
        known_versions: Collection[int] | None = None,
    ) -> Author:
        """Amend an author; refuse if another version stands than those the caller knows."""
        author = await unit.authors.get(id)
        must_stand_at(author, known_versions)
        now = self.clock.now()
        details = amendment.applied_to(author.details)
        details.must_be_born_by(now.date())
        revised = author.revised(details, at=now)
        if revised is not author:
            await unit.authors.replace(revised)
        return revised

    @atomic
    async def remove(self, unit: UnitOfWork, id: UUID, *, known_versions: Collection[int] | None = None) -> None:
        """Remove an author whom no book names."""
        author = await unit.authors.get(id)
        must_stand_at(author, known_versions)
        if books := await unit.books.count_naming(id):
            raise AuthorHasBooks(id, books)
        await unit.authors.remove(author, at=self.clock.now())
