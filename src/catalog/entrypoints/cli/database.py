"""`catalog database`: the migrations."""

from pathlib import Path

import click

from catalog.entrypoints import container

from .options import failures, settings_from, settings_options


@settings_options("storage")
@click.pass_context
def _configure(context: click.Context, /, config: Path | None, storage: str | None) -> None:
    with failures():
        context.obj = {"configs": [container.migration_config(settings_from(config, storage=storage))]}


database = click.group(
    "database", help="Manage the database: its migrations, and what Advanced Alchemy offers besides."
)(_configure)
container.add_database_commands(database)
