"""`catalog database`: the migrations."""

from pathlib import Path
from typing import Any

import click

from catalog.entrypoints import container
from catalog.entrypoints.storages import migration_config

from .options import failures, settings_from, settings_options


class _DatabaseGroup(click.Group):
    """Commands that fail as all ours do."""

    def invoke(self, ctx: click.Context) -> Any:
        with failures():
            return super().invoke(ctx)


@click.group(cls=_DatabaseGroup, help="Manage the database: its migrations, and what Advanced Alchemy offers besides.")
@settings_options("storage")
@click.pass_context
def database(context: click.Context, /, config: Path | None, storage: str | None) -> None:
    """Keep what was said before the command; `_configure` may hear more behind it."""
    context.obj = (config, storage)


def _configure(context: click.Context, _option: click.Parameter, storage_behind: str | None) -> None:
    """Make what the commands expect of what was said before and behind their name."""
    config, storage = context.obj
    settings = settings_from(config, storage=storage_behind or storage)
    context.obj = {"configs": [migration_config(settings)]}


container.add_database_commands(database)
for _command in database.commands.values():
    _command.params.append(
        click.Option(["--storage"], metavar="URL", expose_value=False, callback=_configure, help="The database.")
    )
