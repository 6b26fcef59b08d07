"""The imports that were asked for, a folder for each: its files, how far it is, what became of each record.

    ID/job.json         how far it is
    ID/0, ID/1, …       its files, until it has ended
    ID/report.ndjson    a line for each record that is done
    ID/stop             is there once somebody asked to stop it
    keys/               which import an idempotency key asked for
    keys.lock           held by whoever notes one
    lock                held by the process that does imports

What is told of was synced before; a process that is killed leaves a job that another one goes on with.
"""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar
from uuid import UUID

from attrs import evolve
from filelock import FileLock, Timeout

from catalog.domain.callers import IdempotentRequest
from catalog.domain.errors import ImportNotFound, ImportRunning, InvalidValue, KeyReused
from catalog.domain.imports import ImportJob, ImportPage, ImportState, ReportLine, ReportPart, Status
from catalog.domain.queries import PageRequest

from .files import sync, translated, write_durably
from .jobs import JOB, REPORT, STOP, Kept, decoded_job, decoded_key, decoded_line, encoded, key_name
from .upload import FolderUpload

RECEIVING = ".receiving-"
KEPT_FOR = timedelta(days=30)
"""How long the report of an import that has ended is kept."""
ABANDONED_AFTER = timedelta(days=1)
"""How long after its last byte a file that never came to its end is dropped."""
MOST_LOOKED_AT = 20_000
"""Lines that are looked at for one part of a report."""

P = ParamSpec("P")
T = TypeVar("T")


