"""The log: one list that only grows, and what finds things in it.

It is not copied for each snapshot. A snapshot knows how far the log had come when it was made, and reads no further.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from attrs import evolve

from catalog.domain.errors import CanNotFollow, Interrupted
from catalog.domain.kinds import Kind
from catalog.domain.queries import Position
from catalog.domain.revisions import PROMOTED, Change, Revision, Withheld


class RevisionList:
    """All revisions there are."""

    def __init__(self) -> None:
        self.revisions: list[Revision] = []
        self._of_record: dict[UUID, list[int]] = defaultdict(list)
        self._of_group: dict[UUID, list[int]] = defaultdict(list)

    def append(self, revisions: Sequence[Revision]) -> None:
        """Add the revisions that follow."""
        for revision in revisions:
            self.revisions.append(revision)
            self._of_record[revision.id].append(revision.seq)
            if revision.group is not None:
                self._of_group[revision.group].append(revision.seq)

    def of_record(self, kind: Kind, id: UUID, upto: int) -> list[Revision]:
        """Return what happened to the record, in order."""
        found = self._at(self._of_record.get(id, ()), upto)
        return [revision for revision in found if revision.kind is kind]

    def of_group(self, group: UUID, upto: int) -> list[Revision]:
        """Return what belongs to the group, in order."""
        return list(self._at(self._of_group.get(group, ()), upto))

    def last_of_each(self, upto: int) -> Iterator[Revision]:
        """Yield the last revision of every record."""
        for seqs in self._of_record.values():
            if known := [seq for seq in seqs if seq <= upto]:
                yield self.revisions[known[-1] - 1]

    def withhold(self, reasons: Mapping[int, Withheld]) -> None:
        """Drop the contents of the revisions with these seqs for good, from whoever reads on, too."""
        for seq, why in reasons.items():
            self.revisions[seq - 1] = evolve(self.revisions[seq - 1], after=None, withheld=why)

    def position(self, upto: int) -> Position:
        """Return how far the log had come."""
        return Position(seq=upto, at=self.revisions[upto - 1].at) if upto else Position()

    def _at(self, seqs: Sequence[int], upto: int) -> Iterator[Revision]:
        return (self.revisions[seq - 1] for seq in seqs if seq <= upto)


class SnapshotRevisionLog:
    """The log, inside a unit of work."""

    def __init__(self, log: RevisionList, upto: int, follows: str | None, changes: list[Change]) -> None:
        self._log = log
        self._follows = follows
        self._upto = upto
        self._changes = changes
        self.withheld: dict[int, Withheld] = {}
        self.replayed: list[Revision] = []
        self.claimed_by: str | None = None

    async def position(self) -> int:
        return self._upto

    async def source(self) -> str | None:
        return self._follows

    async def last(self, kind: Kind, ids: Collection[UUID]) -> Mapping[UUID, Revision]:
        return {id: history[-1] for id in ids if (history := self._log.of_record(kind, id, self._upto))}

    async def versions(self, kind: Kind, versions: Mapping[UUID, int]) -> Mapping[UUID, Revision]:
        return {
            id: revision
            for id, version in versions.items()
            for revision in self._log.of_record(kind, id, self._upto)
            if revision.version == version
        }

    async def as_of(self, kind: Kind, id: UUID, seq: int) -> Revision | None:
        history = self._log.of_record(kind, id, min(seq, self._upto))
        return history[-1] if history else None

    async def of_group(self, group: UUID, *, before: int | None = None, limit: int = 1000) -> Sequence[Revision]:
        found = self._log.of_group(group, self._upto if before is None else min(before - 1, self._upto))
        return found[::-1][:limit]

    async def merged_into(self, kind: Kind, id: UUID) -> Sequence[Revision]:
        found = [last for last in self._log.last_of_each(self._upto) if last.into == id and last.kind is kind]
        return sorted(found, key=lambda revision: revision.seq)

    async def append(self, *changes: Change) -> None:
        self._changes += changes

    async def replay(self, *revisions: Revision, source: str) -> None:
        if revisions and self._upto and self._follows != source:
            raise CanNotFollow(PROMOTED)
        expected = self._upto + 1
        if [revision.seq for revision in revisions] != list(range(expected, expected + len(revisions))):
            raise Interrupted
        self.replayed += revisions
        self.claimed_by = source

    async def erase(self, kind: Kind, id: UUID) -> None:
        self.withheld |= {
            revision.seq: Withheld.ERASED
            for revision in self._log.of_record(kind, id, self._upto)
            if revision.after is not None or revision.withheld is not None
        }

    async def compact(self, *, before: datetime, after_seq: int, limit: int) -> tuple[int, int | None]:
        seen = self._log.revisions[after_seq : min(after_seq + limit, self._upto)]
        dropped = [r.seq for r in seen if r.after is not None and self._is_succeeded(r, before)]
        self.withheld |= dict.fromkeys(dropped, Withheld.COMPACTED)
        return len(dropped), seen[-1].seq if seen and seen[-1].seq < self._upto else None

    def _is_succeeded(self, revision: Revision, before: datetime) -> bool:
        history = self._log.of_record(revision.kind, revision.id, self._upto)
        return any(later.version > revision.version and later.at < before for later in history)
