"""The catalogue as a process of its own, for what only a real socket or a real signal can tell."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from http.client import HTTPResponse
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Self, TypeAlias
from urllib.parse import urlsplit

import httpx

from .forks import Fork

Process: TypeAlias = "subprocess.Popen[bytes] | Fork"

PATIENCE = 60
"""Seconds to wait for what should take one: the machine may be busy."""


def command(*arguments: str, python_options: Sequence[str] = ()) -> list[str]:
    """Return the command line of `catalog`."""
    return [sys.executable, *python_options, "-m", "catalog", *arguments]


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings, and without those that somebody may have made in it."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("CATALOG_")}
    return others | {f"CATALOG_{name.upper()}": value for name, value in settings.items()}


def run_catalog(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of `catalog` to its end, in a process of its own, with these variables in its environment."""
    with TemporaryFile("w+", encoding="utf-8") as out, TemporaryFile("w+", encoding="utf-8") as err:
        process = Fork(
            *arguments,
            folder=folder,
            environment=environment() | variables,
            stdout=out.fileno(),
            stderr=err.fileno(),
        )
        try:
            status = process.wait(PATIENCE)
        finally:
            process.kill()
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command(*arguments), status, out.read(), err.read())


def run_serve(*options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a `catalog serve` that is expected to refuse."""
    return run_catalog("serve", *options, folder=folder)


class Server:
    """A `catalog serve` on a free port, or another command that serves."""

    def __init__(
        self,
        *options: str,
        folder: Path,
        python_options: Sequence[str] | None = None,
        what: Sequence[str] = ("serve",),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Start it, with `python_options` in a new interpreter, which takes its time to import everything."""
        arguments = [*what, "--port", "0", *options]
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as stderr:
            self.process: Process = (
                Fork(*arguments, folder=folder, environment=environment(**settings or {}), stderr=stderr.fileno())
                if python_options is None
                else subprocess.Popen(
                    command(*arguments, python_options=python_options),
                    cwd=folder,
                    env=environment(**settings or {}),
                    stderr=stderr,
                )
            )
        self._read_from(os.fdopen(reading, encoding="utf-8"))

    def _read_from(self, stderr: IO[str]) -> None:
        self.lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reading = threading.Thread(target=self._read, args=(stderr,), daemon=True)
        self._reading.start()

    @property
    def address(self) -> str:
        """The address it says it serves at."""
        return self.wait_for(r"catalog: serving \S+ at (http://\S+)")[1]

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until it prints a line like that."""
        with self._news:
            self._news.wait_for(lambda: self._find(pattern) or self._ended, PATIENCE)
        found = self._find(pattern)
        assert found, f"nothing like {pattern!r} in:\n{self.output}"
        return found

    def client(self) -> httpx.Client:
        """Return a client of it."""
        return httpx.Client(base_url=self.address, timeout=PATIENCE, trust_env=False)

    def parallel_client(self) -> httpx.AsyncClient:
        """Return a client of it that keeps a hundred connections."""
        limits = httpx.Limits(max_connections=100)
        return httpx.AsyncClient(base_url=self.address, timeout=PATIENCE, trust_env=False, limits=limits)

    def stop(self) -> int:
        """Ask it to stop, wait until it has, and return its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended and all it printed is read; return its exit status."""
        status = self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        return status

    def kill(self) -> None:
        """End it at once, if it has not ended; it gets no time for anything."""
        self.process.kill()
        self.wait()

    def _read(self, stderr: IO[str]) -> None:
        with stderr:
            for line in stderr:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _find(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in self.lines if (found := re.search(pattern, line))), None)


class HalfSentAuthor:
    """A POST /authors whose body has arrived by half, and which the server is known to be reading."""

    def __init__(self, server: Server, name: str) -> None:
        self._body = json.dumps({"name": name}).encode()
        self._socket = socket.create_connection((urlsplit(server.address).hostname, urlsplit(server.address).port))
        self._socket.settimeout(PATIENCE)
        head = (
            "POST /authors HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self._body)}\r\nExpect: 100-continue\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        # The server says so once the application asks for the body.
        assert self._socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        self._socket.sendall(self._body[:5])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def send_the_rest(self) -> None:
        """Send the other half."""
        self._socket.sendall(self._body[5:])

    def answer(self) -> tuple[int, dict[str, str], Any]:
        """Wait for the answer; return its status, headers and body."""
        with HTTPResponse(self._socket, method="POST") as response:
            response.begin()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(response.read())

    def is_closed_by_the_server(self) -> bool:
        """Whether the server closes the connection; waits for it."""
        return self._socket.recv(1) == b""
