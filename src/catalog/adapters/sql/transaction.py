"""One transaction of a unit of work: what is inserted waits until something is read, or until the turn is taken.

So most units make one trip to read and one to write, and none of their own to insert.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, CursorResult, Executable, Table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from .database import Database
from .turn import Inserts, NewCard, Turn


class Transaction:
    """The transaction of a connection, which somebody else ends.

    Everything goes through here, so that nobody reads past what waits.
    """

    def __init__(self, connection: AsyncConnection, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._waiting: list[tuple[Table, Sequence[Mapping[str, Any]]]] = []
        self._session: AsyncSession | None = None

    def insert(self, inserts: Inserts) -> None:
        """Insert rows, table by table, before anything else happens."""
        self._waiting += ((table, rows) for table, rows in inserts if rows)

    async def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Execute the statement."""
        await self._insert()
        return await self._connection.execute(statement, values)

    async def fetch(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Return all rows of a statement that is always the same, as the driver gives them."""
        await self._insert()
        return await self._database.fetch_in(self._connection, statement, values)

    def read(self, columns: Sequence[Column[Any]], row: Sequence[Any]) -> dict[str, Any]:
        """Return the values of a fetched row that has these columns."""
        reads = ((column, self._database.reader_of(column.type)) for column in columns)
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
        inserts, self._waiting = self._waiting, []
        return await self._database.append(self._connection, turn, inserts)

    async def add_cards(self, cards: Sequence[NewCard]) -> None:
        """Write cards of books that have their numbers."""
        await self._insert()
        await self._database.add_cards(self._connection, cards)

    async def match_alone(self) -> None:
        """Wait for whoever looks for records to make those that are missing, and let others wait."""
        await self._database.match_alone(self._connection)

    async def forget_words(self) -> None:
        """Leave no trace in the index of words of what no card holds any more."""
        await self._insert()
        await self._database.forget_words(self._connection)

    async def close(self) -> None:
        """Let go of the session's objects."""
        if self._session is not None:
            await self._session.close()

    async def _insert(self) -> None:
        inserts, self._waiting = self._waiting, []
        if inserts:
            await self._database.insert(self._connection, inserts)
