"""The migrations, and the configuration with which Advanced Alchemy and Alembic run them."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from advanced_alchemy.alembic.commands import AlembicCommands
from advanced_alchemy.config import AlembicAsyncConfig
from advanced_alchemy.extensions.litestar import SQLAlchemyAsyncConfig
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from catalog.domain.errors import StorageUnavailable

VERSION_TABLE = "alembic_versions"


def folder() -> Path:
    """Return the folder of the migrations: inside the installed package, or at the top of a working copy."""
    installed = Path(str(files("catalog"))) / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[4] / "migrations"


def config(engine: AsyncEngine) -> SQLAlchemyAsyncConfig:
    """Return the configuration for `litestar database`, `catalog database` and our own upgrades."""
    return SQLAlchemyAsyncConfig(
        engine_instance=engine,
        set_default_exception_handler=False,
        alembic_config=AlembicAsyncConfig(
            script_location=str(folder()), version_table_name=VERSION_TABLE, compare_type=True
        ),
    )


def upgrade(config: SQLAlchemyAsyncConfig, name: str) -> None:
    """Bring the database to the newest migration; raise StorageUnavailable where that can not be.

    Blocks, and needs a thread without an event loop.
    """
    try:
        AlembicCommands(config).upgrade()
    except CommandError as error:
        raise StorageUnavailable(
            f"{name} was written by a newer version of this program, or by another one ({error}); "
            "upgrade the program, or name another database"
        ) from error


@lru_cache
def newest() -> Sequence[str]:
    """Return the newest migrations this program knows."""
    return ScriptDirectory(str(folder())).get_heads()


@lru_cache
def known() -> frozenset[str]:
    """Return all migrations this program knows."""
    return frozenset(script.revision for script in ScriptDirectory(str(folder())).walk_revisions())


def must_be_newest(applied: Sequence[str]) -> None:
    """Raise StorageUnavailable where the database is behind this program, or ahead of it."""
    must_be_known(applied)
    if set(applied) != set(newest()):
        raise StorageUnavailable(
            f"the database is behind: it is at migration {', '.join(applied) or 'none'}, and this program needs "
            f"{', '.join(newest())}; run `catalog database upgrade`"
        )


def must_be_known(applied: Sequence[str]) -> None:
    """Raise StorageUnavailable where the database is ahead of this program."""
    if unknown := set(applied) - known():
        raise StorageUnavailable(
            f"the database was written by a newer version of this program, or by another one: it is at migration "
            f"{', '.join(sorted(unknown))}, and this one knows none after {', '.join(newest())}; upgrade the program, "
            "or name another database"
        )


async def applied(connection: AsyncConnection) -> Sequence[str]:
    """Return the migrations that the database is at."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(VERSION_TABLE)):
        return []
    return list((await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))).scalars())  # noqa: S608
