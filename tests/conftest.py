"""What all tests share."""

import os

import pytest
from hypothesis import settings

from catalog.testing.storages import NewStorage
from catalog.testing.strategies import SETTINGS

from .storages import STORAGES

settings.register_profile("catalog", SETTINGS)
settings.load_profile("catalog")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many workers `-n auto` starts: three at least, for some tests mostly wait."""
    return max(3, os.cpu_count() or 1)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes that are no text are called by their argument: packed ones hold the time, and workers agree on names."""
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None


@pytest.fixture(params=sorted(STORAGES))
def storage_name(request: pytest.FixtureRequest) -> str:
    """Each storage in turn."""
    return str(request.param)


@pytest.fixture
def new_storage(storage_name: str) -> NewStorage:
    """Makes new and empty storages; the fixtures `storage` and `catalogue` of the conformance kit stand on it."""
    return STORAGES[storage_name]
