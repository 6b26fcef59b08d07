"""A storage that follows another catalogue is as that one is."""

from collections.abc import AsyncGenerator, Sequence
from datetime import date

import pytest
import pytest_asyncio
from attrs import define, evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, Contributor, SourceRecord
from catalog.domain.errors import CanNotFollow, CatalogError, ReadOnlyReplica, StorageBusy, StorageFailed
from catalog.domain.kinds import Kind
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery, PageRequest, RevisionQuery
from catalog.domain.records import Amendment
from catalog.domain.revisions import Revision, Withheld
from catalog.domain.snapshots import SnapshotStorage
from catalog.domain.sources import Entry
from catalog.domain.use_cases.following import PART
from catalog.domain.values import Role
from catalog.testing.doubles import Cataloguers, FeedOf, Picture, SortedIds, drafted, log_of, named, picture_of
from catalog.testing.storages import NewStorage, opened

ids = SortedIds()


@pytest_asyncio.fixture(params=["of its kind", "in memory"])
async def source(request: pytest.FixtureRequest, new_storage: NewStorage) -> AsyncGenerator[Cataloguers]:
    """The catalogue that is followed, in a storage of the same kind, and in the model of all storages."""
    if request.param == "in memory":
        yield Cataloguers(SnapshotStorage())
    else:
        async with opened(new_storage) as storage:
            yield Cataloguers(storage)


@pytest.fixture
def follower(storage: Storage) -> Cataloguers:
    return Cataloguers(storage)


def an_entry(key: str, *others: str) -> Entry:
    translators = [named(name, Role("trl")) for name in others]
    return Entry(line=1, draft=drafted(SourceRecord("test", key), f"Book {key}", "Émile", *translators))


async def live(source: Cataloguers) -> None:
    """Do everything that can be done to records."""
    run = ids.new()
    first, second, third = await source.importing.take([an_entry("1", "A"), an_entry("2", "B"), an_entry("3")], run)
    source.clock.move()
    one = await source.authors.add(AuthorDetails(name="One", dob=date(1775, 12, 16)))
    two = await source.authors.add(AuthorDetails(name="Two"))
    book = await source.books.add(
        BookDetails(title="By one", author_id=one.id, contributors=(Contributor(author_id=two.id),))
    )
    await source.authors.revise(one.id, Amendment({"name": "Won"}))
    await source.merging.merge(Author, one.id, two.id)
    await source.merging.merge(BookRecord, first.book_id or ids.new(), second.book_id or ids.new())
    source.clock.move()
    await source.merging.unmerge(Author, one.id)
    await source.books.remove(book.id)
    await source.undoing.restore(BookRecord, book.id)
    await source.undoing.revert(Author, one.id, 1)
    await source.merging.unmerge(BookRecord, first.book_id or ids.new())
    await source.merging.merge(BookRecord, third.book_id or ids.new(), second.book_id or ids.new())
    await source.merging.merge(Author, two.id, one.id)
    removed = await source.authors.add(AuthorDetails(name="Removed"))
    await source.authors.remove(removed.id)
    source.clock.move()
    undo = ids.new()
    await source.undoing.take_back(run, undo)
    await source.undoing.take_back(undo, ids.new())


async def caught_up(follower: Cataloguers, feed: FeedOf) -> list[int]:
    """Catch up as often as there is something to catch up with; return how far the log came each time."""
    seqs: list[int] = []
    while part := [seq async for seq in follower.following(feed).catch_up()]:
        seqs += part
    return seqs


async def state_of(catalogue: Cataloguers) -> tuple[Picture, Sequence[Revision]]:
    return await picture_of(catalogue.storage), await log_of(catalogue.storage.reader)


async def test_a_follower_is_record_by_record_as_its_source(source: Cataloguers, follower: Cataloguers) -> None:
    await live(source)

    await caught_up(follower, FeedOf(source.storage))

    assert await state_of(follower) == await state_of(source)


@pytest.mark.parametrize("most", [1, 2, 3, 7])
async def test_parts_of_any_size_lead_to_the_same(source: Cataloguers, follower: Cataloguers, most: int) -> None:
    await live(source)
    last = (await source.storage.reader.position()).seq

    seqs = await caught_up(follower, FeedOf(source.storage, most=most))

    assert seqs == sorted({*range(most, last, most), last})
    assert await state_of(follower) == await state_of(source)


