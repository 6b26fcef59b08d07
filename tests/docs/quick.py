"""`catalog` for pages, which start it a hundred times: a fork of a process that has imported it already.

What stands first in PATH as `catalog` asks that process for a fork with its arguments, folder, environment and streams,
and ends as that ends. How long a start takes for people is measured elsewhere.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

_PROGRAM = """#!/bin/sh
exec '{python}' -IS '{asking}' "$@"
"""  # a first line that names the interpreter itself may be too long for the system
_ASKING = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect({address!r})
    told = [os.getcwd(), str(len(sys.argv) - 1), *sys.argv[1:], *map("=".join, os.environ.items())]
    request = os.fsencode("\\0".join(told))
    socket.send_fds(asking, [len(request).to_bytes(4, "big")], [0, 1, 2])
    asking.sendall(request)
    sys.exit(int(asking.recv(16) or b"70"))
"""
_SECONDS_BETWEEN_LOOKS = 0.005


@contextmanager
def quick_catalog(folder: Path) -> Generator[Path]:
    """Yield a folder for PATH in which `catalog` is such a program."""
    address = folder / "socket"
    program = folder / "catalog"
    asking = folder / "asking.py"
    asking.write_text(_ASKING.format(address=str(address)))
    program.write_text(_PROGRAM.format(python=sys.executable, asking=asking))
    program.chmod(0o755)
    with subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as serving:
        assert serving.stdout
        assert serving.stdout.readline() == b"ready\n"
        yield folder
        serving.communicate(timeout=60)  # its input ends, and so does it


def _serve(address: str) -> None:
    from catalog.entrypoints.cli import main as _imported  # noqa: F401 - so that a fork has it

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
            asked, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                _answer(asked)
            asked.close()


def _answer(asked: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(asked, 4, 3)
    content = b""
    while len(content) < int.from_bytes(head, "big"):
        content += asked.recv(65_536)
    pid = os.fork()
    if pid == 0:
        asked.close()
        _be_catalog(os.fsdecode(content).split("\0"), streams)
    ended = 0
    while not ended:
        if select.select([asked], [], [], _SECONDS_BETWEEN_LOOKS)[0]:  # who asked is gone
            os.kill(pid, signal.SIGTERM)
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        ended, status = os.waitpid(pid, os.WNOHANG)
    asked.sendall(str(os.waitstatus_to_exitcode(status) & 0xFF).encode())
    os._exit(0)


def _be_catalog(told: list[str], streams: list[int]) -> NoReturn:
    from catalog.entrypoints.cli import main

    folder, number, *others = told
    arguments, environment = others[: int(number)], others[int(number) :]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({name: value for name, _, value in (each.partition("=") for each in environment)})
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    sys.argv = ["catalog", *arguments]
    status = 1
    try:
        main(arguments, prog_name="catalog")
    except SystemExit as ending:
        status = int(ending.code or 0)
    except BaseException:  # noqa: BLE001 - as an interpreter does at its end
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1])
