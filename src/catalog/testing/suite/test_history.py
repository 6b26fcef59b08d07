"""Bringing back what was: revert, restore and undo."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, Contributor, SourceKey, SourceRecord
from catalog.domain.errors import (
    GroupNotFound,
    NotFound,
    Removed,
    StaleVersion,
    UnknownAuthors,
    UnmergeFirst,
    VersionIsRemoval,
    VersionNotFound,
)
from catalog.domain.kinds import Kind
from catalog.domain.queries import AuthorQuery, BookQuery, RevisionQuery
from catalog.domain.receipts import LeftAlone
from catalog.domain.records import Amendment
from catalog.domain.revisions import Comparison, Operation, Revision
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.use_cases.undoing import CHUNK, Undone
from catalog.domain.values import Isbn, Language, PartialDate, Role
from catalog.testing.doubles import NOBODY, Cataloguers, SortedIds, drafted, listed, log_of, named, picture_of

ids = SortedIds()


async def an_author(catalogue: Cataloguers, name: str = "Jane Austen") -> Author:
    return await catalogue.authors.add(AuthorDetails(name=name))


async def last_revision(catalogue: Cataloguers) -> Revision:
    return (await log_of(catalogue.storage.reader))[-1]


async def last_group(catalogue: Cataloguers) -> UUID:
    group = (await last_revision(catalogue)).group
    assert group is not None
    return group


async def renamed(catalogue: Cataloguers, author: Author, *names: str) -> Author:
    for name in names:
        author = await catalogue.authors.revise(author.id, Amendment({"name": name}))
    return author


# Reverting


async def test_a_record_goes_back_to_what_it_said_as_its_next_version(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue, "One")
    await renamed(catalogue, author, "Two", "Three")
    catalogue.clock.move()

    reverted = await catalogue.undoing.revert(Author, author.id, 1)

    assert reverted == evolve(author, version=4, updated_at=catalogue.clock.now())
    assert await catalogue.storage.reader.author(author.id) == reverted
    revision = await last_revision(catalogue)
    assert (revision.operation, revision.version, revision.after) == (Operation.REVERT, 4, reverted)


async def test_a_revert_can_be_reverted(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue, "One")
    await renamed(catalogue, author, "Two")
    await catalogue.undoing.revert(Author, author.id, 1)

    again = await catalogue.undoing.revert(Author, author.id, 2)

    assert (again.name, again.version) == ("Two", 4)


async def test_a_book_goes_back_in_all_it_says(catalogue: Cataloguers) -> None:
    author, other = await an_author(catalogue), await an_author(catalogue, "Other")
    details = BookDetails(
        title="Emma",
        subtitle="A Novel",
        author_id=author.id,
        contributors=(Contributor(author_id=other.id, role=Role("ill")), Contributor(author_id=author.id)),
        isbn=Isbn("9780141439600"),
        published=PartialDate("1815-12"),
        languages=(Language("eng"), Language("fre")),
    )
    book = await catalogue.books.add(details)
    await catalogue.books.revise(book.id, Amendment.to(BookDetails(title="Other", author_id=None)))

    reverted = await catalogue.undoing.revert(BookRecord, book.id, 1)

    assert reverted == evolve(book, version=3)
    assert await catalogue.storage.reader.book(book.id) == reverted


async def test_going_back_to_what_stands_changes_nothing(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue, "One")
    await renamed(catalogue, author, "Two", "One")
    before = await picture_of(catalogue.storage)

    reverted = await catalogue.undoing.revert(Author, author.id, 1)

    assert reverted.version == 3
    assert await picture_of(catalogue.storage) == before


@pytest.mark.parametrize("version", [0, 3, 2**31 - 1])
async def test_a_version_that_never_was_can_not_be_gone_back_to(catalogue: Cataloguers, version: int) -> None:
    author = await renamed(catalogue, await an_author(catalogue), "Two")

    with pytest.raises(VersionNotFound) as refusal:
        await catalogue.undoing.revert(Author, author.id, version)

    assert (refusal.value.version, refusal.value.newest) == (version, 2)


async def test_a_version_at_which_the_record_was_gone_can_not_be_gone_back_to(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue)
    await catalogue.authors.remove(author.id)
    await catalogue.undoing.restore(Author, author.id)

    with pytest.raises(VersionIsRemoval) as refusal:
        await catalogue.undoing.revert(Author, author.id, 2)

    assert refusal.value.version == 2


async def test_a_removed_record_is_restored_and_not_reverted(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue)
    await catalogue.authors.remove(author.id)

    with pytest.raises(Removed):
        await catalogue.undoing.revert(Author, author.id, 1)


async def test_a_merged_record_is_unmerged_before_it_is_reverted(catalogue: Cataloguers) -> None:
    loser, survivor = await an_author(catalogue, "Loser"), await an_author(catalogue, "Survivor")
    await catalogue.merging.merge(Author, loser.id, survivor.id)

    with pytest.raises(UnmergeFirst) as refusal:
        await catalogue.undoing.revert(Author, loser.id, 1)

    assert refusal.value.into == survivor.id


@pytest.mark.parametrize("shown_as", [Author, BookRecord])
async def test_what_never_was_can_not_be_reverted_or_restored(catalogue: Cataloguers, shown_as: Any) -> None:
    with pytest.raises(NotFound):
        await catalogue.undoing.revert(shown_as, NOBODY, 1)
    with pytest.raises(NotFound):
        await catalogue.undoing.restore(shown_as, NOBODY)


async def test_an_author_is_no_book_to_be_reverted_or_restored(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue)

    with pytest.raises(NotFound):
        await catalogue.undoing.revert(BookRecord, author.id, 1)
    with pytest.raises(NotFound):
        await catalogue.undoing.restore(BookRecord, author.id)


async def test_who_knows_another_version_can_not_revert(catalogue: Cataloguers) -> None:
    author = await renamed(catalogue, await an_author(catalogue), "Two")

    with pytest.raises(StaleVersion) as refusal:
        await catalogue.undoing.revert(Author, author.id, 1, known_versions={1})
    assert refusal.value.current == 2

    assert (await catalogue.undoing.revert(Author, author.id, 1, known_versions={2})).version == 3


async def test_a_book_does_not_go_back_to_authors_who_are_gone(catalogue: Cataloguers) -> None:
    author, translator = await an_author(catalogue), await an_author(catalogue, "Translator")
    contributors = (Contributor(author_id=author.id, role=Role("ill")), Contributor(author_id=translator.id))
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id, contributors=contributors))
    await catalogue.books.revise(book.id, Amendment({"contributors": ()}))
    await catalogue.authors.remove(translator.id)
    before = await picture_of(catalogue.storage)

    with pytest.raises(UnknownAuthors) as refusal:
        await catalogue.undoing.revert(BookRecord, book.id, 1)

    assert list(refusal.value.references) == [(("contributors", 1, "author_id"), translator.id)]
    assert await picture_of(catalogue.storage) == before


async def test_a_book_goes_back_to_who_stands_for_a_merged_author(catalogue: Cataloguers) -> None:
    loser, survivor, last = [await an_author(catalogue, name) for name in ("Loser", "Survivor", "Last")]
    contributors = (Contributor(author_id=loser.id), Contributor(author_id=survivor.id, role=Role("ill")))
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=loser.id, contributors=contributors))
    await catalogue.books.revise(book.id, Amendment({"author_id": None, "contributors": ()}))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.merging.merge(Author, survivor.id, last.id)

    reverted = await catalogue.undoing.revert(BookRecord, book.id, 1)

    assert reverted.author == last
    assert reverted.contributors == (Contributor(author_id=last.id, role=Role("ill")),)


async def test_reverting_leaves_the_sources_as_they_are(catalogue: Cataloguers) -> None:
    (book,), _ = await imported(catalogue, a_draft("1"))
    await catalogue.books.revise(book.id, Amendment({"title": "Other"}))

    reverted = await catalogue.undoing.revert(BookRecord, book.id, 1)

    assert reverted.sources == (SourceKey("test", "1"),)


# Restoring


async def test_a_removed_record_comes_back_as_it_was_as_its_next_version(catalogue: Cataloguers) -> None:
    author = await renamed(catalogue, await an_author(catalogue), "Two")
    await catalogue.authors.remove(author.id)
    catalogue.clock.move()

    restored = await catalogue.undoing.restore(Author, author.id)

    assert restored == evolve(author, version=4, updated_at=catalogue.clock.now())
    assert await catalogue.storage.reader.author(author.id) == restored
    revision = await last_revision(catalogue)
    assert (revision.operation, revision.version, revision.after) == (Operation.RESTORE, 4, restored)


async def test_a_restored_record_goes_on_like_any_other(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue, "One")
    for _ in range(2):
        await catalogue.authors.remove(author.id)
        await catalogue.undoing.restore(Author, author.id)
    assert (await renamed(catalogue, author, "Two")).version == 6

    page = await catalogue.storage.reader.revisions(RevisionQuery(kind=Kind.AUTHOR, id=author.id))

    assert [revision.version for revision in page.items] == [6, 5, 4, 3, 2, 1]
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 1


async def test_restoring_what_stands_changes_nothing(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue)
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))
    before = await picture_of(catalogue.storage)

    assert await catalogue.undoing.restore(Author, author.id) == author
    assert await catalogue.undoing.restore(BookRecord, book.id) == book
    assert await picture_of(catalogue.storage) == before


async def test_a_merged_record_is_not_restored_but_unmerged(catalogue: Cataloguers) -> None:
    loser, survivor = await an_author(catalogue, "Loser"), await an_author(catalogue, "Survivor")
    await catalogue.merging.merge(Author, loser.id, survivor.id)

    with pytest.raises(UnmergeFirst):
        await catalogue.undoing.restore(Author, loser.id)


async def test_a_restored_book_comes_back_with_its_sources(catalogue: Cataloguers) -> None:
    (book,), _ = await imported(catalogue, a_draft("1"))
    await catalogue.books.remove(book.id)

    restored = await catalogue.undoing.restore(BookRecord, book.id)

    assert restored.sources == (SourceKey("test", "1"),)
    assert (await picture_of(catalogue.storage)).sources == {SourceKey("test", "1"): book.id}


async def test_a_source_that_another_book_has_by_now_stays_there(catalogue: Cataloguers) -> None:
    (book,), _ = await imported(catalogue, a_draft("1"))
    await catalogue.books.remove(book.id)
    await imported(catalogue, a_draft("1"))
    (again,) = await books_of(catalogue)

    restored = await catalogue.undoing.restore(BookRecord, book.id)

    assert restored.sources == ()
    assert (await picture_of(catalogue.storage)).sources == {SourceKey("test", "1"): again.id}


async def test_a_book_by_an_author_who_is_gone_can_not_be_restored(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue)
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))
    await catalogue.books.remove(book.id)
    await catalogue.authors.remove(author.id)
    before = await picture_of(catalogue.storage)

    with pytest.raises(UnknownAuthors):
        await catalogue.undoing.restore(BookRecord, book.id)
    assert await picture_of(catalogue.storage) == before

    await catalogue.undoing.restore(Author, author.id)
    assert (await catalogue.undoing.restore(BookRecord, book.id)).version == 3


async def test_a_restored_book_names_who_stands_for_a_merged_author(catalogue: Cataloguers) -> None:
    loser, survivor = await an_author(catalogue, "Loser"), await an_author(catalogue, "Survivor")
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=loser.id))
    await catalogue.books.remove(book.id)
    await catalogue.merging.merge(Author, loser.id, survivor.id)

    restored = await catalogue.undoing.restore(BookRecord, book.id)

    assert restored.author == survivor


async def test_what_is_gone_says_who_removed_it_and_when(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue)
    catalogue.clock.move()
    await catalogue.asked_by("Ada", request_id="r-9").authors.remove(author.id)

    with pytest.raises(Removed) as refusal:
        await catalogue.storage.reader.author(author.id)

    assert (refusal.value.kind, refusal.value.id) == (Kind.AUTHOR, author.id)
    assert (refusal.value.at, refusal.value.actor, refusal.value.request_id) == (catalogue.clock.now(), "Ada", "r-9")


async def test_the_id_of_a_removed_record_is_never_used_again(catalogue: Cataloguers) -> None:
    """The log numbers the versions of an id; a second life under it would begin at 1 again."""
    author = await an_author(catalogue)
    await catalogue.authors.remove(author.id)
    others = [await an_author(catalogue, f"Author {n}") for n in range(20)]

    assert author.id not in {other.id for other in others}
    with pytest.raises(Removed):
        await catalogue.storage.reader.author(author.id)


async def test_any_two_versions_are_compared_field_by_field(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue, "One")
    await renamed(catalogue, author, "Two")
    await catalogue.authors.remove(author.id)
    one, two, gone = [await catalogue.storage.reader.revision(Kind.AUTHOR, author.id, n) for n in (1, 2, 3)]

    assert [(d.field, d.before, d.after) for d in Comparison.of(one, two).differences] == [("name", "One", "Two")]
    assert [(d.field, d.before, d.after) for d in Comparison.of(two, gone).differences] == [("name", "Two", None)]
    assert Comparison.of(one, one).differences == []


# Undoing


def a_draft(key: str, title: str = "Emma", author: str | None = "Jane Austen", *others: str) -> BookDraft:
    return drafted(SourceRecord("test", key), title, author, *map(named, others))


async def imported(catalogue: Cataloguers, *drafts: BookDraft) -> tuple[Sequence[BookRecord], UUID]:
    """Take the drafts in one run; return all books there are then, and the run."""
    run = ids.new()
    async for _ in catalogue.importing.run([Entry(line=line, draft=draft) for line, draft in enumerate(drafts)], run):
        pass
    return await books_of(catalogue), run


async def books_of(catalogue: Cataloguers) -> list[BookRecord]:
    return await listed(lambda page: catalogue.storage.reader.books(BookQuery(page=page)))


async def authors_of(catalogue: Cataloguers) -> list[Author]:
    return await listed(lambda page: catalogue.storage.reader.authors(AuthorQuery(page=page)))


async def undone(catalogue: Cataloguers, run: UUID) -> tuple[int, Sequence[LeftAlone], UUID]:
    """Take the run back; return how many records were, those that were left alone, and the undo's own group."""
    begun = (await catalogue.storage.reader.position()).seq
    parts: list[Undone] = [part async for part in catalogue.undoing.undo(run)]
    groups = {revision.group or NOBODY for revision in (await log_of(catalogue.storage.reader))[begun:]} or {NOBODY}
    (undo,) = groups
    return sum(part.records for part in parts), [left for part in parts for left in part.left_alone], undo


