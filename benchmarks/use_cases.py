"""`python -m benchmarks.use_cases URL WRITERS SECONDS [without-disk]`: writes through the use cases, as JSON.

`without-disk` lets SQLite's commits not wait for the disk: the most that sharing commits could ever bring.
"""

import asyncio
import json
import sys
import time
from typing import Any
from uuid import UUID

from attrs import define
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from catalog.adapters.sql.sqlite import database
from catalog.adapters.system import SystemClock, Uuid7Generator
from catalog.domain.books import BookDetails
from catalog.domain.callers import Caller
from catalog.domain.ports import Storage
from catalog.domain.use_cases.books import BookCataloguing
from catalog.domain.values import Language, PartialDate
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage

from . import sample

WARM_UP = 0.3


@define
class Writers:
    """Some who write one book after the other."""

    storage: Storage
    begun: float
    until: float
    took: list[float]

    async def write(self, number: int) -> None:
        authors = [UUID(id) for id in sample.author_ids(100)]
        books = BookCataloguing(self.storage, Caller(actor="benchmark"), SystemClock(), Uuid7Generator())
        while (now := time.perf_counter()) < self.until:
            number += 1
            details = BookDetails(
                title=f"Zzz {number}",
                author_id=authors[number % len(authors)],
                published=PartialDate("2026"),
                languages=(Language.parse("eng"),),
            )
            await books.add(details)
            if now > self.begun:
                self.took.append(time.perf_counter() - now)


def leave_out_the_disk() -> None:
    """Let commits not wait for the disk."""
    writer_engine = database.writer_engine

    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()

    def careless_engine(path: str, busy_timeout: float) -> AsyncEngine:
        engine = writer_engine(path, busy_timeout)
        event.listen(engine.sync_engine, "connect", on_connect)
        return engine

    database.writer_engine = careless_engine


async def measure(url: str, writers: int, seconds: float) -> tuple[float, float]:
    """Return writes per second, and the milliseconds that 99 in 100 of them took at most."""
    async with open_storage(Settings(storage=url)) as storage:
        if (await storage.reader.position()).seq == 0:
            await sample.fill(storage)
        begun = time.perf_counter() + WARM_UP
        load = Writers(storage, begun, begun + seconds, [])
        await asyncio.gather(*(load.write(1_000_000 * number) for number in range(writers)))
    took = sorted(load.took)
    return len(took) / seconds, took[int(len(took) * 0.99)] * 1000


if __name__ == "__main__":
    if "without-disk" in sys.argv:
        leave_out_the_disk()
    print(json.dumps(asyncio.run(measure(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))))
