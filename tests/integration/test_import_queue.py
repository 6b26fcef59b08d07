"""The folder of imports, and the work that is done from it, where something goes wrong."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from gzip import compress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from catalog.adapters.memory import MemoryStorage
from catalog.adapters.spool import FolderImportQueue, queue
from catalog.adapters.sql.sqlite.dry_runs import SqliteDryRuns
from catalog.adapters.system import SystemClock, Uuid7Generator
from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.errors import (
    CatalogError,
    ImportNotFound,
    ImportRunning,
    Interrupted,
    OutcomeUnknown,
    StorageBusy,
    StorageFull,
    StorageUnavailable,
)
from catalog.domain.imports import ImportFile, ImportJob, ImportOptions, ImportState, ReportLine, Status
from catalog.domain.ports import UnitOfWork
from catalog.domain.queries import BookQuery, PageRequest
from catalog.domain.sources import Entry
from catalog.domain.use_cases import import_work
from catalog.domain.use_cases.import_orders import ImportOrdering
from catalog.domain.use_cases.import_work import ImportWork
from catalog.entrypoints import import_reader
from catalog.entrypoints.http.import_worker import ImportWorker
from catalog.entrypoints.import_reader import CHUNK, FormatsReader
from catalog.testing.doubles import DryRunInMemory, DryRunsInMemory

BOOKS = 3 * CHUNK + 7


@pytest.fixture
def imports(tmp_path: Path) -> FolderImportQueue:
    return FolderImportQueue(tmp_path / "imports")


async def ordered(imports: FolderImportQueue, storage: MemoryStorage, content: bytes, **options: Any) -> ImportJob:
    async def parts() -> Any:
        yield ImportFile(name="books.csv", format="csv", bytes=0)
        yield content[:100]
        yield content[100:]

    ordering = ImportOrdering(storage, imports, Caller(), SystemClock(), Uuid7Generator())
    return await ordering.order(ImportOptions(**options), parts())


def rows(number: int = BOOKS) -> bytes:
    return ("key,title,authors\n" + "".join(f"{i},Book {i},Author {i % 9}\n" for i in range(number))).encode()


def work_of(storage: Any, imports: FolderImportQueue) -> ImportWork:
    return ImportWork(storage, imports, FormatsReader(), SqliteDryRuns(), SystemClock(), Uuid7Generator())


async def told(imports: FolderImportQueue, job: ImportJob) -> Sequence[ReportLine]:
    lines: list[ReportLine] = []
    place, is_end = 0, False
    while not is_end:
        part = await imports.report(job.id, after=place, limit=50)
        lines += part.lines
        place, is_end = part.place, part.is_end
    return lines


async def count(storage: MemoryStorage) -> int | None:
    return (await storage.reader.books(BookQuery())).total


class Failing:
    """A storage whose units of work raise what comes next, before or after they are committed."""

    def __init__(self, storage: MemoryStorage, *failures: CatalogError | None, after_commit: bool = False) -> None:
        self._storage = storage
        self._failures = [*failures]
        self._after_commit = after_commit
        self.reader = storage.reader

    def unit_of_work(self, caller: Caller) -> AbstractAsyncContextManager[UnitOfWork]:
        return _FailingUnit(self, self._storage.unit_of_work(caller))

    def next_failure(self, *, is_after: bool) -> None:
        if is_after is self._after_commit and self._failures and (failure := self._failures.pop(0)) is not None:
            raise failure


class _FailingUnit:
    def __init__(self, storage: Failing, unit: AbstractAsyncContextManager[Any]) -> None:
        self._storage = storage
        self._unit = unit

    async def __aenter__(self) -> Any:
        self._storage.next_failure(is_after=False)
        return await self._unit.__aenter__()

    async def __aexit__(self, *error: object) -> Any:
        done = await self._unit.__aexit__(*error)
        if error[0] is None:
            self._storage.next_failure(is_after=True)
        return done


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_work, "LONGEST_PAUSE", 0.01)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("error", [StorageBusy(), StorageUnavailable("gone"), OutcomeUnknown()], ids=repr)
@pytest.mark.parametrize("after_commit", [False, True])
async def test_an_import_waits_for_its_storage_and_tells_each_record_as_it_became(
    imports: FolderImportQueue, error: CatalogError, after_commit: bool
) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())

    done = await work_of(Failing(storage, None, error, error, after_commit=after_commit), imports).do(job)

    assert (done.state, done.created, done.unchanged) == (ImportState.DONE, BOOKS, 0)
    assert await count(storage) == BOOKS
    assert [line.key for line in await told(imports, job)] == [str(i) for i in range(BOOKS)]


async def test_an_import_fails_where_its_storage_can_not_be_had_for_too_long(
    imports: FolderImportQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_work, "PATIENCE", 0.0)
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())

    done = await work_of(Failing(storage, None, StorageUnavailable("the disk is on fire")), imports).do(job)

    assert (done.state, done.error) == (ImportState.FAILED, "the disk is on fire")
    assert done.records == CHUNK == await count(storage)


@pytest.mark.usefixtures("patient")
async def test_an_import_that_waits_for_its_storage_can_be_stopped(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())
    failing = Failing(storage, None, *[StorageBusy()] * 10**6)
    work = asyncio.create_task(work_of(failing, imports).do(job))
    while len(failing._failures) > 10**6 - 3:  # noqa: ASYNC110 - nobody is told of what has failed
        await asyncio.sleep(0.005)

    await imports.ask_to_stop(job.id)
    done = await asyncio.wait_for(work, 30)

    assert (done.state, done.records) == (ImportState.STOPPED, CHUNK)
    assert await count(storage) == CHUNK


@pytest.mark.usefixtures("patient")
async def test_a_stop_waits_where_nobody_knows_whether_records_were_taken(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())
    failing = Failing(storage, OutcomeUnknown(), StorageBusy(), after_commit=True)

    class Stopping(FolderImportQueue):
        async def is_to_stop(self, id: UUID) -> bool:
            return await count(storage) != 0

    done = await work_of(failing, Stopping(imports._folder)).do(job)

    assert (done.state, done.records, done.created) == (ImportState.STOPPED, CHUNK, CHUNK)
    assert await count(storage) == CHUNK


@pytest.mark.parametrize("times", range(1, 5))
async def test_an_import_that_is_interrupted_anywhere_is_gone_on_with(imports: FolderImportQueue, times: int) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())
    notes = 0

    class Killed(BaseException):
        pass

    class Mortal(FolderImportQueue):
        async def note(self, job: ImportJob, lines: Sequence[ReportLine] = ()) -> None:
            nonlocal notes
            notes += 1
            if notes == times + 1:
                raise Killed
            await super().note(job, lines)

    with pytest.raises(Killed):
        await work_of(storage, Mortal(imports._folder)).do(job)

    found = await imports.next()
    assert found is not None
    assert (found.state, found.records) == (ImportState.RUNNING, (times - 1) * CHUNK)
    done = await work_of(storage, imports).do(found)

    assert (done.state, done.records, done.created) == (ImportState.DONE, BOOKS, BOOKS)
    assert [line.status for line in await told(imports, job)] == [Status.CREATED] * BOOKS
    assert await count(storage) == BOOKS
    assert await imports.next() is None


async def test_a_dry_run_that_is_interrupted_begins_again(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows(), dry_run=True)
    part_done = evolve(job, state=ImportState.RUNNING, records=5, created=5)
    line = ReportLine(file="x", line=1, key="k", status=Status.CREATED, book_id=None, reason="", warnings=())
    await imports.note(part_done, [line] * 5)

    done = await work_of(storage, imports).do(part_done)

    assert (done.records, done.created, len(await told(imports, job))) == (BOOKS, BOOKS, BOOKS)
    assert await count(storage) == 0


async def test_a_dry_run_of_several_chunks_reports_what_a_run_reports(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    content = rows() + rows(3) + f"x,Book {BOOKS},\n1,Another of that key,\n{BOOKS},,\n".encode()
    dry, job = [await ordered(imports, storage, content, dry_run=is_dry) for is_dry in (True, False)]

    await work_of(storage, imports).do(dry)
    await work_of(storage, imports).do(job)

    foreseen, done = [[evolve(line, book_id=None) for line in await told(imports, each)] for each in (dry, job)]
    assert foreseen == done
    assert [line.status for line in done[-4:]] == [Status.UNCHANGED, Status.CREATED, Status.CREATED, Status.REFUSED]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("error", [Interrupted(), OutcomeUnknown()], ids=lambda error: type(error).__name__)
async def test_a_dry_run_that_has_to_look_again_does_not_meet_what_it_would_have_made(
    imports: FolderImportQueue, error: CatalogError
) -> None:
    job = await ordered(imports, MemoryStorage(), rows(), dry_run=True)

    done = await work_of(Failing(MemoryStorage(), error, None, error, after_commit=True), imports).do(job)

    assert (done.state, done.created) == (ImportState.DONE, BOOKS)


async def test_a_dry_run_that_finds_no_room_says_so(imports: FolderImportQueue) -> None:
    class Full(DryRunInMemory):
        async def keep(self, *records: Author | Book) -> None:
            raise StorageFull

    class FullRooms(DryRunsInMemory):
        @asynccontextmanager
        async def begin(self) -> AsyncGenerator[Full]:
            yield Full()

    job = await ordered(imports, MemoryStorage(), rows(), dry_run=True)

    done = await evolve(work_of(MemoryStorage(), imports), dry_runs=FullRooms()).do(job)

    assert (done.state, done.error) == (ImportState.FAILED, "the storage is full; make room, and try again")


async def test_a_file_that_can_not_be_read_to_its_end_keeps_what_came_before(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, compress(rows(20_000))[:-2000])

    done = await work_of(storage, imports).do(job)

    assert done.state is ImportState.FAILED
    assert (done.error or "").startswith("books.csv: ")
    assert 0 < done.records == await count(storage)


async def test_one_process_at_a_time_does_imports(imports: FolderImportQueue) -> None:
    await ordered(imports, MemoryStorage(), rows(1))
    other = FolderImportQueue(imports._folder)

    async with imports.alone() as is_first, other.alone() as is_second:
        assert (is_first, is_second) == (True, False)
    async with other.alone() as is_second:
        assert is_second


async def test_what_is_not_kept_is_gone(imports: FolderImportQueue) -> None:
    id = UUID(int=1)
    async with imports.receive(id) as upload:
        await upload.begin("x")
        await upload.write(b"some")

    assert sorted(each.name for each in imports._folder.iterdir()) == ["keys"]
    with pytest.raises(ImportNotFound):
        await imports.get(id)


async def test_only_an_import_that_has_ended_can_be_forgotten(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows(1))
    with pytest.raises(ImportRunning):
        await imports.forget(job.id)

    await work_of(storage, imports).do(job)
    await imports.forget(job.id)

    with pytest.raises(ImportNotFound):
        await imports.get(job.id)


async def test_an_import_that_is_to_stop_before_it_begins_reads_nothing(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())
    await imports.ask_to_stop(job.id)

    done = await work_of(storage, imports).do(job)

    assert (done.state, done.records) == (ImportState.STOPPED, 0)


async def test_what_is_old_is_dropped_and_what_is_not_done_is_not(
    imports: FolderImportQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = MemoryStorage()
    ended, waiting = [await ordered(imports, storage, rows(1)) for _ in range(2)]
    await work_of(storage, imports).do(ended)
    (imports._folder / f"{queue.RECEIVING}abandoned").mkdir()
    monkeypatch.setattr(queue, "KEPT_FOR", timedelta(0))
    monkeypatch.setattr(queue, "ABANDONED_AFTER", timedelta(0))
    await asyncio.sleep(0.01)

    found = await imports.next()

    assert found is not None
    assert found.id == waiting.id
    assert sorted(each.name for each in imports._folder.iterdir()) == sorted(["keys", str(waiting.id)])
    assert (await imports.page(PageRequest())).total == 1


@pytest.mark.parametrize(
    ("number", "raised"), [(errno.ENOSPC, StorageFull), (errno.EIO, StorageUnavailable)], ids=["full", "broken"]
)
async def test_a_disk_that_takes_no_more_is_told_of_in_our_terms(
    imports: FolderImportQueue, monkeypatch: pytest.MonkeyPatch, number: int, raised: type[CatalogError]
) -> None:
    def fails(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("catalog.adapters.spool.upload.sync", fails)
    with pytest.raises(raised):
        await ordered(imports, MemoryStorage(), rows(1))

    assert (await imports.page(PageRequest())).total == 0


async def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    broken = FolderImportQueue(tmp_path / "file")

    with pytest.raises(StorageUnavailable, match="file, can not be used"):
        await ordered(broken, MemoryStorage(), rows(1))


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can make what belongs to somebody else")
async def test_a_folder_among_temporary_files_that_somebody_else_has_made_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "imports"
    folder.mkdir(mode=0o777)
    os.chown(folder, 12345, 12345)

    with pytest.raises(StorageUnavailable, match="belongs to somebody else"):
        await ordered(FolderImportQueue(folder, must_be_ours=True), MemoryStorage(), rows(1))


async def test_who_is_cancelled_while_a_file_is_read_waits_for_the_reader(
    imports: FolderImportQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows(40))
    record_reader = import_reader.record_reader

    class Slow:
        def __init__(self, *arguments: Any) -> None:
            self._reader = record_reader(*arguments)

        def read(self, content: Any) -> Generator[Entry]:
            for entry in self._reader.read(content):
                time.sleep(0.01)
                yield entry

    monkeypatch.setattr(import_reader, "record_reader", Slow)
    doing = asyncio.create_task(work_of(storage, imports).do(job))
    await asyncio.sleep(0.15)  # it reads by now
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing

    done = await work_of(storage, imports).do(await imports.get(job.id))

    assert (done.state, done.created, await count(storage)) == (ImportState.DONE, 40, 40)


async def test_what_was_taken_is_reported_even_if_the_storage_can_not_be_asked_right_after(
    imports: FolderImportQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_work, "LONGEST_PAUSE", 0.01)
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())
    asked = 0

    class Unsteady:
        async def position(self) -> Any:
            nonlocal asked
            asked += 1
            if asked in (2, 4):
                raise StorageUnavailable("gone for a moment")
            return await storage.reader.position()

    steady = Failing(storage)
    steady.reader = Unsteady()  # type: ignore[assignment]  # all that the work asks it

    done = await work_of(steady, imports).do(job)

    assert (done.state, done.created, len(await told(imports, job))) == (ImportState.DONE, BOOKS, BOOKS)
    assert asked > 4


@pytest.mark.parametrize(
    ("error", "ends"), [(StorageUnavailable("gone"), False), (StorageFull(), False), (ZeroDivisionError(), True)]
)
async def test_a_worker_goes_on_later_where_the_disk_or_the_database_could_not_be_had_and_gives_up_on_our_mistakes(
    imports: FolderImportQueue, error: Exception, ends: bool
) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows(3))

    class Unlucky(ImportWork):
        async def do(self, job: ImportJob) -> ImportJob:
            raise error

    work = Unlucky(storage, imports, FormatsReader(), SqliteDryRuns(), SystemClock(), Uuid7Generator())
    worker = ImportWorker(imports, work)
    worker.start()
    await asyncio.sleep(0.3)
    await worker.stop()

    assert ((await imports.get(job.id)).state is ImportState.FAILED) is ends


class Interrupting(FolderImportQueue):
    """A queue whose `n`-th note raises."""

    def __init__(self, folder: Path, number: int, error: BaseException) -> None:
        super().__init__(folder)
        self._left = number
        self._error = error

    async def note(self, job: ImportJob, lines: Sequence[ReportLine] = ()) -> None:
        self._left -= 1
        if self._left == 0:
            raise self._error
        await super().note(job, lines)


async def test_an_import_whose_report_finds_no_room_is_gone_on_with_and_tells_all(imports: FolderImportQueue) -> None:
    storage = MemoryStorage()
    job = await ordered(imports, storage, rows())
    with pytest.raises(StorageFull):
        await work_of(storage, Interrupting(imports._folder, 3, StorageFull())).do(job)

    again = await imports.get(job.id)
    assert again.state is ImportState.RUNNING
    done = await work_of(storage, imports).do(again)

    assert (done.state, done.created) == (ImportState.DONE, BOOKS)


async def test_one_that_stops_on_errors_does_not_go_on_past_one_when_it_was_interrupted(
    imports: FolderImportQueue,
) -> None:
    storage = MemoryStorage()
    content = b"key,title\n1,Emma\n2,\n3,Persuasion\n"
    for number in (2, 3):
        job = await ordered(imports, storage, content, stop_on_error=True)
        with suppress(KeyboardInterrupt):
            await work_of(storage, Interrupting(imports._folder, number, KeyboardInterrupt())).do(job)
        done = await imports.get(job.id)
        if not done.state.is_final:
            done = await work_of(storage, imports).do(done)

        assert (done.state, done.records) == (ImportState.STOPPED, 2)
    assert await count(storage) == 1


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root can make what belongs to somebody else")
async def test_what_somebody_else_asks_for_among_temporary_files_is_not_done(imports: FolderImportQueue) -> None:
    await ordered(imports, MemoryStorage(), rows(1))
    os.chown(imports._folder, 12345, 12345)
    careful = FolderImportQueue(imports._folder, must_be_ours=True)

    for ask in (careful.next, careful.alone().__aenter__, lambda: careful.page(PageRequest())):
        with pytest.raises(StorageUnavailable, match="belongs to somebody else"):
            await ask()


async def test_a_file_that_comes_for_days_is_not_dropped_and_old_keys_are(imports: FolderImportQueue) -> None:
    async with imports.receive(UUID(int=1)) as upload:
        await upload.begin("slow.csv")
        (receiving,) = imports._folder.glob(f"{queue.RECEIVING}*")
        old, new = imports._folder / "keys" / "old", imports._folder / "keys" / "new"
        for each in (old, new):
            each.write_text("{}")
        for each in (receiving, old):
            os.utime(each, (0, 0))

        assert await imports.next() is None

        await upload.write(b"more")
        assert (receiving / "0").exists()
        assert (old.exists(), new.exists()) == (False, True)