async def test_what_a_run_created_is_removed(catalogue: Cataloguers) -> None:
    standing = await catalogue.books.add(BookDetails(title="Standing", author_id=None))
    _, run = await imported(catalogue, a_draft("1"), a_draft("2", "Persuasion", "Jane Austen", "C. E. Brock"))

    records, left_alone, undo = await undone(catalogue, run)

    assert (records, left_alone) == (4, [])
    assert await books_of(catalogue) == [standing]
    assert await authors_of(catalogue) == []
    removals = (await log_of(catalogue.storage.reader))[-4:]
    assert {removal.operation for removal in removals} == {Operation.REMOVE}
    assert undo not in (NOBODY, run)


async def test_what_somebody_has_changed_since_is_left_alone_and_told(catalogue: Cataloguers) -> None:
    (book, _), run = await imported(catalogue, a_draft("1"), a_draft("2", "Persuasion"))
    edited = await catalogue.asked_by("Ada").books.revise(book.id, Amendment({"title": "Emma!"}))

    records, left_alone, _ = await undone(catalogue, run)

    assert await books_of(catalogue) == [edited]
    assert records == 1
    assert {(left.kind, left.id) for left in left_alone} == {(Kind.BOOK, book.id), (Kind.AUTHOR, book.author_id)}
    reasons = {left.kind: left.reason for left in left_alone}
    assert "Ada has changed it since" in reasons[Kind.BOOK]
    assert "1 book still names" in reasons[Kind.AUTHOR]


