"""The `catalog` command."""

from importlib.metadata import version

import click

from .database import database
from .demo import demo
from .import_ import import_command
from .serve import serve


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A catalogue of books and authors as a service."""


@main.command("version")
def version_command() -> None:
    """Print the version."""
    click.echo(version("catalog"))


main.add_command(serve)
main.add_command(demo)
main.add_command(import_command)
main.add_command(database)
