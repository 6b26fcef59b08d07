"""Which storages there are: a URL's scheme says which adapter keeps the catalogue.

Other packages add theirs under the entry point group `catalog.storage`: the name is the scheme, the object a function
that takes the URL and returns an async context manager of a `catalog.domain.ports.Storage`. The function may have an
attribute `scratch`: one that takes the URL and returns an async context manager of the URL of a new, empty storage.
"""

import os
import re
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from hashlib import blake2b
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from advanced_alchemy.extensions.litestar import SQLAlchemyAsyncConfig
from attrs import frozen

from catalog.adapters.memory import MemoryStorage
from catalog.adapters.spool import FolderImportQueue
from catalog.adapters.sql import open_postgresql, open_sqlite
from catalog.adapters.sql.postgresql import database as postgresql
from catalog.adapters.sql.postgresql.examination import PostgresqlExamination
from catalog.adapters.sql.postgresql.scratch import scratch as scratch_database
from catalog.adapters.sql.sqlite import database as sqlite
from catalog.adapters.sql.sqlite.backup import SqliteBackups
from catalog.adapters.sql.sqlite.examination import SqliteExamination
from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Examinable, ImportQueue, Storage

from .settings import Settings

ENTRY_POINTS = "catalog.storage"
"""The entry point group of storage adapters."""

Opener = Callable[[str], AbstractAsyncContextManager[Storage]]
"""What a package registers: from a URL to an opened storage."""

_SQLITE_FILE = re.compile(r"sqlite(\+aiosqlite)?:///(?P<path>.+)")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):.*@")


@asynccontextmanager
async def _open_memory(_settings: Settings) -> AsyncGenerator[Storage]:
    yield MemoryStorage()


def _open_sqlite(settings: Settings) -> AbstractAsyncContextManager[Storage]:
    return open_sqlite(sqlite_path(settings.storage), busy_timeout=settings.busy_timeout_seconds)


def _sqlite_migrations(settings: Settings) -> SQLAlchemyAsyncConfig:
    return sqlite.migration_config(sqlite_path(settings.storage), settings.busy_timeout_seconds)


def _open_postgresql(settings: Settings) -> AbstractAsyncContextManager[Storage]:
    return open_postgresql(settings.storage)


def _postgresql_migrations(settings: Settings) -> SQLAlchemyAsyncConfig:
    return postgresql.migration_config(settings.storage)


def _scratch_postgresql(settings: Settings) -> AbstractAsyncContextManager[str]:
    return scratch_database(settings.storage)


def _examine_postgresql(settings: Settings) -> Examinable:
    return PostgresqlExamination(settings.storage)


def _examine_sqlite(settings: Settings) -> Examinable:
    return SqliteExamination(Path(sqlite_path(settings.storage)), settings.busy_timeout_seconds)


def _back_up_sqlite(settings: Settings) -> SqliteBackups:
    return SqliteBackups(Path(sqlite_path(settings.storage)), settings.busy_timeout_seconds)


@frozen(kw_only=True)
class StorageKind:
    """How to open storages of one kind; with its migrations, where it has some, and whether it outlasts the process."""

    open: Callable[[Settings], AbstractAsyncContextManager[Storage]]
    migrations: Callable[[Settings], SQLAlchemyAsyncConfig] | None = None
    is_lasting: bool = True
    scratch: Callable[[Settings], AbstractAsyncContextManager[str]] | None = None
    """Makes a new, empty storage beside the one that the settings name, for tests; gives its URL."""
    examination: Callable[[Settings], Examinable] | None = None
    """Looks at what only the adapter knows, without opening the storage: opening may migrate it."""
    is_made_by_opening: bool = False
    """Whether one that is not there is made when it is opened."""
    backups: Callable[[Settings], SqliteBackups] | None = None
    """Makes copies in one file, and puts them back."""
    own_tools: str = "its own tools"
    """What makes backups where `backups` does not."""


_SQLITE = StorageKind(
    open=_open_sqlite,
    migrations=_sqlite_migrations,
    examination=_examine_sqlite,
    is_made_by_opening=True,
    backups=_back_up_sqlite,
)
_POSTGRESQL = StorageKind(
    open=_open_postgresql,
    migrations=_postgresql_migrations,
    scratch=_scratch_postgresql,
    examination=_examine_postgresql,
    own_tools="pg_dump and pg_restore",
)

