"""What was written for requests that may come again."""

from collections.abc import Mapping
from datetime import datetime

from catalog.domain.receipts import Receipt


class SnapshotReceipts:
    """Receipts by actor and key."""

    def __init__(self, kept: Mapping[tuple[str, str], Receipt]) -> None:
        self.kept = kept

    async def find(self, actor: str, key: str, *, since: datetime) -> Receipt | None:
        receipt = self.kept.get((actor, key))
        return receipt if receipt is not None and receipt.at >= since else None

    async def add(self, receipt: Receipt, /, *, forget_before: datetime) -> None:
        kept = {key: kept for key, kept in self.kept.items() if kept.at >= forget_before}
        self.kept = {**kept, (receipt.actor, receipt.key): receipt}
