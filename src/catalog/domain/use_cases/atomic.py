"""One use-case method, one unit of work."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from catalog.domain.callers import Caller
from catalog.domain.errors import Interrupted, OutcomeUnknown, StorageBusy
from catalog.domain.ports import Clock, Storage, UnitOfWork

from .idempotency import once

ATTEMPTS = 10
"""How often a unit of work is run before its caller is told that the catalogue is busy."""

SECONDS = 2.0
"""How long after its beginning a unit of work is still run again: callers do not wait for ever."""

LONGEST_PAUSE = 0.2
"""Seconds between two attempts, at most."""


class UseCases(Protocol):
    """Whatever has units of work to do."""

    @property
    def storage(self) -> Storage:
        """Where the work is done."""
        ...

    @property
    def caller(self) -> Caller:
        """For whom it is done."""
        ...

    @property
    def clock(self) -> Clock:
        """When it is done."""
        ...


P = ParamSpec("P")
R = TypeVar("R")
Self = TypeVar("Self", bound=UseCases)


def atomic(
    method: Callable[Concatenate[Self, UnitOfWork, P], Awaitable[R]],
) -> Callable[Concatenate[Self, P], Coroutine[Any, Any, R]]:
    """Run the method as one unit of work, which it gets as its first argument.

    The unit is committed before the method's result is returned, and leaves nothing behind if the
    method raises. The whole method is run again, at most ten times and for two seconds, when another writer came
    between or the storage was lost before the commit (Interrupted), so it must keep nothing outside itself. Then
    StorageBusy is raised.

    A request that its caller sends again under one idempotency key is not run again: its result is rendered anew.
    So such a request may be run again even where nobody knows whether it was committed (OutcomeUnknown).
    """

    @wraps(method)
    async def run(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        end = time.monotonic() + SECONDS
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self.storage.unit_of_work(self.caller) as unit:
                    return await once(unit, self.clock.now(), lambda: method(self, unit, *args, **kwargs))
            except Interrupted as error:
                if attempt == ATTEMPTS or time.monotonic() >= end:
                    raise StorageBusy from error
            except OutcomeUnknown:
                if self.caller.idempotent is None or attempt == ATTEMPTS or time.monotonic() >= end:
                    raise
            await _pause(attempt)

    return run


async def _pause(attempt: int) -> None:
    """Wait a little, each time longer and nobody as long as another, so that those who met do not meet again.

    Not after the first attempt: who lost once mostly wins then.
    """
    longest = min(LONGEST_PAUSE, 0.002 * 2**attempt) if attempt > 1 else 0.0
    await asyncio.sleep(random.uniform(0, longest))  # noqa: S311 - chance, not secrecy
