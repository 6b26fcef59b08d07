"""Books to rows, as the plain dialect reads them."""

import csv
from collections.abc import Iterable, Iterator
from io import StringIO

from attrs import define

from catalog.domain.authors import Author
from catalog.domain.books import BookRecord
from catalog.domain.exports import Exported

from . import cells
from .dialects import MORE

COLUMNS = ("key", "title", "subtitle", "authors", "isbn", "published", "languages", *MORE)
SEPARATOR = "; "

# A spreadsheet would run a cell that begins like this as a formula; some, in their full width, too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r")


@define
class CsvWriter:
    """Writes one file; for spreadsheets, what they would run as a formula is written behind an apostrophe."""

    for_spreadsheets: bool = False
    tells_authors: bool = False
    wants_sources: bool = False

    def head(self) -> bytes:
        """Return the header."""
        return self._row(COLUMNS)

    def author(self, author: Author, /) -> bytes:
        """Return nothing: an author is told in the rows of books."""
        return b""

    def book(self, exported: Exported, /) -> bytes:
        """Return the row of a book."""
        book = exported.book
        people = [f"{_one(author.name)}{f' [{role}]' if role else ''}" for author, role in exported.everybody()]
        row = {
            "key": str(book.id),
            "title": book.title,
            "subtitle": book.subtitle,
            "authors": SEPARATOR.join(people),
            "isbn": SEPARATOR.join(dict.fromkeys(_isbns(book))),
            "published": book.published,
            "languages": _several(book.languages),
            "publishers": _several(book.publishers),
            "places": _several(book.places),
            "edition": book.edition,
            "series": _several(f"{each.title}{f' #{each.position}' if each.position else ''}" for each in book.series),
            "pages": book.pages,
            "subjects": _several(subject.term for subject in book.subjects),
            "description": book.description,
            "notes": _several(book.notes),
            "tags": _several(book.tags),
        }
        return self._row("" if (value := row[name]) is None else str(value) for name in COLUMNS)

    def tail(self) -> bytes:
        """Return nothing: the last row ends the file."""
        return b""

    def _row(self, cells: Iterable[str]) -> bytes:
        text = StringIO()
        csv.writer(text).writerow([self._cell(cell) for cell in cells])
        return text.getvalue().encode("utf-8", "replace")

    def _cell(self, cell: str) -> str:
        return f"'{cell}" if self.for_spreadsheets and cell.startswith(_FORMULA_STARTS) else cell


def _isbns(book: BookRecord) -> Iterator[str]:
    """Yield the valid ISBNs, and those that would be read back as wrong ones: a cancelled one would be valid again."""
    for each in book.identifiers:
        if str(each.scheme) == "isbn" and (
            each.isbn is not None or not any(read.isbn for read in cells.isbns_of([each.value], SEPARATOR, []))
        ):
            yield each.value


def _several(texts: Iterable[str]) -> str:
    return SEPARATOR.join(map(_one, texts))


def _one(text: str) -> str:
    """Return the text as one part of a list."""
    return str(text).replace("; ", ", ").strip()
