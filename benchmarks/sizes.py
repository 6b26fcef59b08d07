"""How much room 100,000 books take in each storage. `python -m benchmarks.sizes` (30 s)."""

import asyncio
import tempfile
from pathlib import Path

import asyncpg
from tests.cluster.postgres import PostgresServer

from catalog.adapters.sql.postgresql.scratch import scratch
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage

from . import sample
from .tables import print_table

SCALE = 10


async def filled(url: str) -> None:
    """Fill the storage, and close it."""
    async with open_storage(Settings(storage=url)) as storage:
        await sample.fill(storage, scale=SCALE)


def of_sqlite() -> int:
    """Return the bytes of the file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "catalog.db")
        asyncio.run(filled(f"sqlite:///{file}"))
        return sum(each.stat().st_size for each in Path(folder).iterdir())


async def of_postgresql() -> tuple[int, int]:
    """Return the bytes of the database, and what it had while it was empty."""
    with PostgresServer.found() as server:
        async with scratch(server.url()) as url:
            connection = await asyncpg.connect(url)
            try:
                empty: int = await connection.fetchval("SELECT pg_database_size(current_database())")
                await filled(url)
                return await connection.fetchval("SELECT pg_database_size(current_database())"), empty
            finally:
                await connection.close()


def main() -> None:
    """Print the table."""
    full, empty = asyncio.run(of_postgresql())
    sizes = {"SQLite": of_sqlite(), "PostgreSQL": full, "PostgreSQL, empty": empty}
    print(f"{sample.BOOKS * SCALE:,} books, {sample.AUTHORS * SCALE:,} authors and their log\n")
    print_table(["storage", "MB"], [[name, f"{size / 1e6:.1f}"] for name, size in sizes.items()])


if __name__ == "__main__":
    main()
