"""Numbers that others have given, and the fields that follow from them."""

import re

import pytest

from catalog.domain.books import BookDetails
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.records import Amendment, filled
from catalog.domain.values import AuthorKind, Choice, IdentifierStatus, Isbn, Scheme, Url

FIRST, SECOND, THIRD = Isbn("9780441478125"), Isbn("9780141439600"), Isbn("9780306406157")
WRONG = Identifier(scheme=Scheme("isbn"), value="0-441-47812-4")
OCLC = Identifier(scheme=Scheme("oclc"), value="37975609")


def of(isbn: Isbn) -> Identifier:
    return Identifier.of_isbn(isbn)


def a_book(*identifiers: Identifier, isbn: Isbn | None = None) -> BookDetails:
    return BookDetails(title="The Dispossessed", author_id=None, identifiers=identifiers, isbn=isbn)


def amended(book: BookDetails, **values: object) -> tuple[Isbn | None, tuple[Identifier, ...]]:
    after = Amendment[BookDetails](values).applied_to(book)
    return after.isbn, after.identifiers


def test_an_isbn_is_kept_as_thirteen_digits_and_as_it_was_given() -> None:
    identifier = Identifier(scheme=Scheme("isbn"), value="0-306-40615-2")

    assert (identifier.value, identifier.as_given) == (str(THIRD), "0-306-40615-2")
    assert identifier.isbn == THIRD


def test_what_is_kept_is_kept_the_same_when_it_is_written_again() -> None:
    for one in (Identifier(scheme=Scheme("isbn"), value="0306406152"), WRONG, OCLC):
        assert Identifier(scheme=one.scheme, value=one.value, as_given=one.as_given, status=one.status) == one


def test_a_wrong_isbn_is_kept_as_it_is_and_marked() -> None:
    assert (WRONG.value, WRONG.status, WRONG.isbn) == ("0-441-47812-4", IdentifierStatus("invalid"), None)


def test_a_wrong_isbn_is_not_taken_for_a_valid_one() -> None:
    with pytest.raises(InvalidValue, match=r"check digit 3 .* give its status as invalid"):
        Identifier(scheme=Scheme("isbn"), value="0-441-47812-4", status=IdentifierStatus("valid"))


def test_a_cancelled_isbn_tells_no_book() -> None:
    cancelled = Identifier(scheme=Scheme("isbn"), value="0306406152", status=IdentifierStatus("cancelled"))

    assert (cancelled.value, cancelled.isbn) == (str(THIRD), None)
    assert a_book(cancelled).isbn is None


def test_a_number_of_any_other_scheme_is_valid_unless_somebody_says_otherwise() -> None:
    assert OCLC.status == IdentifierStatus("valid")
    assert Identifier(scheme=Scheme("oclc"), value="1", status=IdentifierStatus("invalid")).status != OCLC.status


def test_the_isbn_of_a_book_is_its_first_valid_one() -> None:
    assert a_book(OCLC, WRONG, of(SECOND), of(FIRST)).isbn == SECOND
    assert a_book(OCLC, WRONG).isbn is None


def test_an_isbn_alone_is_an_identifier() -> None:
    assert a_book(OCLC, isbn=FIRST).identifiers == (of(FIRST), OCLC)
    assert a_book(of(FIRST), isbn=FIRST).identifiers == (of(FIRST),)


def test_two_first_isbns_are_refused() -> None:
    with pytest.raises(InvalidValue, match=f"isbn says {SECOND}, identifiers {FIRST}"):
        a_book(of(FIRST), of(SECOND), isbn=SECOND)


def test_another_isbn_comes_in_the_place_of_the_first() -> None:
    book = a_book(OCLC, of(FIRST), WRONG, of(SECOND))

    assert amended(book, isbn=THIRD) == (THIRD, (OCLC, of(THIRD), WRONG, of(SECOND)))
    assert amended(book, isbn=FIRST) == (FIRST, book.identifiers)


def test_an_isbn_that_the_book_has_already_becomes_its_first() -> None:
    book = a_book(OCLC, of(FIRST), WRONG, of(SECOND))

    assert amended(book, isbn=SECOND) == (SECOND, (OCLC, of(SECOND), of(FIRST), WRONG))


def test_a_book_without_an_isbn_gets_one() -> None:
    assert amended(a_book(OCLC, WRONG), isbn=FIRST) == (FIRST, (of(FIRST), OCLC, WRONG))


def test_no_isbn_takes_all_valid_ones_away_and_nothing_else() -> None:
    assert amended(a_book(OCLC, of(FIRST), WRONG, of(SECOND)), isbn=None) == (None, (OCLC, WRONG))


def test_other_identifiers_bring_their_isbn() -> None:
    assert amended(a_book(of(FIRST)), identifiers=(OCLC, of(SECOND))) == (SECOND, (OCLC, of(SECOND)))
    assert amended(a_book(of(FIRST)), identifiers=()) == (None, ())


def test_an_isbn_is_filled_in_with_the_identifiers_or_not_at_all() -> None:
    assert filled(a_book(), a_book(OCLC, of(FIRST))).identifiers == (OCLC, of(FIRST))
    assert filled(a_book(WRONG), a_book(of(FIRST))).identifiers == (WRONG,)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("HTTPS://example.org/A", "https://example.org/A"),
        (" ftp://example.org/é ", "ftp://example.org/%C3%A9"),
        ("http://example.org/a%20b?q=1&r=%C3%A9#x", "http://example.org/a%20b?q=1&r=%C3%A9#x"),
    ],
)
def test_an_address_has_one_spelling(text: str, kept: str) -> None:
    assert str(Url.parse(text)) == kept
    assert Url.parse(kept) == Url(kept)


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "example.org", "http://", "http://a b", f"http://{'x' * 2000}"]
)
def test_what_is_no_address_on_the_web_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue, match="http://, https:// or ftp://"):
        Url.parse(text)


@pytest.mark.parametrize("text", ["", "is bn", "ISBN/13", "x" * 41, "-a"])
def test_the_name_of_a_scheme_is_one_word(text: str) -> None:
    with pytest.raises(InvalidValue, match="name of a scheme"):
        Scheme.parse(text)


def test_a_list_that_is_full_takes_no_isbn_besides() -> None:
    wrong = [Identifier(scheme=Scheme("isbn"), value=f"wrong {number}") for number in range(100)]

    with pytest.raises(InvalidValue, match="at most 100 items"):
        a_book(*wrong, isbn=FIRST)
    assert len(a_book(*wrong[1:], isbn=FIRST).identifiers) == 100


@pytest.mark.parametrize("text", ["http://a\tb", "http://a\nb", "http://\ud800", "http://a\x7f"])
def test_controls_are_not_smuggled_into_an_address(text: str) -> None:
    with pytest.raises(InvalidValue):
        Url.parse(text)


@pytest.mark.parametrize("kind", [IdentifierStatus, AuthorKind])
def test_a_choice_tells_its_words_as_they_are_checked(kind: type[Choice]) -> None:
    assert all(re.match(kind.pattern, word) and word in kind.description for word in kind.words)
    assert re.match(kind.pattern, "another") is None
    assert kind(kind.example) == kind.parse(kind.example.upper())
