"""What the log says of a record, inside a unit of work."""

from typing import TypeVar
from uuid import UUID

from attrs import evolve

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.errors import NotFound, VersionNotFound
from catalog.domain.kinds import Kind
from catalog.domain.ports import UnitOfWork
from catalog.domain.revisions import Revision

from .references import with_authors_of_today

RecordT = TypeVar("RecordT", bound=Author | Book)


async def last_of(unit: UnitOfWork, kind: Kind, id: UUID) -> Revision:
    """Return the last revision of the record; raise NotFound where it never was."""
    last = await unit.log.last(kind, [id])
    if id not in last:
        raise NotFound(kind, id)
    return last[id]


async def version_of(unit: UnitOfWork, kind: Kind, id: UUID, version: int) -> Revision:
    """Return what made that version of the record; raise VersionNotFound."""
    found = await unit.log.versions(kind, {id: version})
    if id not in found:
        newest = (await last_of(unit, kind, id)).version
        raise VersionNotFound(kind, id, version, newest)
    return found[id]


async def previous(unit: UnitOfWork, revision: Revision) -> Revision | None:
    """Return what happened to the record before; nothing where that was its beginning."""
    if revision.version == 1:
        return None
    return (await unit.log.versions(revision.kind, {revision.id: revision.version - 1})).get(revision.id)


async def way_back_to_standing(unit: UnitOfWork, last: Revision) -> tuple[Revision, Revision]:
    """Return the revision after which the record was last there, and the one that took it away."""
    taking = last
    while (before := await previous(unit, taking)) is not None:
        if before.stands:
            return before, taking
        taking = before
    raise VersionNotFound(last.kind, last.id, taking.version - 1, last.version)


async def fit_to_return(unit: UnitOfWork, record: RecordT) -> RecordT:
    """Return an old content as it can stand today: by authors there are, from sources that no other book has."""
    if isinstance(record, Author):
        return record
    taken = await unit.books.find_by_sources({source.id for source in record.sources})
    free = tuple(source for source in record.sources if source.id not in taken or taken[source.id].id == record.id)
    return evolve(await with_authors_of_today(unit, record), sources=free)
