"""Copies of a SQLite catalogue in one file, made while it is written to, and put back."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from time import monotonic

from attrs import frozen

from catalog.adapters.sql import migrations
from catalog.domain.errors import StorageBusy, StorageUnavailable

from .files import must_be_a_catalogue, must_be_usable

TABLE_OF_THE_LOG = "log"
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file that is open, or was not closed in order."""

SECONDS_BETWEEN_TOLD = 1.0
STEPS_BETWEEN_LOOKS = 2_000  # of the virtual machine of SQLite: well under a millisecond

Told = Callable[[int, int], None]
"""Hears how many bytes of how many are copied."""


@frozen
class Copied:
    """What a copy holds."""

    size: int
    """Bytes."""
    seq: int | None
    """How far its log goes; None where it is older than the log."""


@frozen
class Restored:
    """What stands now, and where that is which stood before, if anything did."""

    copied: Copied
    kept: Path | None


@frozen
class SqliteBackups:
    """Copies of one SQLite file. All methods block."""

    path: Path
    busy_timeout: float

    def back_up(self, to: Path, *, force: bool, told: Told) -> Copied:
        """Write a copy of one moment to the file, whole and on the disk, or nothing; raise StorageUnavailable.

        Others may write meanwhile. A file of that name is only replaced with `force`.
        """
        _must_be_there(self.path)
        must_be_a_catalogue(str(self.path), migrations.VERSION_TABLE)
        must_be_usable(to)
        if to.exists() and to.samefile(self.path):
            raise StorageUnavailable(f"{to} is the catalogue itself; name another file")
        if to.exists() and not force:
            raise StorageUnavailable(f"{to} is there already; name another file, or add --force to replace it")
        if beside := _beside(to):
            raise StorageUnavailable(f"there is {beside[0]}: {to} may be in use; name another file")
        with _complaining(to), _part(to) as part:
            copied = self._copy(self.path, part, told)
            _must_be_ours(part, self.path)
            _let_read(part, self.path)
            _to_disk(part)
            if to.exists() and not force:
                raise StorageUnavailable(f"{to} has appeared meanwhile; name another file")
            part.replace(to)
            _to_disk(to.parent)
        return copied

    def restore(self, backup: Path, *, at: datetime, told: Told) -> Restored:
        """Put a copy of the backup in the place of the catalogue, which is kept; raise StorageUnavailable.

        The copy is whole, on the disk and known to be a catalogue before anything is touched. A program that has the
        file open, and has read it, stands against it.
        """
        _must_be_there(backup)
        must_be_usable(self.path)
        if self.path.exists() and self.path.samefile(backup):
            raise StorageUnavailable(f"{backup} is the catalogue itself; name the backup")
        must_be_a_catalogue(str(backup), migrations.VERSION_TABLE)
        with _complaining(self.path), _part(self.path) as part:
            copied = self._copy(backup, part, told)
            _must_fit(part, backup)
            _let_read(part, self.path if self.path.exists() else backup)
            _to_disk(part)
            with self._taken() as is_merged:
                kept = self._kept_aside(at, is_merged=is_merged)
                part.replace(self.path)
                _to_disk(self.path.parent)
        return Restored(copied, kept)

    def _copy(self, source: Path, part: Path, told: Told) -> Copied:
        """Let SQLite write all that the file holds at this moment into the part, and look at that."""
        try:
            with closing(_connected(source, self.busy_timeout)) as connection:
                sizes = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")]
                _vacuum(connection, part, lambda: told(part.stat().st_size, sizes[0] * sizes[1]))
        except sqlite3.DatabaseError as error:
            match error.sqlite_errorname:
                case "SQLITE_FULL":
                    why = f"there is no room for a copy of {source} in {part.parent}; make room, and try again"
                case name if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                    raise StorageBusy from error
                case _:
                    why = f"{source} can not be copied ({error}); catalog doctor may know more"
            raise StorageUnavailable(why) from error
        with closing(_read(part)) as connection:
            _must_be_whole(connection, source)
            return Copied(part.stat().st_size, _seq(connection))

    @contextmanager
    def _taken(self) -> Generator[bool]:
        """Keep everybody else out of the present file; yield whether all of it is in that one file now.

        It is not where it is so damaged that SQLite can not tell. Raises StorageUnavailable where somebody has it open.
        """
        if not self.path.exists():
            yield False
            return
        with closing(sqlite3.connect(self.path, timeout=self.busy_timeout, isolation_level=None)) as connection:
            is_merged = True
            try:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                must_be_a_catalogue(str(self.path), migrations.VERSION_TABLE)
                # Whoever has read a file with a write-ahead log holds a lock on it until it is closed, and this wants
                # it alone. It moves all that is in that log into the file, too.
                connection.execute("PRAGMA journal_mode=DELETE")
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                    raise StorageUnavailable(
                        f"{self.path} is in use; stop the service, and whatever else has it open"
                    ) from error
                is_merged = False
            yield is_merged

    def _kept_aside(self, at: datetime, *, is_merged: bool) -> Path | None:
        """Give the present file another name; return that. A log that is not its own would damage the new file."""
        kept = self.path.with_name(f"{self.path.name}.before-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}")
        for end in BESIDE if not is_merged else ():
            with suppress(FileNotFoundError):
                Path(f"{self.path}{end}").rename(f"{kept}{end}")
        if not self.path.exists():
            return None
        try:
            os.link(self.path, kept)  # so that at no moment there is no catalogue
        except OSError:
            self.path.rename(kept)
        return kept


