"""Bringing back what was. Nothing is ever rewound: what was comes back as the next version."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.errors import ContentWithheld, GroupNotFound, Merged, UnknownAuthors, UnmergeFirst
from catalog.domain.kinds import Kind
from catalog.domain.ports import Clock, IdGenerator, Storage, UnitOfWork
from catalog.domain.receipts import LeftAlone
from catalog.domain.records import must_stand_at, succeeded, told
from catalog.domain.revisions import Operation, Revision, differences, redirected

from .atomic import atomic
from .past import fit_to_return, last_of, previous, version_of, way_back_to_standing
from .references import ShownT, repository, shown

CHUNK = 500
"""Revisions that are taken back in one unit of work."""


@frozen(kw_only=True)
class Undone:
    """What came of taking some revisions back; the undo is the group of what it did."""

    group: UUID
    records: int
    left_alone: Sequence[LeftAlone]
    down_to: int


@frozen
class Undoing:
    """Whatever brings back an earlier state of records."""

    storage: Storage
    caller: Caller
    clock: Clock
    ids: IdGenerator

    @atomic
    async def revert(
        self,
        unit: UnitOfWork,
        shown_as: type[ShownT],
        id: UUID,
        to_version: int,
        *,
        known_versions: Collection[int] | None = None,
    ) -> ShownT:
        """Give the record the content it had at an earlier version.

        Authors who were merged since are named by who stands for them. Raises VersionNotFound, VersionIsRemoval,
        ContentWithheld, UnknownAuthors, UnmergeFirst.
        """
        records = repository(unit, shown_as.KIND)
        try:
            record = await records.get(id)
        except Merged as merged:
            raise UnmergeFirst(merged.kind, merged.id, merged.into) from None
        must_stand_at(record, known_versions)
        old = (await version_of(unit, shown_as.KIND, id, to_version)).content
        reverted = record.revised((await fit_to_return(unit, old)).details, at=self.clock.now())
        if reverted is not record:
            await records.replace(reverted, operation=Operation.REVERT)
        return await shown(unit, reverted, shown_as)

    @atomic
    async def restore(self, unit: UnitOfWork, shown_as: type[ShownT], id: UUID) -> ShownT:
        """Bring a removed record back as it was; one that stands is left as it is.

        Raises ContentWithheld, UnknownAuthors, UnmergeFirst.
        """
        records = repository(unit, shown_as.KIND)
        last = await last_of(unit, shown_as.KIND, id)
        if last.into is not None:
            raise UnmergeFirst(last.kind, last.id, last.into)
        if last.stands:
            return await shown(unit, await records.get(id), shown_as)
        before, _ = await way_back_to_standing(unit, last)
        restored = await _returned(unit, before, last, self.clock)
        await records.add(restored, operation=Operation.RESTORE)
        return await shown(unit, restored, shown_as)

    async def undo(self, run: UUID) -> AsyncIterator[Undone]:
        """Take back what an import run, or any other group, did to records that nobody has changed since.

        From the newest revision to the oldest, 500 in a unit of work; yields what came of each part, once it is
        durable. The undo is a group itself, and can be undone. Raises GroupNotFound.
        """
        part = await self.take_back(run, undo := self.ids.new())
        if part is None:
            raise GroupNotFound(run)
        while part is not None:
            yield part
            part = await self.take_back(run, undo, before=part.down_to)

    @atomic
    async def take_back(self, unit: UnitOfWork, run: UUID, undo: UUID, *, before: int | None = None) -> Undone | None:
        """Take back some of a run, as a part of that undo; None where nothing is left."""
        unit.group = undo
        revisions = await unit.log.of_group(run, before=before, limit=CHUNK)
        if not revisions:
            return None
        steps = _Steps(unit, self.clock)
        last = {
            id: revision
            for kind in Kind
            for id, revision in (await unit.log.last(kind, {r.id for r in revisions if r.kind is kind})).items()
        }
        newest: dict[UUID, Revision] = {}
        for revision in revisions:
            newest.setdefault(revision.id, revision)
        for revision in newest.values():
            await _take_back(steps, revision, last[revision.id], run, undo)
        await steps.finish()
        return Undone(group=undo, records=steps.count, left_alone=steps.left_alone, down_to=revisions[-1].seq)


async def _take_back(steps: "_Steps", newest: Revision, last: Revision, run: UUID, undo: UUID) -> None:
    """Bring one record back to where it stood before the run, unless somebody has changed it since."""
    if last.group == undo:
        return
    before = await _before(steps.unit, newest, run)
    if last.seq == newest.seq:
        await steps.go_back(last, before)
    elif not _stand_alike(last, before):
        steps.leave(last, f"{last.actor} has changed it since ({last.operation}, {last.at:%Y-%m-%d %H:%M} UTC)")


async def _before(unit: UnitOfWork, newest: Revision, run: UUID) -> Revision | None:
    """Return the record's last revision before the run."""
    before = await previous(unit, newest)
    while before is not None and before.group == run:
        before = await previous(unit, before)
    return before


