"""The database commands of Advanced Alchemy, under its own names and under those of its Litestar guide."""

from copy import copy

from advanced_alchemy.cli import add_migration_commands
from advanced_alchemy.utils.cli_tools import click

GUIDE_NAMES = {"merge-migrations": "merge", "stamp-migration": "stamp"}


def add_database_commands(group: click.Group) -> None:
    """Add the commands; the group's context object must hold a list of configurations under `configs`."""
    add_migration_commands(group)
    add_guide_names(group)


def add_guide_names(group: click.Group) -> None:
    """Let commands be called as the guide calls them."""
    for name, command in GUIDE_NAMES.items():
        if command in group.commands:
            alias = copy(group.commands[command])
            alias.name, alias.params = name, list(alias.params)
            group.add_command(alias)
