"""`catalog log`."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click

from catalog.domain.use_cases.log_keeping import LogKeeping
from catalog.entrypoints.settings import Settings

from .local import local, must_last
from .options import counted, failures, settings_from, settings_options


@click.group()
def log() -> None:
    """Keep the log of changes: what may be forgotten, and what has to be."""


@log.command()
@click.option(
    "--before",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    required=True,
    metavar="DATE",
    help="A day, or a time as 2026-01-31T12:00:00 (UTC).",
)
@click.option("--yes", is_flag=True, help="Do not ask where DATE is still to come.")
@settings_options("storage")
def compact(before: datetime, config: Path | None, storage: str | None, *, yes: bool) -> None:
    """Drop contents that had been succeeded by a newer version before DATE.

    Every revision keeps its place in the log, tombstones and redirects stay, and so does how each record stood at
    DATE and has stood since. There is no way back.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        if not yes and before.replace(tzinfo=UTC) > datetime.now(UTC):
            question = f"{before:%Y-%m-%d} is still to come: whatever was succeeded by now goes. Is that meant?"
            click.confirm(question, abort=True, err=True)
        dropped = asyncio.run(_compact(settings, before.replace(tzinfo=UTC)))
    print(f"{counted(dropped, 'content')} dropped; the space is used again by what is written next")


async def _compact(settings: Settings, before: datetime) -> int:
    total = 0
    async with local(settings, must_be_there=True) as scope:
        async for dropped, seq in (await scope.get(LogKeeping)).compact(before):
            total += dropped
            print(f"seq {seq:,}: {counted(total, 'content')} dropped", file=sys.stderr)
    return total


@log.command()
@click.argument("id", type=click.UUID)
@click.option("--yes", is_flag=True, help="Do not ask.")
@settings_options("storage")
def erase(id: UUID, config: Path | None, storage: str | None, *, yes: bool) -> None:
    """Empty every content of one record for good, and leave a bare tombstone.

    A record that stands is removed. Followers empty theirs when the erasure reaches them. Copies of the file, and
    reports of imports, have to be cleaned by whoever made them.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        if not yes:
            question = f"Erase all that the catalogue ever knew of {id}? There is no way back."
            click.confirm(question, abort=True, err=True)
        erased = asyncio.run(_erase(settings, id))
    print(f"{id} is erased" if erased else f"{id} was erased before")


async def _erase(settings: Settings, id: UUID) -> bool:
    async with local(settings, must_be_there=True) as scope:
        return await (await scope.get(LogKeeping)).erase(id) is not None
