"""Servers for tests of faults, and a disk of one's own."""

import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.servers import Server


@pytest.fixture
def serve() -> Generator[Callable[..., Server]]:
    """Starts servers on a file; those that still run after the test are killed."""
    servers: list[Server] = []

    def start(file: Path, **how: Any) -> Server:
        servers.append(Server("--storage", f"sqlite:///{file}", folder=file.parent, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


class SmallDisk:
    """A filesystem in memory, whose size and rights can be changed while it is in use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def remount(self, options: str) -> None:
        """Change it."""
        subprocess.run(["mount", "-o", f"remount,{options}", self.folder], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Generator[SmallDisk]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a disk of its own")
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "catalog-test", str(folder)]
    if (done := subprocess.run(mounting, capture_output=True, text=True, check=False)).returncode:
        pytest.skip(f"a disk can not be mounted here: {done.stderr.strip()}")
    yield SmallDisk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
