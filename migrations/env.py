"""Runs the migrations: each command is one transaction, all of it or nothing."""

import asyncio
from typing import cast

from advanced_alchemy.alembic.commands import AlembicCommandConfig
from advanced_alchemy.base import metadata_registry
from alembic import context
from sqlalchemy.engine import Connection

import catalog.adapters.sql.rows  # noqa: F401 - fills the metadata

config = cast("AlembicCommandConfig", context.config)


def is_of_the_models(_thing: object, name: str | None, kind: str, _is_reflected: bool, _other: object) -> bool:
    """Whether autogenerate looks at it: the indexes of words are made in words of each database."""
    in_postgresql = {("column", "document"), ("index", "ix_card_document")}
    in_postgresql |= {("index", f"ix_{name}_trigrams") for name in ("author_name_key", "book_sort_key")}
    return not (kind == "table" and (name or "").startswith("card_words")) and (kind, name) not in in_postgresql


COMMON = {
    "include_object": is_of_the_models,
    "target_metadata": metadata_registry.get(config.bind_key),
    "version_table": config.version_table_name,
    "compare_type": config.compare_type,
    "render_as_batch": config.render_as_batch,
    "user_module_prefix": "",  # the template imports the types by name
    "transactional_ddl": True,
}


def run_offline() -> None:
    """Write the SQL instead of running it."""
    assert config.engine is not None
    name = config.engine.dialect.name
    context.configure(dialect_name=name, literal_binds=True, dialect_opts={"paramstyle": "named"}, **COMMON)
    with context.begin_transaction():
        context.run_migrations()


def run(connection: Connection) -> None:
    """Run the migrations on a connection."""
    context.configure(connection=connection, **COMMON)
    with context.begin_transaction():
        context.run_migrations()


async def run_online() -> None:
    """Connect and run."""
    assert config.engine is not None
    try:
        async with config.engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await config.engine.dispose()


if context.is_offline_mode():
    run_offline()
else:
    asyncio.run(run_online())
