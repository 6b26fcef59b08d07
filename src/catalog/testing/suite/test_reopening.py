"""What was committed is there when the storage is opened again."""

from collections.abc import AsyncGenerator
from uuid import UUID

import pytest
import pytest_asyncio

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, SourceRecord
from catalog.domain.errors import CanNotFollow, ReadOnlyReplica
from catalog.domain.records import Amendment
from catalog.domain.snapshots import SnapshotStorage
from catalog.domain.sources import Entry
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import is_lasting, open_storage
from catalog.testing.doubles import Cataloguers, FeedOf, drafted, log_of, picture_of
from catalog.testing.storages import NewStorage

RUN = UUID("00000000-0000-7000-8000-00000000000a")


@pytest_asyncio.fixture
async def lasting(new_storage: NewStorage) -> AsyncGenerator[Settings]:
    """The settings of a new storage that outlasts its process."""
    async with new_storage() as url:
        settings = Settings(storage=url)
        if not is_lasting(settings):
            pytest.skip("this storage ends with its process")
        yield settings


async def lived(catalogue: Cataloguers) -> None:
    """Do something of everything."""
    early = await catalogue.authors.add(AuthorDetails(name="Early"))
    await catalogue.authors.revise(early.id, Amendment({"name": "Later"}))
    catalogue.clock.move()
    async for _ in catalogue.log_keeping.compact(catalogue.clock.now()):
        pass
    one = await catalogue.authors.add(AuthorDetails(name="One 😀"))
    two = await catalogue.authors.add(AuthorDetails(name="Two"))
    book = await catalogue.books.add(BookDetails(title="Book", author_id=one.id))
    await catalogue.merging.merge(Author, one.id, two.id)
    draft = drafted(SourceRecord("test", "1"), "Imported", "Three")
    await catalogue.importing.take([Entry(line=1, draft=draft)], RUN)
    await catalogue.books.revise(book.id, Amendment({"title": "Renamed"}))
    erased = await catalogue.authors.add(AuthorDetails(name="Secret"))
    await catalogue.log_keeping.erase(erased.id)
    await catalogue.books.add(BookDetails(title="Last", author_id=two.id))


async def test_records_log_and_sources_are_there_again_and_the_log_goes_on(lasting: Settings) -> None:
    async with open_storage(lasting) as storage:
        await lived(Cataloguers(storage))
        before = await picture_of(storage), await log_of(storage.reader)

    async with open_storage(lasting) as storage:
        assert (await picture_of(storage), await log_of(storage.reader)) == before
        catalogue = Cataloguers(storage)
        await catalogue.undoing.take_back(RUN, catalogue.ids.new())
        await catalogue.merging.unmerge(Author, before[1][2].id)
        after = await picture_of(storage), await log_of(storage.reader)

    async with open_storage(lasting) as storage:
        assert (await picture_of(storage), await log_of(storage.reader)) == after


async def test_a_key_is_still_known(lasting: Settings) -> None:
    async with open_storage(lasting) as storage:
        asked = Cataloguers(storage).asked_once("k")
        book = await asked.books.add(BookDetails(title="Book", author_id=None))
        unchanged: Amendment[BookDetails] = Amendment({"title": "Book"})
        await Cataloguers(storage).asked_once("unchanged").books.revise(book.id, unchanged)
        await Cataloguers(storage).books.revise(book.id, Amendment({"title": "Renamed"}))
        survivor = await Cataloguers(storage).books.add(BookDetails(title="Survivor", author_id=None))
        await Cataloguers(storage).merging.merge(BookRecord, book.id, survivor.id)
        unmerged = await Cataloguers(storage).asked_once("unmerge").merging.unmerge(BookRecord, book.id)

    async with open_storage(lasting) as storage:
        asked = Cataloguers(storage).asked_once("k")
        assert await asked.books.add(BookDetails(title="Book", author_id=None)) == book
        assert asked.replayed
        assert await Cataloguers(storage).asked_once("unchanged").books.revise(book.id, unchanged) == book
        again = await Cataloguers(storage).asked_once("unmerge").merging.unmerge(BookRecord, book.id)
        assert (again.record, list(again.left_alone)) == (unmerged.record, list(unmerged.left_alone))


@pytest.mark.parametrize("upto", [1, 9], ids=["withheld", "told"])
async def test_a_follower_is_still_one_until_it_is_promoted(lasting: Settings, upto: int) -> None:
    """Also where it stopped at a revision whose content the source has dropped, and told again later."""
    source = Cataloguers(SnapshotStorage())
    await lived(source)
    feed = FeedOf(source.storage, upto=upto)

    async with open_storage(lasting) as storage:
        async for _ in Cataloguers(storage).following(feed).catch_up():
            pass
        before = await picture_of(storage), await log_of(storage.reader)

    async with open_storage(lasting) as storage:
        assert (await picture_of(storage), await log_of(storage.reader)) == before
        with pytest.raises(ReadOnlyReplica):
            await Cataloguers(storage).authors.add(AuthorDetails(name="Refused"))
        feed.upto = None
        async for _ in Cataloguers(storage).following(feed).catch_up():
            pass
        assert await picture_of(storage) == await picture_of(source.storage)
        await storage.promote()

    async with open_storage(lasting) as storage:
        await Cataloguers(storage).authors.add(AuthorDetails(name="Of our own"))
        await source.authors.add(AuthorDetails(name="There"))
        with pytest.raises(CanNotFollow):
            await Cataloguers(storage).following(feed).begin()


async def test_a_unit_that_failed_is_not_there_afterwards_either(lasting: Settings) -> None:
    async with open_storage(lasting) as storage:
        catalogue = Cataloguers(storage)
        author = Author.recorded(AuthorDetails(name="Author"), id=catalogue.ids.new(), at=catalogue.clock.now())

        async def fail() -> None:
            async with storage.unit_of_work(catalogue.caller) as unit:
                await unit.authors.add(author)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()

    async with open_storage(lasting) as storage:
        assert await log_of(storage.reader) == []
        await Cataloguers(storage).authors.add(AuthorDetails(name="First"))
        assert [revision.seq for revision in await log_of(storage.reader)] == [1]