async def test_what_was_removed_since_does_not_come_back(catalogue: Cataloguers) -> None:
    (book,), run = await imported(catalogue, a_draft("1"))
    await catalogue.books.remove(book.id)

    await undone(catalogue, run)

    assert (await books_of(catalogue), await authors_of(catalogue)) == ([], [])
    page = await catalogue.storage.reader.revisions(RevisionQuery(kind=Kind.BOOK, id=book.id))
    assert [revision.operation for revision in page.items] == [Operation.REMOVE, Operation.CREATE]


async def test_what_was_changed_and_changed_back_is_not_the_same(catalogue: Cataloguers) -> None:
    (book,), run = await imported(catalogue, a_draft("1"))
    await catalogue.books.remove(book.id)
    await catalogue.undoing.restore(BookRecord, book.id)

    _, left_alone, _ = await undone(catalogue, run)

    assert book.id in {left.id for left in left_alone}
    assert [standing.id for standing in await books_of(catalogue)] == [book.id]


async def test_an_author_whom_somebody_else_names_by_now_is_left_alone(catalogue: Cataloguers) -> None:
    (book,), run = await imported(catalogue, a_draft("1"))
    others = [await catalogue.books.add(BookDetails(title=t, author_id=book.author_id)) for t in ("A", "B")]

    records, left_alone, _ = await undone(catalogue, run)

    assert records == 1
    assert await books_of(catalogue) == others
    assert [(left.kind, left.id) for left in left_alone] == [(Kind.AUTHOR, book.author_id)]
    assert "2 books still name" in left_alone[0].reason


