"""Runs the migrations: each command is one transaction, all of it or nothing."""

import asyncio
from typing import cast

import sqlalchemy as sa
from advanced_alchemy.alembic.commands import AlembicCommandConfig
from advanced_alchemy.base import metadata_registry
from alembic import context
from sqlalchemy.dialects.sqlite.base import ischema_names
from sqlalchemy.engine import Connection

import catalog.adapters.sql.rows  # noqa: F401 - fills the metadata

config = cast("AlembicCommandConfig", context.config)

# SQLite reports the column type of a UUID, BINARY(16), as NUMERIC unless told what BINARY is.
ischema_names["BINARY"] = sa.BINARY

COMMON = {
    "target_metadata": metadata_registry.get(config.bind_key),
    "version_table": config.version_table_name,
    "compare_type": config.compare_type,
    "render_as_batch": config.render_as_batch,
    "user_module_prefix": "",  # the template imports the types by name
    "transactional_ddl": True,
}


def run_offline() -> None:
    """Write the SQL instead of running it."""
    context.configure(dialect_name="sqlite", literal_binds=True, dialect_opts={"paramstyle": "named"}, **COMMON)
    with context.begin_transaction():
        context.run_migrations()


def run(connection: Connection) -> None:
    """Run the migrations on a connection, and refuse to keep a result whose references are broken."""
    context.configure(connection=connection, **COMMON)
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
            if broken:
                raise RuntimeError(f"The migration would break references: {broken}")


async def run_online() -> None:
    """Connect and run."""
    assert config.engine is not None
    try:
        async with config.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                # SQLite rebuilds a table by dropping the old one, and references to it must not stop or follow
                # that. The pragma does nothing inside a transaction, so it goes round SQLAlchemy, which began one.
                raw = await connection.get_raw_connection()
                assert raw.driver_connection is not None
                await raw.driver_connection.execute("PRAGMA foreign_keys=OFF")
            await connection.run_sync(run)
    finally:
        await config.engine.dispose()


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