def _stand_alike(one: Revision, other: Revision | None) -> bool:
    """Whether a record stands the same after both; nothing stands for the time before it was made."""
    if other is None or not other.stands:
        return not one.stands and one.into == (other and other.into)
    return one.stands and one.withheld is other.withheld is None and not differences(other.after, one.after)


async def _returned(unit: UnitOfWork, before: Revision, last: Revision, clock: Clock) -> Author | Book:
    """Return the content of `before` as the version after `last`."""
    content: Any = await fit_to_return(unit, before.content)
    returned: Author | Book = evolve(content, version=last.version + 1, updated_at=clock.now())
    return returned


class _Steps:
    """The steps of an undo, in order; removals of one kind that follow each other are done together."""

    def __init__(self, unit: UnitOfWork, clock: Clock) -> None:
        self.unit = unit
        self.count = 0
        self.left_alone: list[LeftAlone] = []
        self._clock = clock
        self._removals: list[Revision] = []

    def leave(self, last: Revision, reason: str) -> None:
        """Note that the record is left as it is."""
        self.left_alone.append(LeftAlone(kind=last.kind, id=last.id, reason=reason))

    async def go_back(self, last: Revision, before: Revision | None) -> None:
        """Bring the record from how it stands now to how it stood before."""
        is_removal = last.stands and (before is None or (not before.stands and before.into is None))
        if not is_removal or any(removal.kind is not last.kind for removal in self._removals):
            await self.finish()
        if is_removal:
            self._removals.append(last)
            return
        try:
            await self._step(last, before)
        except ContentWithheld as error:
            self.leave(last, f"what it said before was {error.why}")
        except UnknownAuthors as error:
            gone = ", ".join(sorted({str(id) for _, id in error.references}))
            self.leave(last, f"it named authors who are gone by now: {gone}")
        except _Hindered as hindered:
            self.leave(last, str(hindered))
        else:
            self.count += 1

    async def _step(self, last: Revision, before: Revision | None) -> None:
        records = repository(self.unit, last.kind)
        if before is not None and before.stands and last.stands:
            standing = await records.get(last.id)
            content = await fit_to_return(self.unit, before.content)
            values = told(content.details) | ({"sources": content.sources} if isinstance(content, Book) else {})
            reverted = succeeded(standing, values, at=self._clock.now())
            if reverted is not standing:
                await records.replace(reverted, operation=Operation.REVERT)
        elif before is not None and before.stands:
            returned = await _returned(self.unit, before, last, self._clock)
            await records.add(returned, operation=Operation.RESTORE)
        else:
            await self._redirect(last, None if before is None else before.into)

    async def _redirect(self, last: Revision, before: UUID | None) -> None:
        """Lead the record again to where it was merged, or to nowhere."""
        into = None if before is None else await self._standing_for(last.kind, before)
        if into == last.id:
            raise _Hindered("what it was merged into was merged into it since")
        at = self._clock.now()
        if last.stands:
            await self._must_not_be_named(last)
            done = {change.id for change in self.unit.changes}
            for earlier in await self.unit.log.merged_into(last.kind, last.id):
                if earlier.id in done:
                    continue
                await self.unit.log.append(redirected(earlier, Operation.MERGE, into=into, at=at))
            records = repository(self.unit, last.kind)
            await records.remove(await records.get(last.id), at=at, operation=Operation.MERGE, into=into)
        elif last.into != into:
            operation = Operation.REMOVE if into is None else Operation.MERGE
            await self.unit.log.append(redirected(last, operation, into=into, at=at))

    async def _standing_for(self, kind: Kind, id: UUID) -> UUID:
        """Return who stands for the record by now."""
        records = repository(self.unit, kind)
        last = (await self.unit.log.last(kind, [id])).get(id)
        for candidate in (id, None if last is None else last.into):
            if candidate is not None and candidate in await records.get_many([candidate]):
                return candidate
        raise _Hindered("what it was merged into was removed since")

    async def _must_not_be_named(self, revision: Revision) -> None:
        if revision.kind is Kind.AUTHOR and (books := await self.unit.books.count_naming(revision.id)):
            raise _Hindered("1 book still names this author" if books == 1 else f"{books} books still name this author")

    async def finish(self) -> None:
        """Do the removals that are due."""
        if not self._removals:
            return
        removals, self._removals = self._removals, []
        records = repository(self.unit, removals[0].kind)
        standing = await records.get_many([removal.id for removal in removals])
        removed = []
        for removal in removals:
            try:
                await self._must_not_be_named(removal)
            except _Hindered as hindered:
                self.leave(removal, str(hindered))
            else:
                removed.append(standing[removal.id])
        await records.remove(*removed, at=self._clock.now())
        self.count += len(removed)


class _Hindered(Exception):
    """A record can not be taken back, for the reason that the message says."""
