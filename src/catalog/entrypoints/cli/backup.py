"""`catalog backup` and `catalog restore`."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import StorageKind, kind_of, shown

from .local import must_last
from .options import Failure, failures, settings_from, settings_options
from .telling import Telling

T = TypeVar("T")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@settings_options("storage")
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def backup(file: Path, config: Path | None, storage: str | None, *, force: bool) -> None:
    """Copy a SQLite catalogue into FILE while others use it.

    The copy is of one moment, and was checked and is on the disk when FILE gets its name; before, or where anything
    goes wrong, there is no FILE. `catalog restore` puts it back.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        backups = _of_kind(settings, kind_of(settings).backups)
        try:
            copied = backups(settings).back_up(file, force=force, told=_told())
        except KeyboardInterrupt:
            left = f"{file} is whole, the copy or what it was" if file.exists() else f"there is no {file}"
            raise Failure(f"stopped; {left}") from None
    print(f"{file}: {copied.size:,} bytes, {_reach(copied.seq)}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@settings_options("storage")
def restore(file: Path, config: Path | None, storage: str | None) -> None:
    """Put the backup FILE in the place of a SQLite catalogue.

    FILE is checked before anything is touched, and stays. The catalogue that was there is kept under another name.
    Stop the service first.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        backups = _of_kind(settings, kind_of(settings).backups)
        try:
            restored = backups(settings).restore(file, at=datetime.now(UTC), told=_told())
        except KeyboardInterrupt:
            raise Failure(f"stopped; {shown(settings.storage)} is as it was") from None
    print(f"{shown(settings.storage)} is as {file}: {restored.copied.size:,} bytes, {_reach(restored.copied.seq)}")
    if restored.kept is not None:
        print(f"what was there before is kept as {restored.kept}")


def _of_kind(settings: Settings, backups: T | None) -> T:
    """Return what makes backups of such storages; refuse where nothing of ours does."""
    must_last(settings)
    if backups is None:
        kind: StorageKind = kind_of(settings)
        raise Failure(
            f"backup and restore are for SQLite files; for {shown(settings.storage)} use {kind.own_tools} "
            "(docs/how-to/back-up-and-restore.md), or `catalog copy` it into a SQLite file"
        )
    return backups


def _reach(seq: int | None) -> str:
    return "older than the log" if seq is None else f"up to seq {seq:,}"


def _told() -> Callable[[int, int], None]:
    """Return what shows how many bytes are copied."""
    telling = Telling()
    return lambda done, of: telling(f"{done:,} of at most {of:,} bytes copied")
