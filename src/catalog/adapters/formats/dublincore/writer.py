"""Books to elements of Dublin Core."""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from attrs import define

from catalog.domain.authors import Author
from catalog.domain.exports import Exported

FORMAT = "dc"

_HEAD = b"""<?xml version="1.0" encoding="UTF-8"?>
<records xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/">
"""
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@define
class DublinCoreWriter:
    """Writes one document, with an element oai_dc:dc for each book."""

    tells_authors: bool = False
    wants_sources: bool = False

    def head(self) -> bytes:
        """Return the beginning of the document."""
        return _HEAD

    def author(self, author: Author, /) -> bytes:
        """Return nothing: an author is told with the books."""
        return b""

    def book(self, exported: Exported, /) -> bytes:
        """Return the element of a book."""
        told = "".join(
            f"  <dc:{name}>{escape(_FORBIDDEN.sub('', text))}</dc:{name}>\n" for name, text in _elements(exported)
        )
        return f"<oai_dc:dc>\n{told}</oai_dc:dc>\n".encode("utf-8", "replace")

    def tail(self) -> bytes:
        """Return the end of the document."""
        return b"</records>\n"


def _elements(exported: Exported) -> Iterator[tuple[str, str]]:
    book = exported.book
    yield "title", book.title if book.subtitle is None else f"{book.title}: {book.subtitle}"
    for name, author, _ in exported.cited({}, author="creator", other="contributor"):
        yield name, author.sort_name or author.name
    yield from (("subject", subject.term) for subject in book.subjects)
    if book.description is not None:
        yield "description", book.description
    yield from (("publisher", name) for name in book.publishers)
    if book.published is not None:
        yield "date", str(book.published)
    yield "type", "Text"
    if book.extent is not None:
        yield "format", book.extent
    yield from (("identifier", f"urn:isbn:{isbn}") for isbn in book.isbns())
    yield "identifier", f"urn:uuid:{book.id}"
    yield from (("identifier", str(link.url)) for link in book.links)
    yield from (("language", str(language)) for language in book.languages)
    yield from (("relation", series.title) for series in book.series)
