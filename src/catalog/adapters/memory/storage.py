"""The store: it commits by swapping one immutable snapshot for the next."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from catalog.domain.callers import Caller
from catalog.domain.errors import Interrupted

from .reader import MemoryReader
from .snapshot import Snapshot
from .unit_of_work import MemoryUnitOfWork


class MemoryStorage:
    """Everything in one process, gone when it ends."""

    def __init__(self) -> None:
        self._snapshot = Snapshot()
        self.reader = MemoryReader(lambda: self._snapshot)

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[MemoryUnitOfWork]:
        """Begin a unit of work on the snapshot that stands now."""
        begun_from = self._snapshot
        unit = MemoryUnitOfWork(begun_from, caller)
        yield unit
        result = unit.result()
        if result is begun_from:
            return
        if self._snapshot is not begun_from:
            raise Interrupted
        self._snapshot = result

    async def check(self) -> None:
        """Memory is always there."""
