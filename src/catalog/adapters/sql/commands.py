"""The database commands of Advanced Alchemy, under its own names and under those of its Litestar guide."""

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

from advanced_alchemy.cli import add_migration_commands
from advanced_alchemy.utils.cli_tools import click
from alembic.util import CommandError

from catalog.domain.errors import StorageUnavailable

from .errors import translated

GUIDE_NAMES = {"merge-migrations": "merge", "stamp-migration": "stamp"}


def add_database_commands(group: click.Group) -> None:
    """Add the commands; the group's context object must hold a list of configurations under `configs`.

    Whatever they refuse is a CatalogError, as everywhere.
    """
    add_migration_commands(group)
    for command in group.commands.values():
        command.callback = _refusing(command.callback)
    add_guide_names(group)


def add_guide_names(group: click.Group) -> None:
    """Let commands be called as the guide calls them."""
    for name, command in GUIDE_NAMES.items():
        if command in group.commands:
            alias = copy(group.commands[command])
            alias.name, alias.params = name, list(alias.params)
            group.add_command(alias)


def _refusing(callback: Callable[..., Any] | None) -> Callable[..., Any]:
    assert callback is not None  # noqa: S101 - every command of Advanced Alchemy does something

    @wraps(callback)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            with translated():
                return callback(*args, **kwargs)
        except CommandError as error:
            raise StorageUnavailable(str(error)) from error

    return run
