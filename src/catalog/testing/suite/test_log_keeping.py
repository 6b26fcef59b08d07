"""What may be forgotten of the log, and what has to be."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, SourceRecord
from catalog.domain.errors import AuthorHasBooks, ContentWithheld, NeverRecorded, Removed
from catalog.domain.kinds import Kind
from catalog.domain.queries import RevisionQuery
from catalog.domain.records import Amendment
from catalog.domain.revisions import Operation, Revision, Withheld
from catalog.domain.sources import Entry
from catalog.testing.doubles import NOBODY, Cataloguers, SortedIds, drafted, log_of, picture_of

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = 24 * 3600
ids = SortedIds()


def day(number: int) -> datetime:
    return START + timedelta(days=number)


async def compacted(catalogue: Cataloguers, before: datetime) -> int:
    return sum([dropped async for dropped, _ in catalogue.log_keeping.compact(before)])


async def an_author_of_days(catalogue: Cataloguers, days: int) -> Author:
    """An author who is renamed once a day, for so many days, and called after the day."""
    author = await catalogue.authors.add(AuthorDetails(name="Day 0"))
    for number in range(1, days):
        catalogue.clock.move(DAY)
        author = await catalogue.authors.revise(author.id, Amendment({"name": f"Day {number}"}))
    return author


async def withheld(catalogue: Cataloguers) -> dict[int, Withheld]:
    return {r.seq: r.withheld for r in await log_of(catalogue.storage.reader) if r.withheld is not None}


async def history(catalogue: Cataloguers, kind: Kind, id: UUID) -> list[Revision]:
    return list((await catalogue.storage.reader.revisions(RevisionQuery(kind=kind, id=id))).items)


# Compacting


async def test_contents_that_were_succeeded_before_a_time_are_dropped_and_no_others(catalogue: Cataloguers) -> None:
    await an_author_of_days(catalogue, 5)
    log = await log_of(catalogue.storage.reader)

    assert await compacted(catalogue, day(3)) == 2

    assert await log_of(catalogue.storage.reader) == [
        evolve(revision, after=None, withheld=Withheld.COMPACTED) if revision.seq <= 2 else revision for revision in log
    ]


async def test_how_each_record_stood_at_that_time_and_since_is_kept(catalogue: Cataloguers) -> None:
    await an_author_of_days(catalogue, 5)
    catalogue.clock.move(-DAY)
    before = day(2) + timedelta(hours=12)

    await compacted(catalogue, before)

    log = await log_of(catalogue.storage.reader)
    stood = max((revision for revision in log if revision.at <= before), key=lambda revision: revision.version)
    assert stood.content == stood.after
    assert all(revision.withheld is None for revision in log if revision.at >= stood.at)


async def test_records_stand_as_they_did(catalogue: Cataloguers) -> None:
    author = await an_author_of_days(catalogue, 3)
    other = await catalogue.authors.add(AuthorDetails(name="Merged"))
    await catalogue.books.add(BookDetails(title="Emma", author_id=other.id))
    await catalogue.merging.merge(Author, other.id, author.id)
    catalogue.clock.move(DAY)
    before = await picture_of(catalogue.storage)

    assert await compacted(catalogue, catalogue.clock.now()) > 0

    assert await picture_of(catalogue.storage) == before


async def test_tombstones_and_redirects_are_kept(catalogue: Cataloguers) -> None:
    removed, loser, survivor = [await catalogue.authors.add(AuthorDetails(name=name)) for name in "RLS"]
    await catalogue.authors.remove(removed.id)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    catalogue.clock.move(DAY)
    before = await picture_of(catalogue.storage)

    assert await compacted(catalogue, catalogue.clock.now()) == 2

    assert await picture_of(catalogue.storage) == before
    assert [r.operation for r in await history(catalogue, Kind.AUTHOR, removed.id)] == [
        Operation.REMOVE,
        Operation.CREATE,
    ]
    assert [r.into for r in await history(catalogue, Kind.AUTHOR, loser.id)] == [survivor.id, None]


async def test_compacting_again_drops_nothing_more(catalogue: Cataloguers) -> None:
    await an_author_of_days(catalogue, 4)
    await compacted(catalogue, day(2))
    log = await log_of(catalogue.storage.reader)

    assert await compacted(catalogue, day(2)) == 0
    assert await log_of(catalogue.storage.reader) == log
    assert await compacted(catalogue, day(9)) == 2


async def test_an_empty_log_is_compact(catalogue: Cataloguers) -> None:
    assert [part async for part in catalogue.log_keeping.compact(START)] == []


async def test_a_log_is_compacted_in_parts(catalogue: Cataloguers) -> None:
    await an_author_of_days(catalogue, 6)
    parts = []
    after: int | None = 0
    while after is not None:
        async with catalogue.storage.unit_of_work(catalogue.caller) as unit:
            dropped, after = await unit.log.compact(before=day(99), after_seq=after, limit=2)
        parts.append((dropped, after))

    assert parts == [(2, 2), (2, 4), (1, None)]
    assert set(await withheld(catalogue)) == {1, 2, 3, 4, 5}


async def test_what_was_compacted_is_not_told_any_more(catalogue: Cataloguers) -> None:
    author = await an_author_of_days(catalogue, 3)
    await compacted(catalogue, day(9))

    revision = await catalogue.storage.reader.revision(Kind.AUTHOR, author.id, 1)

    assert (revision.withheld, revision.after) == (Withheld.COMPACTED, None)
    with pytest.raises(ContentWithheld) as refusal:
        revision.must_be_told()
    assert (refusal.value.id, refusal.value.version, refusal.value.why) == (author.id, 1, "compacted")


async def test_nobody_goes_back_to_what_was_compacted(catalogue: Cataloguers) -> None:
    author = await an_author_of_days(catalogue, 3)
    await compacted(catalogue, day(9))
    before = await picture_of(catalogue.storage)

    with pytest.raises(ContentWithheld):
        await catalogue.undoing.revert(Author, author.id, 1)
    assert await picture_of(catalogue.storage) == before


async def test_a_record_that_was_removed_long_ago_can_not_be_restored(catalogue: Cataloguers) -> None:
    long_ago, lately = [await catalogue.authors.add(AuthorDetails(name=name)) for name in ("Long ago", "Lately")]
    await catalogue.authors.remove(long_ago.id)
    catalogue.clock.move(DAY)
    await catalogue.authors.remove(lately.id)
    await compacted(catalogue, day(1))

    with pytest.raises(ContentWithheld):
        await catalogue.undoing.restore(Author, long_ago.id)
    assert (await catalogue.undoing.restore(Author, lately.id)).name == "Lately"
    with pytest.raises(Removed):
        await catalogue.storage.reader.author(long_ago.id)


async def test_a_record_that_was_merged_long_ago_can_not_be_unmerged(catalogue: Cataloguers) -> None:
    loser, survivor = [await catalogue.authors.add(AuthorDetails(name=name)) for name in ("Loser", "Survivor")]
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await compacted(catalogue, day(1))
    before = await picture_of(catalogue.storage)

    with pytest.raises(ContentWithheld):
        await catalogue.merging.unmerge(Author, loser.id)
    assert await picture_of(catalogue.storage) == before


async def test_what_was_dropped_of_others_is_left_alone_by_an_unmerge(catalogue: Cataloguers) -> None:
    """The loser's content is still told, for it went after the others had said their last word before the merge."""
    loser = await catalogue.authors.add(AuthorDetails(name="Loser", dob=date(1775, 12, 16)))
    survivor = await catalogue.authors.add(AuthorDetails(name="Survivor"))
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=loser.id))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    async with catalogue.storage.unit_of_work(catalogue.caller) as unit:
        await unit.log.compact(before=day(9), after_seq=1, limit=2)
    assert set(await withheld(catalogue)) == {2, 3}

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert result.record.name == "Loser"
    assert {left.id for left in result.left_alone} == {survivor.id, book.id}
    assert (await catalogue.storage.reader.book(book.id)).author_id == survivor.id


