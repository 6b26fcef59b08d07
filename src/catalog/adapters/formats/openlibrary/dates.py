"""Dates, as people write them into a field that takes any text."""

import re
from collections.abc import Mapping

from catalog.domain.errors import InvalidValue
from catalog.domain.values import PartialDate

MONTHS: Mapping[str, int] = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
    "dec": 12,
}  # fmt: skip  # a table is read by column
"""The first letters of the English names of months."""

_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "sept", "october",
          "november", "december")  # fmt: skip  # a table
_MONTH = rf"(?P<month>{'|'.join((*_NAMES, *MONTHS))})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WHOLE_YEAR = r"(?P<year>\d{4})"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_MONTH},?\s+{_DAY}\s*,?\s+{_WHOLE_YEAR}",
        rf"{_DAY}\s+{_MONTH},?\s+{_WHOLE_YEAR}",
        rf"{_MONTH},?\s+{_WHOLE_YEAR}",
        rf"{_WHOLE_YEAR},?\s+{_MONTH}(?:\s+{_DAY})?",
        r"(?P<year>\d{4})[-/](?P<number>\d{1,2})(?:[-/](?P<day>\d{1,2}))?",
    )
)
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?!\d)", re.ASCII)
_BEFORE = re.compile(r"(?P<year>\d{1,4})\s*(?:b\.?\s?c\.?(?:\s?e\.?)?)", re.IGNORECASE | re.ASCII)
_ALONE = re.compile(r"\d{4}", re.ASCII)


def certain_date(text: str) -> PartialDate | None:
    """Return the date, if the text says one and nothing else: 30 November 1835, June 2003, 1999-05, 384 BC."""
    text = text.strip(" .")
    if _ALONE.fullmatch(text):
        return PartialDate(text)
    if found := _BEFORE.fullmatch(text):
        # Before the year 1 comes the year 0, which historians call 1 BC.
        return PartialDate.of_year(1 - int(found["year"])) if int(found["year"]) else None
    for form in _FORMS:
        if found := form.fullmatch(text):
            said = found.groupdict()
            month = MONTHS[said["month"][:3].lower()] if said.get("month") else int(said["number"])
            day = f"-{int(said['day']):02d}" if said.get("day") else ""
            try:
                return PartialDate(f"{said['year']}-{month:02d}{day}")
            except InvalidValue:
                return None
    return None


def date_within(text: str) -> PartialDate | None:
    """Return the date that the text says, or else the first year in it: c1999, 1998-1999, [1861?]."""
    if (date := certain_date(text)) is not None:
        return date
    found = _YEAR.search(text)
    return PartialDate(found[1]) if found else None
