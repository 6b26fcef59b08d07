"""The catalogue on this machine, for commands, on behalf of whoever runs them."""

import getpass
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

from dishka import AsyncContainer

from catalog.domain.callers import Caller
from catalog.entrypoints.container import local_container
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import is_lasting, kind_of, shown

from .options import Failure


def user() -> str:
    """Return the name of whoever runs the command; in a container, there may be only a number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def must_last(settings: Settings) -> None:
    """Refuse a storage that ends with the command."""
    if not is_lasting(settings):
        raise Failure(f"what goes into {shown(settings.storage)} ends with this command; name a file, sqlite:///FILE")


async def storage_must_be_there(settings: Settings) -> None:
    """Refuse a storage that is not there, where opening it would make an empty one."""
    kind = kind_of(settings)
    if kind.is_made_by_opening and (examination := kind.examination):
        async with aclosing(examination(settings).examine()) as findings:
            await anext(findings)


@asynccontextmanager
async def local(settings: Settings, *, must_be_there: bool = False) -> AsyncGenerator[AsyncContainer]:
    """Open the storage that the settings name, and compose the use cases over it.

    One that `must_be_there` is not made where it is not: a name is easily mistyped.
    """
    if must_be_there:
        await storage_must_be_there(settings)
    container = local_container(settings)
    try:
        async with container(context={Caller: Caller(actor=user())}) as scope:
            yield scope
    finally:
        await container.close()