async def test_an_author_who_was_there_before_the_run_stays(catalogue: Cataloguers) -> None:
    author = await an_author(catalogue)
    _, run = await imported(catalogue, a_draft("1"))

    await undone(catalogue, run)

    assert await authors_of(catalogue) == [author]


async def test_undoing_the_undo_brings_all_back(catalogue: Cataloguers) -> None:
    _, run = await imported(catalogue, a_draft("1"), a_draft("2", "Persuasion", "Jane Austen", "C. E. Brock"))
    before = await picture_of(catalogue.storage)
    _, _, undo = await undone(catalogue, run)

    records, left_alone, again = await undone(catalogue, undo)

    assert (records, left_alone) == (4, [])
    after = await picture_of(catalogue.storage)
    assert after.sources == before.sources
    assert [book.details for book in after.books] == [book.details for book in before.books]
    assert {record.version for record in after.standing.values()} == {3}
    assert again not in (NOBODY, run, undo)


async def test_an_undo_is_undone_as_often_as_one_likes(catalogue: Cataloguers) -> None:
    _, group = await imported(catalogue, a_draft("1"))
    for round_ in range(6):
        _, left_alone, group = await undone(catalogue, group)
        assert left_alone == []
        assert len(await books_of(catalogue)) == round_ % 2


