"""What was written for requests that may come again, in SQL."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from catalog.domain.errors import ReadOnlyReplica
from catalog.domain.kinds import Kind
from catalog.domain.receipts import LeftAlone, Receipt
from catalog.domain.records import told

from .mapping import columns_of, from_json, to_json
from .rows import LogRow, ReceiptRow
from .transaction import Transaction


class SqlReceiptRepository:
    """Receipts by actor and key."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def find(self, actor: str, key: str, *, since: datetime) -> Receipt | None:
        statement = select(*columns_of(ReceiptRow, Receipt)).where(
            ReceiptRow.actor == actor, ReceiptRow.key == key, ReceiptRow.at >= since
        )
        found = (await self._transaction.execute(statement)).mappings().one_or_none()
        if found is None:
            return None
        left_alone = from_json(found["left_alone"], tuple[LeftAlone, ...])
        return Receipt(**{**found, "kind": Kind(found["kind"]), "left_alone": left_alone})

    async def add(self, receipt: Receipt, /, *, forget_before: datetime) -> None:
        if source := (await self._transaction.execute(select(LogRow.follows))).scalar():
            raise ReadOnlyReplica(source)
        await self._transaction.execute(delete(ReceiptRow).where(ReceiptRow.at < forget_before))
        values = told(receipt) | {"left_alone": to_json(receipt.left_alone)}
        await self._transaction.execute(insert(ReceiptRow), [values])
