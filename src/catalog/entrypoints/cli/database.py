"""`catalog database`: the migrations."""

from pathlib import Path

import click

from catalog.entrypoints import container

from .options import failures, settings_from, settings_options


@settings_options("storage")
@click.pass_context
def _configure(context: click.Context, /, config: Path | None, storage: str | None) -> None:
    _use(context, config, storage)


def _use(context: click.Context, config: Path | None, storage: str | None) -> None:
    with failures():
        context.obj = {"configs": [container.migration_config(settings_from(config, storage=storage))]}


def _take_storage_too(command: click.Command) -> None:
    """Let --storage stand behind the command's name as well, where people write it."""

    def use(context: click.Context, _option: click.Parameter, storage: str | None) -> None:
        if storage is not None:
            _use(context, None, storage)

    option = click.Option(["--storage"], metavar="URL", expose_value=False, callback=use, help="The database.")
    command.params.append(option)


database = click.group(
    "database", help="Manage the database: its migrations, and what Advanced Alchemy offers besides."
)(_configure)
container.add_database_commands(database)
for _command in database.commands.values():
    _take_storage_too(_command)
