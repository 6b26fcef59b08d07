"""The catalogue over HTTP: in this process, and as a server of its own."""

from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.storages import STORAGES

from catalog.entrypoints.settings import Settings
from catalog.testing.storages import NewStorage

from .clients import Client, in_process
from .servers import Server


@pytest.fixture
async def settings(new_storage: NewStorage, tmp_path: Path) -> AsyncGenerator[Settings]:
    """The settings of an empty catalogue, in each storage."""
    async with new_storage() as url:
        yield Settings(storage=url, imports_folder=str(tmp_path / "imports"))


@pytest.fixture
async def client(settings: Settings) -> AsyncGenerator[Client]:
    """A client of an empty catalogue, in each storage."""
    async with in_process(settings) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["memory", "sqlite"])
async def shared_client(request: pytest.FixtureRequest) -> AsyncGenerator[Client]:
    """A client of a catalogue that stays empty, for the many tests that leave nothing behind."""
    async with STORAGES[request.param]() as url, in_process(Settings(storage=url)) as client:
        yield client


@pytest.fixture
def serve(tmp_path: Path) -> Generator[Callable[..., Server]]:
    """Starts servers, by the options of `catalog serve`; those that still run after the test are ended."""
    servers: list[Server] = []

    def start(*options: str, **how: Any) -> Server:
        servers.append(Server(*options, folder=tmp_path, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()
