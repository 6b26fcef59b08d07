"""The seam between SQL and the databases that speak it: whatever differs from one to the other, and nothing else."""

from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from .turn import Turn


class Database(Protocol):
    """One opened database."""

    @property
    def reader(self) -> AsyncEngine:
        """Connections that only read, each transaction one state of the database."""
        ...

    @property
    def writer(self) -> AsyncEngine:
        """Connections that write."""
        ...

    @property
    def patience(self) -> float | None:
        """How many seconds a connection may be waited for; None where the engine's pool alone says so."""
        ...

    def must_be_there(self) -> None:
        """Raise StorageUnavailable where what is written would be lost, for all that the connections can tell."""
        ...

    async def append(self, connection: AsyncConnection, turn: Turn) -> bool:
        """Take the turn among writers and append to the log, which gives the entries their seq, without gaps.

        Returns False, with nothing written, where the storage follows another catalogue. What is written later in
        the same transaction may be seen by nobody before it; the next writer waits for its end.
        """
        ...
