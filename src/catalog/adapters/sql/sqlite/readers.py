"""Connections kept for questions of one statement: one trip to a connection's thread, and nothing around it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from .compiled import fetched


class Readers:
    """Lends the connections of an engine, the one that was used last first, and opens no more than `most`."""

    def __init__(self, engine: AsyncEngine, most: int) -> None:
        self._engine = engine
        self._left = most
        self._free: list[Any] = []
        self._kept: list[Any] = []
        self._waiting: deque[asyncio.Future[Any]] = deque()

    async def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the rows of the statement, which sees one state of the database; raise sqlite3.Error."""
        driver = self._free.pop() if self._free else await self._more()
        try:
            found: Sequence[Sequence[Any]] = await driver._execute(fetched, driver._conn, text, values)  # noqa: SLF001
        finally:
            # Whoever was cancelled leaves a question behind, and the next one stands in line after it.
            self._give_back(driver)
        return found

    async def close(self) -> None:
        """Let go of all connections."""
        self._free.clear()
        for connection in self._kept:
            await connection.close()
        self._kept.clear()
        await self._engine.dispose()

    async def _more(self) -> Any:
        if not self._left:
            waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                return await waiting
            except asyncio.CancelledError:
                if waiting.done() and not waiting.cancelled():
                    self._give_back(waiting.result())
                raise
        self._left -= 1
        try:
            connection = await self._engine.connect()
            driver: Any = (await connection.get_raw_connection()).driver_connection
        except BaseException:
            self._left += 1
            raise
        self._kept.append(connection)
        return driver

    def _give_back(self, driver: Any) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(driver)
                return
        self._free.append(driver)
