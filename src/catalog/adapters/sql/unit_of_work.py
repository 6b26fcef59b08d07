"""One connection, one transaction."""

from collections.abc import Sequence
from uuid import UUID

from catalog.domain.callers import Caller
from catalog.domain.revisions import Change

from .cards import Cards
from .log import Ledger, SqlRevisionLog
from .receipts import SqlReceiptRepository
from .repositories import SqlAuthorRepository, SqlBookRepository
from .transaction import Transaction


class SqlUnitOfWork:
    """A unit of work in a transaction that somebody else ends."""

    def __init__(self, transaction: Transaction, caller: Caller) -> None:
        self.caller = caller
        self.group: UUID | None = None
        self._ledger = Ledger()
        self.log = SqlRevisionLog(transaction, self._ledger)
        self.authors = SqlAuthorRepository(transaction, self._ledger, self.log)
        self.books = SqlBookRepository(transaction, self._ledger, self.log)
        self._cards = Cards(transaction, self.authors, self.books)
        self.receipts = SqlReceiptRepository(transaction)
        self.match_alone = transaction.match_alone

    @property
    def changes(self) -> Sequence[Change]:
        """What this unit did so far, in order."""
        return self._ledger.changes

    async def finish(self) -> None:
        """Write the log, and the cards with it, which is the last thing to do before the transaction is committed."""
        cards = await self._cards.kept(self._ledger.changes, self._ledger.renamed)
        await self.log.commit(self.caller, self.group, cards)
