"""Taking whole records, as another catalogue exported them: ids, versions, times and sources are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import define, evolve, field

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, SourceKey
from catalog.domain.kinds import Kind
from catalog.domain.records import details_of, filled, told
from catalog.domain.revisions import Revision

from .holdings import Holdings

_OF_ITSELF = {"version", "created_at", "updated_at"}


class NotTaken(Exception):
    """Why a record can not be taken; the message says it."""


@define
class Transfer:
    """The records of some lines, and those that the catalogue has under their ids."""

    new: list[Author | Book] = field(factory=list[Author | Book])
    changed: list[Author | Book] = field(factory=list[Author | Book])
    _standing: dict[UUID, Author | Book] = field(factory=dict[UUID, Author | Book])
    _last: dict[UUID, Revision] = field(factory=dict[UUID, Revision])
    _by_source: dict[SourceKey, UUID] = field(factory=dict[SourceKey, UUID])

    async def look_for(self, records: Sequence[Author | Book], holdings: Holdings) -> None:
        """Look for whatever the records may meet."""
        books = [record for record in records if isinstance(record, Book)]
        authors = {record.id for record in records if isinstance(record, Author)}
        self._standing.update(await holdings.records(authors=authors, books={book.id for book in books}))
        standing = [record for record in self._standing.values() if isinstance(record, Book)]
        named = {id for book in (*books, *standing) for _, id in book.author_references()}
        self._standing.update(await holdings.authors(named - self._standing.keys()))
        absent = {record.id for record in records} - self._standing.keys()
        for kind in Kind:
            self._last |= await holdings.unit.log.last(kind, absent)
        taken = await holdings.books_from({source.id for book in books for source in book.sources})
        self._by_source |= {source: book.id for source, book in taken.items()}

    def add(self, record: Author | Book) -> None:
        """Take a record that is not there; raise NotTaken where that can not be."""
        if last := self._last.get(record.id):
            if last.stands:
                raise NotTaken(f"has the id of the {last.kind.value} that is there")
            what = "removed" if last.into is None else f"merged into {last.into}"
            raise NotTaken(f"was {what} here (seq {last.seq}), and its id is not used again; restore it instead")
        self._must_fit(record)
        self.new.append(record)
        self._know(record)

    def standing(self, record: Author | Book) -> Author | Book | None:
        """Return the record that has the id; raise NotTaken where it is of another kind."""
        standing = self._standing.get(record.id)
        if standing is not None and standing.KIND is not record.KIND:
            raise NotTaken(f"has the id of the {standing.KIND.value} that is there")
        return standing

    def differing(self, standing: Author | Book, record: Author | Book) -> tuple[str, ...]:
        """Return the fields of which both say something else."""
        before, after = told(standing), told(record)
        return tuple(sorted(name for name in after if name not in _OF_ITSELF and before[name] != after[name]))

    def merge(self, standing: Any, record: Any, *, overwrites: bool, at: datetime) -> Author | Book | None:
        """Give the standing record what the other says, or only what it leaves empty; None where that is nothing."""
        details_class: Any = AuthorDetails if isinstance(record, Author) else BookDetails
        ours, theirs = (details_of(each, details_class) for each in (standing, record))
        values = told(theirs if overwrites else filled(ours, theirs))
        if isinstance(record, Book):
            known = {source.id: source for source in standing.sources}
            added = {source.id: source for source in record.sources if overwrites or source.id not in known}
            values["sources"] = tuple({**known, **added}.values())
        merged: Author | Book = evolve(standing, **values)
        if merged == standing:
            return None
        self._must_fit(merged)
        merged = evolve(merged, version=standing.version + 1, updated_at=at)
        self.changed.append(merged)
        self._know(merged)
        return merged

    def _know(self, record: Author | Book) -> None:
        self._standing[record.id] = record
        if isinstance(record, Book):
            self._by_source |= {source.id: record.id for source in record.sources}

    def _must_fit(self, record: Author | Book) -> None:
        if isinstance(record, Author):
            return
        for _, id in record.author_references():
            if not isinstance(self._standing.get(id), Author):
                raise NotTaken(f"names the author {id}, who is not there; authors come first")
        for source in record.sources:
            if self._by_source.get(source.id, record.id) != record.id:
                other = self._by_source[source.id]
                raise NotTaken(f"came from {source.key} of {source.source}, and so did the book {other} that is there")
