"""The life of records."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, BookRecord, Contributor
from catalog.domain.errors import AuthorNotYetBorn, InvalidValue, StaleVersion
from catalog.domain.kinds import Kind
from catalog.domain.records import Amendment, must_stand_at
from catalog.domain.values import Isbn, Language, PartialDate, Role

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 2, tzinfo=UTC)
URSULA, SOMEBODY, BOOK = (UUID(int=number) for number in (1, 2, 3))
WRITTEN_BY_THE_CATALOGUE = {"id", "version", "created_at", "updated_at"}


@pytest.fixture
def author() -> Author:
    return Author.recorded(AuthorDetails(name="Ursula K. Le Guin", dob=date(1929, 10, 21)), id=URSULA, at=THEN)


@pytest.fixture
def book() -> Book:
    details = BookDetails(
        title="The Left Hand of Darkness",
        author_id=URSULA,
        contributors=(Contributor(author_id=SOMEBODY, role=Role("ill")),),
        isbn=Isbn("9780441478125"),
        published=PartialDate("1969"),
        languages=(Language("eng"),),
    )
    return Book.recorded(details, id=BOOK, at=THEN)


def test_a_new_record_is_at_version_one_and_as_old_as_its_content(author: Author, book: Book) -> None:
    assert (author.id, author.version, author.created_at, author.updated_at) == (URSULA, 1, THEN, THEN)
    assert (book.id, book.version, book.created_at, book.updated_at) == (BOOK, 1, THEN, THEN)


def test_a_record_keeps_what_a_client_said(book: Book) -> None:
    details = BookDetails(title="Emma", author_id=None, languages=(Language("eng"),))

    assert Book.recorded(details, id=BOOK, at=THEN).details == details


@pytest.mark.parametrize(("details", "record"), [(AuthorDetails, Author), (BookDetails, Book)])
def test_a_client_can_write_everything_but_what_the_catalogue_writes(details: Any, record: Any) -> None:
    assert set(attrs.fields_dict(record)) - set(attrs.fields_dict(details)) - {"sources"} == WRITTEN_BY_THE_CATALOGUE


def test_a_revision_succeeds_the_version_before(author: Author) -> None:
    revised = author.revised(AuthorDetails(name="Ursula Kroeber Le Guin"), at=NOW)

    assert revised == Author(
        id=URSULA, name="Ursula Kroeber Le Guin", dob=None, version=2, created_at=THEN, updated_at=NOW
    )


def test_versions_go_up_by_one(book: Book) -> None:
    titles = ["One", "Two", "Three"]

    for title in titles:
        book = book.revised(attrs.evolve(book.details, title=title), at=NOW)

    assert (book.title, book.version) == ("Three", 4)


def test_the_version_before_stays_as_it_was(author: Author) -> None:
    before = attrs.evolve(author)

    author.revised(AuthorDetails(name="Somebody else"), at=NOW)

    assert author == before


def test_a_revision_that_changes_nothing_is_the_record_itself(author: Author, book: Book) -> None:
    assert author.revised(author.details, at=NOW) is author
    assert book.revised(book.details, at=NOW) is book


def test_another_spelling_of_the_same_changes_nothing(author: Author) -> None:
    assert author.revised(AuthorDetails(name="  Ursula K. Le Guin\n", dob=author.dob), at=NOW) is author


def test_the_order_of_contributors_is_content(book: Book) -> None:
    one, other = Contributor(author_id=URSULA), Contributor(author_id=SOMEBODY)
    book = book.revised(attrs.evolve(book.details, contributors=(one, other)), at=NOW)

    turned = book.revised(attrs.evolve(book.details, contributors=(other, one)), at=NOW)

    assert (turned.version, turned.contributors) == (book.version + 1, (other, one))


def test_what_changes_do_not_name_stays(book: Book) -> None:
    changes: Amendment[BookDetails] = Amendment({"title": "Planet of Exile", "isbn": None})

    amended = attrs.evolve(book.details, title="Planet of Exile", isbn=None, identifiers=())
    assert changes.applied_to(book.details) == amended


def test_changes_of_nothing_change_nothing(author: Author) -> None:
    changes: Amendment[AuthorDetails] = Amendment({})

    assert changes.applied_to(author.details) == author.details


def test_changes_are_checked_like_what_they_change(author: Author) -> None:
    changes: Amendment[AuthorDetails] = Amendment({"name": " "})

    with pytest.raises(InvalidValue, match="must not be blank"):
        changes.applied_to(author.details)


@pytest.mark.parametrize("name", sorted(WRITTEN_BY_THE_CATALOGUE))
def test_changes_can_not_touch_what_the_catalogue_writes(author: Author, name: str) -> None:
    changes: Amendment[AuthorDetails] = Amendment({name: getattr(author, name)})

    with pytest.raises(TypeError, match=name):
        changes.applied_to(author.details)


@pytest.mark.parametrize("known", [None, {1}, {1, 2}, [7, 1]])
def test_a_known_version_stands(author: Author, known: Any) -> None:
    must_stand_at(author, known)


@pytest.mark.parametrize("known", [{2}, {0, 2}, set()])
def test_an_unknown_version_is_stale_and_the_refusal_says_which_stands(author: Author, known: Any) -> None:
    with pytest.raises(StaleVersion) as refusal:
        must_stand_at(author, known)

    assert (refusal.value.kind, refusal.value.id, refusal.value.current) == (Kind.AUTHOR, URSULA, 1)


def test_the_same_contributor_is_not_named_twice_in_the_same_role() -> None:
    somebody = Contributor(author_id=SOMEBODY, role=Role("trl"))

    with pytest.raises(InvalidValue, match="items 0 and 2 are equal"):
        BookDetails(title="Emma", author_id=None, contributors=(somebody, Contributor(author_id=URSULA), somebody))


def test_nobody_is_named_twice_in_one_role_by_being_credited_under_another_name() -> None:
    named = [Contributor(author_id=SOMEBODY, role=Role("trl"), credited_as=name) for name in (None, "Mark Twain")]

    with pytest.raises(InvalidValue, match="items 0 and 1 are equal in author_id and role"):
        BookDetails(title="Emma", author_id=None, contributors=tuple(named))


def test_one_person_may_contribute_in_two_roles() -> None:
    roles = [None, Role("trl"), Role("ill")]

    book = BookDetails(
        title="Emma", author_id=SOMEBODY, contributors=tuple(Contributor(author_id=SOMEBODY, role=r) for r in roles)
    )

    assert [contributor.role for contributor in book.contributors] == roles


def test_a_book_says_where_it_names_whom(book: Book) -> None:
    assert list(book.author_references()) == [
        (("author_id",), URSULA),
        (("contributors", 0, "author_id"), SOMEBODY),
    ]


def test_a_book_names_its_author_and_its_contributors(book: Book) -> None:
    assert [book.names(id) for id in (URSULA, SOMEBODY, BOOK)] == [True, True, False]


@pytest.mark.parametrize("record", ["author", "book"])
def test_a_record_is_never_changed(request: pytest.FixtureRequest, record: str) -> None:
    thing: Any = request.getfixturevalue(record)

    for name in attrs.fields_dict(type(thing)):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, name, None)
    with pytest.raises(FrozenInstanceError):
        thing.note = "something more"


def test_a_book_record_is_the_book_with_its_author(author: Author, book: Book) -> None:
    record = BookRecord.of(book, author)

    assert record.author == author
    assert {name: getattr(record, name) for name in attrs.fields_dict(Book)} == attrs.asdict(book, recurse=False)
    assert record.details == book.details


def test_a_book_that_names_nobody_has_no_author() -> None:
    beowulf = Book.recorded(BookDetails(title="Beowulf", author_id=None), id=BOOK, at=THEN)

    assert BookRecord.of(beowulf, None).author is None


def test_authors_and_books_are_ordered_by_the_folded_form_of_their_names(author: Author, book: Book) -> None:
    assert (author.sort_key, author.folded_name) == ("ursula k le guin", "ursula k le guin")
    assert book.sort_key == "the left hand of darkness"


def test_nobody_is_born_after_tomorrow() -> None:
    today = date(2026, 1, 1)

    # Somewhere on earth it is tomorrow already.
    AuthorDetails(name="Newborn", dob=date(2026, 1, 2)).must_be_born_by(today)
    AuthorDetails(name="Nobody knows when").must_be_born_by(today)

    with pytest.raises(AuthorNotYetBorn):
        AuthorDetails(name="Unborn", dob=date(2026, 1, 3)).must_be_born_by(today)
