"""What a process did to the files of one folder, and what it said, as strace saw it."""

import os
import re
import shutil
import subprocess
from collections.abc import Generator, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

CALLS = (
    "openat,write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync,sync_file_range,"
    "truncate,ftruncate,fallocate,unlink,unlinkat,rename,renameat,renameat2"
)


@cache
def strace() -> str | None:
    """Return the program that traces, where there is one and it may."""
    program = shutil.which("strace")
    if program is None:
        return None
    done = subprocess.run([program, "-f", "-o", os.devnull, "true"], capture_output=True, check=False)
    return program if done.returncode == 0 else None


def traced(command: Sequence[str], trace: Path) -> list[str]:
    """Return the command line that runs a command under strace."""
    program = strace()
    assert program
    how = ["-f", "--seccomp-bpf", "-y", "-xx", "-s", "1000000", "-e", f"trace={CALLS}", "-e", "signal=none"]
    return [program, *how, "-o", str(trace), "--", *command]


class NotUnderstood(Exception):
    """A call that changes a file of the folder in a way that nobody here knows."""


@frozen
class Written:
    """Bytes were written to a file."""

    path: str
    offset: int
    data: bytes


@frozen
class Truncated:
    """A file got another size."""

    path: str
    size: int


@frozen
class Syncing:
    """A thread asks for a file, or for the folder, to be made durable as it is now."""

    path: str
    thread: str


@frozen
class Synced:
    """It has been."""

    path: str
    thread: str


@frozen
class Removed:
    """A file was removed."""

    path: str


@frozen
class Said:
    """Bytes went to the outside: to the standard output, or into a socket."""

    data: bytes


Event: TypeAlias = Written | Truncated | Syncing | Synced | Removed | Said

_CALL = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)")
_RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>")
_ESCAPED = r"((?:\\x[0-9a-f]{2})*)"
_STRING = re.compile(f'"{_ESCAPED}"')
_DESCRIPTOR = re.compile(rf"\d+<{_ESCAPED}>")
_SYNCS = {"fsync", "fdatasync"}


def events_in(trace: Path, folder: Path) -> Generator[Event]:
    """Yield what happened, in order. Raises NotUnderstood.

    A write counts from when it began, for then its bytes may reach the disk; a sync from when it has ended.
    """
    syncing: dict[str, str] = {}
    with trace.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if (resumed := _RESUMED.match(line)) and resumed["name"] in _SYNCS:
                if (path := syncing.pop(resumed["thread"], None)) is not None and "= -1 " not in line:
                    yield Synced(path, resumed["thread"])
            elif call := _CALL.match(line):
                rest = call["rest"].rstrip()
                if re.search(r"\) += -1 ", rest):
                    continue
                for event in _events_of(call["thread"], call["name"], rest, f"{folder}/"):
                    if isinstance(event, Synced) and rest.endswith("<unfinished ...>"):
                        syncing[event.thread] = event.path
                    else:
                        yield event


def _events_of(thread: str, name: str, rest: str, folder: str) -> Iterable[Event]:
    path = _unescaped(found[1]).decode(errors="replace") if (found := _DESCRIPTOR.match(rest)) else ""
    # Of the folder itself, only its being synced matters.
    is_ours = f"{path}/".startswith(folder)
    strings = [_unescaped(string) for string in _STRING.findall(rest)]
    match name:
        case "fsync" | "fdatasync":
            return [Syncing(path, thread), Synced(path, thread)] if is_ours else []
        case "pwrite64" if is_ours:
            length, offset = _numbers_in(rest[rest.rindex('"') :])
            if len(strings[0]) != length:
                raise NotUnderstood(f"{length} bytes were written, and the trace has {len(strings[0])}")
            return [Written(path, offset, strings[0])]
        case "ftruncate" if is_ours:
            return [Truncated(path, _numbers_in(rest[rest.index(">") :])[0])]
        case "unlink" | "unlinkat":
            removed = strings[0].decode(errors="replace")
            return [Removed(removed)] if removed.startswith(folder) else []
        case "openat" if "O_TRUNC" not in rest or not strings[0].decode(errors="replace").startswith(folder):
            return []
        case "write" | "writev" | "sendto" | "sendmsg" if not is_ours:
            return [Said(b"".join(strings))]
        case _ if is_ours or any(string.decode(errors="replace").startswith(folder) for string in strings):
            raise NotUnderstood(f"{name} on {path or strings}")
        case _:
            return []


def _numbers_in(arguments: str) -> list[int]:
    """Return the last arguments of a call, which are all numbers."""
    return [int(number) for number in re.findall(r", (\d+)", arguments)]


def _unescaped(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
