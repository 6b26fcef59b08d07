"""What may be forgotten of the log, and what has to be."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from attrs import frozen

from catalog.domain.authors import Author
from catalog.domain.callers import Caller
from catalog.domain.errors import AuthorHasBooks, NeverRecorded
from catalog.domain.kinds import Kind
from catalog.domain.ports import Clock, Storage, UnitOfWork
from catalog.domain.revisions import Change, Operation, Revision, Withheld

from .atomic import atomic
from .references import repository

CHUNK = 5_000
"""Revisions that are looked at in one unit of work."""


@frozen
class LogKeeping:
    """Whatever takes contents out of the log; each revision keeps its place, tombstones and redirects stay."""

    storage: Storage
    caller: Caller
    clock: Clock

    async def compact(self, before: datetime) -> AsyncIterator[tuple[int, int]]:
        """Drop contents that had been succeeded before that time; yield how many each part dropped, and its last seq.

        How each record stood then, and has stood since, is kept.
        """
        seq: int | None = 0
        while seq is not None:
            dropped, seq = await self.compact_some(before, seq)
            if seq is not None:
                yield dropped, seq
            elif dropped:
                yield dropped, (await self.storage.reader.position()).seq

    @atomic
    async def compact_some(self, unit: UnitOfWork, before: datetime, after_seq: int) -> tuple[int, int | None]:
        """Drop such contents of some revisions after a seq; return how many, and where to go on."""
        return await unit.log.compact(before=before, after_seq=after_seq, limit=CHUNK)

    @atomic
    async def erase(self, unit: UnitOfWork, id: UUID) -> Revision | None:
        """Empty all contents of a record for good, and leave a bare tombstone; return how it stood before.

        A record that stands is removed. Raises NeverRecorded where it never was, AuthorHasBooks.
        """
        last = await _last_of_any_kind(unit, id)
        if last.withheld is Withheld.ERASED:
            return None
        version, now = last.version, self.clock.now()
        if last.stands:
            records = repository(unit, last.kind)
            record = await records.get(id)
            if isinstance(record, Author) and (books := await unit.books.count_naming(id)):
                raise AuthorHasBooks(id, books)
            await records.remove(record, at=now)
            version += 1
        await unit.log.erase(last.kind, id)
        await unit.log.append(
            Change(
                kind=last.kind,
                id=id,
                version=version + 1,
                operation=Operation.REMOVE,
                at=now,
                withheld=Withheld.ERASED,
            )
        )
        return last


async def _last_of_any_kind(unit: UnitOfWork, id: UUID) -> Revision:
    for kind in Kind:
        if found := (await unit.log.last(kind, [id])).get(id):
            return found
    raise NeverRecorded(id)
