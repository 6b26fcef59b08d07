"""How many pages a statement of extent tells of: 275 in "xii, 275, [1] p."."""

import re
from collections.abc import Iterator
from typing import Self

from attrs import frozen

_UNIT = r"(?:p\b|pages\b|pgs?\b|s\b|S\b|Seiten\b)"
_COUNTED = re.compile(rf"(?<![\d-])(?P<number>\d{{1,6}})(?P<end>\]?)\s*(?P<unnumbered>unnumbered )?{_UNIT}")
_PLAIN = re.compile(rf"[^\d\[\]]*(?<!-)(\d{{1,6}})\s*{_UNIT}")
_LAST = re.compile(r"(?:\[[^\[\]()]{0,40}\]|(?<![\w-])(?:\[?\d{1,6}\]?|[ivxlcdmIVXLCDM]{1,12}))(?P<separator>,?\s*)$")
_NUMBER = re.compile(r"\d{1,6}")
_CORRECTION = re.compile(r"\[\s*i\.?\s?e\.?")
_LONGEST = 80
_MOST = 30


@frozen
class Pages:
    """A number of pages, and where it stands."""

    number: int
    start: int
    end: int
    first: int
    """Where the sequence of numbers begins that it is the largest of."""
    last: int

    @classmethod
    def within(cls, text: str) -> Self | None:
        """Return the largest number of the first sequence of pages; one in brackets only where there are no others."""
        found = _COUNTED.search(text)
        if found is None:
            return None
        last = found.end("end")
        numbered: list[re.Match[str]] = []
        others: list[re.Match[str]] = []
        first, is_corrected = found.start("number"), False
        for item in _items(text, last):
            first = item.start()
            numbers = [*_NUMBER.finditer(text, item.start(), item.start("separator"))]
            corrects = _CORRECTION.match(item[0]) is not None
            is_aside = not corrects and ("[" in item[0] or "]" in item[0] or bool(found["unnumbered"] and not others))
            if not is_corrected:
                (others if is_aside else numbered).extend(numbers)
            is_corrected = corrects
        of_all = numbered or others or [*_NUMBER.finditer(text, *found.span("number"))]
        largest = max(of_all, key=lambda each: (int(each[0]), each.start()))
        return cls(int(largest[0]), *largest.span(), first, last)


def _items(text: str, end: int) -> Iterator[re.Match[str]]:
    """Yield the numbers of a sequence from its end: between two without brackets stands a comma."""
    was_plain = False
    for _ in range(_MOST):
        item = _LAST.search(text, max(0, end - _LONGEST), end)
        is_plain = item is not None and "[" not in item[0] and "]" not in item[0]
        if item is None or (was_plain and is_plain and "," not in item["separator"]):
            return
        yield item
        end, was_plain = item.start(), is_plain


def pages_in(text: str) -> int | None:
    """Return the number of pages of which the text tells."""
    if plain := _PLAIN.match(text):  # most tell one number, and that is known in a tenth of the time
        return int(plain[1]) or None
    found = Pages.within(text)
    return None if found is None else found.number or None


def with_pages(text: str, pages: int) -> str | None:
    """Return the text with another number of pages in the place of its own; None where it has none."""
    found = Pages.within(text)
    if found is None:
        return None
    told = f"{text[: found.start]}{pages}{text[found.end :]}"
    return told if pages_in(told) == pages else f"{text[: found.first]}{pages}{text[found.last :]}"
