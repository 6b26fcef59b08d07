"""What is asked twice under one key is done once."""

import asyncio
from datetime import date
from typing import Any

import pytest
from attrs import evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord
from catalog.domain.errors import ContentWithheld, KeyReused, NotFound, ReadOnlyReplica, Removed, UnknownAuthors
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery
from catalog.domain.records import Amendment
from catalog.domain.snapshots import SnapshotStorage
from catalog.domain.use_cases.authors import AuthorCataloguing
from catalog.testing.doubles import Cataloguers, FeedOf, log_of

KEPT_FOR = 24 * 3600
AUSTEN = AuthorDetails(name="Jane Austen", dob=date(1775, 12, 16))


async def seq(catalogue: Cataloguers) -> int:
    return (await catalogue.storage.reader.position()).seq


async def test_the_same_request_twice_is_done_once_and_answered_alike(catalogue: Cataloguers) -> None:
    first, second = catalogue.asked_once("k"), catalogue.asked_once("k")
    author = await first.authors.add(AUSTEN)
    catalogue.clock.move()

    again = await second.authors.add(AUSTEN)

    assert again == author
    assert (first.replayed, second.replayed) == (False, True)
    assert await seq(catalogue) == 1
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 1


async def test_another_key_is_another_request(catalogue: Cataloguers) -> None:
    one = await catalogue.asked_once("one").authors.add(AUSTEN)
    other = await catalogue.asked_once("other").authors.add(AUSTEN)

    assert one.id != other.id


async def test_without_a_key_everything_is_done_each_time(catalogue: Cataloguers) -> None:
    assert (await catalogue.authors.add(AUSTEN)).id != (await catalogue.authors.add(AUSTEN)).id


async def test_a_key_that_was_used_for_another_request_is_refused(catalogue: Cataloguers) -> None:
    await catalogue.asked_once("k").authors.add(AUSTEN)

    with pytest.raises(KeyReused) as refusal:
        await catalogue.asked_once("k", fingerprint="another").authors.add(AuthorDetails(name="Other"))

    assert refusal.value.key == "k"
    assert await seq(catalogue) == 1


async def test_what_was_changed_since_is_shown_as_it_was_written(catalogue: Cataloguers) -> None:
    author = await catalogue.asked_once("k").authors.add(AUSTEN)
    await catalogue.authors.revise(author.id, Amendment({"name": "Changed"}))

    assert await catalogue.asked_once("k").authors.add(AUSTEN) == author


async def test_what_was_removed_since_is_shown_as_it_was_written(catalogue: Cataloguers) -> None:
    author = await catalogue.asked_once("k").authors.add(AUSTEN)
    await catalogue.authors.remove(author.id)

    assert await catalogue.asked_once("k").authors.add(AUSTEN) == author
    with pytest.raises(Removed):
        await catalogue.storage.reader.author(author.id)


async def test_a_book_is_shown_with_its_author_as_of_then(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)
    renamed = await catalogue.authors.revise(author.id, Amendment({"name": "Miss Austen"}))
    details = BookDetails(title="Emma", author_id=author.id)
    book = await catalogue.asked_once("k").books.add(details)
    await catalogue.authors.revise(author.id, Amendment({"name": "Changed"}))
    await catalogue.books.remove(book.id)
    await catalogue.authors.remove(author.id)

    again = await catalogue.asked_once("k").books.add(details)

    assert again == book
    assert again.author == renamed


async def test_a_book_by_nobody_is_shown_so_again(catalogue: Cataloguers) -> None:
    details = BookDetails(title="Beowulf", author_id=None)
    book = await catalogue.asked_once("k").books.add(details)

    assert await catalogue.asked_once("k").books.add(details) == book


async def test_an_amendment_is_not_done_over_what_others_wrote_since(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)
    amendment = Amendment[AuthorDetails]({"name": "Mine"})
    mine = await catalogue.asked_once("k").authors.revise(author.id, amendment, known_versions={1})
    theirs = await catalogue.authors.revise(author.id, Amendment({"name": "Theirs"}))

    again = await catalogue.asked_once("k").authors.revise(author.id, amendment, known_versions={1})

    assert again == mine
    assert await catalogue.storage.reader.author(author.id) == theirs


