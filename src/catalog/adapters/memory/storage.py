"""The store: it commits by swapping one immutable snapshot for the next."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from attrs import evolve

from catalog.domain.callers import Caller
from catalog.domain.errors import Interrupted

from .log import MemoryLog
from .reader import MemoryReader
from .snapshot import Snapshot
from .unit_of_work import MemoryUnitOfWork


class MemoryStorage:
    """Everything in one process, gone when it ends."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()
        self._log = MemoryLog()
        self.reader = MemoryReader(lambda: self._snapshot, self._log)

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[MemoryUnitOfWork]:
        """Begin a unit of work on the snapshot that stands now."""
        begun_from = self._snapshot
        unit = MemoryUnitOfWork(begun_from, self._log, caller)
        yield unit
        done, revisions = unit.result()
        if self._snapshot is not begun_from and (done is not begun_from or unit.log.withheld):
            raise Interrupted
        # From here on, nothing waits for anything, so nobody sees one without the other.
        for seq, why in unit.log.withheld.items():
            self._log.withhold([seq], why)
        self._log.append(revisions)
        if done is not begun_from:
            self._snapshot = done

    async def promote(self) -> None:
        """Follow nobody any more."""
        self._snapshot = evolve(self._snapshot, follows=None)

    async def check(self) -> None:
        """Memory is always there."""
