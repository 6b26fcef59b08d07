"""Records of MARC 21 to drafts of books."""

from collections.abc import Callable, Generator, Iterator
from hashlib import sha256
from typing import BinaryIO

from attrs import frozen

from catalog.domain.books import SourceRecord
from catalog.domain.errors import InvalidValue
from catalog.domain.sources import Entry

from . import transmission as iso2709
from .fields import Fields
from .mapping import draft_of
from .subfields import one_line
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
        number, fields = transmitted.number, transmitted.fields
        if fields is None:
            return Entry(line=number, refusal=transmitted.broken)
        origin, has_own_key = self._origin(fields, transmitted.content)
        warnings = list(transmitted.warnings)
        try:
            draft = draft_of(fields, origin, warnings, has_own_key=has_own_key)
        except InvalidValue as error:
            return Entry(line=number, key=origin.key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=number, key=origin.key, draft=draft, warnings=tuple(warnings))

    def _origin(self, fields: Fields, content: bytes) -> tuple[SourceRecord, bool]:
        """Return what tells the record again, and whether its source gave it that key."""
        number, giver = (one_line(fields.data(tag)) for tag in ("001", "003"))
        if not number:
            return SourceRecord(self.source, sha256(content).hexdigest(), self.format, content), False
        return SourceRecord(giver or self.source, number, self.format, content), True