async def test_more_than_one_part_is_caught_up_with_at_once(source: Cataloguers, follower: Cataloguers) -> None:
    authors = [
        Author.recorded(AuthorDetails(name=f"Author {n}"), id=ids.new(), at=source.clock.now())
        for n in range(2 * PART + 1)
    ]
    async with source.storage.unit_of_work(source.caller) as unit:
        await unit.authors.add(*authors)

    seqs = [seq async for seq in follower.following(FeedOf(source.storage)).catch_up()]

    assert seqs == [PART, 2 * PART, 2 * PART + 1]
    assert (await follower.storage.reader.authors(AuthorQuery())).total == len(authors)


async def test_histories_and_candidates_are_told_alike(source: Cataloguers, follower: Cataloguers) -> None:
    await live(source)
    await source.authors.add(AuthorDetails(name="ÉMILE"))
    await caught_up(follower, FeedOf(source.storage))
    there, here = source.storage.reader, follower.storage.reader

    for revision in await log_of(there):
        query = RevisionQuery(kind=revision.kind, id=revision.id, page=PageRequest(size=3))
        assert await here.revisions(query) == await there.revisions(query)
        assert await here.revision(revision.kind, revision.id, revision.version) == revision
    assert await here.duplicates(PageRequest()) == await there.duplicates(PageRequest())


async def test_a_follower_goes_on_from_where_it_is(source: Cataloguers, follower: Cataloguers) -> None:
    await live(source)
    await caught_up(follower, FeedOf(source.storage))
    seq = (await follower.storage.reader.position()).seq
    await source.authors.add(AuthorDetails(name="New"))
    feed = FeedOf(source.storage)

    assert await caught_up(follower, feed) == [seq + 1]
    assert feed.asked[0] == seq
    assert await state_of(follower) == await state_of(source)


async def test_nothing_new_is_nothing_to_do(source: Cataloguers, follower: Cataloguers) -> None:
    assert await caught_up(follower, FeedOf(source.storage)) == []
    await source.authors.add(AuthorDetails(name="New"))
    await caught_up(follower, FeedOf(source.storage))
    assert await caught_up(follower, FeedOf(source.storage)) == []


async def test_news_is_followed_as_long_as_it_is_told(source: Cataloguers, follower: Cataloguers) -> None:
    for n in range(4):
        await source.authors.add(AuthorDetails(name=f"Author {n}"))
    feed = FeedOf(source.storage, upto=2, rings=[2, 3, 3, 4])
    told = []

    async for seq in follower.following(feed).follow():
        told.append(seq)
        feed.upto = 4

    assert told == [2, 4]
    assert await state_of(follower) == await state_of(source)


async def test_a_follower_takes_no_changes_of_its_own(source: Cataloguers, follower: Cataloguers) -> None:
    author = await source.authors.add(AuthorDetails(name="Author"))
    removed = await source.authors.add(AuthorDetails(name="Removed"))
    await source.authors.remove(removed.id)
    await caught_up(follower, FeedOf(source.storage))
    before = await state_of(follower)

    for write in (
        follower.authors.add(AuthorDetails(name="New")),
        follower.authors.revise(author.id, Amendment({"name": "Renamed"})),
        follower.authors.remove(author.id),
        follower.books.add(BookDetails(title="New", author_id=author.id)),
        follower.undoing.restore(Author, removed.id),
        follower.log_keeping.erase(author.id),
        follower.importing.take([an_entry("1")], ids.new()),
    ):
        with pytest.raises(ReadOnlyReplica) as refusal:
            await write
        assert refusal.value.source == "http://source.test"

    assert await state_of(follower) == before


async def test_a_follower_may_be_asked_for_what_changes_nothing(source: Cataloguers, follower: Cataloguers) -> None:
    author = await source.authors.add(AuthorDetails(name="Author"))
    await caught_up(follower, FeedOf(source.storage))

    assert await follower.authors.revise(author.id, Amendment({"name": "Author"})) == author
    assert [part async for part in follower.log_keeping.compact(follower.clock.now())] == []


