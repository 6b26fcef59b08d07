"""What is there for an import to meet."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from attrs import frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book, SourceKey
from catalog.domain.identifiers import Number
from catalog.domain.kinds import Kind
from catalog.domain.ports import DryRun, RecordT, UnitOfWork
from catalog.domain.values import Isbn


@frozen
class Holdings:
    """What the catalogue holds; in a dry run, what it would hold by now.

    What the dry run has changed is found as it would stand, and not by what it was.
    """

    unit: UnitOfWork
    dry: DryRun | None = None

    async def authors(self, ids: Collection[UUID]) -> Mapping[UUID, Author]:
        """Return those of the authors that there are, by id."""
        kept = await self._kept(ids)
        there = await self.unit.authors.get_many([id for id in ids if id not in kept])
        return {**there, **{id: record for id, record in kept.items() if isinstance(record, Author)}}

    async def records(self, *, authors: Collection[UUID], books: Collection[UUID]) -> Mapping[UUID, Author | Book]:
        """Return those of the records that there are, by id; one that a dry run has is told of whatever its kind is."""
        kept = await self._kept({*authors, *books})
        there: dict[UUID, Author | Book] = {**kept}
        there.update(await self.unit.authors.get_many([id for id in authors if id not in kept]))
        there.update(await self.unit.books.get_many([id for id in books if id not in kept]))
        return there

    async def authors_called(self, names: Collection[str]) -> Sequence[Author]:
        """Return all authors whose folded name is among the names."""
        there = await self.unit.authors.find_by_folded_names(names)
        return there if self.dry is None else [*await self._as_kept(there), *await self.dry.find_by_folded_names(names)]

    async def authors_with(self, numbers: Collection[Number]) -> Sequence[Author]:
        """Return all authors of whom one of these is a valid identifier."""
        there = await self.unit.authors.find_by_numbers(numbers)
        return there if self.dry is None else [*await self._as_kept(there), *await self.dry.find_by_numbers(numbers)]

    async def books_from(self, sources: Collection[SourceKey]) -> Mapping[SourceKey, Book]:
        """Return the books that came from these records, for those that did."""
        there = await self.unit.books.find_by_sources(sources)
        return there if self.dry is None else {**there, **await self.dry.find_by_sources(sources)}

    async def books_with(self, isbns: Collection[tuple[Isbn, str | None]]) -> Sequence[Book]:
        """Return all books of which one of these is a valid ISBN, but for those that have a record of its source."""
        there = await self.unit.books.find_by_isbns(isbns)
        return there if self.dry is None else [*await self._as_kept(there), *await self.dry.find_by_isbns(isbns)]

    async def made_by(self, run: UUID, ids: Collection[UUID]) -> set[UUID]:
        """Return which of the books this run has made; those of a dry run are not there."""
        first = await self.unit.log.versions(Kind.BOOK, dict.fromkeys(ids, 1))
        kept = await self._kept(ids)
        there = await self.unit.books.get_many(kept.keys())
        return {id for id, revision in first.items() if revision.group == run} | (kept.keys() - there.keys())

    async def _kept(self, ids: Collection[UUID]) -> Mapping[UUID, Author | Book]:
        return {} if self.dry is None else await self.dry.get_many(ids)

    async def _as_kept(self, there: Sequence[RecordT]) -> Sequence[RecordT]:
        """Return what stands as it is; what was changed is found by what is kept, or no more."""
        kept = await self._kept([record.id for record in there])
        return [record for record in there if record.id not in kept]
