"""A disk that can lose its power: which of the bytes that were written to it would still be there.

A write is *pending* until its file is synced. After a power cut a pending one may be there or not, or by some of its
sectors; and in any order, for the system writes back what it likes. That a file was made or removed is pending until
its folder is synced.

One simplification: a file that is made again under the name of a removed one takes that one's place for good. Shared
memory is left out; SQLite makes it anew.
"""

from collections.abc import Mapping
from enum import StrEnum
from random import Random

from attrs import define, field

from .traces import Event, Removed, Said, Synced, Syncing, Truncated, Written

SECTOR = 512


class Cut(StrEnum):
    """What a power cut leaves of what is pending."""

    NOTHING = "nothing"
    SOME = "some"
    """Each pending write with a probability of one half."""
    TORN = "torn"
    """The same, and half of these by some of their sectors."""
    ALL = "all"
    """Everything: what is left when only the process is killed."""


Pending = Written | Truncated


@define
class _File:
    durable: bytearray = field(factory=bytearray)
    pending: list[Pending] = field(factory=list)
    is_entered: bool = False
    """Whether the folder was synced since it was made."""
    is_removed: bool = False
    """Removed, while the folder was not synced since."""


@define
class Disk:
    """The files of one folder, by their paths."""

    files: dict[str, _File] = field(factory=dict)
    # By the thread that syncs: what it makes durable is what there was when it began.
    _upto: dict[str, int] = field(factory=dict)
    _made: dict[str, list[_File]] = field(factory=dict)
    _gone: dict[str, list[str]] = field(factory=dict)

    def take(self, event: Event) -> None:
        """Do what the process did."""
        match event:
            case Said():
                return
            case _ if event.path.endswith("-shm"):
                return
            case Written(path=path) | Truncated(path=path):
                self._open(path).pending.append(event)
            case Removed(path=path) if path in self.files:
                self.files[path].is_removed = True
            case Removed():
                return
            case Syncing(path=path, thread=thread) if path in self.files:
                self._upto[thread] = len(self.files[path].pending)
            case Syncing(path=folder, thread=thread):
                inside = {path: file for path, file in self.files.items() if path.startswith(f"{folder}/")}
                self._made[thread] = [file for file in inside.values() if not file.is_removed]
                self._gone[thread] = [path for path, file in inside.items() if file.is_removed]
            case Synced(path=path, thread=thread) if thread in self._upto:
                file, upto = self.files[path], self._upto.pop(thread)
                for pending in file.pending[:upto]:
                    _apply(pending, file.durable)
                del file.pending[:upto]
            case Synced(thread=thread):
                for file in self._made.pop(thread):
                    file.is_entered = True
                for path in self._gone.pop(thread):
                    if self.files[path].is_removed:
                        del self.files[path]

    def has_pending(self) -> bool:
        """Whether a power cut now could leave more than one picture."""
        return any(file.pending or file.is_removed or not file.is_entered for file in self.files.values())

    def after(self, cut: Cut, chance: Random) -> Mapping[str, bytes]:
        """Return the files as a power cut would leave them."""
        return {path: _left(file, cut, chance) for path, file in self.files.items() if _is_found(file, cut, chance)}

    def _open(self, path: str) -> _File:
        if path not in self.files or self.files[path].is_removed:
            self.files[path] = _File()
        return self.files[path]


def _is_found(file: _File, cut: Cut, chance: Random) -> bool:
    if cut is Cut.ALL:
        return not file.is_removed
    if cut is Cut.NOTHING:
        return file.is_entered
    return (file.is_entered or chance.random() < 0.5) and (not file.is_removed or chance.random() < 0.5)


def _left(file: _File, cut: Cut, chance: Random) -> bytes:
    left = bytearray(file.durable)
    for pending in file.pending if cut is not Cut.NOTHING else ():
        if cut is Cut.ALL:
            _apply(pending, left)
        elif chance.random() < 0.5:
            if cut is Cut.TORN and isinstance(pending, Written) and chance.random() < 0.5:
                _tear(pending, left, chance)
            else:
                _apply(pending, left)
    return bytes(left)


def _apply(pending: Pending, content: bytearray) -> None:
    match pending:
        case Written(offset=offset, data=data):
            _put(content, offset, data)
        case Truncated(size=size):
            del content[size:]
            content.extend(bytes(size - len(content)))


def _tear(written: Written, content: bytearray, chance: Random) -> None:
    """Write only some sectors of it."""
    start, end = written.offset, written.offset + len(written.data)
    for sector in range(start // SECTOR, (end - 1) // SECTOR + 1):
        first, last = max(start, sector * SECTOR), min(end, (sector + 1) * SECTOR)
        if chance.random() < 0.5:
            _put(content, first, written.data[first - start : last - start])


def _put(content: bytearray, offset: int, data: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data
