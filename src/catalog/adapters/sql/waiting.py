"""Nobody waits for a connection longer than is of use."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from catalog.domain.errors import StorageUnavailable


@asynccontextmanager
async def within(seconds: float | None) -> AsyncGenerator[None]:
    """Raise StorageUnavailable if the block has not ended by then."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StorageUnavailable(f"the database gave no connection within {seconds:g} seconds") from None
