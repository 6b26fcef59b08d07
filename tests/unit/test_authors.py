"""Authors: their dates, and the names they are ordered by."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.errors import AuthorNotYetBorn, InvalidValue
from catalog.domain.records import Amendment, filled
from catalog.domain.values import AuthorKind, PartialDate

DAY, BIRTH = date(1929, 10, 21), PartialDate("1929-10-21")


def dates(details: AuthorDetails) -> tuple[date | None, PartialDate | None]:
    return details.dob, details.birth


def amended(details: AuthorDetails, **values: object) -> tuple[date | None, PartialDate | None]:
    return dates(Amendment[AuthorDetails](values).applied_to(details))


KNOWN = AuthorDetails(name="Ursula K. Le Guin", dob=DAY)
YEAR = AuthorDetails(name="Ursula K. Le Guin", birth=PartialDate("1929"))


def test_a_day_of_birth_is_a_birth_and_a_birth_that_is_a_day_is_one() -> None:
    assert dates(KNOWN) == (DAY, BIRTH)
    assert dates(AuthorDetails(name="U", birth=BIRTH)) == (DAY, BIRTH)
    assert dates(AuthorDetails(name="U", dob=DAY, birth=BIRTH)) == (DAY, BIRTH)


@pytest.mark.parametrize("birth", ["1929", "1929-10", "-0043-03-15", "0000-01-01"])
def test_a_birth_that_is_no_day_of_the_guide_has_no_day_of_birth(birth: str) -> None:
    assert AuthorDetails(name="U", birth=PartialDate(birth)).dob is None


@pytest.mark.parametrize("birth", ["1929", "1929-10-22"])
def test_two_births_are_refused(birth: str) -> None:
    with pytest.raises(InvalidValue, match="one day of birth"):
        AuthorDetails(name="U", dob=DAY, birth=PartialDate(birth))


def test_who_writes_the_day_writes_the_birth() -> None:
    assert amended(YEAR, dob=DAY) == (DAY, BIRTH)
    assert amended(KNOWN, dob=date(1930, 1, 2)) == (date(1930, 1, 2), PartialDate("1930-01-02"))
    assert amended(KNOWN, dob=None) == (None, None)


def test_who_knows_of_no_day_leaves_a_year_alone() -> None:
    assert amended(YEAR, dob=None) == (None, PartialDate("1929"))


def test_who_writes_the_birth_writes_the_day() -> None:
    assert amended(KNOWN, birth=PartialDate("1929")) == (None, PartialDate("1929"))
    assert amended(YEAR, birth=BIRTH) == (DAY, BIRTH)
    assert amended(KNOWN, birth=None) == (None, None)
    assert amended(KNOWN, name="Le Guin") == (DAY, BIRTH)


def test_a_birth_is_filled_in_whole_or_not_at_all() -> None:
    nameless = AuthorDetails(name="U")

    assert dates(filled(nameless, KNOWN)) == (DAY, BIRTH)
    assert dates(filled(YEAR, KNOWN)) == (None, PartialDate("1929"))


@pytest.mark.parametrize("death", ["1929", "1929-10", "1929-10-21", "2018"])
def test_a_death_may_be_as_early_as_the_birth(death: str) -> None:
    assert AuthorDetails(name="U", birth=BIRTH, death=PartialDate(death)).death == PartialDate(death)


@pytest.mark.parametrize("death", ["1928", "1929-09", "1929-10-20", "-0044"])
def test_nobody_dies_before_being_born(death: str) -> None:
    with pytest.raises(InvalidValue, match="before being born"):
        AuthorDetails(name="U", birth=BIRTH, death=PartialDate(death))


@pytest.mark.parametrize(
    ("birth", "is_taken"), [("2026", True), ("2026-11-24", True), ("2026-11-25", False), ("2027", False)]
)
def test_nobody_is_born_after_tomorrow(birth: str, is_taken: bool) -> None:
    details = AuthorDetails(name="U", birth=PartialDate(birth))
    try:
        details.must_be_born_by(date(2026, 11, 23))
    except AuthorNotYetBorn:
        assert not is_taken
    else:
        assert is_taken


def test_an_author_is_ordered_by_the_sort_name_and_found_by_the_name() -> None:
    details = AuthorDetails(name="Ursula K. Le Guin", sort_name="Le Guin, Ursula K.", kind=AuthorKind("person"))
    author = Author.recorded(details, id=UUID(int=1), at=datetime(2026, 1, 1, tzinfo=UTC))

    assert (author.sort_key, author.name_key) == ("le guin ursula k", "ursula k le guin")
    assert author.folded_name == author.name_key


def test_an_author_is_one_of_three_kinds() -> None:
    assert AuthorKind.parse(" Person ") == AuthorKind("person")
    with pytest.raises(InvalidValue, match="one of person, organisation, meeting"):
        AuthorKind.parse("cat")


def test_what_does_not_go_together_is_not_filled_in() -> None:
    dead = AuthorDetails(name="U", death=PartialDate("1817"))
    younger = AuthorDetails(name="V", birth=PartialDate("1900"), sort_name="U, U.")

    found = filled(dead, younger)

    assert (found.birth, found.death, found.sort_name) == (None, PartialDate("1817"), "U, U.")


@pytest.mark.parametrize(("birth", "field"), [("2999", "birth"), ("2999-01-02", "dob")])
def test_a_birth_that_is_not_yet_is_told_by_its_field(birth: str, field: str) -> None:
    with pytest.raises(AuthorNotYetBorn) as caught:
        AuthorDetails(name="U", birth=PartialDate(birth)).must_be_born_by(date(2026, 11, 23))
    assert caught.value.field == field
