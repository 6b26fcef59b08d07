"""Doing the imports that were asked for."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing, nullcontext

from attrs import evolve, frozen

from catalog.domain.errors import (
    CatalogError,
    OutcomeUnknown,
    StorageBusy,
    StorageFailed,
    StorageUnavailable,
)
from catalog.domain.imports import Chunk, ImportJob, ImportState, Outcome, ReportLine, Status
from catalog.domain.ports import Clock, DryRun, DryRuns, IdGenerator, ImportQueue, ImportReader, Storage

from .importing import Importing

PATIENCE = 3600.0
"""Seconds that an import waits for a storage that can not be had."""

LONGEST_PAUSE = 5.0
"""Seconds between two attempts, at most: so long may a stop have to wait, too."""


@frozen
class ImportWork:
    """Does imports, one after the other."""

    storage: Storage
    queue: ImportQueue
    reader: ImportReader
    dry_runs: DryRuns
    clock: Clock
    ids: IdGenerator

    async def do(self, job: ImportJob) -> ImportJob:
        """Do the import, or go on with it where somebody else was interrupted; return it as it has ended.

        While the storage can not be had, it waits. What the queue raises leaves the import to be gone on with.
        """
        if job.state is ImportState.WAITING and await self.queue.is_to_stop(job.id):
            return await self._ended(job, ImportState.STOPPED)
        job, is_again = await self._begun(job)
        unreadable: list[str] = []
        try:
            async with (
                self.queue.files(job) as files,
                aclosing(self.reader.read(job, files, records=job.records)) as chunks,
                self.dry_runs.begin() if job.options.dry_run else nullcontext() as dry,
            ):
                async for chunk in chunks:
                    if await self.queue.is_to_stop(job.id):
                        return await self._ended(job, ImportState.STOPPED)
                    if chunk.unreadable:
                        unreadable.append(f"{chunk.file.name}: {chunk.unreadable}")
                        if job.options.stop_on_error:
                            break
                    if not chunk.entries:
                        continue
                    outcomes, seq = await self._take(job, chunk, dry, is_again=is_again)
                    is_again = False
                    lines = [ReportLine.of(outcome, chunk.file.name) for outcome in outcomes]
                    job = job.counting(lines, bytes_read=chunk.bytes_read, seq=seq)
                    if job.options.stop_on_error and outcomes[-1].status is Status.REFUSED:
                        return await self._ended(job, ImportState.STOPPED, "the last record was refused", lines)
                    await self.queue.note(job, lines)
        except _ToldToStop:
            return await self._ended(job, ImportState.STOPPED)
        except _NotTaken as error:
            return await self._ended(job, ImportState.FAILED, str(error))
        if unreadable:
            return await self._ended(job, ImportState.FAILED, "; ".join(unreadable))
        return await self._ended(job, ImportState.DONE)

    async def fail(self, job: ImportJob, why: str) -> ImportJob:
        """End the import after a mistake of ours."""
        return await self._ended(await self.queue.get(job.id), ImportState.FAILED, why)

    async def _begun(self, job: ImportJob) -> tuple[ImportJob, bool]:
        """Return the import as one that is being done, and whether somebody may have done more than is noted.

        A dry run remembers what would be there; a new one begins at the beginning.
        """
        if job.state is ImportState.RUNNING and not job.options.dry_run:
            return job, True
        job = evolve(job, state=ImportState.RUNNING, started_at=job.started_at or self.clock.now())
        job = job.from_the_beginning((await self.storage.reader.position()).seq)
        await self.queue.note(job)
        return job, False

    async def _take(
        self, job: ImportJob, chunk: Chunk, dry: DryRun | None, *, is_again: bool
    ) -> tuple[Sequence[Outcome], int]:
        """Take the records of a chunk into the catalogue, as soon as it can be had; return how far its log is then."""
        importing = Importing(self.storage, job.caller, self.clock, self.ids)
        end, pause, is_in_doubt = time.monotonic() + PATIENCE, 0.1, is_again
        while True:
            try:
                outcomes = await importing.take(
                    chunk.entries,
                    job.id,
                    on_duplicate=job.options.on_duplicate,
                    dry=dry,
                    stops=job.options.stop_on_error,
                    again_since=job.seq if is_again else None,
                )
                return outcomes, job.seq if dry is not None else (await self.storage.reader.position()).seq
            except (StorageBusy, StorageUnavailable, OutcomeUnknown) as error:
                is_in_doubt = is_in_doubt or isinstance(error, OutcomeUnknown)
                if not is_in_doubt and await self.queue.is_to_stop(job.id):
                    raise _ToldToStop from error
                if time.monotonic() >= end:
                    raise _NotTaken(str(error)) from error
            except StorageFailed:
                raise
            except CatalogError as error:
                raise _NotTaken(str(error)) from error
            is_again = True
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def _ended(
        self, job: ImportJob, state: ImportState, why: str | None = None, lines: Sequence[ReportLine] = ()
    ) -> ImportJob:
        bytes_read = job.bytes if state is ImportState.DONE else job.bytes_read
        job = evolve(job, state=state, error=why, ended_at=self.clock.now(), bytes_read=bytes_read)
        await self.queue.note(job, lines)
        return job


class _ToldToStop(Exception):
    """Somebody asked to stop while nothing could be taken."""


class _NotTaken(Exception):
    """Why the catalogue does not take what was read."""
