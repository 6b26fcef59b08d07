"""Books to files of MARC 21, as ISO 2709, MARCXML or MARC-in-JSON."""

from collections.abc import Callable, Mapping

from attrs import define, field
from pymarc import Record

from catalog.domain.authors import Author
from catalog.domain.books import SourceRecord
from catalog.domain.exports import Exported

from . import marcjson, marcxml, transmission
from .composing import record_of


@define
class MarcWriter:
    """Writes one file; what a book came from is written again, but for what was changed here since."""

    write: Callable[[Record], bytes]
    begins: bytes = b""
    between: bytes = b""
    ends: bytes = b""
    tells_authors: bool = False
    wants_sources: bool = True
    _is_first: bool = field(default=True, init=False)

    def head(self) -> bytes:
        """Return how the file begins."""
        return self.begins

    def author(self, author: Author, /) -> bytes:
        """Return nothing: an author is told in the records of books."""
        return b""

    def book(self, exported: Exported, /) -> bytes:
        """Return the record of a book."""
        between, self._is_first = b"" if self._is_first else self.between, False
        return between + self.write(record_of(exported, _original(exported)))

    def tail(self) -> bytes:
        """Return how the file ends."""
        return self.ends


def iso2709() -> MarcWriter:
    """Return a writer of ISO 2709, in UTF-8."""
    return MarcWriter(transmission.bytes_of)


def xml() -> MarcWriter:
    """Return a writer of MARCXML."""
    return MarcWriter(marcxml.bytes_of, begins=marcxml.HEAD, ends=marcxml.TAIL)


def json() -> MarcWriter:
    """Return a writer of MARC-in-JSON: an array, with a record on each line."""
    return MarcWriter(marcjson.bytes_of, begins=b"[\n", between=b",\n", ends=b"\n]\n")


_READ: Mapping[str, Callable[[bytes], Record]] = {
    "marc": transmission.record_in,
    "marcxml": marcxml.record_in,
    "marcjson": marcjson.record_in,
}


def _original(exported: Exported) -> Record | None:
    """Return the record that the book came from, if it was kept and is one."""
    source: SourceRecord | None = exported.original(*_READ)
    if source is None or source.content is None:
        return None
    try:
        return _READ[source.format or ""](source.content)
    except ValueError:  # whoever wrote a line of JSON may have called anything a record
        return None