STORAGES: dict[str, StorageKind] = {
    "memory": StorageKind(open=_open_memory, is_lasting=False),
    "sqlite": _SQLITE,
    "sqlite+aiosqlite": _SQLITE,
    "postgresql": _POSTGRESQL,
    "postgresql+asyncpg": _POSTGRESQL,
    "postgres": _POSTGRESQL,
}
"""Our own kinds of storage, by the scheme of their URLs."""


def open_storage(settings: Settings) -> AbstractAsyncContextManager[Storage]:
    """Open the storage that the settings name; raise StorageUnavailable, saying which there are."""
    return kind_of(settings).open(settings)


def is_lasting(settings: Settings) -> bool:
    """Whether what goes into the storage is still there when the process has ended."""
    return kind_of(settings).is_lasting


def kind_of(settings: Settings) -> StorageKind:
    """Return the kind of storage that the settings name; raise StorageUnavailable, saying which there are."""
    scheme, separator, _ = settings.storage.partition("://")
    if separator and scheme in STORAGES:
        return STORAGES[scheme]
    offered = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if separator and scheme in offered:
        return _offered(offered[scheme])
    raise StorageUnavailable(
        f"{shown(settings.storage)!r} is not a storage; give sqlite:///FILE, "
        f"postgresql://USER:PASSWORD@HOST/DATABASE or memory:// (known: {', '.join(sorted({*STORAGES, *offered}))})"
    )


@contextmanager
def import_queue(settings: Settings) -> Generator[ImportQueue]:
    """Give the queue of imports, in a folder; one that ends with its storage, for such a storage.

    All processes of one machine that have the same storage have the same one.
    """
    if settings.imports_folder:
        yield FolderImportQueue(Path(settings.imports_folder))
    elif not is_lasting(settings):
        with TemporaryDirectory(prefix="catalog-imports-") as folder:
            yield FolderImportQueue(Path(folder))
    elif kind_of(settings) is _SQLITE:
        yield FolderImportQueue(Path(f"{sqlite_path(settings.storage)}-imports"))
    else:
        name = blake2b(settings.storage.encode(), digest_size=8).hexdigest()
        is_shared = hasattr(os, "getuid")  # elsewhere, everybody has temporary files of their own
        owner = f"{os.getuid()}-" if is_shared else ""
        yield FolderImportQueue(Path(gettempdir()) / f"catalog-imports-{owner}{name}", must_be_ours=is_shared)


def migration_config(settings: Settings) -> SQLAlchemyAsyncConfig:
    """Return what the database commands need; raise StorageUnavailable where there is nothing to migrate."""
    config = kind_of(settings).migrations
    if config is None:
        raise StorageUnavailable(
            f"{shown(settings.storage)} has no migrations; name a database with --storage sqlite:///FILE"
        )
    return config(settings)


def sqlite_path(url: str) -> str:
    """Return the file that a SQLite URL names; raise StorageUnavailable if it names none."""
    if (match := _SQLITE_FILE.fullmatch(url)) and not match["path"].startswith(":"):
        return match["path"]
    raise StorageUnavailable(f"{url!r} names no file; write sqlite:///catalog.db, or sqlite:////var/lib/catalog.db")


def shown(url: str) -> str:
    """Return the URL as people may see it: without its password."""
    return _PASSWORD.sub(r"\1:***@", url)


def _offered(point: EntryPoint) -> StorageKind:
    """Return the kind of storage that another package offers; raise StorageUnavailable where that package is broken."""
    try:
        opener: Opener = point.load()
    except Exception as error:
        package = point.dist.name if point.dist else point.value
        raise StorageUnavailable(
            f"the package {package} offers {point.name}:// and can not be loaded: {type(error).__name__}: {error}"
        ) from error
    scratch: Callable[[str], AbstractAsyncContextManager[str]] | None = getattr(opener, "scratch", None)
    return StorageKind(
        open=lambda settings: opener(settings.storage),
        scratch=None if scratch is None else lambda settings: scratch(settings.storage),
    )
