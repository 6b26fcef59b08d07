"""ISBNs in what people type."""

import re

from catalog.domain.errors import InvalidValue
from catalog.domain.values import Isbn

from .words import LONGEST_WORD

_DASH = "[‐-―-]"
# The number in "ISBN-10" can be the first group of the ISBN itself, if a bold one.
_LABELS = [
    re.compile(rf"[(\[{{<]*isbn(?:\s|{_DASH})?1[03](?![0-9])(?:[\s:.#]|{_DASH})*", re.IGNORECASE),
    re.compile(rf"[(\[{{<]*(?:isbn(?:[\s:.#]|{_DASH})*)?", re.IGNORECASE),
]
# A hyphen after a space and before a digit is a minus. Thirteen digits make thirteen groups at most.
_SEPARATOR = rf"(?:{_DASH}\s*|\s+(?:{_DASH}\s+)?)"
_RUN = re.compile(rf"[0-9]+(?:{_SEPARATOR}[0-9]+){{0,12}}(?:{_SEPARATOR}?[xX])?")
_GROUP = re.compile(r"[0-9]+[xX]?|[xX]")
_PARTIAL = re.compile("[0-9][0-9 ]*x?")


def isbn_at(text: str, start: int) -> tuple[Isbn, int] | None:
    """Return the longest ISBN that begins at this place of a text, be it labelled so or not, and where it ends."""
    for label in _LABELS:
        if (labelled := label.match(text, start)) and (found := _number_at(text, labelled.end())):
            return found
    return None


def isbn_of(text: str) -> Isbn | None:
    """Return the ISBN that the whole of a folded text is."""
    found = isbn_at(text, 0)
    return found[0] if found and found[1] == len(text) else None


def digits_of(folded: str) -> str:
    """Return the text without spaces if it can be a part of an ISBN; else as it is."""
    return folded.replace(" ", "")[:LONGEST_WORD] if _PARTIAL.fullmatch(folded) else folded


def _number_at(text: str, start: int) -> tuple[Isbn, int] | None:
    if not (run := _RUN.match(text, start)):
        return None
    for end in reversed([start + group.end() for group in _GROUP.finditer(run[0])]):
        if not text[end : end + 1].isalnum() and (isbn := _parsed(text[start:end])):
            return isbn, end
    return None


def _parsed(number: str) -> Isbn | None:
    try:
        return Isbn.parse(number)
    except InvalidValue:
        return None
