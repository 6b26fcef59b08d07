"""The `catalog` command."""

import gc
from importlib.metadata import version

import click

from .backup import backup, restore
from .copy import copy
from .database import database
from .demo import demo
from .doctor import doctor
from .duplicates import duplicates
from .export import export_command
from .follow import follow, promote
from .import_ import import_command
from .log import log
from .serve import serve
from .undo import undo_command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A catalogue of books and authors as a service."""
    # Records are many small objects that live as long as their unit of work: to look at all of them again after every
    # 700 new ones takes a quarter of an import, and finds nothing.
    gc.set_threshold(50_000, 20, 100)


@main.command("version")
def version_command() -> None:
    """Print the version."""
    click.echo(version("catalog"))


main.add_command(serve)
main.add_command(demo)
main.add_command(import_command)
main.add_command(export_command)
main.add_command(undo_command)
main.add_command(duplicates)
main.add_command(follow)
main.add_command(promote)
main.add_command(log)
main.add_command(backup)
main.add_command(restore)
main.add_command(doctor)
main.add_command(copy)
main.add_command(database)
