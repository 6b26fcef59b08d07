"""Which SQLite there is: the one this Python is linked with, or a newer one that `catalog[sqlite]` has installed."""

import _sqlite3
import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

OTHER = "pysqlite3"
"""The package that brings SQLite along, and is otherwise the `sqlite3` of the standard library."""


def prefer_the_newer() -> None:
    """Let `sqlite3` mean the newer one from now on; too late, and without effect, once it is imported."""
    if "sqlite3" not in sys.modules and find_spec(OTHER) is not None:
        other = import_module(OTHER)
        if _version(other) > _version(_sqlite3):
            sys.modules.update({"sqlite3": other, "sqlite3.dbapi2": import_module(f"{OTHER}.dbapi2")})


def _version(library: ModuleType) -> tuple[int, ...]:
    return tuple(map(int, library.sqlite_version.split(".")))
