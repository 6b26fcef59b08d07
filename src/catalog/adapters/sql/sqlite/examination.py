"""Whether a SQLite file is well, and what is around it. It is looked at as it is: not migrated, and not written to."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from functools import partial
from pathlib import Path

from attrs import frozen

from catalog.adapters.sql import migrations
from catalog.adapters.sql.sort_keys import SORTED, is_of_today, sort_keys_found
from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Finding, Severity

from .connections import writer_engine
from .files import must_be_a_catalogue

FIXED = (3, 51, 3)
BACKPORTED = ((3, 50, 7), (3, 44, 6))
"""Versions without the bug of https://sqlite.org/wal.html#walresetbug: from the first on, and in their own series."""

LONGEST_LOG = 64 * 2**20
"""Bytes of the write-ahead log, which the service empties whenever it has some 4 MB."""

_WELL, _WARNING, _FAILED = Severity.OK, Severity.WARNING, Severity.FAILED
_PUT_BACK = "put back a backup (catalog restore)"


@frozen
class SqliteExamination:
    """Looks at one SQLite file."""

    path: Path
    busy_timeout: float

    async def examine(self) -> AsyncGenerator[Finding]:
        """Yield what each check found; raise StorageUnavailable where there is no such file, or no catalogue in it."""
        if not self.path.is_file():
            raise StorageUnavailable(f"there is no file {self.path}; name a catalogue with --storage")
        must_be_a_catalogue(str(self.path), migrations.VERSION_TABLE)
        yield library_found(sqlite3.sqlite_version_info[:3])
        yield _free_space(self.path)
        yield _log_beside(self.path)
        for check in (_integrity, _migration, _references, _sort_keys):
            found = await asyncio.to_thread(check, self.path, self.busy_timeout)
            yield found
            if found.is_final:
                return
        yield await self._pragmas()

    async def _pragmas(self) -> Finding:
        """Look at what our own connections have: a build of SQLite, or a file system, may not be able to."""
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
        engine = writer_engine(str(self.path), self.busy_timeout)
        try:
            async with engine.connect() as connection:
                found = {name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in wanted}
        finally:
            await engine.dispose()
        wrong = ", ".join(
            f"{name} is {found[name]}, not {wanted[name]}" for name in wanted if found[name] != wanted[name]
        )
        if not wrong:
            return Finding("SQLite: settings", _WELL, ", ".join(f"{name} {value}" for name, value in found.items()))
        return Finding("SQLite: settings", _FAILED, f"{wrong}; keep the file on a disk of this machine")


def library_found(version: tuple[int, ...]) -> Finding:
    """Return the finding about that version of SQLite."""
    is_fixed = version >= FIXED or any(version[:2] == good[:2] and version >= good for good in BACKPORTED)
    told = ".".join(map(str, version))
    if is_fixed:
        return Finding("SQLite: version", _WELL, told)
    return Finding(
        "SQLite: version",
        _WARNING,
        f"{told}; before 3.51.3 the file can be damaged, very rarely, when two connections write or checkpoint at "
        "once: let no second program write to it, or install a newer SQLite (pip install 'catalog[sqlite]')",
    )


def _free_space(path: Path) -> Finding:
    size, free = path.stat().st_size, shutil.disk_usage(path.parent).free
    told = f"{_megabytes(free)} free, the file has {_megabytes(size)}"
    if free > size:
        return Finding("disk: room", _WELL, told)
    return Finding("disk: room", _WARNING, f"{told}; a backup or a migration needs as much again: make room")


def _log_beside(path: Path) -> Finding:
    log = Path(f"{path}-wal")
    size = log.stat().st_size if log.exists() else 0
    told = f"the write-ahead log has {_megabytes(size)}"
    if size <= LONGEST_LOG:
        return Finding("disk: write-ahead log", _WELL, told)
    return Finding(
        "disk: write-ahead log",
        _WARNING,
        f"{told}; some program has been reading for long and keeps it from being emptied: end it, or start the "
        "service again",
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _integrity(path: Path, busy_timeout: float) -> Finding:
    check = partial(Finding, "file: whole")
    try:
        with closing(_connected(path, busy_timeout)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found == ["ok"]:
        return check(_WELL, "integrity_check says ok")
    return check(_FAILED, f"{'; '.join(' '.join(line.split()) for line in found)}; {_PUT_BACK}", is_final=True)


def _migration(path: Path, busy_timeout: float) -> Finding:
    check = partial(Finding, "file: migrations")
    try:
        with closing(_connected(path, busy_timeout)) as connection:
            applied = {row[0] for row in connection.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}")}  # noqa: S608
    except sqlite3.DatabaseError as error:
        return check(_FAILED, f"they can not be read ({error}); {_PUT_BACK}", is_final=True)
    try:
        migrations.must_be_known(sorted(applied))
    except StorageUnavailable as error:
        return check(_FAILED, str(error), is_final=True)
    if applied == set(migrations.newest()):
        return check(_WELL, f"at {', '.join(applied)}, the newest")
    return check(
        _WARNING,
        f"at {', '.join(applied) or 'none'}, and this program needs {', '.join(migrations.newest())}; it is migrated "
        "when the service opens it, or by `catalog database upgrade`, and can be examined then",
        is_final=True,
    )


def _references(path: Path, busy_timeout: float) -> Finding:
    with closing(_connected(path, busy_timeout)) as connection:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if not broken:
        return Finding("file: references", _WELL, "foreign_key_check finds nothing")
    table, rowid, parent, _ = broken[0]
    told = f"{len(broken):,} rows name what is not there, the first is {table} {rowid}, which names one of {parent}"
    return Finding("file: references", _FAILED, f"{told}; {_PUT_BACK}", is_final=True)


def _sort_keys(path: Path, busy_timeout: float) -> Finding:
    with closing(_connected(path, busy_timeout)) as connection:
        rows = (row for statement in SORTED for row in connection.execute(statement))
        wrong = sum(not is_of_today(*row) for row in rows)
    return sort_keys_found(wrong)


def _connected(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Connect to the file to read it."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=busy_timeout)
    connection.execute("PRAGMA query_only=ON")
    return connection