async def test_an_undo_leaves_alone_what_was_compacted(catalogue: Cataloguers) -> None:
    run, undo = ids.new(), ids.new()
    entry = Entry(line=1, draft=drafted(SourceRecord("test", "1"), "Emma"))
    (outcome,) = await catalogue.importing.take([entry], run)
    await catalogue.undoing.take_back(run, undo)
    await compacted(catalogue, day(1))

    undone = await catalogue.undoing.take_back(undo, ids.new())

    assert undone is not None
    assert (undone.records, [left.id for left in undone.left_alone]) == (0, [outcome.book_id])
    assert "compacted" in undone.left_alone[0].reason


async def test_what_a_run_created_is_taken_back_after_compacting_too(catalogue: Cataloguers) -> None:
    run = ids.new()
    entry = Entry(line=1, draft=drafted(SourceRecord("test", "1"), "Emma", "Jane Austen"))
    await catalogue.importing.take([entry], run)
    await compacted(catalogue, day(1))

    undone = await catalogue.undoing.take_back(run, ids.new())

    assert undone is not None
    assert (undone.records, list(undone.left_alone)) == (2, [])


# Erasing


async def test_erasing_empties_all_contents_and_leaves_a_bare_tombstone(catalogue: Cataloguers) -> None:
    author = await an_author_of_days(catalogue, 3)

    stood = await catalogue.asked_by("Ada", request_id="r-7").log_keeping.erase(author.id)

    assert stood is not None
    assert (stood.id, stood.version, stood.stands) == (author.id, 3, True)
    tombstone, removal, *contents = await history(catalogue, Kind.AUTHOR, author.id)
    assert [(r.version, r.withheld, r.after) for r in contents] == [
        (version, Withheld.ERASED, None) for version in (3, 2, 1)
    ]
    assert (removal.version, removal.operation, removal.after) == (4, Operation.REMOVE, None)
    assert (tombstone.version, tombstone.operation, tombstone.withheld) == (5, Operation.REMOVE, Withheld.ERASED)
    assert (tombstone.actor, tombstone.request_id) == ("Ada", "r-7")


