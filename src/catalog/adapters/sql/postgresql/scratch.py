"""New, empty catalogues beside a database, for tests."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from advanced_alchemy.alembic.commands import AlembicCommands

from catalog.adapters.sql import migrations

from .database import migration_config
from .hosts import Hosts, with_database

_LOCK = 0x656D7074


@asynccontextmanager
async def scratch(url: str) -> AsyncGenerator[str]:
    """Make an empty catalogue on the server that the URL names, and yield its URL; drop it in the end."""
    name = await create(url)
    try:
        yield with_database(url, name)
    finally:
        async with _connected(url) as connection:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def create(url: str) -> str:
    """Make an empty catalogue on the server that the URL names, and return the name of its database.

    It is a copy of the database `catalog_empty_…`, which is made by the first who needs it and stays. The user needs
    the right to create databases.
    """
    template = f"catalog_empty_{'_'.join(migrations.newest())}"
    name = f"catalog_scratch_{uuid4().hex}"
    async with _connected(url) as connection:
        await connection.execute(f"SELECT pg_advisory_lock({_LOCK})")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", template):
            await _make_template(connection, url, template)
        await connection.execute(f"SELECT pg_advisory_unlock({_LOCK})")
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return name


@asynccontextmanager
async def _connected(url: str) -> AsyncGenerator[Any]:
    connection = await Hosts.of(url).connect(command_seconds=None)
    try:
        yield connection
    finally:
        await connection.close()


async def _make_template(connection: Any, url: str, template: str) -> None:
    making = f"{template}_{uuid4().hex}"
    await connection.execute(f'CREATE DATABASE "{making}" TEMPLATE template0')
    await asyncio.to_thread(AlembicCommands(migration_config(with_database(url, making))).upgrade)
    await connection.execute(f'ALTER DATABASE "{making}" RENAME TO "{template}"')
