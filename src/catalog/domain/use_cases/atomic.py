"""One use-case method, one unit of work."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from catalog.domain.callers import Caller
from catalog.domain.errors import Interrupted, StorageBusy
from catalog.domain.ports import Clock, Storage, UnitOfWork

from .idempotency import once

ATTEMPTS = 10
"""How often a unit of work is run before its caller is told that the catalogue is busy."""


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
    method raises. The whole method is run again, at most ten times in all, when another writer came
    between (Interrupted), so it must keep nothing outside itself. Then StorageBusy is raised.

    A request that its caller sends again under one idempotency key is not run again: its result is rendered anew.
    """

    @wraps(method)
    async def run(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        interrupted: Interrupted | None = None
        for _ in range(ATTEMPTS):
            try:
                async with self.storage.unit_of_work(self.caller) as unit:
                    return await once(unit, self.clock.now(), lambda: method(self, unit, *args, **kwargs))
            except Interrupted as error:
                interrupted = error
        raise StorageBusy from interrupted

    return run
