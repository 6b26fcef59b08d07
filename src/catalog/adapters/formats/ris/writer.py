"""Books to records of RIS."""

import re
from collections.abc import Iterator, Mapping

from attrs import define

from catalog.adapters.formats.common import name_parts
from catalog.domain.authors import Author
from catalog.domain.exports import Exported

TAGS: Mapping[str, str] = {"edt": "A2", "com": "A2", "pbd": "A3", "trl": "A4"}
"""The tag that tells a contributor of each role; others are told in a note."""

SEPARATOR = "; "
"""What stands between several publishers or places."""

_LINES = re.compile(r"\s+")


@define
class RisWriter:
    """Writes one file; lines end as the format says, with CR and LF."""

    tells_authors: bool = False
    wants_sources: bool = False

    def head(self) -> bytes:
        """Return nothing: the first record begins the file."""
        return b""

    def author(self, author: Author, /) -> bytes:
        """Return nothing: an author is told in the records of books."""
        return b""

    def book(self, exported: Exported, /) -> bytes:
        """Return the record of a book."""
        lines = (f"{tag}  - {_LINES.sub(' ', text).strip()}\r\n" for tag, text in _tags(exported))
        return "".join(lines).encode("utf-8", "replace") + b"ER  - \r\n\r\n"

    def tail(self) -> bytes:
        """Return nothing: the last record ends the file."""
        return b""


def _tags(exported: Exported) -> Iterator[tuple[str, str]]:
    book = exported.book
    yield "TY", "BOOK"
    yield "ID", str(book.id)
    yield "TI", book.title if book.subtitle is None else f"{book.title}: {book.subtitle}"
    others = []
    for tag, author, role in exported.cited(TAGS, author="AU", as_credited=True):
        if tag:
            yield tag, _name(author)
        else:
            others.append(f"{author.name} ({role})")
    if book.published is not None:
        if not book.published.startswith("-"):
            yield "PY", book.published[:4]
        parts = str(book.published).rsplit("-", str(book.published).count("-", 1))
        yield "DA", "/".join([*parts, "", "", ""][:3]) + "/"
    for tag, texts in (("PB", book.publishers), ("CY", book.places)):
        if texts:  # a record has each of these tags once
            yield tag, SEPARATOR.join(text.replace(SEPARATOR, ", ") for text in texts)
    if book.edition is not None:
        yield "ET", book.edition
    for series in book.series[:1]:
        yield "T3", series.title
        if series.position is not None:
            yield "VL", series.position
    if book.pages is not None:
        yield "SP", str(book.pages)
    if isbns := [str(isbn) for isbn in book.isbns()]:
        yield "SN", "; ".join(isbns)
    yield from (("DO", each.value) for each in book.identifiers if str(each.scheme) == "doi")
    if book.languages:
        yield "LA", ", ".join(map(str, book.languages))
    yield from (("KW", term) for term in dict.fromkeys([*(subject.term for subject in book.subjects), *book.tags]))
    if book.description is not None:
        yield "AB", book.description
    yield from (("N1", note) for note in (*book.notes, *others))
    yield from (("UR", str(link.url)) for link in book.links)


def _name(author: Author) -> str:
    """Return the name; a comma in one that is not to be turned round is doubled, as EndNote has it."""
    return author.name.replace(",", ",,", 1) if name_parts(author) is None else author.sort_name or author.name
