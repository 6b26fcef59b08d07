"""The server as a fork of a process that has imported it already: as real to kill, and ten times as quick to start.

How long a start takes for people is measured on servers that are started by `catalog serve`.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from subprocess import TimeoutExpired
from typing import IO

from tests.e2e.servers import Server, environment

_FORKS = multiprocessing.get_context("forkserver")
# What a fork would import by itself, because whoever asked for it has imported it as the main program.
_MAIN = ["pytest"] if "pytest" in sys.modules else []
_FORKS.set_forkserver_preload(["tests.faults.forked", "catalog.entrypoints.cli", "httpx", "uvloop", *_MAIN])


def _serve(arguments: Sequence[str], folder: str, settings: dict[str, str], stderr: Connection) -> None:
    """Be `catalog serve`."""
    from catalog.entrypoints.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(settings)
    os.dup2(stderr.fileno(), 2)
    stderr.close()
    main(["serve", "--port", "0", *arguments])


class _Process:
    """A process of multiprocessing that behaves like one of subprocess, as far as Server needs it."""

    def __init__(self, process: multiprocessing.process.BaseProcess, stderr: IO[str]) -> None:
        self._process = process
        self.stderr = stderr

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise TimeoutExpired("catalog serve", timeout or 0)
        return self._process.exitcode


class ForkedServer(Server):
    """A `catalog serve` on a free port."""

    def __init__(self, *options: str, folder: Path) -> None:
        self.lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        ours, its = _FORKS.Pipe(duplex=False)
        process = _FORKS.Process(target=_serve, args=(options, str(folder), environment(), its), daemon=True)
        process.start()
        its.close()
        self.process = _Process(process, os.fdopen(os.dup(ours.fileno()), encoding="utf-8"))  # type: ignore[assignment]
        ours.close()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