async def test_who_is_promoted_takes_changes_and_follows_nobody_any_more(
    source: Cataloguers, follower: Cataloguers
) -> None:
    await live(source)
    feed = FeedOf(source.storage)
    await caught_up(follower, feed)
    seq = (await follower.storage.reader.position()).seq

    await follower.storage.promote()
    author = await follower.authors.add(AuthorDetails(name="Here"))
    await source.authors.add(AuthorDetails(name="There"))

    assert (await follower.storage.reader.position()).seq == seq + 1
    assert await follower.storage.reader.author(author.id) == author
    with pytest.raises(CanNotFollow):
        await follower.following(feed).must_share_history()
    with pytest.raises(CanNotFollow):
        await anext(follower.following(feed).follow())


async def test_an_empty_storage_can_follow_anybody(source: Cataloguers, follower: Cataloguers) -> None:
    await live(source)

    await follower.following(FeedOf(source.storage)).must_share_history()


async def test_who_has_another_history_can_not_follow(source: Cataloguers, follower: Cataloguers) -> None:
    await source.authors.add(AuthorDetails(name="There"))
    await follower.authors.add(AuthorDetails(name="Here"))

    with pytest.raises(CanNotFollow) as refusal:
        await follower.following(FeedOf(source.storage)).must_share_history()

    assert "at seq 1" in refusal.value.reason


async def test_who_has_come_further_can_not_follow(source: Cataloguers, follower: Cataloguers) -> None:
    """The source was put back to an earlier state."""
    await source.authors.add(AuthorDetails(name="One"))
    await source.authors.add(AuthorDetails(name="Two"))
    await caught_up(follower, FeedOf(source.storage))

    for upto in (0, 1):
        with pytest.raises(CanNotFollow):
            await follower.following(FeedOf(source.storage, upto=upto)).must_share_history()


async def test_a_log_that_was_compacted_since_is_still_the_same(source: Cataloguers, follower: Cataloguers) -> None:
    author = await source.authors.add(AuthorDetails(name="One"))
    await source.authors.revise(author.id, Amendment({"name": "Two"}))
    feed = FeedOf(source.storage, upto=1)
    await caught_up(follower, feed)
    source.clock.move()
    async for _ in source.log_keeping.compact(source.clock.now()):
        pass

    feed.upto = None
    await follower.following(feed).must_share_history()
    await caught_up(follower, feed)

    assert await picture_of(follower.storage) == await picture_of(source.storage)


@define
class HastyFeed(FeedOf):
    """Leaves out a revision."""

    leaves_out: int = 1

    async def changes(self, since: int, limit: int = 1000) -> Sequence[Revision]:
        return [revision for revision in await super().changes(since, limit) if revision.seq != self.leaves_out]


@pytest.mark.parametrize("gap", [1, 3])
async def test_a_gap_is_refused_and_nothing_is_written(source: Cataloguers, follower: Cataloguers, gap: int) -> None:
    for n in range(4):
        await source.authors.add(AuthorDetails(name=f"Author {n}"))

    with pytest.raises((StorageBusy, StorageFailed)):
        await caught_up(follower, HastyFeed(source.storage, leaves_out=gap))

    assert (await state_of(follower))[1] == []
    await follower.authors.add(AuthorDetails(name="Follows nobody"))


async def test_what_was_replayed_already_is_refused(source: Cataloguers, follower: Cataloguers) -> None:
    for n in range(3):
        await source.authors.add(AuthorDetails(name=f"Author {n}"))
    log = await log_of(source.storage.reader)
    following = follower.following(FeedOf(source.storage))
    await following.replay(log[:2])
    before = await state_of(follower)

    for again in (log[:2], log[1:]):
        with pytest.raises(CatalogError):
            await following.replay(again)

    assert await state_of(follower) == before


async def test_a_part_that_fails_is_not_replayed_in_part(source: Cataloguers, follower: Cataloguers) -> None:
    author = await source.authors.add(AuthorDetails(name="Author"))
    await source.authors.revise(author.id, Amendment({"name": "Renamed"}))
    log = await log_of(source.storage.reader)
    broken = [log[0], evolve(log[1], version=9, after=evolve(author, version=9))]

    with pytest.raises(CatalogError):
        await follower.following(FeedOf(source.storage)).replay(broken)

    assert await log_of(follower.storage.reader) == []


