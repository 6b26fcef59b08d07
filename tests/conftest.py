"""What all tests share."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from catalog.domain.ports import Storage

from .storages import STORAGE_URLS, opened

# No deadline: the machine may be busy, and a slow example is no broken promise.
settings.register_profile(
    "catalog", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
settings.load_profile("catalog")


@pytest.fixture(params=sorted(STORAGE_URLS))
def storage_name(request: pytest.FixtureRequest) -> str:
    """Each storage in turn."""
    return str(request.param)


@pytest.fixture
async def storage(storage_name: str, tmp_path: Path) -> AsyncGenerator[Storage]:
    """An empty catalogue in each storage."""
    async with opened(storage_name, tmp_path) as storage:
        yield storage
