"""`catalog` as a fork of a process that has imported it already: as real to kill, and ten times as quick to start.

How long a start takes for people is measured on interpreters of their own.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import reduction
from pathlib import Path
from subprocess import TimeoutExpired
from typing import Any

from attrs import frozen

_FORKS = multiprocessing.get_context("forkserver")
# What a fork would import by itself, because whoever asked for it has imported it as the main program.
_MAIN = ["pytest"] if "pytest" in sys.modules else []
_FORKS.set_forkserver_preload(["tests.e2e.forks", "catalog.entrypoints.cli", "httpx", "uvloop", *_MAIN])


@frozen
class _Descriptor:
    """A file descriptor that is there in the fork, too."""

    number: int

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self.number),)


def _received(sent: Any) -> _Descriptor:
    return _Descriptor(sent.detach())


def _be_catalog(
    arguments: Sequence[str], folder: str, environment: Mapping[str, str], streams: Mapping[int, _Descriptor]
) -> None:
    from catalog.entrypoints.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, descriptor in streams.items():
        os.dup2(descriptor.number, number)
        os.close(descriptor.number)
    main(arguments, prog_name="catalog")


class Fork:
    """A `catalog` with these arguments; it behaves like a process of subprocess, as far as anybody needs it."""

    def __init__(
        self, *arguments: str, folder: Path, environment: Mapping[str, str], stderr: int, stdout: int | None = None
    ) -> None:
        self._name = f"catalog {' '.join(arguments)}"
        given = {1: stdout, 2: stderr}
        streams = {number: _Descriptor(stream) for number, stream in given.items() if stream is not None}
        self._process = _FORKS.Process(
            target=_be_catalog, args=(arguments, str(folder), dict(environment), streams), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid
        return self._process.pid

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and return its exit status; raise TimeoutExpired after so many seconds."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutExpired(self._name, timeout or 0)
        return self._process.exitcode
