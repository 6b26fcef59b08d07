"""The seam between SQL and the databases that speak it: whatever differs from one to the other, and nothing else."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import TypeEngine

from .turn import Inserts, NewCard, Turn
from .words import Words


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

    @property
    def words(self) -> Words:
        """The index of words."""
        ...

    async def fetch(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return all rows of one statement, as the driver gives them; it sees one state of the database.

        A statement is compiled once: ask with the same object again, and with other values.
        """
        ...

    async def fetch_in(
        self, connection: AsyncConnection, statement: Executable, values: Mapping[str, Any]
    ) -> Sequence[Sequence[Any]]:
        """Return what `fetch` does, inside of a transaction."""
        ...

    def reader_of(self, kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
        """Return what makes a value of what `fetch` gives in a column of that type; None where it is one already."""
        ...

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Begin a transaction on a connection that writes; whatever is not committed when the block ends is undone."""
        ...

    async def data_version(self) -> Hashable:
        """Return what stands for all that can be read now: between two equal answers nothing was committed."""
        ...

    def must_be_there(self) -> None:
        """Raise StorageUnavailable where what is written would be lost, for all that the connections can tell."""
        ...

    async def forget_words(self, connection: AsyncConnection) -> None:
        """Leave no trace in the index of words of what no card holds any more."""
        ...

    async def match_alone(self, connection: AsyncConnection) -> None:
        """Wait for other transactions that ask for this, which wait for this one; what they did can be seen then."""
        ...

    async def settle(self, changes: int) -> None:
        """Do what is good for whoever asks next, now that so many changes were committed at once; never raise."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...

    async def insert(self, connection: AsyncConnection, inserts: Inserts) -> None:
        """Insert rows."""
        ...

    async def add_cards(self, connection: AsyncConnection, cards: Sequence[NewCard]) -> None:
        """Write cards of books that have their numbers, and put their words into the index."""
        ...

    async def append(self, connection: AsyncConnection, turn: Turn, inserts: Inserts) -> bool:
        """Insert, take the turn among writers, and append to the log, which gives the entries their seq, without gaps.

        Returns False, with nothing written, where the storage follows another catalogue. Nothing is written after it in
        this transaction, which may be committed already; the next writer waits for its end.
        """
        ...
