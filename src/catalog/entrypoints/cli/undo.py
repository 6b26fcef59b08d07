"""`catalog undo`."""

import asyncio
import sys
from pathlib import Path
from uuid import UUID

import click

from catalog.domain.receipts import LeftAlone
from catalog.domain.use_cases.undoing import Undoing
from catalog.entrypoints.settings import Settings

from .local import local, must_last
from .options import counted, failures, settings_from, settings_options


@click.command("undo")
@click.argument("run", type=click.UUID)
@settings_options("storage")
def undo_command(run: UUID, config: Path | None, storage: str | None) -> None:
    """Take back what an import run did.

    What the run created is removed, and what it changed is as before, where nobody has changed it since; the rest is
    left alone, and listed. RUN is the id that `catalog import` printed; it stands in the log as `group`, too. An undo
    has such an id itself, so it can be undone. The exit status is 1 if something was left alone.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        undo, records, left_alone = asyncio.run(_undo(settings, run))
    for left in left_alone:
        print(f"left alone: {left.kind} {left.id}: {left.reason}")
    print(f"{counted(records, 'record')} taken back, {len(left_alone):,} left alone")
    if records:
        print(f"This undo is run {undo}; `catalog undo {undo}` takes it back")
    sys.exit(1 if left_alone else 0)


async def _undo(settings: Settings, run: UUID) -> tuple[UUID, int, list[LeftAlone]]:
    undo, records = run, 0
    left_alone: list[LeftAlone] = []
    async with local(settings, must_be_there=True) as scope:
        async for part in (await scope.get(Undoing)).undo(run):
            if undo == run:
                print(
                    f"catalog: this undo is run {part.group}; `catalog undo {part.group}` takes it back",
                    file=sys.stderr,
                )
            undo = part.group
            records += part.records
            left_alone += part.left_alone
            print(f"{counted(records, 'record')} taken back", file=sys.stderr)
    return undo, records, left_alone
