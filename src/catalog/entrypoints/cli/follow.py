"""`catalog follow` and `catalog promote`."""

import asyncio
import sys
import time
from pathlib import Path

import click
from dishka import AsyncContainer

from catalog.domain.callers import Caller
from catalog.domain.errors import CanNotFollow, SourceUnreachable, StorageBusy
from catalog.domain.ports import Clock, Storage
from catalog.domain.use_cases.following import Following
from catalog.entrypoints.container import change_feed, local_container
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import shown

from .local import local, must_last
from .options import failures, settings_from, settings_options
from .serve import allow_remote_option, serve_with

LONGEST_PAUSE_SECONDS = 30.0
SECONDS_BETWEEN_LINES = 2.0


@click.command()
@click.argument("url")
@settings_options("storage", "host", "port")
@allow_remote_option
@click.option("--once", is_flag=True, help="Catch up and end, instead of serving what there is and going on.")
def follow(
    url: str,
    config: Path | None,
    storage: str | None,
    host: str | None,
    port: str | None,
    *,
    allow_remote: bool | None,
    once: bool,
) -> None:
    """Be a read-only live replica of the catalogue at URL.

    Ids, versions, times and seq are those of the source. A replica that is stopped goes on where it was; it serves
    reads on --host and --port, and refuses writes. `catalog promote` makes it a catalogue of its own.
    """
    settings = settings_from(config, storage=storage, host=host, port=port, allow_remote=allow_remote)
    with failures():
        feed = change_feed(url)
        if once:
            must_last(settings)
            seq = asyncio.run(_catch_up(settings, url))
            print(f"{shown(settings.storage)} is as {feed.source} at seq {seq:,}")
            return
    replica = _Replica(url)
    serve_with(settings, replica.claim, replica.follow)


@click.command()
@settings_options("storage")
def promote(config: Path | None, storage: str | None) -> None:
    """Make a replica a catalogue of its own, which takes writes and follows nobody.

    A follower that still runs on it ends with the next change of its source.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        asyncio.run(_promote(settings))
    print(f"{shown(settings.storage)} takes writes, and follows nobody")


async def _promote(settings: Settings) -> None:
    async with local(settings) as scope:
        await (await scope.get(Storage)).promote()


async def _catch_up(settings: Settings, url: str) -> int:
    container = local_container(settings)
    try:
        following = await _following(container, url)
        await following.begin()
        async for seq in following.catch_up():
            print(f"seq {seq:,}", file=sys.stderr)
        return (await following.storage.reader.position()).seq
    finally:
        await container.close()


class _Replica:
    """A storage that is served, and follows, from before the first request."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._followed_before: str | None = None

    async def claim(self, container: AsyncContainer) -> None:
        """Take no writes from anybody but the source, whether that can be reached or not."""
        self._followed_before = await (await _following(container, self._url)).claim()

    async def follow(self, container: AsyncContainer) -> None:
        """Follow until the service ends; let go of a storage that can not follow, and did not before."""
        following = await _following(container, self._url)
        try:
            await _follow(following)
        except CanNotFollow:
            if self._followed_before is None:
                await following.storage.promote()
            raise


async def _follow(following: Following) -> None:
    """Follow; when the source can not be reached, ask again and again, less and less often."""
    pause, told = 1.0, 0.0
    while True:
        try:
            async for seq in following.follow():
                pause = 1.0
                if time.monotonic() - told >= SECONDS_BETWEEN_LINES:
                    print(f"catalog: at seq {seq:,} of {following.feed.source}", file=sys.stderr)
                    told = time.monotonic()
        except SourceUnreachable as error:
            print(f"catalog: {error}; trying again in {pause:.0f} s", file=sys.stderr)
        except StorageBusy:
            print(f"catalog: another process writes to this storage; trying again in {pause:.0f} s", file=sys.stderr)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


async def _following(container: AsyncContainer, url: str) -> Following:
    return Following(
        storage=await container.get(Storage),
        caller=Caller(actor="follower"),
        clock=await container.get(Clock),
        feed=change_feed(url),
    )
