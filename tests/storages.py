"""The storages that everything is run over that concerns each of them."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg

from catalog.adapters.sql.postgresql.scratch import create
from catalog.adapters.sql.rows import LogRow
from catalog.domain.ports import Storage
from catalog.testing import storages
from catalog.testing.storages import NewStorage, new_storages
from tests.cluster.shared import shared_server

_LOG = LogRow.__tablename__
_EMPTIED = "; ".join(
    [
        *(f"DELETE FROM {table}" for table in reversed(LogRow.metadata.sorted_tables) if table.name != _LOG),
        f"UPDATE {_LOG} SET seq = 0, at = NULL, authors = 0, books = 0, follows = NULL",
    ]
)

_free: list[str] = []
"""Databases of the shared server that no test uses now."""


@asynccontextmanager
async def _new_in_postgresql() -> AsyncGenerator[str]:
    """Give an empty database, mostly one that is there already: to make one and drop it takes a tenth of a second.

    One in which something has failed is left as it is.
    """
    server = shared_server()  # not before a test asks for it: a server takes a second
    url = _free.pop() if _free else server.url(await create(server.url()))
    yield url
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_EMPTIED)
    finally:
        await connection.close()
    _free.append(url)


STORAGES: dict[str, NewStorage] = {
    "memory": new_storages("memory://"),
    "sqlite": new_storages("sqlite:///{folder}/catalog.db"),
    "postgresql": _new_in_postgresql,
}
"""From the name of a storage to what makes a new and empty one: an async context manager of its URL."""


def opened(name: str) -> AbstractAsyncContextManager[Storage]:
    """Open a new and empty storage of that name."""
    return storages.opened(STORAGES[name])
