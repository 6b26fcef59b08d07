"""A storage that commits by swapping one immutable snapshot for the next."""

from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager

from attrs import evolve

from catalog.domain.callers import Caller
from catalog.domain.errors import Interrupted
from catalog.domain.scanning import ScanningReader

from .snapshot import Commit, Snapshot
from .unit_of_work import SnapshotUnitOfWork


class SnapshotStorage:
    """Everything in one process, begun from a snapshot; gone when the process ends, unless `keep` keeps it.

    Units of work run side by side, and the first to commit wins: the others raise Interrupted.
    """

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self._snapshot = snapshot or Snapshot()
        self._data_version = object()
        self.reader = ScanningReader(self._current)

    def keep(self, commit: Commit) -> None:
        """Make the commit durable, and all of it or nothing, or raise: then it never was.

        It waits for nothing but the disk: whatever asks the event loop to wait would let another commit in.
        """

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[SnapshotUnitOfWork]:
        """Begin a unit of work on the snapshot that stands now."""
        begun_from = self._snapshot
        unit = SnapshotUnitOfWork(begun_from, caller)
        yield unit
        commit = unit.result()
        if commit is None:
            return
        if self._snapshot is not begun_from:
            raise Interrupted
        self._commit(commit)

    async def promote(self) -> None:
        """Follow nobody any more."""
        self._commit(Commit(before=self._snapshot, after=evolve(self._snapshot, follows=None)))

    async def data_version(self) -> Hashable:
        """Return an object that no commit before has had; the snapshot would not do, which outlasts compacting."""
        return self._data_version

    async def check(self) -> None:
        """Memory is always there."""

    async def _current(self) -> Snapshot:
        return self._snapshot

    def _commit(self, commit: Commit) -> None:
        """Nothing in here waits for anything, so nobody sees one without the other."""
        self.keep(commit)
        self._data_version = object()
        commit.after.log.withhold(commit.withheld)
        commit.after.log.append(commit.revisions)
        self._snapshot = commit.after
