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
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.domain.errors import StorageUnavailable

from . import sqlite

VERSION_TABLE = "alembic_versions"


def folder() -> Path:
    """Return the folder of the migrations: inside the installed package, or at the top of a working copy."""
    installed = Path(str(files("catalog"))) / "migrations"
    return installed if installed.is_dir() else Path(__file__).parents[4] / "migrations"


def config(path: str, busy_timeout: float) -> SQLAlchemyAsyncConfig:
    """Return the configuration for `litestar database`, `catalog database` and our own upgrades.

    Raises StorageUnavailable where there can be no database file.
    """
    sqlite.must_be_usable(Path(path))
    return SQLAlchemyAsyncConfig(
        engine_instance=sqlite.migration_engine(path, busy_timeout),
        set_default_exception_handler=False,
        alembic_config=AlembicAsyncConfig(
            script_location=str(folder()), version_table_name=VERSION_TABLE, compare_type=True
        ),
    )


def upgrade(path: str, busy_timeout: float) -> None:
    """Bring the database to the newest migration; raise StorageUnavailable where that can not be.

    Blocks, and needs a thread without an event loop.
    """
    sqlite.must_be_a_catalogue(path, VERSION_TABLE)
    try:
        AlembicCommands(config(path, busy_timeout)).upgrade()
    except CommandError as error:
        raise StorageUnavailable(
            f"{path} was written by a newer version of this program, or by another one ({error}); "
            "upgrade the program, or name another file"
        ) from error
    except OperationalError as error:
        if sqlite.translate(error):
            raise
        raise StorageUnavailable(
            f"{path} is not a catalogue, and can not be made one ({error.orig}); name another file"
        ) from error


@lru_cache
def newest() -> Sequence[str]:
    """Return the newest migrations this program knows."""
    return ScriptDirectory(str(folder())).get_heads()


async def applied(connection: AsyncConnection) -> Sequence[str]:
    """Return the migrations that the database is at."""
    if not await connection.run_sync(lambda sync: inspect(sync).has_table(VERSION_TABLE)):
        return []
    return list((await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))).scalars())  # noqa: S608
