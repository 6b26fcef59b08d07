"""Values with one canonical spelling."""

from typing import Any

import pytest

from catalog.domain.errors import InvalidValue
from catalog.domain.values import Isbn, Language, PartialDate, Role, TextValue


def refusal_of(value: type[TextValue], text: str) -> str:
    with pytest.raises(InvalidValue) as refusal:
        value.parse(text)
    return refusal.value.rule


class TestIsbn:
    """International Standard Book Numbers."""

    @pytest.mark.parametrize(
        "spelling",
        [
            "9780441172719",
            "0441172717",
            "0-441-17271-7",
            "978-0-441-17271-9",
            "978 0 441 17271 9",
            "978\u20130\u2013441\u201317271\u20139",
            "978\u20100\u2011441\u201517271\u00a09",
            "  0441172717\t",
        ],
    )
    def test_every_spelling_is_kept_as_the_same_thirteen_digits(self, spelling: str) -> None:
        assert str(Isbn.parse(spelling)) == "9780441172719"

    @pytest.mark.parametrize("spelling", ["080442957X", "080442957x", "0-8044-2957-x"])
    def test_the_last_of_ten_digits_may_be_x_in_either_case(self, spelling: str) -> None:
        assert str(Isbn.parse(spelling)) == "9780804429573"

    @pytest.mark.parametrize(
        ("mistyped", "right"),
        [
            ("0441172718", "7"),
            ("0-441-17271-X", "7"),
            ("0804429570", "X"),
            ("9780441172710", "9"),
            ("9791090636070", "1"),
        ],
    )
    def test_a_wrong_check_digit_is_refused_naming_the_right_one(self, mistyped: str, right: str) -> None:
        assert refusal_of(Isbn, mistyped) == (
            f"must end in the check digit {right} if the other digits of this ISBN are right"
        )

    @pytest.mark.parametrize("text", ["0441172717", "080442957X", "0306406152"])
    def test_the_ten_digit_form_is_had_back(self, text: str) -> None:
        assert Isbn.parse(text).isbn10 == text

    def test_a_number_under_979_has_no_ten_digit_form(self) -> None:
        assert Isbn.parse("979-10-90636-07-1").isbn10 is None

    def test_the_number_of_printed_music_is_refused_as_such(self) -> None:
        assert "ISMN" in refusal_of(Isbn, "979-0-2600-0043-8")

    def test_other_article_numbers_are_refused(self) -> None:
        assert refusal_of(Isbn, "4006381333931") == "must begin with 978 or 979 to be an ISBN-13"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-",
            "441172717",  # nine digits, as before 1970 or with its zero lost
            "04411727170",
            "978044117271",
            "97804411727199",
            "X441172717",
            "978044117271X",
            "ISBN 0441172717",
            "9.78044E+12",
            "0441172717.",
            "\u0660\u0664\u0664\u0661\u0661\u0667\u0662\u0667\u0661\u0667",  # Arabic digits
            "\uff10\uff14\uff14\uff11\uff11\uff17\uff12\uff17\uff11\uff17",  # full width
            "9780441172719" + " " * 30,
            "0" * 1_000_000,
        ],
    )
    def test_what_is_no_isbn_is_refused(self, text: str) -> None:
        assert refusal_of(Isbn, text).startswith("must be an ISBN: 10 digits (the last may be X) or 13 digits")


