"""The file: whether there can be one, whether it is ours, and whether it is still the one that was opened."""

import os
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

from catalog.domain.errors import StorageUnavailable

Identity: TypeAlias = tuple[int, int]
"""What tells a file from any other that ever has its name."""


def identity(path: str) -> Identity | None:
    """Return what tells a file from any other that ever has its name; None where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 - two microseconds; pathlib takes six, and every write asks four times
    except OSError:
        return None
    return status.st_dev, status.st_ino


def must_be_a_catalogue(path: str, version_table: str) -> None:
    """Raise StorageUnavailable where the file is another program's; a missing or empty one may become ours."""
    if not Path(path).is_file():
        return
    with closing(sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError:
            return  # whatever is wrong with it, opening it will say
    if tables and version_table not in tables:
        some = ", ".join(sorted(tables)[:3])
        raise StorageUnavailable(f"{path} is not a catalogue: it has the tables {some}; name another file")


def must_be_whole(path: str, busy_timeout: float) -> None:
    """Raise StorageUnavailable where the file is damaged: SQLite goes on to write to such a file, and says nothing.

    Reads all of it.
    """
    if not Path(path).is_file():
        return
    try:
        with closing(sqlite3.connect(path, timeout=busy_timeout)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise
        found = f"{error}, {error.sqlite_errorname}"
    if found != "ok":
        raise StorageUnavailable(f"{path} can not be used ({' '.join(found.split())}); put a backup in its place")


def must_have(path: str, tables: Collection[str]) -> None:
    """Raise StorageUnavailable where a table is missing, although the migrations say that it was made."""
    with closing(sqlite3.connect(path)) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := sorted(set(tables) - found):
        raise StorageUnavailable(f"{path} lacks the tables {', '.join(missing)}; put a backup in its place")


def must_be_usable(path: Path) -> None:
    """Raise StorageUnavailable where there can be no database file."""
    if path.is_dir():
        raise StorageUnavailable(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise StorageUnavailable(f"there is no folder {path.parent}; make it first")