async def test_an_amendment_that_changes_nothing_is_kept_too(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)
    amendment = Amendment[AuthorDetails]({"name": AUSTEN.name})
    await catalogue.asked_once("k").authors.revise(author.id, amendment)
    await catalogue.authors.revise(author.id, Amendment({"name": "Changed"}))

    asked_again = catalogue.asked_once("k")
    again = await asked_again.authors.revise(author.id, amendment)

    assert again == author
    assert asked_again.replayed
    assert await seq(catalogue) == 2


async def test_a_book_that_was_left_as_it_is_is_shown_with_the_author_that_was_shown_then(
    catalogue: Cataloguers,
) -> None:
    """The version of the book is older than the answer, and its author was called otherwise when it was written."""
    author = await catalogue.authors.add(AUSTEN)
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))
    await catalogue.authors.revise(author.id, Amendment({"name": "Miss Austen"}))
    amendment = Amendment[BookDetails]({"title": "Emma"})
    answered = await catalogue.asked_once("k").books.revise(book.id, amendment)

    again = await catalogue.asked_once("k").books.revise(book.id, amendment)

    assert again == answered


async def test_a_survivor_that_a_merge_left_as_it_is_is_shown_as_it_was_then(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)
    survivor = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))
    loser = await catalogue.books.add(BookDetails(title="EMMA", author_id=None))
    await catalogue.authors.revise(author.id, Amendment({"name": "Miss Austen"}))
    answered = await catalogue.asked_once("k").merging.merge(BookRecord, loser.id, survivor.id)

    again = await catalogue.asked_once("k").merging.merge(BookRecord, loser.id, survivor.id)

    assert again == answered


async def test_a_refusal_is_not_kept_so_the_key_works_once_its_cause_is_gone(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)
    await catalogue.authors.remove(author.id)
    details = BookDetails(title="Emma", author_id=author.id)
    with pytest.raises(UnknownAuthors):
        await catalogue.asked_once("k").books.add(details)
    await catalogue.undoing.restore(Author, author.id)

    asked_again = catalogue.asked_once("k")
    book = await asked_again.books.add(details)

    assert not asked_again.replayed
    assert await catalogue.storage.reader.book(book.id) == book


async def test_a_unit_that_fails_keeps_no_receipt(storage: Storage, catalogue: Cataloguers) -> None:
    asked = catalogue.asked_once("k")

    class Failing:
        """Ids that are not there yet."""

        def new(self) -> Any:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await AuthorCataloguing(storage, asked.caller, asked.clock, Failing()).add(AUSTEN)

    await asked.authors.add(AUSTEN)
    assert not asked.replayed


async def test_the_same_request_many_times_at_once_writes_once(catalogue: Cataloguers) -> None:
    asked = [catalogue.asked_once("k") for _ in range(8)]

    answers = await asyncio.gather(*(catalogue.authors.add(AUSTEN) for catalogue in asked))

    assert all(answer == answers[0] for answer in answers)
    assert sorted(catalogue.replayed for catalogue in asked) == [False] + [True] * 7
    assert await seq(catalogue) == 1


async def test_a_key_is_kept_for_its_time_and_not_longer(catalogue: Cataloguers) -> None:
    author = await catalogue.asked_once("k").authors.add(AUSTEN)

    catalogue.clock.move(KEPT_FOR)
    assert await catalogue.asked_once("k").authors.add(AUSTEN) == author
    catalogue.clock.move()
    asked_late = catalogue.asked_once("k", fingerprint="another")
    new = await asked_late.authors.add(AUSTEN)

    assert not asked_late.replayed
    assert new.id != author.id
    assert await catalogue.asked_once("k", fingerprint="another").authors.add(AUSTEN) == new


