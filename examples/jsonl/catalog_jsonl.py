"""Keeps a catalogue in a file of JSON lines, one for each unit of work: `jsonl:///books.jsonl`.

All that there is, is in memory while the file is open; the file only grows, and is read once, when it is opened. What
has to be forgotten is not in a line any more after the file was written anew.
"""

import errno
import fcntl
import json
import logging
import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

from attrs import frozen
from cattrs.preconf.json import make_converter

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.errors import StorageFailed, StorageFull, StorageUnavailable
from catalog.domain.receipts import Receipt
from catalog.domain.revisions import Revision
from catalog.domain.snapshots import Commit, Snapshot, SnapshotStorage

SCHEME = "jsonl:///"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

logger = logging.getLogger(__name__)
converter = make_converter(forbid_extra_keys=True)
converter.register_unstructure_hook(UUID, str)
converter.register_structure_hook(UUID, lambda text, _target: UUID(text))


@frozen(kw_only=True)
class Line:
    """What one unit of work adds to the catalogue. Of `follows`, the last line counts."""

    revisions: tuple[Revision, ...] = ()
    untold: tuple[Author | Book, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    follows: str | None = None

    @classmethod
    def of(cls, commit: Commit, log: Sequence[Revision], receipts: Iterable[Receipt]) -> "Line":
        """Return the line that says so much of a commit."""
        untold = tuple(commit.untold(log))
        return cls(revisions=tuple(log), untold=untold, receipts=tuple(receipts), follows=commit.after.follows)

    @classmethod
    def parse(cls, text: bytes) -> "Line":
        """Read a line; raise ValueError."""
        try:
            return converter.structure(json.loads(text), cls)
        except Exception as error:  # cattrs raises groups of whatever went wrong
            raise ValueError(f"not a line of a catalogue: {error}") from error

    def __bytes__(self) -> bytes:
        """Return the line as the file keeps it."""
        return json.dumps(converter.unstructure(self), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class JsonLines:
    """An open file that nobody else has open; it is made if it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StorageUnavailable(f"can not open {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            _sync_folder(path)
        except OSError as error:
            os.close(self._lock)
            reason = "another process has it open" if isinstance(error, BlockingIOError) else error.strerror
            raise StorageUnavailable(f"can not open {path}: {reason}") from error

    def read(self) -> list[Line]:
        """Return all lines; what a crash left of the last one is cut off. Raises StorageUnavailable for any other."""
        *texts, torn = self.path.read_bytes().split(b"\n")
        lines: list[Line] = []
        for number, text in enumerate(texts, 1):
            try:
                lines.append(Line.parse(text))
            except ValueError as error:
                if number < len(texts) or torn:
                    raise StorageUnavailable(f"{self.path}, line {number}: {error}") from error
                torn = text + b"\n"
        if torn:
            logger.warning("%s: cut off the last %d bytes, which a crash left unfinished", self.path, len(torn))
            os.truncate(self._file, os.fstat(self._file).st_size - len(torn))
            os.fsync(self._file)
        return lines

    def append(self, line: Line) -> None:
        """Add a line, and return once it is on the disk; raise StorageFull, or StorageFailed, and it is not there."""
        size = os.fstat(self._file).st_size
        try:
            _write(self._file, bytes(line))
        except OSError as error:
            os.truncate(self._file, size)
            raise _failure(error) from error

    def rewrite(self, line: Line) -> None:
        """Have this line in the place of all others, at once; raise StorageFull, or StorageFailed, and keep those."""
        new = self.path.with_name(f"{self.path.name}.new")
        file = os.open(new, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
        try:
            _write(file, bytes(line))
            new.replace(self.path)
        except OSError as error:
            os.close(file)
            with suppress(OSError):
                new.unlink()
            raise _failure(error) from error
        os.close(self._file)
        self._file = file
        _sync_folder(self.path)

    def must_be_there(self) -> None:
        """Raise StorageUnavailable where the file was moved or removed."""
        try:
            is_there = os.path.samestat(self.path.stat(), os.fstat(self._file))
        except OSError:
            is_there = False
        if not is_there:
            raise StorageUnavailable(f"{self.path} is not there any more")

    def close(self) -> None:
        """Let others have the file."""
        os.close(self._file)
        os.close(self._lock)


class JsonlStorage(SnapshotStorage):
    """A catalogue in memory whose every commit is a line of a file first."""

    def __init__(self, file: JsonLines) -> None:
        lines = file.read()
        revisions = [revision for line in lines for revision in line.revisions]
        if [revision.seq for revision in revisions] != list(range(1, len(revisions) + 1)):
            raise StorageUnavailable(f"{file.path}: the log has gaps")
        untold = [record for line in lines for record in line.untold]
        receipts = [receipt for line in lines for receipt in line.receipts]
        follows = lines[-1].follows if lines else None
        super().__init__(Snapshot.restored(revisions, untold=untold, receipts=receipts, follows=follows))
        self._file = file

    def keep(self, commit: Commit) -> None:
        """Write it down; where contents are dropped for good, write everything anew."""
        self._file.must_be_there()
        if commit.withheld:
            self._file.rewrite(Line.of(commit, commit.whole_log(), commit.after.receipts.values()))
        else:
            self._file.append(Line.of(commit, commit.revisions, commit.receipts()))

    async def check(self) -> None:
        """Raise StorageUnavailable where the file was moved or removed."""
        self._file.must_be_there()


@asynccontextmanager
async def open_jsonl(url: str) -> AsyncGenerator[JsonlStorage]:
    """Open the file that the URL names; raise StorageUnavailable."""
    path = url.removeprefix(SCHEME)
    if path in {"", url}:
        raise StorageUnavailable(f"{url!r} names no file; write jsonl:///books.jsonl, or jsonl:////var/lib/books.jsonl")
    file = JsonLines(Path(path))
    try:
        yield JsonlStorage(file)
    finally:
        file.close()


def _write(file: int, content: bytes) -> None:
    while content:
        content = content[os.write(file, content) :]
    os.fsync(file)


def _sync_folder(path: Path) -> None:
    """Let the name of a new file outlast a crash, too."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _failure(error: OSError) -> Exception:
    return StorageFull() if error.errno in NO_ROOM else StorageFailed()
