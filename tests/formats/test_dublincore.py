"""Dublin Core, as a harvester reads it."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest
from attrs import evolve
from tests.formats.exports import exported

from catalog.adapters.formats.dublincore import DublinCoreWriter
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Link, Series, Subject
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.values import AuthorKind, Isbn, Language, PartialDate, Scheme, Url

OAI_DC, DC = "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc", "{http://purl.org/dc/elements/1.1/}"
PERSON = AuthorKind("person")
GABRIEL = AuthorDetails(name="Gabriel García Márquez", sort_name="García Márquez, Gabriel", kind=PERSON)
GREGORY = AuthorDetails(name="Gregory Rabassa", sort_name="Rabassa, Gregory", kind=PERSON)
LEAST = BookDetails(title="T", author_id=None)
WHOLE = BookDetails(
    title="One hundred years of solitude", subtitle="a novel", author_id=None,
    identifiers=(Identifier.of_isbn(Isbn("9780060883287")), Identifier(scheme=Scheme("isbn"), value="0441478124")),
    published=PartialDate("1970-02"), languages=(Language("eng"), Language("ger")), publishers=("Harper & Row",),
    extent="417 p.", series=(Series(title="Perennial classics", position="12"),),
    subjects=(Subject(term="Macondo"), Subject(term="Families")), description="Seven generations.",
    links=(Link(url=Url("https://example.org/a?b=1&c=2")),),
)  # fmt: skip


def written(*books: Exported) -> bytes:
    writer = DublinCoreWriter()
    return b"".join([writer.head(), *map(writer.book, books), writer.tail()])


def elements(book: Exported) -> Sequence[tuple[str, str | None]]:
    (element,) = ET.fromstring(written(book))
    return [(each.tag.removeprefix(DC), each.text) for each in element]


def test_a_book_is_told_in_the_fifteen_elements() -> None:
    book = exported(WHOLE, GABRIEL, (GREGORY, "trl"), (AuthorDetails(name="The Board"), None))

    assert sorted(elements(book)) == [
        ("contributor", "Rabassa, Gregory"),
        ("creator", "García Márquez, Gabriel"), ("creator", "The Board"),
        ("date", "1970-02"),
        ("description", "Seven generations."),
        ("format", "417 p."),
        ("identifier", "https://example.org/a?b=1&c=2"), ("identifier", "urn:isbn:9780060883287"),
        ("identifier", f"urn:uuid:{book.book.id}"),
        ("language", "eng"), ("language", "ger"),
        ("publisher", "Harper & Row"),
        ("relation", "Perennial classics"),
        ("subject", "Families"), ("subject", "Macondo"),
        ("title", "One hundred years of solitude: a novel"),
        ("type", "Text"),
    ]  # fmt: skip


def test_what_nobody_knows_has_no_element() -> None:
    assert {name for name, _ in elements(exported(LEAST))} == {"title", "type", "identifier"}


def test_each_book_is_one_element_of_oai_dc() -> None:
    book = exported(WHOLE, GABRIEL)

    for number in range(3):
        root = ET.fromstring(written(*[book] * number))
        assert (root.tag, [each.tag for each in root]) == ("records", [OAI_DC] * number)


@pytest.mark.parametrize("text", ["<&>", "]]>", "<!-- -->", "&amp;", "Ærø 📚", "a \"b\" 'c'", "\u200ba"])
def test_no_character_breaks_the_document(text: str) -> None:
    book = exported(evolve(WHOLE, title=text, description=f"{text}\n\t{text}"), AuthorDetails(name=text))

    said = dict(elements(book))

    assert said["title"] == f"{text}: a novel"
    assert said["creator"] == text
    assert said["description"] == f"{text}\n\t{text}"
