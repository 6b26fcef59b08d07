"""Options that several commands have, and the one way in which commands fail."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from catalog.domain.errors import CatalogError, StorageBusy
from catalog.entrypoints.http.problems import problem_of
from catalog.entrypoints.settings import InvalidSettings, Settings, described, load_settings

F = TypeVar("F", bound=Callable[..., Any])


def settings_options(*names: str) -> Callable[[F], F]:
    """Add --config and an option for each named setting; `settings_from` reads them."""

    def decorate(command: F) -> F:
        for name in reversed(names):
            command = click.option(f"--{name}", default=None, help=_help(name), metavar=_METAVARS[name])(command)
        config = click.option(
            "--config",
            type=click.Path(path_type=Path, dir_okay=False),
            help="A TOML file with settings.  [default: ./catalog.toml if it is there]",
        )
        return config(command)

    return decorate


_METAVARS = {"storage": "URL", "host": "ADDRESS", "port": "PORT"}


def _help(name: str) -> str:
    text, default = described(name)
    return f"{text[:1].upper()}{text[1:]}.  [default: {default}]"


def settings_from(config: Path | None, **options: Any) -> Settings:
    """Return the settings, or end the command with what is wrong with them."""
    try:
        return load_settings(file=config, options=options)
    except InvalidSettings as error:
        raise Failure(str(error)) from None


class Failure(click.ClickException):
    """What ends a command: one line on stderr that says what to do, and exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print it."""
        click.echo(f"catalog: {self.message}", err=True, file=file)


@contextmanager
def failures() -> Generator[None]:
    """End the command with one line where the catalogue refuses."""
    try:
        yield
    except StorageBusy:
        raise Failure("another process is writing to the catalogue; try again when it has finished") from None
    except CatalogError as error:
        has_words = type(error).__str__ is not Exception.__str__
        raise Failure(str(error) if has_words else problem_of(error)[0].detail) from None


def counted(number: int, noun: str) -> str:
    """Return how many there are, in words that fit the number."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
