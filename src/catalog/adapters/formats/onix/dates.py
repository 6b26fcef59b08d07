"""Dates, which are digits in a row, and a code that says what they are."""

import re
from xml.etree.ElementTree import Element

from catalog.domain.errors import InvalidValue
from catalog.domain.values import PartialDate

from .codes import DATES
from .elements import children, text_of

_DIGITS = re.compile(r"(\d{4})-?(\d\d)?-?(\d\d)?")


def date_of(element: Element) -> PartialDate | None:
    """Return the date that stands in the element, if there is one; raise InvalidValue where it is none of ours."""
    date = next(children(element, "date"), None)
    if date is None:
        return None
    given = text_of(element, "date")
    code = date.get("dateformat") or text_of(element, "dateformat") or "00"
    if code not in DATES:
        raise InvalidValue(f"is written as no day, month or year of our calendar is (format {code[:20]})")
    return date_in(given, DATES[code]) if given else None


def date_in(text: str, digits: int = 8) -> PartialDate:
    """Return the date that so many digits say, or fewer; raise InvalidValue where they say none."""
    found = _DIGITS.match(text)
    if found is None:
        return PartialDate.parse(text[:20])
    # Where the day or month is not known, some write noughts.
    parts = [part for part in found.groups()[: digits // 2 - 1] if part]
    return PartialDate.parse("-".join(parts[: parts.index("00")] if "00" in parts else parts))
