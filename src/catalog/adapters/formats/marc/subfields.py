"""The texts in the fields of a record."""

import re
from collections.abc import Iterable

from pymarc import Subfield

# What cataloguing rules (ISBD) put between two parts belongs to neither.
_MARKS = "/:;=,"
_FULL_STOP = re.compile(r"(?:(?<=[^\W\d_]{3})|(?<=[\d\])}'\"»”]))\.$")
_ABBREVIATED = re.compile(r"\b(?:Inc|Ltd|Corp|Bros|Esq|Mrs|Ph\.D|etc|Dept|Prof|Capt|Vol|vol|Aufl|rev|illus)\.$")


LETTERS = "abcdefghijklmnopqrstuvwxyz"
"""The codes of subfields that hold what is meant for readers."""


LINKS = "368"
"""The codes of subfields that stand before any other: what the field belongs to, and its link to another script."""


def links_first(parts: Iterable[Subfield]) -> list[Subfield]:
    """Return the subfields with those first that say to what the field is linked."""
    return sorted(parts, key=lambda part: part.code not in LINKS)


def one_line(text: str) -> str:
    """Return the text with every run of white space and controls as one space."""
    if text.isprintable():  # as most is; then spaces are all the white space that it can have
        is_plain = "  " not in text and text[:1] != " " != text[-1:]
        return text if is_plain else " ".join(text.split())
    return " ".join(_CONTROLS.sub(" ", text).split())


_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]+")


def trimmed(text: str) -> str:
    """Return the text without the marks that lead on to the next part, or end the field.

    A full stop before a mark that leads on ends no field: it is that of an abbreviation.
    """
    if text[-1:].isalnum():
        return text
    led_on = False
    while (shorter := (bare := text.rstrip()).rstrip(_MARKS)) != text:
        led_on = led_on or shorter != bare
        text = shorter
    if not led_on and text.endswith(".") and not text.endswith("...") and not _ABBREVIATED.search(text):
        text = _FULL_STOP.sub("", text)
    return text


def first(texts: Iterable[str]) -> str | None:
    """Return the first text that says anything."""
    return next((text for text in texts if text), None)
