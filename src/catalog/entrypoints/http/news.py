"""Whether the log has grown: one question every tenth of a second, however many streams wait, and none without them."""

import asyncio

from catalog.domain.ports import CatalogReader

SECONDS_BETWEEN_QUESTIONS = 0.1


class News:
    """Tells those who wait when the log has come further, whoever wrote, this process or another one."""

    def __init__(self, reader: CatalogReader) -> None:
        self._reader = reader
        self._seq = 0
        self._question: asyncio.Task[None] | None = None

    async def beyond(self, seq: int) -> None:
        """Return once the log has come further than seq."""
        while self._seq <= seq:
            if self._question is None or self._question.done():
                self._question = asyncio.create_task(self._ask())
            # Shielded, for others may wait for the same answer.
            await asyncio.shield(self._question)

    async def _ask(self) -> None:
        await asyncio.sleep(SECONDS_BETWEEN_QUESTIONS)
        self._seq = (await self._reader.position()).seq
