"""One session, one transaction."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.domain.callers import Caller
from catalog.domain.revisions import Change

from .cards import Cards
from .database import Database
from .log import Ledger, SqlRevisionLog
from .receipts import SqlReceiptRepository
from .repositories import SqlAuthorRepository, SqlBookRepository


class SqlUnitOfWork:
    """A unit of work in a session whose transaction somebody else ends."""

    def __init__(self, session: AsyncSession, caller: Caller, database: Database) -> None:
        self.caller = caller
        self.group: UUID | None = None
        self._ledger = Ledger()
        self.log = SqlRevisionLog(session, self._ledger, database)
        self.authors = SqlAuthorRepository(session, self._ledger, self.log)
        self.books = SqlBookRepository(session, self._ledger, self.log)
        self._cards = Cards(session, self.authors, self.books)
        self.receipts = SqlReceiptRepository(session)

    @property
    def changes(self) -> Sequence[Change]:
        """What this unit did so far, in order."""
        return self._ledger.changes

    async def finish(self) -> None:
        """Write the log, and the cards with it, which is the last thing to do before the transaction is committed."""
        cards = await self._cards.kept(self._ledger.changes, self._ledger.renamed)
        await self.log.commit(self.caller, self.group, cards)
