"""Which SQLite is used, where there are two."""

import _sqlite3
import os
import shutil
import subprocess
import sys
from pathlib import Path
from sysconfig import get_path

import pytest

pytestmark = pytest.mark.slow

ASKING = """
import catalog.adapters.sql, aiosqlite, sqlite3, sqlite3.dbapi2 as used
print(sqlite3.sqlite_version, used.__name__)
"""


def pysqlite3_in(folder: Path, version: str) -> None:
    """Put a package there that says to have this version; it is the standard library's by another name."""
    package = Path(shutil.copytree(Path(get_path("stdlib")) / "sqlite3", folder / "pysqlite3"))
    for file in package.glob("*.py"):
        text = file.read_text("utf-8").replace("from sqlite3.", "from pysqlite3.")
        file.write_text(f"{text}\nsqlite_version = {version!r}\n", "utf-8")


def used(folder: Path, asking: str = ASKING) -> list[str]:
    """Return the version, and the name of the module, that a new process with this folder uses."""
    done = subprocess.run(
        [sys.executable, "-c", asking],
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


def test_a_newer_one_that_is_installed_is_used_by_everybody(tmp_path: Path) -> None:
    pysqlite3_in(tmp_path, "99.1.2")

    assert used(tmp_path) == ["99.1.2", "pysqlite3.dbapi2"]


def test_an_older_one_is_left_alone(tmp_path: Path) -> None:
    pysqlite3_in(tmp_path, "3.9.0")

    assert used(tmp_path) == [_sqlite3.sqlite_version, "sqlite3.dbapi2"]


def test_whoever_has_imported_one_already_keeps_it(tmp_path: Path) -> None:
    pysqlite3_in(tmp_path, "99.1.2")

    assert used(tmp_path, f"import sqlite3{ASKING}") == [_sqlite3.sqlite_version, "sqlite3.dbapi2"]