async def compacted(source: Cataloguers) -> None:
    source.clock.move()
    async for _ in source.log_keeping.compact(source.clock.now()):
        pass


@pytest.mark.parametrize("most", [1, 2, 5, 1000])
async def test_a_compacted_log_leads_to_the_state_of_its_source(
    source: Cataloguers, follower: Cataloguers, most: int
) -> None:
    await live(source)
    await compacted(source)
    await source.authors.add(AuthorDetails(name="Afterwards"))

    await caught_up(follower, FeedOf(source.storage, most=most))

    assert any(revision.withheld for revision in await log_of(source.storage.reader))
    assert await state_of(follower) == await state_of(source)


@pytest.mark.parametrize("most", [1, 2, 1000])
async def test_a_log_with_erased_records_leads_to_the_state_of_its_source(
    source: Cataloguers, follower: Cataloguers, most: int
) -> None:
    await live(source)
    author = await source.authors.add(AuthorDetails(name="Erased"))
    await source.authors.revise(author.id, Amendment({"name": "Erased, too"}))
    book = await source.books.add(BookDetails(title="Erased", author_id=author.id))
    await source.log_keeping.erase(book.id)
    await source.log_keeping.erase(author.id)
    await compacted(source)

    await caught_up(follower, FeedOf(source.storage, most=most))

    assert await state_of(follower) == await state_of(source)
    with pytest.raises(CatalogError):
        await follower.storage.reader.author(author.id)


@pytest.mark.parametrize("most", [1, 2, 1000])
async def test_what_is_erased_there_is_erased_here_too(source: Cataloguers, follower: Cataloguers, most: int) -> None:
    author = await source.authors.add(AuthorDetails(name="Secret"))
    feed = FeedOf(source.storage, most=most)
    await caught_up(follower, feed)
    await source.authors.revise(author.id, Amendment({"name": "Secret, too"}))
    await source.log_keeping.erase(author.id)

    await caught_up(follower, feed)

    assert await state_of(follower) == await state_of(source)
    page = await follower.storage.reader.revisions(RevisionQuery(kind=Kind.AUTHOR, id=author.id))
    assert [revision.withheld for revision in page.items] == [Withheld.ERASED, None, Withheld.ERASED, Withheld.ERASED]


async def test_what_was_removed_and_compacted_before_it_is_erased_is_erased_here_too(
    source: Cataloguers, follower: Cataloguers
) -> None:
    book = await source.books.add(BookDetails(title="Secret", author_id=None))
    await source.books.remove(book.id)
    feed = FeedOf(source.storage)
    await caught_up(follower, feed)
    await compacted(source)
    await source.log_keeping.erase(book.id)

    await caught_up(follower, feed)

    assert await state_of(follower) == await state_of(source)


async def test_whoever_follows_a_follower_is_as_the_source_is(source: Cataloguers, follower: Cataloguers) -> None:
    await live(source)
    await caught_up(follower, FeedOf(source.storage))
    third = Cataloguers(SnapshotStorage())

    await caught_up(third, FeedOf(follower.storage))

    assert await state_of(third) == await state_of(source)


async def test_a_promotion_is_not_taken_back_by_a_follower_that_still_runs(
    source: Cataloguers, follower: Cataloguers
) -> None:
    await source.authors.add(AuthorDetails(name="Before"))
    following = follower.following(FeedOf(source.storage))
    await following.begin()
    async for _ in following.catch_up():
        pass
    await follower.storage.promote()
    await source.authors.add(AuthorDetails(name="After"))

    with pytest.raises(CanNotFollow):
        async for _ in following.catch_up():
            pass

    await follower.authors.add(AuthorDetails(name="Of our own"))


async def test_a_storage_takes_no_writes_from_the_moment_it_is_claimed(
    source: Cataloguers, follower: Cataloguers
) -> None:
    await follower.following(FeedOf(source.storage)).claim()

    with pytest.raises(ReadOnlyReplica):
        await follower.authors.add(AuthorDetails(name="Refused"))
