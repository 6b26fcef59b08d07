"""What holds for all values, and what the reference implementations of the standards say of them."""

from typing import Any

import pycountry
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import isbn as reference

from catalog.domain.errors import InvalidValue
from catalog.domain.languages import ALIASES, BIBLIOGRAPHIC
from catalog.domain.values import Isbn, Language, PartialDate, Role, TextValue
from catalog.testing.strategies import VALUES, isbns, partial_dates

TEXT_VALUES = [Isbn, PartialDate, Language, Role]
DIGITS = "0123456789"


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length)


tens = st.builds("{}{}".format, digits(9), st.sampled_from(DIGITS + "Xx"))
thirteens = st.builds("{}{}".format, st.sampled_from(["978", "979", "977", "000", "9790", "400"]), digits(10)).map(
    lambda text: text[:13]
)
almost = st.text(DIGITS + "Xx", min_size=8, max_size=14)


@st.composite
def hyphenated(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> str:
    """A number with hyphens and spaces strewn in."""
    return "".join(digit + draw(st.sampled_from(["", "", "", "-", " "])) for digit in draw(numbers))


def parsed(value: type[TextValue], text: str) -> str | None:
    try:
        return str(value.parse(text))
    except InvalidValue:
        return None


@given(text=hyphenated(tens | thirteens | almost | isbns().map(str)))
def test_an_isbn_is_one_where_the_reference_says_so(text: str) -> None:
    bare = "".join(c for c in text if c.isalnum())
    assume(len(bare) != 9)  # the reference reads nine digits as an SBN, the number before ISBN
    assume(not bare.startswith("9790"))  # and takes the numbers of printed music for ISBNs

    expected = reference.validate(text, convert=True) if reference.is_valid(text) else None

    assert parsed(Isbn, text) == (expected and reference.compact(expected))


@given(nine=digits(9))
def test_of_all_last_digits_just_the_one_is_right_that_the_reference_computes(nine: str) -> None:
    taken = [last for last in DIGITS + "X" if parsed(Isbn, nine + last)]

    assert taken == [last for last in DIGITS + "X" if reference.is_valid(nine + last)]
    assert len(taken) == 1


@given(text=tens | thirteens)
def test_a_refused_check_digit_is_replaced_by_the_right_one(text: str) -> None:
    try:
        Isbn.parse(text)
    except InvalidValue as refusal:
        assume("check digit" in refusal.rule)
        right = refusal.rule.removeprefix("must end in the check digit ")[0]
        assert reference.is_valid(text[:-1] + right)


@given(isbn=isbns())
def test_the_ten_digit_form_is_what_the_reference_makes_of_it(isbn: Isbn) -> None:
    if isbn.startswith("979"):
        assert isbn.isbn10 is None
    else:
        assert isbn.isbn10 == reference.to_isbn10(str(isbn))
        assert Isbn.parse(isbn.isbn10 or "") == isbn


# Without sh, which is withdrawn: it stood for three languages at once.
@pytest.mark.parametrize(
    "language",
    [lang for lang in pycountry.languages if getattr(lang, "alpha_2", "sh") != "sh"],
    ids=lambda lang: lang.alpha_2,
)
def test_two_letters_mean_what_iso_639_says(language: Any) -> None:
    library_code = getattr(language, "bibliographic", language.alpha_3)

    assert parsed(Language, language.alpha_2) == library_code
    assert parsed(Language, language.alpha_3) == library_code
    assert parsed(Language, library_code) == library_code


def test_every_code_is_one_of_iso_639() -> None:
    known = {lang.alpha_3 for lang in pycountry.languages}
    known |= {lang.bibliographic for lang in pycountry.languages if hasattr(lang, "bibliographic")}
    known |= {family.alpha_3 for family in pycountry.language_families}

    # The reference forgets one family, the Himachali languages. ISO 639-2 has 486 codes beside qaa-qtz.
    assert known >= BIBLIOGRAPHIC - {"him"}
    assert len(BIBLIOGRAPHIC) == 486


def test_no_code_has_two_meanings() -> None:
    assert not ALIASES.keys() & BIBLIOGRAPHIC
    assert set(ALIASES.values()) <= BIBLIOGRAPHIC


def test_every_terminological_code_is_known_by_its_bibliographic_one() -> None:
    both = {lang.alpha_3: lang.bibliographic for lang in pycountry.languages if hasattr(lang, "bibliographic")}

    assert {code: library for code, library in ALIASES.items() if len(code) == 3} == both


@given(date=partial_dates())
def test_a_date_is_read_back_as_it_is_written(date: PartialDate) -> None:
    assert PartialDate.parse(str(date)) == date
    assert -9999 <= date.year <= 9999


@given(day=st.dates())
def test_every_day_of_the_calendar_is_a_date(day: Any) -> None:
    date = PartialDate.parse(day.isoformat())

    assert (str(date), date.year) == (day.isoformat(), day.year)


@given(year=st.integers(-9999, 9999), month=st.integers(1, 12), day=st.integers(1, 31))
def test_the_calendar_repeats_every_four_hundred_years_before_the_year_one_too(year: int, month: int, day: int) -> None:
    def is_a_day(year: int) -> bool:
        return parsed(PartialDate, f"{PartialDate.of_year(year)}-{month:02d}-{day:02d}") is not None

    assert is_a_day(year) == is_a_day(year % 400 + 1600)


@pytest.mark.parametrize("kind", TEXT_VALUES)
@given(data=st.data())
def test_whatever_is_parsed_is_canonical(kind: type[TextValue], data: st.DataObject) -> None:
    value = data.draw(VALUES[kind])

    assert kind.parse(str(value)) == kind(str(value)) == value
    assert kind.parse(f" {value} ") == value


@pytest.mark.parametrize("kind", TEXT_VALUES)
@given(text=st.text() | st.text("0123456789-Xx "))
def test_any_text_is_a_value_or_refused(kind: type[TextValue], text: str) -> None:
    canonical = parsed(kind, text)

    assert canonical is None or parsed(kind, canonical) == canonical


@pytest.mark.parametrize("kind", TEXT_VALUES)
def test_the_example_in_the_documents_is_right(kind: type[TextValue]) -> None:
    assert str(kind.parse(kind.example)) == kind.example
