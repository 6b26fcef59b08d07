"""Nobody waits longer than is of use, and a connection that was lost is nobody's fault."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from catalog.domain.errors import Interrupted, StorageUnavailable

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 3
SECONDS = 1.0
"""How long after its beginning a question is still asked again."""


@asynccontextmanager
async def within(seconds: float | None) -> AsyncGenerator[None]:
    """Raise StorageUnavailable if the block has not ended by then."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StorageUnavailable(f"the database gave no connection within {seconds:g} seconds") from None


def asked_again(question: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Ask again where the connection was lost: who only reads does nothing twice. Raises StorageUnavailable."""

    @wraps(question)
    async def ask(*args: P.args, **kwargs: P.kwargs) -> R:
        end = time.monotonic() + SECONDS
        attempt = 0
        while True:
            attempt += 1
            try:
                return await question(*args, **kwargs)
            except Interrupted as error:
                if attempt == ATTEMPTS or time.monotonic() >= end:
                    raise StorageUnavailable("the connection to the database was lost; try again") from error

    return ask