def _must_be_there(path: Path) -> None:
    if not path.is_file():
        raise StorageUnavailable(f"there is no file {path}; name one that is there")


def _beside(path: Path) -> Sequence[Path]:
    return [beside for end in BESIDE if (beside := Path(f"{path}{end}")).exists()]


@contextmanager
def _complaining(path: Path) -> Generator[None]:
    """Say what the file system refuses."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"can not write {path}: {error.strerror or error}; nothing was changed") from error


@contextmanager
def _part(of: Path) -> Generator[Path]:
    """Make an empty file beside, which has gone in the end unless it got another name."""
    # The name is known before there is a file: a Ctrl-C may come as soon as there is one.
    part = of.with_name(f".{of.name}.{token_hex(4)}.part")
    try:
        part.touch(mode=0o600)
        yield part
    finally:
        for path in (part, *_beside(part)):
            path.unlink(missing_ok=True)


def _connected(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Connect to a file that is there, to read it."""
    # A file on a medium that can not be written has no log beside it, and SQLite would want to make one.
    how = "mode=rw" if os.access(path, os.W_OK) or _beside(path) else "mode=ro&immutable=1"
    uri = f"{path.absolute().as_uri()}?{how}"
    return sqlite3.connect(uri, timeout=busy_timeout, uri=True, isolation_level=None)


def _read(part: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{part.absolute().as_uri()}?mode=ro", uri=True)


def _vacuum(connection: sqlite3.Connection, part: Path, tell: Callable[[], None]) -> None:
    """Copy, telling now and then; whatever that raises ends the copying, and so does Ctrl-C.

    SQLite calls back between its own steps: no other thread is in it that could go on when this one has left.
    """
    told_at = monotonic()
    stopped_by: list[BaseException] = []

    def has_to_stop() -> bool:
        nonlocal told_at
        try:
            if monotonic() - told_at >= SECONDS_BETWEEN_TOLD:
                tell()
                told_at = monotonic()
        except BaseException as error:  # noqa: BLE001 SQLite lets none of them through
            stopped_by.append(error)
        return bool(stopped_by)

    connection.set_progress_handler(has_to_stop, STEPS_BETWEEN_LOOKS)
    try:
        connection.execute("VACUUM INTO ?", [str(part)])
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        # Nobody else stops it: a Ctrl-C may come before the first line of what is called back, too.
        raise (stopped_by or [KeyboardInterrupt()])[0] from None
    finally:
        connection.set_progress_handler(None, 0)


def _must_be_whole(connection: sqlite3.Connection, source: Path) -> None:
    """Raise StorageUnavailable where the copy is damaged, or names what is not there."""
    try:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchmany(1)
    except sqlite3.DatabaseError as error:
        found, orphans = str(error), []
    if found != "ok" or orphans:
        why = found if found != "ok" else f"a row of {orphans[0][0]} names one of {orphans[0][2]} that is not there"
        raise StorageUnavailable(f"the copy of {source} is not whole ({why}), and was thrown away; see catalog doctor")


def _must_be_ours(part: Path, source: Path) -> None:
    """Raise StorageUnavailable where the copy is not a catalogue."""
    with closing(_read(part)) as connection:
        if not _has_table(connection, migrations.VERSION_TABLE):
            raise StorageUnavailable(f"{source} is not a catalogue; name a file that is one")


def _must_fit(part: Path, backup: Path) -> None:
    """Raise StorageUnavailable where the copy is not a catalogue that this program can go on with."""
    _must_be_ours(part, backup)
    with closing(_read(part)) as connection:
        applied = [row[0] for row in connection.execute(f"SELECT version_num FROM {migrations.VERSION_TABLE}")]  # noqa: S608
        migrations.must_be_known(applied)
        seq = _seq(connection)
        if seq is None:
            return
        count, last = connection.execute("SELECT count(*), coalesce(max(seq), 0) FROM revision").fetchone()
        if (count, last) != (seq, seq):
            raise StorageUnavailable(
                f"{backup} is not whole: its log should go to {seq}, goes to {last} and has {count} entries; "
                "name another backup"
            )


def _seq(connection: sqlite3.Connection) -> int | None:
    if not _has_table(connection, TABLE_OF_THE_LOG):
        return None
    seq: int = connection.execute(f"SELECT seq FROM {TABLE_OF_THE_LOG}").fetchone()[0]  # noqa: S608
    return seq


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [name])
    return found.fetchone() is not None


def _let_read(part: Path, as_in: Path) -> None:
    """Give the part the owner and the rights of the other file: whoever restores is not always whoever serves."""
    status = as_in.stat()
    with suppress(PermissionError):
        os.chown(part, status.st_uid, status.st_gid)
    shutil.copymode(as_in, part)


def _to_disk(path: Path) -> None:
    """Wait until the file, or the names in the folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
