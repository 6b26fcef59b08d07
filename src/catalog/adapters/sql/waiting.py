"""Nobody waits longer than is of use, and a connection that was lost is nobody's fault."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import wraps
from typing import Any, TypeVar, cast

from catalog.domain.errors import Interrupted, StorageUnavailable

QuestionT = TypeVar("QuestionT", bound=Callable[..., Any])

ATTEMPTS = 3
SECONDS = 1.0
"""How long after its beginning a question is still asked again."""


def within(seconds: float | None) -> AbstractAsyncContextManager[None]:
    """Raise StorageUnavailable if the block has not ended by then."""
    return nullcontext() if seconds is None else _within(seconds)


@asynccontextmanager
async def _within(seconds: float) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StorageUnavailable(f"the database gave no connection within {seconds:g} seconds") from None


def asked_again(question: QuestionT) -> QuestionT:
    """Ask again where the connection was lost: who only reads does nothing twice. Raises StorageUnavailable."""

    @wraps(question)
    async def ask(*args: Any, **kwargs: Any) -> Any:
        end = time.monotonic() + SECONDS
        attempt = 0
        while True:
            attempt += 1
            try:
                return await question(*args, **kwargs)
            except Interrupted as error:
                if attempt == ATTEMPTS or time.monotonic() >= end:
                    raise StorageUnavailable("the connection to the database was lost; try again") from error

    return cast("QuestionT", ask)
