"""What SQLite's errors mean to the catalogue."""

import sqlite3

from catalog.domain.errors import CatalogError, StorageBusy, StorageFull, StorageUnavailable


def translate(error: BaseException | None) -> CatalogError | None:
    """Return what an error of the driver means to the catalogue; None where it is a bug, or somebody else's.

    A broken constraint is a bug: BEGIN IMMEDIATE lets nobody write between a check and what was checked.
    """
    if not isinstance(error, sqlite3.Error):
        return None
    name = getattr(error, "sqlite_errorname", "")
    match name:
        case "SQLITE_FULL":
            return StorageFull()
        case _ if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return StorageBusy()
        case _ if name.startswith(
            ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_PERM")
        ):
            return StorageUnavailable(f"SQLite says: {error} ({name})")
        case _:
            return None
