"""A catalogue that is copied is the same one, from any storage into any other."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from tests.cluster.shared import shared_server
from tests.integration.databases import run_sql
from tests.storages import STORAGES

from catalog.adapters.sql.postgresql.scratch import scratch
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails
from catalog.domain.callers import Caller
from catalog.domain.errors import CanNotFollow, ReadOnlyReplica
from catalog.domain.kinds import Kind
from catalog.domain.ports import Storage
from catalog.domain.records import Amendment
from catalog.domain.use_cases.copying import Copying, Verification
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage, sqlite_path
from catalog.testing.doubles import Cataloguers, FeedOf, StillClock, log_of, picture_of
from catalog.testing.storages import NewStorage, opened
from catalog.testing.suite.test_following import live
from catalog.testing.wholeness import must_be_whole

MANY = 2_500
"""Records that are more than two parts of a copy."""


@asynccontextmanager
async def _postgresql() -> AsyncGenerator[str]:
    async with scratch(shared_server().url()) as url:
        yield url


KINDS: Mapping[str, NewStorage] = {**STORAGES, "postgresql": _postgresql}
DIRECTIONS = [
    pytest.param(there, here, marks=[pytest.mark.slow] if "postgresql" in (there, here) else [])
    for there in KINDS
    for here in KINDS
]


def new(kind: str) -> AbstractAsyncContextManager[Storage]:
    """Open a new and empty storage."""
    return opened(KINDS[kind])


def copying(source: Storage, storage: Storage) -> Copying:
    return Copying(source, "the source", storage, Caller(actor="copy"), StillClock())


async def copied(source: Storage, storage: Storage) -> Verification:
    """Copy all there is."""
    work = copying(source, storage)
    async for _ in work.copy():
        pass
    return await work.finish()


async def live_long(source: Cataloguers) -> None:
    """Do all that can be done, and drop contents of it, too."""
    await live(source)
    forgotten = await source.authors.add(AuthorDetails(name="To be forgotten"))
    await source.authors.revise(forgotten.id, Amendment({"name": "Soon"}))
    await source.log_keeping.erase(forgotten.id)
    source.clock.move(60)
    revised = await source.books.add(BookDetails(title="Old", author_id=None))
    for title in ("Older", "Oldest"):
        source.clock.move(60)
        await source.books.revise(revised.id, Amendment({"title": title}))
    async for _ in source.log_keeping.compact(source.clock.now() - timedelta(seconds=30)):
        pass
    assert {each.withheld for each in await log_of(source.storage.reader)} >= {"erased", "compacted"}


async def add_many(storage: Storage, count: int = MANY) -> None:
    """Add authors in one unit."""
    catalogue = Cataloguers(storage)
    async with storage.unit_of_work(catalogue.caller) as unit:
        details = [AuthorDetails(name=f"Author {number}") for number in range(count)]
        await unit.authors.add(
            *(Author.recorded(each, id=catalogue.ids.new(), at=catalogue.clock.now()) for each in details)
        )


@pytest.mark.parametrize(("there", "here"), DIRECTIONS)
async def test_a_copy_has_the_records_and_the_log_of_its_source_and_takes_changes(there: str, here: str) -> None:
    async with new(there) as source, new(here) as storage:
        await live_long(Cataloguers(source))

        found = await copied(source, storage)

        assert (found.differences, found.is_at_rest) == ([], True)
        log = await must_be_whole(storage)
        assert log == await log_of(source.reader)
        picture = await picture_of(source)
        assert await picture_of(storage) == picture
        assert found.seq == len(log)
        assert found.counts == {Kind.AUTHOR: len(picture.authors), Kind.BOOK: len(picture.books)}
        await Cataloguers(storage).authors.add(AuthorDetails(name="New"))
        assert (await storage.reader.position()).seq == len(log) + 1


async def test_digests_are_the_same_in_every_storage() -> None:
    async with new("memory") as first, new("sqlite") as second, new("memory") as third:
        await live_long(Cataloguers(first))

        one = await copied(first, second)
        other = await copied(second, third)

        assert (one.revisions, one.records) == (other.revisions, other.records)
        assert one.revisions != one.records
        await Cataloguers(first).authors.add(AuthorDetails(name="One more"))
        more = await copied(first, second)
        assert not {more.revisions, more.records} & {one.revisions, one.records}


@pytest.mark.parametrize(("there", "here"), DIRECTIONS)
async def test_a_copy_that_is_cut_off_takes_no_changes_and_goes_on_where_it_was(there: str, here: str) -> None:
    async with new(there) as source, new(here) as storage:
        await add_many(source)
        async with aclosing(copying(source, storage).copy()) as parts:
            first = await anext(parts)

        assert first == (1_000, MANY)
        with pytest.raises(ReadOnlyReplica):
            await Cataloguers(storage).authors.add(AuthorDetails(name="New"))
        parts = copying(source, storage).copy()
        assert [part async for part in parts] == [(2_000, MANY), (MANY, MANY)]
        assert (await copying(source, storage).finish()).differences == []
        await Cataloguers(storage).authors.add(AuthorDetails(name="New"))


async def test_an_empty_catalogue_can_be_copied() -> None:
    async with new("memory") as source, new("sqlite") as storage:
        found = await copied(source, storage)

        assert (found.seq, found.counts, found.differences) == (0, {Kind.AUTHOR: 0, Kind.BOOK: 0}, [])
        await Cataloguers(storage).authors.add(AuthorDetails(name="New"))


async def test_what_came_after_a_copy_can_be_copied_later() -> None:
    async with new("sqlite") as source, new("sqlite") as storage:
        await live(Cataloguers(source))
        await copied(source, storage)
        await add_many(source)

        assert (await copied(source, storage)).differences == []

        assert await log_of(storage.reader) == await log_of(source.reader)


@pytest.mark.parametrize("here", ["memory", "sqlite"])
async def test_a_storage_with_another_catalogue_is_refused_and_stays_as_it_is(here: str) -> None:
    async with new("memory") as source, new(here) as storage:
        await live(Cataloguers(source))
        await Cataloguers(storage).authors.add(AuthorDetails(name="Mine"))
        before = await picture_of(storage)

        with pytest.raises(CanNotFollow, match="holds another catalogue"):
            await copied(source, storage)

        assert await picture_of(storage) == before
        await Cataloguers(storage).authors.add(AuthorDetails(name="Mine, too"))


async def test_a_copy_that_went_its_own_way_is_refused() -> None:
    async with new("memory") as source, new("memory") as storage:
        await live(Cataloguers(source))
        await copied(source, storage)
        await Cataloguers(storage).authors.add(AuthorDetails(name="Mine"))

        with pytest.raises(CanNotFollow, match="written to since"):
            await copied(source, storage)

        await Cataloguers(source).authors.add(AuthorDetails(name="Yours"))
        with pytest.raises(CanNotFollow, match="written to since"):
            await copied(source, storage)


async def test_a_replica_of_another_catalogue_is_refused() -> None:
    async with new("memory") as source, new("sqlite") as storage:
        await live(Cataloguers(source))
        await Cataloguers(storage).following(FeedOf(source)).begin()

        with pytest.raises(CanNotFollow, match=r"replica of http://source\.test; promote it first"):
            await copied(source, storage)


async def test_a_storage_is_not_copied_into_itself_and_takes_changes_afterwards() -> None:
    async with STORAGES["sqlite"]() as url:
        settings = Settings(storage=url)
        async with open_storage(settings) as source, open_storage(settings) as storage:
            await live(Cataloguers(source))

            with pytest.raises(CanNotFollow, match="itself"):
                await copied(source, storage)

            await Cataloguers(source).authors.add(AuthorDetails(name="New"))


async def test_a_source_that_is_written_to_without_a_pause_is_copied_up_to_a_moment() -> None:
    async with new("sqlite") as source, new("memory") as storage:
        await add_many(source)
        stop = asyncio.Event()
        writing = asyncio.create_task(_write(source, stop))
        try:
            found = await copied(source, storage)
        finally:
            stop.set()
            await writing

        assert (found.differences, found.is_at_rest) == ([], False)
        log = await must_be_whole(storage)
        assert log == (await log_of(source.reader))[: found.seq]
        assert (await copied(source, storage)).is_at_rest


async def _write(storage: Storage, stop: asyncio.Event) -> None:
    catalogue = Cataloguers(storage)
    while not stop.is_set():
        await catalogue.authors.add(AuthorDetails(name="New"))


async def test_a_copy_of_contents_that_were_dropped_meanwhile_is_told_to_be_otherwise() -> None:
    async with new("memory") as source, new("memory") as storage:
        catalogue = Cataloguers(source)
        book = await catalogue.books.add(BookDetails(title="Old", author_id=None))
        catalogue.clock.move(60)
        await catalogue.books.revise(book.id, Amendment({"title": "New"}))
        async for _ in copying(source, storage).copy():
            pass
        catalogue.clock.move(60)
        async for _ in catalogue.log_keeping.compact(catalogue.clock.now()):
            pass

        found = await copying(source, storage).finish()

        (difference,) = found.differences
        assert "seq 1 tells what the source has dropped" in difference
        with pytest.raises(ReadOnlyReplica):
            await Cataloguers(storage).authors.add(AuthorDetails(name="New"))


async def test_contents_that_were_erased_between_two_parts_are_erased_in_the_copy() -> None:
    async with new("memory") as source, new("sqlite") as storage:
        catalogue = Cataloguers(source)
        author = await catalogue.authors.add(AuthorDetails(name="To be forgotten"))
        await add_many(source)
        async with aclosing(copying(source, storage).copy()) as parts:
            await anext(parts)
        await catalogue.log_keeping.erase(author.id)

        assert (await copied(source, storage)).differences == []

        assert "forgotten" not in str(await log_of(storage.reader))


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE author SET name = 'Wrong' WHERE sort_key = 'two'", "the records differ from number"),
        ("UPDATE revision SET actor = 'Wrong' WHERE seq = 3", "the logs differ at seq 3"),
    ],
)
async def test_a_copy_that_is_otherwise_is_told_and_takes_no_changes(sql: str, said: str) -> None:
    async with new("memory") as source, STORAGES["sqlite"]() as url, open_storage(Settings(storage=url)) as storage:
        await Cataloguers(source).authors.add(AuthorDetails(name="One"))
        await Cataloguers(source).authors.add(AuthorDetails(name="Two"))
        await Cataloguers(source).authors.add(AuthorDetails(name="Three"))
        async for _ in copying(source, storage).copy():
            pass
        run_sql(Path(sqlite_path(url)), sql)

        found = await copying(source, storage).finish()

        assert said in " ".join(found.differences)
        with pytest.raises(ReadOnlyReplica):
            await Cataloguers(storage).authors.add(AuthorDetails(name="New"))
