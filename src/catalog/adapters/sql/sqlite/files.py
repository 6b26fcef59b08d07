"""The file: whether there can be one, whether it is ours, and whether it is still the one that was opened."""

import sqlite3
from contextlib import closing
from pathlib import Path

from catalog.domain.errors import StorageUnavailable


def identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from any other that ever has its name; None where there is none."""
    try:
        status = Path(path).stat()
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


def must_be_usable(path: Path) -> None:
    """Raise StorageUnavailable where there can be no database file."""
    if path.is_dir():
        raise StorageUnavailable(f"{path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise StorageUnavailable(f"there is no folder {path.parent}; make it first")
