"""Records to lines: whatever the catalogue knows of them, ids, versions, times and sources too."""

from typing import Any

import msgspec
from attrs import define

from catalog.domain.authors import Author
from catalog.domain.exports import Exported
from catalog.domain.kinds import Kind
from catalog.domain.records import told
from catalog.domain.values import TextValue


@define
class NdjsonWriter:
    """Writes one file; bytes of sources are in base64."""

    tells_authors: bool = True
    wants_sources: bool = True

    def head(self) -> bytes:
        """Return nothing: the first line is a record already."""
        return b""

    def author(self, author: Author, /) -> bytes:
        """Return the line of an author."""
        return _line({"record": Kind.AUTHOR.value, **told(author)})

    def book(self, exported: Exported, /) -> bytes:
        """Return the line of a book, which names its authors by their ids."""
        fields = told(exported.book)
        del fields["author"]
        return _line({"record": Kind.BOOK.value, **fields, "sources": exported.sources})

    def tail(self) -> bytes:
        """Return nothing: the last line ends as every other."""
        return b""


def _line(fields: dict[str, Any]) -> bytes:
    return _encoder.encode(fields) + b"\n"


def _text_of(value: Any) -> str:
    if isinstance(value, TextValue):
        return str(value)
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_text_of)