class FolderImportQueue:
    """A queue in a folder, which is made when it is needed.

    One that `must_be_ours` is refused where somebody else has made it, as anybody can among temporary files.
    """

    def __init__(self, folder: Path, *, must_be_ours: bool = False) -> None:
        self._folder = folder
        self._must_be_ours = must_be_ours
        self._keys = folder / "keys"

    @asynccontextmanager
    async def receive(self, id: UUID) -> AsyncGenerator[FolderUpload]:
        """Receive the files of an import; what is not kept by the end is gone."""
        receiving = self._folder / f"{RECEIVING}{id}"
        with translated(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._must_be_nobody_elses()
            self._keys.mkdir(mode=0o700, exist_ok=True)
            receiving.mkdir(mode=0o700)
        upload = FolderUpload(self._folder, receiving, self._keys, self._asked_before)
        try:
            yield upload
        finally:
            await asyncio.to_thread(upload.drop)

    async def get(self, id: UUID) -> ImportJob:
        """Return the import; raise ImportNotFound."""
        return (await self._do(self._kept, id)).job

    async def asked_before(self, actor: str, key: IdempotentRequest, *, since: datetime) -> ImportJob | None:
        """Return the import that the actor asked for with that key, if not before `since`; raise KeyReused."""
        return await self._do(self._asked_before, actor, key, since)

    async def page(self, page: PageRequest) -> ImportPage:
        """Return a page of the imports, newest first."""
        return await self._do(self._page, page)

    async def report(self, id: UUID, *, after: int, limit: int, status: Status | None = None) -> ReportPart:
        """Return what became of some records; raise ImportNotFound, InvalidValue."""
        return await self._do(self._report, id, after, limit, status)

    async def ask_to_stop(self, id: UUID) -> None:
        """Ask whoever does the import to stop; raise ImportNotFound."""
        await self._do(lambda: self._of(id).joinpath(STOP).touch())

    async def is_to_stop(self, id: UUID) -> bool:
        """Whether somebody asked that."""
        return (self._folder / str(id) / STOP).exists()

    async def forget(self, id: UUID) -> None:
        """Drop the import and its report; raise ImportNotFound, and ImportRunning for one that is not done yet."""
        await self._do(self._forget, id)

    @asynccontextmanager
    async def alone(self) -> AsyncGenerator[bool]:
        """Be the one who does imports, until the end; False where somebody else is."""
        if not self._keys.is_dir():
            yield False  # nobody has asked for anything
            return
        # The lock of a process ends with it, however it ends.
        lock = FileLock(
            self._folder / "lock", timeout=0, thread_local=False, fallback_to_soft=False, preserve_lock_file=True
        )
        with translated(self._folder):
            self._must_be_nobody_elses()
            is_mine = _is_acquired(lock)
        try:
            yield is_mine
        finally:
            lock.release()  # nothing happens where it is not held

    async def next(self) -> ImportJob | None:
        """Return the oldest import that is not done; drop what is too old."""
        return await self._do(self._next)

    @asynccontextmanager
    async def files(self, job: ImportJob) -> AsyncGenerator[Sequence[BinaryIO]]:
        """Open the files of an import, to read them."""
        with ExitStack() as stack:
            with translated(self._folder):
                files = [stack.enter_context(self._content(job, number).open("rb")) for number in range(len(job.files))]
            yield files

    async def note(self, job: ImportJob, lines: Sequence[ReportLine] = ()) -> None:
        """Keep how far the import is, and report these lines."""
        await self._do(self._note, job, lines)

    async def _do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the disk in a thread, for it may take its time."""
        with translated(self._folder):
            self._must_be_nobody_elses()
            return await asyncio.to_thread(function, *args, **kwargs)

    def _must_be_nobody_elses(self) -> None:
        """Neither put files into a folder of somebody else, nor do what is asked for there."""
        if not self._must_be_ours or not os.path.lexists(self._folder):
            return
        if self._folder.is_symlink() or self._folder.stat().st_uid != os.getuid():
            raise PermissionError(errno.EPERM, "it belongs to somebody else")

    def _of(self, id: UUID) -> Path:
        folder = self._folder / str(id)
        if not folder.is_dir():
            raise ImportNotFound(id)
        return folder

    def _kept(self, id: UUID) -> Kept:
        folder = self._of(id)
        try:
            kept = decoded_job((folder / JOB).read_bytes())
            if kept.job.state is ImportState.WAITING and (stop := folder / STOP).exists():
                # Whoever does imports may be busy with another one for long.
                stopped_at = datetime.fromtimestamp(stop.stat().st_mtime, UTC)
                return evolve(kept, job=evolve(kept.job, state=ImportState.STOPPED, ended_at=stopped_at))
        except FileNotFoundError:
            raise ImportNotFound(id) from None
        return kept

    def _content(self, job: ImportJob, number: int) -> Path:
        return self._folder / str(job.id) / str(number)

    def _ids(self) -> list[UUID]:
        """Return the ids of all imports, newest first: ids of version 7 are in the order of time."""
        if not self._folder.is_dir():
            return []
        names = sorted((each.name for each in self._folder.iterdir() if _is_id(each.name)), reverse=True)
        return [UUID(name) for name in names]

    def _page(self, page: PageRequest) -> ImportPage:
        ids = self._ids()
        jobs: list[ImportJob] = []
        for id in ids[page.offset : page.offset + page.size]:
            with suppress(ImportNotFound):  # somebody has just forgotten it
                jobs.append(self._kept(id).job)
        return ImportPage(items=jobs, limit=page.size, offset=page.offset, total=len(ids))

    def _asked_before(self, actor: str, key: IdempotentRequest, since: datetime) -> ImportJob | None:
        file = self._keys / key_name(actor, key.key)
        try:
            if datetime.fromtimestamp(file.stat().st_mtime, UTC) < since:
                return None
            known = decoded_key(file.read_bytes())
            job = self._kept(known.id).job
        except (FileNotFoundError, ImportNotFound):
            return None
        if known.fingerprint != key.fingerprint:
            raise KeyReused(key.key)
        return job

    def _report(self, id: UUID, after: int, limit: int, status: Status | None) -> ReportPart:
        kept = self._kept(id)
        file = self._of(id) / REPORT
        if after > kept.reported:
            raise InvalidValue("must be a place that a part of this report has told")
        lines: list[ReportLine] = []
        place = after
        if kept.reported:
            with file.open("rb") as content:
                if after and (content.seek(after - 1) != after - 1 or content.read(1) != b"\n"):
                    raise InvalidValue("must be a place that a part of this report has told")
                content.seek(after)
                for line in _lines(content, kept.reported - after):
                    place += len(line)
                    told = decoded_line(line)
                    if status is None or told.status is status:
                        lines.append(told)
                    if len(lines) == limit:
                        break
        return ReportPart(lines=lines, place=place, is_end=place == kept.reported)

    def _forget(self, id: UUID) -> None:
        if not self._kept(id).job.state.is_final:
            raise ImportRunning(id)
        gone = self._folder / f".gone-{id}"
        self._of(id).rename(gone)
        shutil.rmtree(gone)

    def _next(self) -> ImportJob | None:
        self._drop_old()
        waiting = (id for id in reversed(self._ids()) if (self._folder / str(id) / "0").exists())
        for id in waiting:
            try:
                job = self._kept(id).job
            except ImportNotFound:
                continue  # somebody has just forgotten it
            if not job.state.is_final:
                return job
            self._drop_files(job)
        return None

    def _note(self, job: ImportJob, lines: Sequence[ReportLine]) -> None:
        reported = self._kept(job.id).reported if job.records else 0
        with (self._of(job.id) / REPORT).open("ab") as report:
            report.truncate(reported)
            report.seek(reported)
            for line in lines:
                reported += report.write(encoded(line) + b"\n")
            report.flush()
            sync(report.fileno())
        write_durably(self._of(job.id) / JOB, encoded(Kept(job=job, reported=reported)))
        if job.state.is_final:
            self._drop_files(job)

    def _drop_files(self, job: ImportJob) -> None:
        for number in reversed(range(len(job.files))):
            self._content(job, number).unlink(missing_ok=True)

    def _drop_old(self) -> None:
        for entry in (*self._folder.iterdir(), *self._keys.iterdir()):
            with suppress(FileNotFoundError, ImportNotFound):  # whoever receives and forgets goes on meanwhile
                if self._is_to_drop(entry):
                    shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()

    def _is_to_drop(self, entry: Path) -> bool:
        # A folder does not change while a file in it grows.
        newest = max(each.stat().st_mtime for each in (entry, *(entry.iterdir() if entry.is_dir() else ())))
        age = datetime.now(UTC) - datetime.fromtimestamp(newest, UTC)
        if _is_id(entry.name):
            return age > KEPT_FOR and self._kept(UUID(entry.name)).job.state.is_final
        if entry.parent == self._keys:
            return age > KEPT_FOR
        return age > ABANDONED_AFTER and entry.name.startswith((RECEIVING, ".gone-"))


def _is_acquired(lock: FileLock) -> bool:
    try:
        lock.acquire()
    except Timeout:
        return False
    return True


def _is_id(name: str) -> bool:
    return len(name) == 36 and name[0] != "."


def _lines(content: BinaryIO, most: int) -> Iterator[bytes]:
    """Yield whole lines, of `most` bytes together and not more than anybody wants to wait for."""
    for _ in range(MOST_LOOKED_AT):
        if most <= 0:
            return
        line = content.readline()
        most -= len(line)
        yield line
