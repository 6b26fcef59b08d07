"""Books to items of CSL-JSON."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from attrs import define, field

from catalog.adapters.formats.common import name_parts, tag_of
from catalog.domain.authors import Author
from catalog.domain.exports import Exported
from catalog.domain.values import PartialDate

from .variables import IDENTIFIERS, ROLES, TEXTS

_VARIABLES = {role: variable for variable, role in ROLES.items()}
_NUMBERS = {scheme: variable for variable, scheme in IDENTIFIERS.items()}


@define
class CslWriter:
    """Writes an array, with an item on each line."""

    tells_authors: bool = False
    wants_sources: bool = False
    _is_first: bool = field(default=True, init=False)

    def head(self) -> bytes:
        """Return the beginning of an array."""
        return b"[\n"

    def author(self, author: Author, /) -> bytes:
        """Return nothing: an author is told in the items of books."""
        return b""

    def book(self, exported: Exported, /) -> bytes:
        """Return the item of a book."""
        between, self._is_first = b"" if self._is_first else b",\n", False
        return between + msgspec.json.encode(_item(exported))

    def tail(self) -> bytes:
        """Return the end of the array."""
        return b"\n]\n"


def _item(exported: Exported) -> dict[str, Any]:
    book = exported.book
    title = book.title if book.subtitle is None else f"{book.title}: {book.subtitle}"
    item: dict[str, Any] = {"id": str(book.id), "type": "book", "title": title}
    names: dict[str, list[dict[str, str]]] = {}
    for variable, author, _ in exported.cited(_VARIABLES, author="author", other="contributor", as_credited=True):
        names.setdefault(variable, []).append(_name(author))
    item |= names
    if book.published is not None:
        item["issued"] = {"date-parts": [_date_parts(book.published)]}
    valid = [each for each in book.identifiers if str(each.status) == "valid"]
    for variable, number in dict.fromkeys((_NUMBERS.get(str(each.scheme), ""), each.value) for each in valid):
        if variable:
            item[variable] = f"{item[variable]} {number}" if variable in item else number
    texts = {
        **{variable: getattr(book, field) for variable, field in TEXTS.items()},
        "publisher": _joined(book.publishers),
        "publisher-place": _joined(book.places),
        "collection-title": book.series[0].title if book.series else None,
        "collection-number": book.series[0].position if book.series else None,
        "number-of-pages": None if book.pages is None else str(book.pages),
        "language": tag_of(book.languages[0]) if book.languages else None,
        "keyword": _keywords(list(dict.fromkeys([*(subject.term for subject in book.subjects), *book.tags]))),
        "note": "\n".join(book.notes),
        "URL": str(book.links[0].url) if book.links else None,
    }
    return item | {variable: text for variable, text in texts.items() if text}


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(texts)


def _name(author: Author) -> dict[str, str]:
    parts = name_parts(author)
    if parts is None:
        return {"literal": author.name}
    told = {"family": parts.family, "given": parts.given}
    return told | {"suffix": parts.suffix} if parts.suffix else told


def _keywords(terms: Sequence[str]) -> str:
    """Return the terms, with commas between them; where one has a comma, with semicolons, of which there is one."""
    if not any(mark in term for term in terms for mark in ",;"):
        return ", ".join(terms)
    return "; ".join(term.replace(";", ",") for term in terms) + (";" if len(terms) == 1 else "")


def _date_parts(date: PartialDate) -> list[int]:
    sign, rest = ("-", date[1:]) if date.startswith("-") else ("", str(date))
    year, *others = rest.split("-")
    return [int(sign + year), *map(int, others)]
