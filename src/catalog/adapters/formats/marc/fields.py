"""The fields of a record as they are read: found by their tags, and their texts cleaned once."""

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache, wraps
from itertools import chain
from operator import attrgetter
from typing import TypeVar

from attrs import define, field
from pymarc import Field, Record

from .subfields import one_line

T = TypeVar("T")

_PLACE = attrgetter("place")
_REMEMBERED = 4096
_LONGEST = 1000


@define(unsafe_hash=True)
class FieldText:
    """What one field says."""

    tag: str
    first: str
    """Its first indicator."""
    second: str
    parts: tuple[tuple[str, str], ...]
    """The code and the text of each subfield that says anything."""
    place: int = field(default=0, eq=False)
    """Where it stands in its record."""

    @classmethod
    def of(cls, field: Field, place: int = 0) -> "FieldText":
        """Return what the field says; of a control field, nothing."""
        first, second = field.indicators or "  "
        parts = tuple([(code, text) for code, value in field.subfields if (text := one_line(value))])
        return cls(field.tag, first, second, parts, place)

    @classmethod
    def transmitted(cls, tag: str, data: str, place: int) -> "FieldText":
        """Return what a data field says that stands as ISO 2709 has it: two indicators, and subfields behind marks."""
        both, *parts = data.split("\x1f")
        said = tuple([(part[0], text) for part in parts if part and (text := one_line(part[1:]))])
        return cls(tag, both[0], both[1], said, place)

    def said(self, codes: str) -> list[str]:
        """Return what the subfields of these codes say, in the order of the record."""
        return [text for code, text in self.parts if code in codes]

    def joined(self, codes: str) -> str:
        """Return what these subfields say as one text."""
        return " ".join([text for code, text in self.parts if code in codes])


class Fields:
    """The fields of one record; those that nobody asks for are never taken apart."""

    def __init__(self, fields: Iterable[tuple[str, Field | str]]) -> None:
        self._fields: dict[str, list[tuple[int, Field | str]]] = {}
        self._texts: dict[str, Sequence[FieldText]] = {}
        for place, (tag, content) in enumerate(fields):
            self._fields.setdefault(tag, []).append((place, content))

    @classmethod
    def of_record(cls, record: Record) -> "Fields":
        """Return the fields of a record that was taken apart."""
        return cls((each.tag, each) for each in record.fields)

    @classmethod
    def transmitted(cls, tags: Iterable[str], contents: Iterable[str]) -> "Fields":
        """Return fields that stand as ISO 2709 has them: their tags, and what is between the marks."""
        return cls(zip(tags, contents, strict=True))

    def of(self, tag: str) -> Sequence[FieldText]:
        """Return what the fields of this tag say, in the order of the record."""
        if tag not in self._fields:
            return ()
        texts = self._texts.get(tag)
        if texts is None:
            texts = self._texts[tag] = [
                FieldText.transmitted(tag, each, place) if isinstance(each, str) else FieldText.of(each, place)
                for place, each in self._fields[tag]
            ]
        return texts

    def among(self, tags: AbstractSet[str]) -> Sequence[FieldText]:
        """Return what the fields of all these tags say, in the order of the record."""
        there = self._fields.keys() & tags
        if len(there) > 1:
            return sorted(chain.from_iterable(map(self.of, there)), key=_PLACE)
        return self.of(there.pop()) if there else ()

    def data(self, tag: str) -> str:
        """Return what the first control field of this tag holds, as it is; nothing where there is none."""
        if (fields := self._fields.get(tag)) is None:
            return ""
        _, first = fields[0]
        return first if isinstance(first, str) else first.data or ""


def remembered(read: Callable[[FieldText], T]) -> Callable[[FieldText], T]:
    """Return the function that reads a field, and knows it again: people and subjects come in many records of a file.

    Long fields are read anew, so that what is remembered has bounds.
    """
    known = lru_cache(_REMEMBERED)(read)

    @wraps(read)
    def once(field: FieldText) -> T:
        return known(field) if sum([len(text) for _, text in field.parts]) <= _LONGEST else read(field)

    return once