class TestPartialDate:
    """Years, months and days."""

    @pytest.mark.parametrize(
        "text",
        ["1871", "1871-12", "1871-12-31", "0000", "0001", "9999-12-31", "-0043", "-0043-03", "-0043-03-15", "-9999"],
    )
    def test_years_months_and_days_are_kept_as_they_are_written(self, text: str) -> None:
        assert str(PartialDate.parse(text)) == text

    def test_surrounding_space_is_dropped(self) -> None:
        assert PartialDate.parse(" 1871-12\n") == PartialDate("1871-12")

    @pytest.mark.parametrize("day", ["2024-02-29", "2000-02-29", "0000-02-29", "-0004-02-29", "-0400-02-29"])
    def test_leap_years_have_a_29th_of_february(self, day: str) -> None:
        assert str(PartialDate.parse(day)) == day

    @pytest.mark.parametrize("day", ["2023-02-29", "1900-02-29", "-0001-02-29", "-0100-02-29", "-0003-02-29"])
    def test_other_years_have_none(self, day: str) -> None:
        assert refusal_of(PartialDate, day) == "must name a day that the month has, and this names day 29"

    @pytest.mark.parametrize("day", ["1871-04-31", "1871-01-32", "1871-12-00"])
    def test_a_day_that_the_month_has_not_is_refused(self, day: str) -> None:
        assert refusal_of(PartialDate, day) == f"must name a day that the month has, and this names day {day[-2:]}"

    @pytest.mark.parametrize("month", ["00", "13", "99"])
    def test_a_month_that_the_year_has_not_is_refused(self, month: str) -> None:
        rule = f"must name a month from 01 to 12, and this names {month}"

        assert refusal_of(PartialDate, f"1871-{month}") == rule
        assert refusal_of(PartialDate, f"1871-{month}-01") == rule

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-0000",  # there is one year 0, and it is 0000
            "-0000-01-01",
            "+1871",
            "871",
            "11871",
            "1871-1",
            "1871-12-1",
            "1871/12",
            "18711231",
            "--12",
            "1871-",
            "1871-12-31T00:00",
            "187x",
            "c1871",
            "\u0661\u0668\u0667\u0661",  # Arabic digits
            "\u22120043",  # a minus sign
        ],
    )
    def test_what_is_no_date_is_refused(self, text: str) -> None:
        assert refusal_of(PartialDate, text).startswith(
            "must be a year, a month or a day as YYYY, YYYY-MM or YYYY-MM-DD"
        )

    @pytest.mark.parametrize(
        ("year", "text"), [(1871, "1871"), (0, "0000"), (-43, "-0043"), (-9999, "-9999"), (7, "0007")]
    )
    def test_a_year_is_written_with_four_digits(self, year: int, text: str) -> None:
        date = PartialDate.of_year(year)

        assert (str(date), date.year) == (text, year)

    @pytest.mark.parametrize("year", [10_000, -10_000])
    def test_a_year_beyond_four_digits_is_refused(self, year: int) -> None:
        with pytest.raises(InvalidValue):
            PartialDate.of_year(year)

    @pytest.mark.parametrize(("text", "year"), [("1871-12-31", 1871), ("-0043-03", -43), ("-0750-01-01", -750)])
    def test_every_date_knows_its_year(self, text: str, year: int) -> None:
        assert PartialDate(text).year == year


class TestLanguage:
    """Language codes."""

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("de", "ger"),
            ("ger", "ger"),
            ("deu", "ger"),
            ("fr", "fre"),
            ("fra", "fre"),
            ("EN", "eng"),
            (" Eng ", "eng"),
            ("grc", "grc"),
            ("zh", "chi"),
            ("mul", "mul"),
            ("zxx", "zxx"),
            ("und", "und"),
        ],
    )
    def test_two_and_three_letters_are_kept_as_libraries_write_them(self, given: str, kept: str) -> None:
        assert str(Language.parse(given)) == kept

    @pytest.mark.parametrize("text", ["", "en-US", "en_GB", "english", "xx", "e", "qqq", "e\u0301n", "12", "aaa"])
    def test_what_is_no_code_is_refused(self, text: str) -> None:
        assert refusal_of(Language, text) == "must be a language code of ISO 639-1 or ISO 639-2, such as en or eng"


class TestRole:
    """Relator codes."""

    @pytest.mark.parametrize("given", ["trl", "TRL", " trl "])
    def test_a_role_is_kept_in_small_letters(self, given: str) -> None:
        assert str(Role.parse(given)) == "trl"

    @pytest.mark.parametrize("text", ["", "tr", "translator", "t1l", "tr l", "\u00e9dt"])
    def test_what_is_no_code_is_refused(self, text: str) -> None:
        assert refusal_of(Role, text) == "must be a MARC relator code of three letters, such as trl, ill or edt"


@pytest.mark.parametrize(
    ("value", "spelling"),
    [(Isbn, "0441172717"), (PartialDate, " 1871"), (Language, "de"), (Role, "TRL")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_value_is_only_ever_made_of_its_canonical_spelling(value: type[TextValue], spelling: str) -> None:
    with pytest.raises(InvalidValue, match="canonical spelling"):
        value(spelling)


def test_values_of_one_kind_are_equal_where_their_text_is() -> None:
    assert Isbn.parse("0441172717") == Isbn("9780441172719")
    assert len({Isbn.parse("0441172717"), Isbn("9780441172719")}) == 1


def test_values_of_different_kinds_are_never_equal() -> None:
    role: Any = Role("eng")

    assert role != Language("eng")


def test_a_value_shows_what_it_is() -> None:
    assert repr(Language("eng")) == "Language('eng')"


@pytest.mark.parametrize(
    "value", [Isbn("9780441172719"), PartialDate("1871"), Language("eng"), Role("trl")], ids=lambda v: type(v).__name__
)
def test_a_value_is_never_changed(value: Any) -> None:
    with pytest.raises(AttributeError):
        value.note = "something more"
