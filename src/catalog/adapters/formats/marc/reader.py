"""Records of MARC 21 to drafts of books."""

from collections.abc import Callable, Generator, Iterator
from hashlib import sha256
from typing import BinaryIO

from attrs import evolve, frozen
from pymarc import Record

from catalog.domain.books import SourceRecord
from catalog.domain.errors import InvalidValue
from catalog.domain.sources import BookDraft, Entry

from . import transmission as iso2709
from .mapping import draft_of
from .subfields import text_of
from .transmission import Transmitted


@frozen(kw_only=True)
class MarcReader:
    """Reads files of ISO 2709, MARCXML or MARC-in-JSON, by what `records_of` is.

    A record is told again by its number (001) and by who gave it (003), or else by `source`, usually the file's name.
    """

    source: str
    format: str = "marc"
    """What the bytes of its records are."""
    records_of: Callable[[BinaryIO], Iterator[Transmitted]] = iso2709.records_of

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each record says; `line` is its number in the file."""
        for transmitted in self.records_of(content):
            yield self._entry(transmitted)

    def _entry(self, transmitted: Transmitted) -> Entry:
        number, record = transmitted.number, transmitted.record
        if record is None:
            return Entry(line=number, refusal=transmitted.broken)
        origin, has_own_key = self._origin(record, transmitted.content)
        warnings = list(transmitted.warnings)
        try:
            draft: BookDraft = evolve(draft_of(record, origin, warnings), has_own_key=has_own_key)
        except InvalidValue as error:
            return Entry(line=number, key=origin.key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=number, key=origin.key, draft=draft, warnings=tuple(warnings))

    def _origin(self, record: Record, content: bytes) -> tuple[SourceRecord, bool]:
        """Return what tells the record again, and whether its source gave it that key."""
        number, giver = (text_of(record.get(tag)) for tag in ("001", "003"))
        if not number:
            return SourceRecord(self.source, sha256(content).hexdigest(), self.format, content), False
        return SourceRecord(giver or self.source, number, self.format, content), True