async def test_keys_of_different_actors_do_not_meet(catalogue: Cataloguers) -> None:
    ada = await catalogue.asked_by("Ada").asked_once("k").authors.add(AUSTEN)

    bob_asks = catalogue.asked_by("Bob").asked_once("k", fingerprint="another")
    bob = await bob_asks.authors.add(AuthorDetails(name="Other"))

    assert not bob_asks.replayed
    assert bob.id != ada.id
    assert await catalogue.asked_by("Ada").asked_once("k").authors.add(AUSTEN) == ada


async def test_a_merge_is_answered_again_with_the_survivor_as_it_was(catalogue: Cataloguers) -> None:
    loser = await catalogue.authors.add(AUSTEN)
    survivor = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
    merged = await catalogue.asked_once("k").merging.merge(Author, loser.id, survivor.id)
    await catalogue.authors.revise(survivor.id, Amendment({"name": "Changed"}))
    await catalogue.merging.unmerge(Author, loser.id)
    before = await seq(catalogue)

    assert await catalogue.asked_once("k").merging.merge(Author, loser.id, survivor.id) == merged
    assert merged == evolve(survivor, version=2, dob=AUSTEN.dob)
    assert await seq(catalogue) == before


async def test_an_unmerge_is_answered_again_with_what_it_left_alone(catalogue: Cataloguers) -> None:
    loser, survivor = await catalogue.authors.add(AUSTEN), await catalogue.authors.add(AuthorDetails(name="Other"))
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=loser.id))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.books.revise(book.id, Amendment({"author_id": None}))
    result = await catalogue.asked_once("k").merging.unmerge(Author, loser.id)
    await catalogue.authors.revise(loser.id, Amendment({"name": "Changed"}))

    asked_again = catalogue.asked_once("k")
    again = await asked_again.merging.unmerge(Author, loser.id)

    assert asked_again.replayed
    assert again.record == result.record
    assert list(again.left_alone) == list(result.left_alone)
    assert [left.id for left in again.left_alone] == [book.id]


async def test_revert_and_restore_are_answered_again(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)
    await catalogue.authors.revise(author.id, Amendment({"name": "Changed"}))
    reverted = await catalogue.asked_once("revert").undoing.revert(Author, author.id, 1)
    await catalogue.authors.remove(author.id)
    restored = await catalogue.asked_once("restore").undoing.restore(Author, author.id)
    await catalogue.authors.revise(author.id, Amendment({"name": "Changed again"}))

    assert await catalogue.asked_once("revert").undoing.revert(Author, author.id, 1) == reverted
    assert await catalogue.asked_once("restore").undoing.restore(Author, author.id) == restored


async def test_an_answer_whose_content_was_erased_can_not_be_given_again(catalogue: Cataloguers) -> None:
    author = await catalogue.asked_once("k").authors.add(AUSTEN)
    await catalogue.log_keeping.erase(author.id)

    with pytest.raises(ContentWithheld):
        await catalogue.asked_once("k").authors.add(AUSTEN)
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 0


async def test_a_receipt_is_no_revision(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)
    log = await log_of(catalogue.storage.reader)

    await catalogue.asked_once("k").authors.revise(author.id, Amendment({"name": AUSTEN.name}))

    assert await log_of(catalogue.storage.reader) == log


async def test_a_replica_takes_no_receipts_either(storage: Storage) -> None:
    """Whoever asks must hear from the source: there, the same request may mean a change."""
    source = Cataloguers(SnapshotStorage())
    author = await source.authors.add(AUSTEN)
    follower = Cataloguers(storage)
    async for _ in follower.following(FeedOf(source.storage)).catch_up():
        pass

    with pytest.raises(ReadOnlyReplica):
        await follower.asked_once("k").authors.revise(author.id, Amendment({"name": AUSTEN.name}))


async def test_a_request_that_found_nothing_can_be_asked_again(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AUSTEN)

    with pytest.raises(NotFound):
        await catalogue.asked_once("k").undoing.restore(BookRecord, author.id)

    assert await catalogue.asked_once("k", fingerprint="another").undoing.restore(Author, author.id) == author
