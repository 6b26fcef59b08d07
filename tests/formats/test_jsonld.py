"""JSON-LD in the words of schema.org."""

import json
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from tests.formats.exports import exported

from catalog.adapters.formats.jsonld import JsonLdWriter
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Link, Series, Subject
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.values import AuthorKind, Isbn, Language, PartialDate, Scheme, Url

PERSON = AuthorKind("person")
GABRIEL = AuthorDetails(
    name="Gabriel García Márquez", sort_name="García Márquez, Gabriel", kind=PERSON, birth=PartialDate("1927-03-06"),
    death=PartialDate("2014"),
    identifiers=(Identifier(scheme=Scheme("viaf"), value="95218067"), Identifier(scheme=Scheme("own"), value="1")),
)  # fmt: skip
BODY = AuthorDetails(name="The Board", kind=AuthorKind("organisation"))
WHOLE = BookDetails(
    title="One hundred years of solitude", subtitle="a novel", author_id=None,
    identifiers=(Identifier.of_isbn(Isbn("9780060883287")), Identifier(scheme=Scheme("isbn"), value="0441478124")),
    published=PartialDate("1970-02"), languages=(Language("eng"),), publishers=("Harper & Row",), edition="1st ed.",
    pages=417, series=(Series(title="Perennial classics", position="12"),), subjects=(Subject(term="Macondo"),),
    description="Seven generations.", links=(Link(url=Url("https://example.org/a?b=1&c=2")),), tags=("to-read",),
)  # fmt: skip

# The properties of schema.org that are used, and what schema.org expects there.
OF_BOOKS: dict[str, type | tuple[type, ...]] = {
    "@type": str, "@id": str, "name": str, "alternativeHeadline": str, "isbn": list, "datePublished": str,
    "inLanguage": list, "bookEdition": str, "numberOfPages": int, "about": list, "description": str, "url": list,
    "keywords": list, "isPartOf": list, "publisher": list, "author": list, "editor": list, "translator": list,
    "illustrator": list, "readBy": list, "contributor": list,
}  # fmt: skip
OF_PEOPLE = {"@type", "@id", "name", "familyName", "givenName", "birthDate", "deathDate", "alternateName", "sameAs"}
PEOPLE = ("author", "editor", "translator", "illustrator", "readBy", "contributor")


def written(*books: Exported) -> bytes:
    writer = JsonLdWriter()
    return b"".join([writer.head(), *map(writer.book, books), writer.tail()])


def nodes(*books: Exported) -> list[dict[str, Any]]:
    document = json.loads(written(*books))
    assert set(document) == {"@context", "@graph"}
    assert document["@context"] == "https://schema.org"
    graph: list[dict[str, Any]] = document["@graph"]
    for node in graph:
        assert set(node) <= set(OF_BOOKS)
        assert all(isinstance(value, OF_BOOKS[name]) for name, value in node.items())
        assert UUID(node["@id"].removeprefix("urn:uuid:"))
        for person in (person for name in PEOPLE for person in node.get(name, ())):
            assert set(person) <= OF_PEOPLE
            assert person["@type"] in {"Person", "Organization"}
    return graph


def test_a_book_is_told_in_the_words_of_schema_org() -> None:
    (node,) = nodes(exported(WHOLE, GABRIEL))

    del node["@id"], node["author"], node["inLanguage"]
    assert node == {
        "@type": "Book", "name": "One hundred years of solitude", "alternativeHeadline": "a novel",
        "isbn": ["9780060883287"], "datePublished": "1970-02", "bookEdition": "1st ed.", "numberOfPages": 417,
        "publisher": [{"@type": "Organization", "name": "Harper & Row"}], "about": ["Macondo"],
        "description": "Seven generations.", "url": ["https://example.org/a?b=1&c=2"], "keywords": ["to-read"],
        "isPartOf": [{"@type": "BookSeries", "name": "Perennial classics", "position": "12"}],
    }  # fmt: skip


def test_people_and_bodies_are_told_with_who_they_are_elsewhere() -> None:
    (node,) = nodes(exported(WHOLE, GABRIEL, (BODY, "edt")))

    (author,) = node["author"]
    assert UUID(author.pop("@id").removeprefix("urn:uuid:"))
    assert author == {
        "@type": "Person", "name": "Gabriel García Márquez", "familyName": "García Márquez", "givenName": "Gabriel",
        "birthDate": "1927-03-06", "deathDate": "2014", "sameAs": ["https://viaf.org/viaf/95218067"],
    }  # fmt: skip
    (editor,) = node["editor"]
    assert (editor["@type"], editor["name"]) == ("Organization", "The Board")


@pytest.mark.parametrize(
    ("role", "name"),
    [(None, "author"), ("edt", "editor"), ("trl", "translator"), ("ill", "illustrator"),
     ("nrt", "readBy"), ("bkd", "contributor")],
)  # fmt: skip
def test_who_did_what_is_told_by_the_property(role: str | None, name: str) -> None:
    (node,) = nodes(exported(WHOLE, None, (BODY, role)))

    assert [property for property in PEOPLE if property in node] == [name]


def test_what_nobody_knows_has_no_property() -> None:
    (node,) = nodes(exported(BookDetails(title="T", author_id=None)))

    assert set(node) == {"@type", "@id", "name"}


def test_a_graph_holds_however_many_books_there_are() -> None:
    book = exported(WHOLE, GABRIEL)

    assert [len(nodes(*[book] * number)) for number in range(4)] == [0, 1, 2, 3]
    assert written(book, book) == written(book, book)


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--<script>", "]]>", "&lt;", "a\u2028b"])
def test_nothing_in_a_book_ends_the_script_that_it_stands_in(text: str) -> None:
    text = text.replace("\u2028", " ")
    book = exported(evolve(WHOLE, title=text, description=text, tags=(text,)), evolve(GABRIEL, name=text))
    content = written(book)

    page = _Page()
    page.feed(f'<script type="application/ld+json">{content.decode()}</script><p>after</p>')

    assert not set(b"<>&") & set(content)
    assert page.tags == ["script", "p"]
    assert json.loads(page.script)["@graph"][0]["name"] == text


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.tags == ["script"]:
            self.script += data
