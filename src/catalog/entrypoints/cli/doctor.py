"""`catalog doctor`."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import click

from catalog.domain.ports import Clock, Examinable, Finding, Severity, Storage
from catalog.domain.use_cases.examining import Examining
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import kind_of

from .local import local, must_last
from .options import Failure, counted, failures, settings_from, settings_options
from .telling import Telling


@click.command()
@settings_options("storage")
def doctor(config: Path | None, storage: str | None) -> None:
    """Examine a catalogue: the database, what is around it, and whether records, lists and log fit together.

    Each check is a line: ok, warning or FAILED, with what to do. Nothing is changed, and others may write meanwhile.
    The exit status is 0 if all is well but for warnings, 1 if something is wrong, 2 if it could not be examined.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        try:
            is_well = asyncio.run(_examine(settings))
        except KeyboardInterrupt:
            raise Failure("stopped; what is not listed was not examined") from None
    sys.exit(0 if is_well else 1)


async def _examine(settings: Settings) -> bool:
    count: dict[Severity, int] = dict.fromkeys(Severity, 0)
    is_whole = True
    async with aclosing(_findings(settings)) as findings:
        async for found in findings:
            print(f"{found.severity:<9}{found.what}: {found.told}", flush=True)
            count[found.severity] += 1
            is_whole = not found.is_final
    rest = "" if is_whole else "; nothing more can be examined before that is mended"
    print(
        f"{counted(sum(count.values()), 'check')}: {counted(count[Severity.WARNING], 'warning')}, "
        f"{count[Severity.FAILED]:,} failed{rest}"
    )
    return not count[Severity.FAILED]


async def _findings(settings: Settings) -> AsyncGenerator[Finding]:
    """Yield what is found from outside, then, if the storage can be opened as it is, within."""
    if examination := kind_of(settings).examination:
        async with aclosing(examination(settings).examine()) as findings:
            async for found in findings:
                yield found
                if found.is_final:
                    return
    async with local(settings) as scope:
        storage: Storage = await scope.get(Storage)
        await storage.check()
        if isinstance(storage, Examinable):
            async with aclosing(storage.examine()) as findings:
                async for found in findings:
                    yield found
        async with aclosing(Examining(storage.reader, await scope.get(Clock), Telling()).examine()) as findings:
            async for found in findings:
                yield found