async def test_taking_a_run_back_twice_does_no_harm(catalogue: Cataloguers) -> None:
    _, run = await imported(catalogue, a_draft("1"), a_draft("2", "Persuasion"))
    await undone(catalogue, run)
    before = await picture_of(catalogue.storage)

    records, left_alone, _ = await undone(catalogue, run)

    assert (records, left_alone) == (0, [])
    assert await picture_of(catalogue.storage) == before


async def test_what_was_left_alone_can_go_later(catalogue: Cataloguers) -> None:
    (book,), run = await imported(catalogue, a_draft("1"))
    other = await catalogue.books.add(BookDetails(title="Other", author_id=book.author_id))
    await undone(catalogue, run)
    await catalogue.books.remove(other.id)

    records, left_alone, _ = await undone(catalogue, run)

    assert (records, left_alone) == (1, [])
    assert await authors_of(catalogue) == []


async def test_what_was_undone_can_be_imported_again(catalogue: Cataloguers) -> None:
    _, run = await imported(catalogue, a_draft("1"))
    await undone(catalogue, run)

    books, _ = await imported(catalogue, a_draft("1"))

    assert [book.version for book in books] == [1]


async def test_a_source_that_was_imported_again_does_not_come_back_twice(catalogue: Cataloguers) -> None:
    (first,), run = await imported(catalogue, a_draft("1"))
    _, _, undo = await undone(catalogue, run)
    (second,), _ = await imported(catalogue, a_draft("1"))

    await undone(catalogue, undo)

    assert {book.id: book.sources for book in await books_of(catalogue)} == {
        first.id: (),
        second.id: (SourceKey("test", "1"),),
    }


async def test_a_run_of_more_records_than_fit_into_one_unit_is_taken_back_whole(catalogue: Cataloguers) -> None:
    count = CHUNK + 20
    _, run = await imported(catalogue, *(a_draft(str(n), f"Volume {n}", f"Author {n % 7}") for n in range(count)))

    parts = [part async for part in catalogue.undoing.undo(run)]

    assert len(parts) == 2
    assert [part.records for part in parts] == [CHUNK, 27]
    assert [part.down_to for part in parts] == [28, 1]
    assert (await books_of(catalogue), await authors_of(catalogue)) == ([], [])
    undo = await last_group(catalogue)
    async for _ in catalogue.undoing.undo(undo):
        pass
    assert (len(await books_of(catalogue)), len(await authors_of(catalogue))) == (count, 7)


async def test_an_undo_that_was_broken_off_goes_on_where_it_is_begun_again(catalogue: Cataloguers) -> None:
    count = CHUNK + 20
    _, run = await imported(catalogue, *(a_draft(str(n), f"Volume {n}", None) for n in range(count)))
    await anext(catalogue.undoing.undo(run))
    assert len(await books_of(catalogue)) == 20

    records, left_alone, _ = await undone(catalogue, run)

    assert (records, left_alone, await books_of(catalogue)) == (20, [], [])


