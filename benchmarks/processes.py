"""Servers as processes of their own, ended again whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryFile

HOST = "127.0.0.1"
PATIENCE = 60.0
"""Seconds to wait for a server to start, which may have to fill its storage first, or to end what it has begun."""

QUIET = 0.1
"""Seconds in which a server that does nothing works for next to none."""

_TOP = Path(__file__).parents[1]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def own_server(port: int, what: str, *options: str) -> Sequence[str]:
    """Return the command line of the catalogue's own server program."""
    return [sys.executable, "-m", "benchmarks.serve", str(port), what, *options]


def granian(port: int, what: str, *options: str) -> Sequence[str]:
    """Return the command line of granian with one worker."""
    program = str(Path(sys.executable).with_name("granian"))
    serving = ["--interface", "asgi", "--host", HOST, "--port", str(port), "--workers", "1", "--no-log"]
    return [program, *serving, *options, "--factory", f"benchmarks.apps:{what}"]


@contextmanager
def started(
    command: Sequence[str], port: int, ready: str = "/", variables: Mapping[str, str] | None = None
) -> Generator[subprocess.Popen[bytes]]:
    """Start a server, wait until it answers, and end it with all its workers at last."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALOG_")}
    environment |= {"PYTHONPATH": os.pathsep.join(filter(None, [str(_TOP), os.environ.get("PYTHONPATH")]))}
    with TemporaryFile() as log:  # a pipe that nobody reads would fill up and stop the server
        process = subprocess.Popen(
            command,
            cwd=_TOP,
            env=environment | dict(variables or {}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            if not _is_ready(process, port, ready):
                log.seek(0)
                raise RuntimeError(f"it does not answer: {' '.join(command)}\n{log.read().decode()}")
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to stop, and make it."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # its own group: nobody else's processes are in there
    process.wait()


def _is_ready(process: subprocess.Popen[bytes], port: int, path: str) -> bool:
    """Wait until the server answers; return whether it does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            get(port, path)
        except (OSError, HTTPException):
            time.sleep(0.01)
        else:
            return True
    return False


def settle(process: int) -> None:
    """Wait until a server does nothing any more: some go on with questions whose clients have left."""
    deadline = time.monotonic() + PATIENCE
    before = _seconds_worked(process)
    while time.monotonic() < deadline:
        time.sleep(QUIET)
        now = _seconds_worked(process)
        if now - before <= QUIET / 5:
            return
        before = now


def _seconds_worked(process: int) -> float:
    """Return how long a process has kept processors busy; Linux alone tells, elsewhere it is as long as none."""
    status = Path(f"/proc/{process}/stat")
    if not status.exists():
        return 0.0
    user, system = status.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def get(port: int, path: str, timeout: float = 10.0) -> bytes:
    """Return what is at the path."""
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def etag(port: int, path: str) -> str:
    """Return the ETag of what is at the path; raise KeyError if it has none."""
    connection = HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return dict(response.getheaders())["etag"]
    finally:
        connection.close()
