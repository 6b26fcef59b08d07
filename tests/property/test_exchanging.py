"""Exchanging the authors of a book for others, as merging does, for any book and any exchange."""

from uuid import UUID

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.books import CONTRIBUTORS, BookDetails
from catalog.testing.strategies import book_details

PEOPLE = [UUID(int=n) for n in range(1, 6)]
SURVIVORS = [UUID(int=n) for n in range(3, 8)]

books = book_details(st.sampled_from(PEOPLE))
# As merging has it: whoever takes another's place is not exchanged himself.
exchanges = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(SURVIVORS), max_size=3).map(
    lambda others: {id: other for id, other in others.items() if other not in others}
)


def people(book: BookDetails) -> set[UUID]:
    return {id for _, id in book.author_references()}


@given(books, exchanges)
def test_nobody_who_was_exchanged_is_named_and_everybody_else_still_is(
    book: BookDetails, others: dict[UUID, UUID]
) -> None:
    exchanged = book.exchanging(others)

    assert people(exchanged) == {others.get(id, id) for id in people(book)}


@given(books, exchanges)
def test_exchanging_twice_is_exchanging_once(book: BookDetails, others: dict[UUID, UUID]) -> None:
    exchanged = book.exchanging(others)

    assert exchanged.exchanging(others) == exchanged


@given(books, exchanges)
def test_only_people_are_exchanged(book: BookDetails, others: dict[UUID, UUID]) -> None:
    exchanged = book.exchanging(others)

    assert evolve(exchanged, author_id=book.author_id, contributors=book.contributors) == book


@given(books, exchanges)
def test_of_one_author_and_role_one_stays_at_the_place_of_the_first(
    book: BookDetails, others: dict[UUID, UUID]
) -> None:
    exchanged = book.exchanging(others)

    moved = [evolve(entry, author_id=others.get(entry.author_id, entry.author_id)) for entry in book.contributors]
    kept = [entry for entry in CONTRIBUTORS.once(moved) if entry in exchanged.contributors]
    assert list(exchanged.contributors) == kept
    parts = [(entry.author_id, entry.role) for entry in exchanged.contributors]
    assert {(entry.author_id, entry.role) for entry in moved if entry.role} <= set(parts)
    assert len(set(parts)) == len(parts)


@given(books, exchanges)
def test_an_entry_goes_only_where_another_says_as_much(book: BookDetails, others: dict[UUID, UUID]) -> None:
    exchanged = book.exchanging(others)

    moved = {evolve(entry, author_id=others.get(entry.author_id, entry.author_id)) for entry in book.contributors}
    said = {entry.author_id for entry in exchanged.contributors} | {exchanged.author_id}
    assert {entry.author_id for entry in moved - set(exchanged.contributors)} <= said


@given(books, st.sampled_from(PEOPLE), st.sampled_from(SURVIVORS))
def test_a_survivor_who_is_named_otherwise_has_no_entry_without_a_role(
    book: BookDetails, loser: UUID, survivor: UUID
) -> None:
    exchanged = evolve(book, author_id=loser).exchanging({loser: survivor})

    assert (survivor, None) not in {(entry.author_id, entry.role) for entry in exchanged.contributors}


@given(books, exchanges)
def test_a_book_that_names_none_of_them_is_left_as_it_is(book: BookDetails, others: dict[UUID, UUID]) -> None:
    strangers = {UUID(int=99 + id.int): other for id, other in others.items()}

    assert book.exchanging(strangers) is book
