"""Following another catalogue: its log, replayed, is its state."""

from collections.abc import AsyncIterator, Sequence
from enum import Enum, auto
from typing import Any
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.errors import CanNotFollow
from catalog.domain.kinds import Kind
from catalog.domain.ports import ChangeFeed, Clock, Storage, UnitOfWork
from catalog.domain.queries import ChangeQuery
from catalog.domain.revisions import Revision, Withheld

from .atomic import atomic
from .references import repository

PART = 1_000
"""Revisions that are replayed in one unit of work."""

WITHHELD_NAME = "[withheld]"
"""The name of an author whose content was dropped at the source, until a later revision tells it."""


class _Step(Enum):
    ADD = auto()
    REPLACE = auto()
    REMOVE = auto()


@frozen
class Following:
    """Keeps a storage as another catalogue is: ids, versions, times and seq."""

    storage: Storage
    caller: Caller
    clock: Clock
    feed: ChangeFeed

    async def begin(self) -> None:
        """Make the storage a replica; raise CanNotFollow."""
        await self.must_share_history()
        await self.claim()

    @atomic
    async def claim(self, unit: UnitOfWork) -> str | None:
        """Let the storage take changes from this source only; return from which one it took them before."""
        before = await unit.log.source()
        await unit.log.replay(source=self.feed.source)
        return before

    async def must_share_history(self) -> None:
        """Refuse to follow a catalogue whose log is not the continuation of ours; raise CanNotFollow."""
        seq = (await self.storage.reader.position()).seq
        if seq == 0:
            return
        (ours,) = await self.storage.reader.changes(ChangeQuery(since=seq - 1, limit=1))
        theirs = await self.feed.changes(seq - 1, limit=1)
        if not theirs or _identity(theirs[0]) != _identity(ours):
            raise CanNotFollow(
                f"the log of {self.feed.source} says otherwise at seq {seq} than this storage: it is another "
                "catalogue, or was put back to an earlier state; follow it into an empty storage"
            )

    async def catch_up(self) -> AsyncIterator[int]:
        """Replay what has happened there; yield how far the log has come, after each part that is durable."""
        seq = (await self.storage.reader.position()).seq
        while revisions := await self.feed.changes(seq, PART):
            await self.replay(revisions)
            seq = revisions[-1].seq
            yield seq

    async def follow(self) -> AsyncIterator[int]:
        """Catch up, and go on doing so as long as the feed tells news; yield as `catch_up`."""
        await self.begin()
        async for seq in self.catch_up():
            yield seq
        seq = (await self.storage.reader.position()).seq
        async for there in self.feed.news(seq):
            # Parts hold more than one revision, so most of the news is old by the time it is heard.
            if there > seq:
                async for seq in self.catch_up():
                    yield seq

    @atomic
    async def replay(self, unit: UnitOfWork, revisions: Sequence[Revision]) -> None:
        """Do to the records what the revisions say, and write these to the log as they are."""
        records = {
            id: record
            for kind in Kind
            for id, record in (
                await repository(unit, kind).get_many({r.id for r in revisions if r.kind is kind})
            ).items()
        }
        steps = _Steps(unit)
        for revision in revisions:
            standing = records.get(revision.id)
            target = _state_after(revision, standing)
            await steps.go(revision, standing, target)
            records[revision.id] = target
        await steps.finish()
        await unit.log.replay(*revisions, source=self.feed.source)


def _identity(revision: Revision) -> tuple[object, ...]:
    """What no compaction changes."""
    return revision.seq, revision.kind, revision.id, revision.version, revision.at


def _state_after(revision: Revision, standing: Author | Book | None) -> Author | Book | None:
    """Return how the record stands after the revision.

    Where its content is withheld, nobody can know. An author goes on as known, or nameless, for books may name it;
    a book is left out. Sooner or later a revision tells the content again, or takes the record away.
    """
    if not revision.stands:
        return None
    if revision.withheld is None:
        return revision.after
    if revision.kind is Kind.BOOK:
        return None
    if isinstance(standing, Author):
        return evolve(standing, version=revision.version, updated_at=revision.at)
    nameless = Author.recorded(AuthorDetails(name=WITHHELD_NAME), id=revision.id, at=revision.at)
    return evolve(nameless, version=revision.version)


class _Steps:
    """Steps of one kind that follow each other are done together, as long as they concern different records."""

    def __init__(self, unit: UnitOfWork) -> None:
        self._unit = unit
        self._what: tuple[Kind, _Step] | None = None
        self._due: dict[UUID, tuple[Revision, Any]] = {}

    async def go(self, revision: Revision, standing: Author | Book | None, target: Author | Book | None) -> None:
        """Go from one state to the next."""
        if not revision.stands and revision.withheld is Withheld.ERASED:
            await self.finish()
            await self._unit.log.erase(revision.kind, revision.id)
        if standing is None and target is None:
            return
        step = _Step.REMOVE if target is None else _Step.ADD if standing is None else _Step.REPLACE
        if self._what != (revision.kind, step) or revision.id in self._due:
            await self.finish()
        self._what = (revision.kind, step)
        self._due[revision.id] = (revision, standing if target is None else target)

    async def finish(self) -> None:
        """Do what is due."""
        if self._what is None:
            return
        (kind, step), due = self._what, list(self._due.values())
        self._what, self._due = None, {}
        records = repository(self._unit, kind)
        every = [record for _, record in due]
        match step:
            case _Step.ADD:
                await records.add(*every)
            case _Step.REPLACE:
                await records.replace(*every)
            case _Step.REMOVE:
                await records.remove(*every, at=due[-1][0].at)
