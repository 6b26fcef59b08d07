"""The kinds of record a catalogue holds."""

from enum import StrEnum


class Kind(StrEnum):
    """What a record is about."""

    AUTHOR = "author"
    BOOK = "book"