async def test_an_erased_record_is_gone(catalogue: Cataloguers) -> None:
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=None))

    await catalogue.log_keeping.erase(book.id)

    with pytest.raises(Removed):
        await catalogue.storage.reader.book(book.id)
    assert (await picture_of(catalogue.storage)).standing == {}


async def test_a_record_that_is_gone_already_is_erased_too(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Removed"))
    await catalogue.authors.remove(author.id)

    stood = await catalogue.log_keeping.erase(author.id)

    assert stood is not None
    assert not stood.stands
    assert [(r.version, r.withheld) for r in await history(catalogue, Kind.AUTHOR, author.id)] == [
        (3, Withheld.ERASED),
        (2, None),
        (1, Withheld.ERASED),
    ]


async def test_what_was_compacted_is_erased_by_name(catalogue: Cataloguers) -> None:
    author = await an_author_of_days(catalogue, 3)
    await compacted(catalogue, day(9))

    await catalogue.log_keeping.erase(author.id)

    assert set((await withheld(catalogue)).values()) == {Withheld.ERASED}


async def test_a_merged_record_is_erased_and_leads_nowhere_any_more(catalogue: Cataloguers) -> None:
    loser, survivor = [await catalogue.authors.add(AuthorDetails(name=name)) for name in ("Loser", "Survivor")]
    await catalogue.merging.merge(Author, loser.id, survivor.id)

    await catalogue.log_keeping.erase(loser.id)

    with pytest.raises(Removed):
        await catalogue.storage.reader.author(loser.id)
    with pytest.raises(Removed):
        await catalogue.merging.unmerge(Author, loser.id)
    assert await catalogue.storage.reader.author(survivor.id) == survivor


async def test_an_author_whom_books_name_is_not_erased(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Author"))
    await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))
    before, log = await picture_of(catalogue.storage), await log_of(catalogue.storage.reader)

    with pytest.raises(AuthorHasBooks) as refusal:
        await catalogue.log_keeping.erase(author.id)

    assert refusal.value.books == 1
    assert (await picture_of(catalogue.storage), await log_of(catalogue.storage.reader)) == (before, log)


async def test_erasing_twice_does_no_harm(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Author"))
    await catalogue.log_keeping.erase(author.id)
    log = await log_of(catalogue.storage.reader)

    assert await catalogue.log_keeping.erase(author.id) is None
    assert await log_of(catalogue.storage.reader) == log


async def test_what_never_was_can_not_be_erased(catalogue: Cataloguers) -> None:
    with pytest.raises(NeverRecorded):
        await catalogue.log_keeping.erase(NOBODY)


async def test_what_was_erased_does_not_come_back(catalogue: Cataloguers) -> None:
    author = await an_author_of_days(catalogue, 2)
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=None))
    for id in (author.id, book.id):
        await catalogue.log_keeping.erase(id)

    with pytest.raises(ContentWithheld) as refusal:
        await catalogue.undoing.restore(Author, author.id)
    assert refusal.value.why == "erased"
    with pytest.raises(ContentWithheld):
        await catalogue.undoing.restore(BookRecord, book.id)
    with pytest.raises(Removed):
        await catalogue.undoing.revert(Author, author.id, 1)


async def test_an_undo_leaves_alone_what_was_erased(catalogue: Cataloguers) -> None:
    run, undo = ids.new(), ids.new()
    entries = [Entry(line=n, draft=drafted(SourceRecord("test", str(n)), f"Volume {n}")) for n in range(2)]
    first, second = await catalogue.importing.take(entries, run)
    await catalogue.log_keeping.erase(first.book_id or NOBODY)
    await catalogue.undoing.take_back(run, undo)
    await catalogue.log_keeping.erase(second.book_id or NOBODY)

    undone = await catalogue.undoing.take_back(undo, ids.new())

    assert undone is not None
    assert (undone.records, [left.id for left in undone.left_alone]) == (0, [second.book_id])
    assert (await picture_of(catalogue.storage)).standing == {}


async def test_others_keep_what_they_say_when_one_is_erased(catalogue: Cataloguers) -> None:
    author, other = [await catalogue.authors.add(AuthorDetails(name=name)) for name in ("Author", "Other")]
    await catalogue.log_keeping.erase(author.id)

    (revision,) = await history(catalogue, Kind.AUTHOR, other.id)

    assert revision.content == other


async def test_a_merge_is_still_taken_back_when_an_erased_record_was_merged_before(catalogue: Cataloguers) -> None:
    earlier, loser, survivor = [await catalogue.authors.add(AuthorDetails(name=name)) for name in "ELS"]
    await catalogue.merging.merge(Author, earlier.id, loser.id)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.log_keeping.erase(earlier.id)

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert result.left_alone == []
    with pytest.raises(Removed):
        await catalogue.storage.reader.author(earlier.id)
