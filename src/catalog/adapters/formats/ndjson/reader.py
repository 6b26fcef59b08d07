"""Lines to records."""

from collections.abc import Generator, Mapping
from typing import Any, BinaryIO

from attrs import frozen

from catalog.adapters.formats.common import lines_of, object_in
from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.errors import InvalidValue
from catalog.domain.kinds import Kind
from catalog.domain.sources import Entry

from .structure import record_of

LONGEST_LINE = 50_000_000
"""Bytes."""

_KINDS: Mapping[str, type[Any]] = {Kind.AUTHOR.value: Author, Kind.BOOK.value: Book}


@frozen(kw_only=True)
class NdjsonReader:
    """Reads what `NdjsonWriter` writes; a line that is no record is refused, and the next one is read."""

    source: str = ""

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield the record of each line."""
        for number, line in enumerate(lines_of(content, LONGEST_LINE), 1):
            if len(line) >= LONGEST_LINE:
                yield Entry(line=number, refusal=f"is longer than {LONGEST_LINE:,} bytes, so it is no record")
            elif line.strip():
                yield _entry(number, line)


def _entry(number: int, line: bytes) -> Entry:
    try:
        said = object_in(line)
    except InvalidValue as error:
        return Entry(line=number, refusal=str(error))
    kind = said.pop("record", None)
    key = str(said.get("id", ""))[:100]
    if not isinstance(kind, str) or kind not in _KINDS:
        return Entry(line=number, key=key, refusal=f"is no record that there is ({', '.join(_KINDS)})")
    try:
        return Entry(line=number, key=key, record=record_of(said, _KINDS[kind]))
    except InvalidValue as error:
        return Entry(line=number, key=key, refusal=f"is no {kind}: {error}")