async def test_an_unknown_run_is_not_found(catalogue: Cataloguers) -> None:
    with pytest.raises(GroupNotFound) as refusal:
        await anext(catalogue.undoing.undo(NOBODY))

    assert refusal.value.group == NOBODY


async def test_a_merge_is_a_group_that_can_be_undone_and_done_again(catalogue: Cataloguers) -> None:
    earlier, loser, survivor = [await an_author(catalogue, name) for name in ("Earlier", "Loser", "Survivor")]
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=loser.id))
    await catalogue.merging.merge(Author, earlier.id, loser.id)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    merge = await last_group(catalogue)

    _, left_alone, undo = await undone(catalogue, merge)

    assert left_alone == []
    assert (await catalogue.storage.reader.book(book.id)).author_id == loser.id
    assert (await picture_of(catalogue.storage)).absent[earlier.id].data["into"] == loser.id

    _, left_alone, _ = await undone(catalogue, undo)

    assert left_alone == []
    assert (await catalogue.storage.reader.book(book.id)).author_id == survivor.id
    absent = (await picture_of(catalogue.storage)).absent
    assert {id: refused.data["into"] for id, refused in absent.items()} == {
        earlier.id: survivor.id,
        loser.id: survivor.id,
    }


async def test_undoing_an_unmerge_leaves_an_author_alone_whom_a_new_book_names(catalogue: Cataloguers) -> None:
    """Undoing an unmerge merges again; the author can not go as long as a book names him that the undo leaves alone."""
    loser, survivor = await an_author(catalogue, "Loser"), await an_author(catalogue, "Survivor")
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.merging.unmerge(Author, loser.id)
    unmerge = await last_group(catalogue)
    book = await catalogue.books.add(BookDetails(title="New", author_id=loser.id))

    records, left_alone, _ = await undone(catalogue, unmerge)

    assert (records, [left.id for left in left_alone]) == (0, [loser.id])
    assert await catalogue.storage.reader.book(book.id) == book


async def test_undoing_an_unmerge_leads_to_whom_the_survivor_was_merged_into_since(catalogue: Cataloguers) -> None:
    loser, survivor, last = [await an_author(catalogue, name) for name in ("Loser", "Survivor", "Last")]
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.merging.unmerge(Author, loser.id)
    unmerge = await last_group(catalogue)
    await catalogue.merging.merge(Author, survivor.id, last.id)

    await undone(catalogue, unmerge)

    picture = await picture_of(catalogue.storage)
    leads_to = {id: refused.data["into"] for id, refused in picture.absent.items()}
    assert set(leads_to.values()) <= set(picture.standing), "a redirect leads to one that redirects"


async def test_undoing_an_unmerge_does_not_lead_to_a_record_that_was_removed_since(catalogue: Cataloguers) -> None:
    loser, survivor = await an_author(catalogue, "Loser"), await an_author(catalogue, "Survivor")
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=loser.id))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.merging.unmerge(Author, loser.id)
    unmerge = await last_group(catalogue)
    await catalogue.authors.remove(survivor.id)

    _, left_alone, _ = await undone(catalogue, unmerge)

    assert {left.id for left in left_alone} == {loser.id, book.id}
    assert (await catalogue.storage.reader.book(book.id)).author == await catalogue.storage.reader.author(loser.id)


async def test_undoing_an_unmerge_merges_no_record_into_itself(catalogue: Cataloguers) -> None:
    one, other = await an_author(catalogue, "One"), await an_author(catalogue, "Other")
    await catalogue.merging.merge(Author, one.id, other.id)
    await catalogue.merging.unmerge(Author, one.id)
    unmerge = await last_group(catalogue)
    await catalogue.merging.merge(Author, other.id, one.id)

    _, left_alone, _ = await undone(catalogue, unmerge)

    assert [left.id for left in left_alone] == [one.id]
    assert (await catalogue.storage.reader.author(one.id)).name == "One"


async def test_undoing_an_unmerge_leads_those_along_who_were_merged_since(catalogue: Cataloguers) -> None:
    one, other, third = [await an_author(catalogue, name) for name in ("One", "Other", "Third")]
    await catalogue.merging.merge(Author, one.id, other.id)
    await catalogue.merging.unmerge(Author, one.id)
    unmerge = await last_group(catalogue)
    await catalogue.merging.merge(Author, third.id, one.id)

    await undone(catalogue, unmerge)

    picture = await picture_of(catalogue.storage)
    assert {refused.data["into"] for refused in picture.absent.values()} == {other.id}
