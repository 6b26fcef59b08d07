"""The catalogue over HTTP: in this process, and as a server of its own."""

from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.storages import STORAGE_URLS

from catalog.entrypoints.settings import Settings

from .clients import Client, in_process
from .servers import Server


@pytest.fixture
def settings(storage_name: str, tmp_path: Path) -> Settings:
    """The settings of an empty catalogue, in each storage."""
    return Settings(storage=STORAGE_URLS[storage_name](tmp_path))


@pytest.fixture
async def client(settings: Settings) -> AsyncGenerator[Client]:
    """A client of an empty catalogue, in each storage."""
    async with in_process(settings) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=sorted(STORAGE_URLS))
async def shared_client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Client]:
    """A client of a catalogue that stays empty, in each storage, for the many tests that leave nothing behind."""
    url = STORAGE_URLS[request.param](tmp_path_factory.mktemp("shared"))
    async with in_process(Settings(storage=url)) as client:
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
