"""`catalog copy`."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import click

from catalog.domain.callers import Caller
from catalog.domain.errors import CanNotFollow, StorageUnavailable
from catalog.domain.ports import Clock, Storage
from catalog.domain.use_cases.copying import Copying, Verification
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import shown

from .local import local, must_last, storage_must_be_there
from .options import Failure, counted, failures, settings_from, settings_options
from .telling import Telling


@click.command()
@click.argument("from_url")
@click.argument("to_url")
@settings_options()
def copy(from_url: str, to_url: str, config: Path | None) -> None:
    """Copy the catalogue at FROM_URL with its log into the empty storage at TO_URL.

    Ids, versions, times and seq stay. A copy that was stopped goes on where it was when it is run again; until it is
    complete, the storage takes no other changes. In the end both are compared, item by item. The source may be used
    meanwhile; what is still changed then is caught up with. The exit status is 1 if both are not equal.
    """
    source, target = settings_from(config, storage=from_url), settings_from(config, storage=to_url)
    with failures():
        for settings in (source, target):
            must_last(settings)
        if source.storage == target.storage:
            raise Failure("both are the same storage; name another one to copy into")
        try:
            found = asyncio.run(_copy(source, target))
        except KeyboardInterrupt:
            raise Failure("stopped; what is copied stays. Run it again to go on") from None
    print(_report(found, shown(from_url), shown(to_url)))
    sys.exit(1 if found.differences else 0)


async def _copy(source: Settings, target: Settings) -> Verification:
    await storage_must_be_there(source)
    telling = Telling()
    async with _opened(source) as (there, _), _opened(target) as (here, clock):
        copying = Copying(there, shown(source.storage), here, Caller(actor="copy"), clock, telling)
        try:
            async with aclosing(copying.copy()) as parts:
                async for seq, last in parts:
                    telling(f"{seq:,} of {last:,} revisions copied")
        except CanNotFollow as error:
            raise Failure(f"can not copy into {shown(target.storage)}: {error}") from error
        return await copying.finish()


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncGenerator[tuple[Storage, Clock]]:
    async with local(settings) as scope:
        storage: Storage = await scope.get(Storage)
        try:
            await storage.check()
        except StorageUnavailable as error:
            raise Failure(f"{shown(settings.storage)} can not be used: {error}") from error
        yield storage, await scope.get(Clock)


def _report(found: Verification, source: str, target: str) -> str:
    lines = [
        f"{target} at seq {found.seq:,}",
        f"  log      SHA-256 {found.revisions}",
        f"  records  SHA-256 {found.records} ({', '.join(counted(n, kind) for kind, n in found.counts.items())})",
    ]
    if found.differences:
        lines += [f"  {difference}" for difference in found.differences]
        lines.append(f"It is NOT equal to {source}, and takes no writes")
    elif found.is_at_rest:
        lines.append(f"It is equal to {source}, takes writes and follows nobody")
    else:
        lines.append(
            f"Its log is that of {source} up to there, and its records are as the log says; {source} is still written "
            "to, so stop that and run this again for what came later. It takes writes and follows nobody"
        )
    return "\n".join(lines)
