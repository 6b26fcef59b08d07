"""One transaction of a unit of work: what is inserted waits until something is read, or until the turn is taken.

So most units make one trip to read and one to write, and none of their own to insert.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Column, CursorResult, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from .database import Database
from .rows import LogRow
from .turn import Inserts, NewCard, Turn

_PARENTS_FIRST = {table: place for place, table in enumerate(LogRow.metadata.sorted_tables)}


class Transaction:
    """The transaction of a connection, which somebody else ends.

    Everything goes through here, so that nobody reads past what waits.
    """

    def __init__(self, connection: AsyncConnection, database: Database) -> None:
        self._connection = connection
        self.database = database
        self._waiting: list[Callable[[], Inserts]] = []
        self._session: AsyncSession | None = None

    def insert(self, inserts: Callable[[], Inserts]) -> None:
        """Insert rows before anything else happens; it is asked only then which."""
        self._waiting.append(inserts)

    async def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Execute the statement."""
        await self._insert()
        return await self._connection.execute(statement, values)

    async def fetch(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return all rows of a statement that is always the same, as the driver gives them."""
        await self._insert()
        return await self.database.fetch_in(self._connection, statement, values)

    def read(self, columns: Sequence[Column[Any]], row: Sequence[Any]) -> dict[str, Any]:
        """Return the values of a fetched row that has these columns."""
        reads = ((column, self.database.reader_of(column.type)) for column in columns)
        return {
            column.key: value if value is None or read is None else read(value)
            for (column, read), value in zip(reads, row, strict=True)
        }

    async def session(self) -> AsyncSession:
        """Return the session of this transaction; who changes its objects flushes them."""
        await self._insert()
        if self._session is None:
            self._session = AsyncSession(self._connection, expire_on_commit=False, autoflush=False)
        return self._session

    async def append(self, turn: Turn) -> bool:
        """Insert what waits and take the turn, which is the last thing to do; return whether that was allowed."""
        return await self.database.append(self._connection, turn, self._inserts())

    async def add_cards(self, cards: Sequence[NewCard]) -> None:
        """Write cards of books that have their numbers."""
        await self._insert()
        await self.database.add_cards(self._connection, cards)

    async def match_alone(self) -> None:
        """Wait for whoever looks for records to make those that are missing, and let others wait."""
        await self.database.match_alone(self._connection)

    async def forget_words(self) -> None:
        """Leave no trace in the index of words of what no card holds any more."""
        await self._insert()
        await self.database.forget_words(self._connection)

    async def close(self) -> None:
        """Let go of the session's objects."""
        if self._session is not None:
            await self._session.close()

    async def _insert(self) -> None:
        if inserts := self._inserts():
            await self.database.insert(self._connection, inserts)

    def _inserts(self) -> Inserts:
        """Return what is to be inserted now, parents first, whoever was asked to insert it first."""
        waiting, self._waiting = self._waiting, []
        inserts = [(table, rows) for table, rows in chain.from_iterable(each() for each in waiting) if rows]
        return sorted(inserts, key=lambda insert: _PARENTS_FIRST[insert[0]])
