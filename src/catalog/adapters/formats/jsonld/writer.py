"""Books to schema.org."""

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import define, field

from catalog.adapters.formats.common import name_parts, tag_of
from catalog.domain.authors import Author
from catalog.domain.exports import Exported

FORMAT = "jsonld"

PROPERTIES: Mapping[str, str] = {"edt": "editor", "trl": "translator", "ill": "illustrator", "nrt": "readBy"}
"""The property that tells a contributor of each role; others are a `contributor`."""

SAME_AS: Mapping[str, str] = {
    "viaf": "https://viaf.org/viaf/",
    "wikidata": "https://www.wikidata.org/entity/",
    "isni": "https://isni.org/isni/",
    "orcid": "https://orcid.org/",
    "gnd": "https://d-nb.info/gnd/",
    "lcnaf": "https://id.loc.gov/authorities/names/",
    "olid": "https://openlibrary.org/authors/",
}
"""Where an identifier of an author leads to."""

# So that it can stand within a script element of HTML.
_ESCAPED = {b"<": b"\\u003c", b">": b"\\u003e", b"&": b"\\u0026"}


@define
class JsonLdWriter:
    """Writes one graph, with a book on each line."""

    tells_authors: bool = False
    wants_sources: bool = False
    _is_first: bool = field(default=True, init=False)

    def head(self) -> bytes:
        """Return the beginning of the graph."""
        return b'{"@context":"https://schema.org","@graph":[\n'

    def author(self, author: Author, /) -> bytes:
        """Return nothing: an author is told with the books."""
        return b""

    def book(self, exported: Exported, /) -> bytes:
        """Return the node of a book."""
        between, self._is_first = b"" if self._is_first else b",\n", False
        told = msgspec.json.encode(_book(exported))
        for plain, escaped in _ESCAPED.items():
            told = told.replace(plain, escaped)
        return between + told

    def tail(self) -> bytes:
        """Return the end of the graph."""
        return b"\n]}\n"


def _book(exported: Exported) -> dict[str, Any]:
    book = exported.book
    people: dict[str, list[Any]] = {}
    for name, author, _ in exported.cited(PROPERTIES, author="author", other="contributor"):
        people.setdefault(name, []).append(_person(author))
    node: dict[str, Any] = {
        "@type": "Book",
        "@id": f"urn:uuid:{book.id}",
        "name": book.title,
        "alternativeHeadline": book.subtitle,
        **people,
        "isbn": [str(isbn) for isbn in book.isbns()],
        "datePublished": None if book.published is None else str(book.published),
        "inLanguage": [tag_of(language) for language in book.languages],
        "publisher": [{"@type": "Organization", "name": name} for name in book.publishers],
        "bookEdition": book.edition,
        "numberOfPages": book.pages,
        "about": [subject.term for subject in book.subjects],
        "description": book.description,
        "isPartOf": [
            {"@type": "BookSeries", "name": series.title} | ({"position": series.position} if series.position else {})
            for series in book.series
        ],
        "url": [str(link.url) for link in book.links],
        "keywords": list(book.tags),
    }
    return {name: value for name, value in node.items() if value not in (None, [])}


def _person(author: Author) -> dict[str, Any]:
    kind = {"organisation": "Organization", "meeting": "Organization"}.get(str(author.kind or ""), "Person")
    node: dict[str, Any] = {"@type": kind, "@id": f"urn:uuid:{author.id}", "name": author.name}
    if kind == "Person":
        if (parts := name_parts(author)) is not None:
            node |= {"familyName": parts.family, "givenName": parts.given}
            node |= {"honorificSuffix": parts.suffix} if parts.suffix else {}
        dates = {"birthDate": author.birth, "deathDate": author.death}
        node |= {name: str(date) for name, date in dates.items() if date is not None}
    same = [f"{SAME_AS[scheme]}{each.value}" for each in author.identifiers if (scheme := str(each.scheme)) in SAME_AS]
    return (
        node
        | ({"alternateName": list(author.variants)} if author.variants else {})
        | ({"sameAs": same} if same else {})
    )
