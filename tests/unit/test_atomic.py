"""One use-case method, one unit of work."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from attrs import define, field

from catalog.adapters.memory import MemoryStorage
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.callers import Caller
from catalog.domain.errors import CatalogError, Interrupted, NotFound, OutcomeUnknown, StorageBusy, StorageFull
from catalog.domain.ports import CatalogReader, UnitOfWork
from catalog.domain.queries import AuthorQuery
from catalog.domain.use_cases.atomic import ATTEMPTS, atomic
from catalog.testing.doubles import Cataloguers, StillClock

HOMER = Author.recorded(AuthorDetails(name="Homer"), id=UUID(int=1), at=datetime(2026, 1, 1, tzinfo=UTC))
WORKER = Caller(actor="worker")


@define
class CrowdedStorage:
    """Memory, where the first so many units of work find that somebody else was quicker."""

    interruptions: int = 0
    begun: int = 0
    memory: MemoryStorage = field(factory=MemoryStorage)

    @property
    def reader(self) -> CatalogReader:
        return self.memory.reader

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[UnitOfWork]:
        self.begun += 1
        async with self.memory.unit_of_work(caller) as unit:
            yield unit
            if self.begun <= self.interruptions:
                raise Interrupted

    async def check(self) -> None:
        await self.memory.check()


@define
class SeveredStorage(CrowdedStorage):
    """Memory, which loses its callers once it has committed: the first so many do not hear of it."""

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[UnitOfWork]:
        self.begun += 1
        async with self.memory.unit_of_work(caller) as unit:
            yield unit
        if self.begun <= self.interruptions:
            raise OutcomeUnknown


@define
class Work:
    """Something to do in one unit of work."""

    storage: CrowdedStorage
    caller: Caller = WORKER
    clock: StillClock = field(factory=StillClock)
    then: Callable[[], None] = lambda: None

    @atomic
    async def add(self, unit: UnitOfWork, author: Author, *, answer: str = "done") -> tuple[Caller, str]:
        """Add an author."""
        await unit.authors.add(author)
        self.then()
        return unit.caller, answer


async def test_the_result_is_returned_once_the_unit_is_committed() -> None:
    storage = CrowdedStorage()

    result = await Work(storage).add(HOMER, answer="added")

    assert result == (WORKER, "added")
    assert await storage.reader.author(HOMER.id) == HOMER


async def test_an_undisturbed_unit_is_run_once() -> None:
    storage = CrowdedStorage()

    await Work(storage).add(HOMER)

    assert storage.begun == 1


@pytest.mark.parametrize("interruptions", [1, ATTEMPTS - 1])
async def test_an_interrupted_unit_is_run_again(interruptions: int) -> None:
    storage = CrowdedStorage(interruptions)

    await Work(storage).add(HOMER)

    assert storage.begun == interruptions + 1
    assert await storage.reader.author(HOMER.id) == HOMER


async def test_a_method_that_is_interrupted_itself_is_run_again() -> None:
    interruptions = iter([Interrupted(), Interrupted()])

    def somebody_wrote() -> None:
        if error := next(interruptions, None):
            raise error

    storage = CrowdedStorage()

    await Work(storage, then=somebody_wrote).add(HOMER)

    assert storage.begun == 3
    assert await storage.reader.author(HOMER.id) == HOMER


async def test_after_ten_attempts_the_catalogue_is_busy_and_nothing_is_written() -> None:
    storage = CrowdedStorage(interruptions=ATTEMPTS)

    with pytest.raises(StorageBusy) as refusal:
        await Work(storage).add(HOMER)

    assert (storage.begun, ATTEMPTS) == (10, 10)
    assert refusal.value.retry_after >= 1
    with pytest.raises(NotFound):
        await storage.reader.author(HOMER.id)


@pytest.mark.parametrize("error", [ZeroDivisionError(), CatalogError(), StorageFull()], ids=repr)
async def test_nothing_is_committed_when_the_method_raises(error: Exception) -> None:
    def fail() -> None:
        raise error

    storage = CrowdedStorage()

    with pytest.raises(type(error)) as raised:
        await Work(storage, then=fail).add(HOMER)

    assert raised.value is error
    assert storage.begun == 1
    with pytest.raises(NotFound):
        await storage.reader.author(HOMER.id)


async def test_a_busy_storage_is_not_pressed_further() -> None:
    def fail() -> None:
        raise StorageBusy(retry_after=7)

    storage = CrowdedStorage()

    with pytest.raises(StorageBusy) as refusal:
        await Work(storage, then=fail).add(HOMER)

    assert (storage.begun, refusal.value.retry_after) == (1, 7)


async def test_a_unit_whose_outcome_is_unknown_is_neither_run_again_nor_called_done() -> None:
    storage = SeveredStorage(interruptions=1)

    with pytest.raises(OutcomeUnknown):
        await Work(storage).add(HOMER)

    assert storage.begun == 1


async def test_a_unit_with_an_idempotency_key_whose_outcome_is_unknown_is_settled_and_done_once() -> None:
    storage = SeveredStorage(interruptions=1)
    catalogue = Cataloguers(storage).asked_once("k")

    author = await catalogue.authors.add(AuthorDetails(name="Homer"))

    assert (storage.begun, catalogue.replayed) == (2, True)
    assert (await storage.reader.authors(AuthorQuery())).items == [author]


async def test_a_unit_is_not_run_again_for_a_caller_who_has_waited_long_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("catalog.domain.use_cases.atomic.SECONDS", 0.0)
    storage = CrowdedStorage(interruptions=1)

    with pytest.raises(StorageBusy):
        await Work(storage).add(HOMER)

    assert storage.begun == 1


def test_a_unit_keeps_the_name_of_its_method() -> None:
    assert (Work.add.__name__, Work.add.__doc__) == ("add", "Add an author.")
