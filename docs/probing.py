"""Finds out by trying which place of a record says what, so that a page drawn from it can not be wrong.

To be read: a record with one more place than another is read, and what the book says more stands in that place. To be
written: of a book whose fields say words that nothing else says, it is looked where each of them comes out.
"""
# ruff: noqa: INP001 - beside a script

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from attrs import fields
from pymarc import Field, MARCReader, Record, Subfield

from catalog.adapters.formats.ris import reader as ris
from catalog.domain.authors import Author
from catalog.domain.books import BookDetails, BookRecord, Classification, Contributor, Link, Series, Subject
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft
from catalog.domain.values import AuthorKind, Language, PartialDate, Role, Scheme, Url
from catalog.entrypoints.formats import Reading, record_reader, record_writer

Places = Mapping[str, Sequence[str]]
"""For each field, where in a record it stands."""

VALUES = (
    "Zebra", "9780141439587", "1871", "ger", "https://zebra.example/", "(OCoLC)12345", "311 p.", "12", "Zebra, Anna",
    "(DE-588)118540238", "trl",
    "translator", "1801-1899", "86001234",
)  # fmt: skip  # a table is read by column
"""What is written in a place to see whether anything comes of it."""

CLASSES = {"084"}
"""Fields that say nothing without $2."""

ROLE = "role of a contributor"
PEOPLE = {"author_id": "author", "contributors": "contributors"}


# ---- to be read


def read_from_marc() -> Places:
    """Try every subfield of every field; the indicators say no more than they have to."""

    def record(tag: str, subfields: Sequence[tuple[str, str]], indicators: tuple[str, str]) -> Record:
        made = Record(force_utf8=True)
        made.add_field(Field(tag="001", data="1"))
        if tag != "245":
            made.add_field(Field(tag="245", indicators=("0", "0"), subfields=[Subfield("a", "Base")]))
        if "2" not in dict(subfields) and tag in CLASSES:
            subfields = [*subfields, ("2", "ddc")]
        needed = [] if tag != "245" or any(code == "a" for code, _ in subfields) else [Subfield("a", "Base")]
        if tag[1:] in {"00", "10", "11"} and tag[0] in "17" and not any(code == "a" for code, _ in subfields):
            needed = [Subfield("a", "Ox, Ben")]
        given = [Subfield(code, value) for code, value in subfields]
        made.add_field(Field(tag=tag, indicators=indicators, subfields=[*needed, *given]))
        return made

    found: dict[str, list[str]] = {"title": ["245 $a"], "published": ["008/07-10"], "languages": ["008/35-37"]}
    codes = "abcdefghijklmnopqrstuvwxyz0123456789"
    nothing = {("title", "Base")}
    for number in range(10, 900):
        tag = f"{number:03}"
        for indicators in ((" ", " "), ("1", "1")):
            tried = [[(code, value) for code in "abcuz"] for value in VALUES[:6]]
            if all(_told(_draft("marc", record(tag, each, indicators).as_marc())) <= nothing for each in tried):
                continue
            base = _told(_draft("marc", record(tag, [], indicators).as_marc()))
            for code in codes:
                for value in VALUES if tag[0] in "012378" else VALUES[:1]:  # in notes and subjects, one word does
                    more = _told(_draft("marc", record(tag, [(code, value)], indicators).as_marc())) - base
                    for name in {name for name, _ in more}:
                        place = f"{tag} ${code}"
                        if place not in found.setdefault(name, []):
                            found[name].append(place)
    return {name: _marc_ranges(places) for name, places in found.items()}


def _marc_ranges(places: Sequence[str]) -> Sequence[str]:
    """Write the subfields of one field together: 245 $a $n $p."""
    by_tag: dict[str, list[str]] = {}
    for place in places:
        tag, _, code = place.partition(" ")
        by_tag.setdefault(tag, []).append(code)
    by_codes: dict[str, list[str]] = {}
    for tag, codes in by_tag.items():
        told = " ".join(dict.fromkeys(codes))
        by_codes.setdefault(told if len(told) < 60 else "$a to $z", []).append(tag)
    return [f"{', '.join(tags)} {codes}".strip() for codes, tags in by_codes.items()]


def read_from(
    format_name: str, record: Callable[[str, Any], str], names: Iterable[str], values: Sequence[Any]
) -> Places:
    """Try each of the names; `record` makes a record of which one says that value, or none where the name is empty."""
    base = _told(_draft(format_name, record("", "").encode()))
    found: dict[str, list[str]] = {}
    for name in names:
        for value in values:
            draft = _draft(format_name, record(name, value).encode())
            for field in {field for field, _ in _told(draft) - base}:
                if name not in found.setdefault(field, []):
                    found[field].append(name)
    return found


def _draft(format_name: str, content: bytes) -> BookDraft | None:
    reader = record_reader(format_name, content, Reading(source="probe"))
    return next((entry.draft for entry in reader.read(io.BytesIO(content)) if entry.draft is not None), None)


def _told(draft: BookDraft | None) -> set[tuple[str, str]]:
    """Return what the draft says: of people, each field of theirs."""
    if draft is None:
        return set()
    told = {
        (f.name, repr(value))
        for f in fields(BookDetails)
        if f.name not in {"isbn", *PEOPLE} and (value := getattr(draft.details, f.name))
    }
    for who, people in (("author", [draft.author] if draft.author else []), ("contributor", draft.contributors)):
        for person in people:
            details = getattr(person, "author", person)
            told |= {(f"{who}: {f.name}", repr(v)) for f in fields(type(details)) if (v := getattr(details, f.name))}
            if getattr(person, "role", None):
                told.add((ROLE, str(person.role)))
    return {("title", "Base") if name == "title" and value == repr("Base") else (name, value) for name, value in told}


def bibtex_record(name: str, value: Any) -> str:
    """Return an entry with one more field."""
    more = f"  {name} = {{{value}}},\n" if name else ""
    return f"@book{{key,\n{'' if name == 'title' else '  title = {Base},'}\n{more}}}\n"


def ris_record(name: str, value: Any) -> str:
    """Return a record with one more tag."""
    more = f"{name}  - {value}\n" if name else ""
    return f"TY  - BOOK\n{'' if name in {'TI', 'T1'} else 'TI  - Base'}\n{more}ER  - \n"


def csl_record(name: str, value: Any) -> str:
    """Return an item with one more variable."""
    return json.dumps([{"type": "book", "id": "1", "title": "Base"} | ({name: value} if name else {})])


def openlibrary_record(name: str, value: Any) -> str:
    """Return a line of a dump with one more member."""
    edition = {"title": "Base", **({name: value} if name else {})}
    return f"/type/edition\t/books/OL1M\t1\t2020-01-01T00:00:00\t{json.dumps(edition)}\n"


def onix_record(name: str, value: Any) -> str:
    """Return a message with one more element, of a block that takes it."""
    blocks = {"DescriptiveDetail": "", "CollateralDetail": "", "PublishingDetail": "", "": ""}
    block, _, element = str(value).partition("|")
    blocks[block] = element
    title = (
        "<TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>01</TitleElementLevel>"
        "<TitleText>Base</TitleText></TitleElement></TitleDetail>"
    )
    if "TitleDetail" not in element:
        blocks["DescriptiveDetail"] = title + blocks["DescriptiveDetail"]
    inside = "".join(f"<{name}>{said}</{name}>" if name else said for name, said in sorted(blocks.items()))
    return (
        '<ONIXMessage release="3.0" xmlns="http://ns.editeur.org/onix/3.0/reference"><Product>'
        f"<RecordReference>1</RecordReference><NotificationType>03</NotificationType>{inside}</Product></ONIXMessage>"
    )


BIBTEX_FIELDS = [
    "title",
    "subtitle",
    "booktitle",
    "maintitle",
    "author",
    "editor",
    "editora",
    "translator",
    "annotator",
    "commentator",
    "introduction",
    "foreword",
    "afterword",
    "year",
    "month",
    "date",
    "publisher",
    "organization",
    "institution",
    "school",
    "address",
    "location",
    "edition",
    "series",
    "number",
    "volume",
    "volumes",
    "isbn",
    "issn",
    "doi",
    "lccn",
    "url",
    "pages",
    "pagetotal",
    "language",
    "langid",
    "keywords",
    "abstract",
    "annote",
    "annotation",
    "note",
    "addendum",
    "howpublished",
    "eprint",
    "type",
]
"""The fields of BibTeX and BibLaTeX that a book can have."""

RIS_TAGS = sorted(tag for tag in ris.MAPPING if tag not in {"TY", "ER"})

CSL_VARIABLES = [
    "title",
    "title-short",
    "container-title",
    "original-title",
    "author",
    "editor",
    "translator",
    "illustrator",
    "collection-editor",
    "container-author",
    "compiler",
    "composer",
    "contributor",
    "director",
    "interviewer",
    "narrator",
    "performer",
    "producer",
    "recipient",
    "issued",
    "publisher",
    "publisher-place",
    "original-date",
    "edition",
    "collection-title",
    "collection-number",
    "volume",
    "number",
    "number-of-pages",
    "page",
    "ISBN",
    "ISSN",
    "DOI",
    "PMID",
    "PMCID",
    "call-number",
    "language",
    "keyword",
    "abstract",
    "note",
    "annote",
    "URL",
    "genre",
    "medium",
    "dimensions",
]
"""The variables of CSL 1.0.2 that a book can have."""

CSL_VALUES = (*VALUES, [{"family": "Zebra", "given": "Anna"}], {"date-parts": [[1871, 12]]})

OPENLIBRARY_NAMES = [
    "title",
    "title_prefix",
    "subtitle",
    "other_titles",
    "by_statement",
    "authors",
    "contributors",
    "contributions",
    "isbn_13",
    "isbn_10",
    "oclc_numbers",
    "oclc_number",
    "lccn",
    "identifiers",
    "publish_date",
    "languages",
    "publishers",
    "publish_places",
    "edition_name",
    "series",
    "pagination",
    "number_of_pages",
    "subjects",
    "subject_people",
    "subject_places",
    "subject_times",
    "genres",
    "classifications",
    "dewey_decimal_class",
    "lc_classifications",
    "description",
    "first_sentence",
    "notes",
    "links",
    "uris",
    "url",
    "physical_format",
    "covers",
]
"""The members of an edition of Open Library."""

OPENLIBRARY_VALUES = (
    *VALUES, 311, *([value] for value in VALUES), [{"key": "/languages/ger"}], [{"name": "Zebra", "role": "Editor"}],
    [{"url": "https://zebra.example/", "title": "Zebra"}], {"goodreads": ["12"]}, {"ddc": ["813"]},
)  # fmt: skip  # a table is read by column

ONIX_ELEMENTS: Mapping[str, str] = {
    "TitleDetail/TitleElement/TitleText": "DescriptiveDetail|<TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>01</TitleElementLevel><TitleText>Zebra</TitleText></TitleElement></TitleDetail>",  # noqa: E501 - an element
    "TitleDetail/TitleElement/Subtitle": "DescriptiveDetail|<TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>01</TitleElementLevel><TitleText>Base</TitleText><Subtitle>Zebra</Subtitle></TitleElement></TitleDetail>",  # noqa: E501 - an element
    "Contributor (A01) first": "DescriptiveDetail|<Contributor><SequenceNumber>1</SequenceNumber><ContributorRole>A01</ContributorRole><NamesBeforeKey>Anna</NamesBeforeKey><KeyNames>Zebra</KeyNames></Contributor>",  # noqa: E501 - an element
    "Contributor (others)": "DescriptiveDetail|<Contributor><SequenceNumber>1</SequenceNumber><ContributorRole>A01</ContributorRole><PersonName>Ben Ox</PersonName></Contributor><Contributor><SequenceNumber>2</SequenceNumber><ContributorRole>B06</ContributorRole><PersonName>Anna Zebra</PersonName></Contributor>",  # noqa: E501 - an element
    "Contributor/NameIdentifier": "DescriptiveDetail|<Contributor><ContributorRole>A01</ContributorRole><NameIdentifier><NameIDType>16</NameIDType><IDValue>0000000121032683</IDValue></NameIdentifier><PersonName>Anna Zebra</PersonName></Contributor>",  # noqa: E501 - an element
    "ContributorStatement": "DescriptiveDetail|<ContributorStatement>by Zebra</ContributorStatement>",
    "ProductIdentifier": "|<ProductIdentifier><ProductIDType>15</ProductIDType><IDValue>9780141439587</IDValue></ProductIdentifier>",  # noqa: E501 - an element
    "PublishingDate (01)": "PublishingDetail|<PublishingDate><PublishingDateRole>01</PublishingDateRole><Date>1871</Date></PublishingDate>",  # noqa: E501 - an element
    "Language (01)": "DescriptiveDetail|<Language><LanguageRole>01</LanguageRole><LanguageCode>ger</LanguageCode></Language>",  # noqa: E501 - an element
    "Publisher/PublisherName": "PublishingDetail|<Publisher><PublishingRole>01</PublishingRole><PublisherName>Zebra</PublisherName></Publisher>",  # noqa: E501 - an element
    "Imprint/ImprintName": "PublishingDetail|<Imprint><ImprintName>Zebra</ImprintName></Imprint>",
    "CityOfPublication": "PublishingDetail|<CityOfPublication>Zebra</CityOfPublication>",
    "EditionStatement": "DescriptiveDetail|<EditionStatement>Zebra</EditionStatement>",
    "EditionNumber": "DescriptiveDetail|<EditionNumber>2</EditionNumber>",
    "Collection": "DescriptiveDetail|<Collection><CollectionType>10</CollectionType><TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>02</TitleElementLevel><TitleText>Zebra</TitleText></TitleElement></TitleDetail></Collection>",  # noqa: E501 - an element
    "Extent (00, pages)": "DescriptiveDetail|<Extent><ExtentType>00</ExtentType><ExtentValue>311</ExtentValue><ExtentUnit>03</ExtentUnit></Extent>",  # noqa: E501 - an element
    "Subject with a list of terms": "DescriptiveDetail|<Subject><SubjectSchemeIdentifier>93</SubjectSchemeIdentifier><SubjectCode>FB</SubjectCode></Subject>",  # noqa: E501 - an element
    "Subject (20, keywords)": "DescriptiveDetail|<Subject><SubjectSchemeIdentifier>20</SubjectSchemeIdentifier><SubjectHeadingText>Zebra</SubjectHeadingText></Subject>",  # noqa: E501 - an element
    "Subject with a classification": "DescriptiveDetail|<Subject><SubjectSchemeIdentifier>01</SubjectSchemeIdentifier><SubjectCode>813</SubjectCode></Subject>",  # noqa: E501 - an element
    "TextContent (03)": "CollateralDetail|<TextContent><TextType>03</TextType><ContentAudience>00</ContentAudience><Text>Zebra</Text></TextContent>",  # noqa: E501 - an element
}
"""Elements of ONIX 3 as they are found with books; those of 2.1 are read by the same names."""


def read_from_onix() -> Places:
    """Try each element."""
    base = _told(_draft("onix", onix_record("", "DescriptiveDetail|").encode()))
    found: dict[str, list[str]] = {}
    for name, element in ONIX_ELEMENTS.items():
        for field in {field for field, _ in _told(_draft("onix", onix_record(name, element).encode())) - base}:
            found.setdefault(field, []).append(name)
    return found


# ---- to be written

_NOW = datetime(2020, 1, 1, tzinfo=UTC)
_AUTHOR = Author(
    id=UUID(int=1), name="Authorgiven Authorfamily", sort_name="Authorfamily, Authorgiven", birth=PartialDate("1801"),
    death=PartialDate("1899"), kind=AuthorKind("person"), variants=("Authorvariant",),
    identifiers=(Identifier(scheme=Scheme("viaf"), value="7654321"),), created_at=_NOW, updated_at=_NOW,
)  # fmt: skip  # one thing, told at once
_TRANSLATOR = Author(id=UUID(int=2), name="Anna Translatorfamily", created_at=_NOW, updated_at=_NOW)
_CREDITED = Author(id=UUID(int=4), name="Otto Otherwise", created_at=_NOW, updated_at=_NOW)
_BOOK = BookRecord(
    id=UUID(int=3), title="Titleword", subtitle="Subtitleword", author_id=_AUTHOR.id, author=_AUTHOR,
    contributors=(
        Contributor(author_id=_TRANSLATOR.id, role=Role("trl")),
        Contributor(author_id=_CREDITED.id, role=Role("trl"), credited_as="Creditedword"),
    ),
    identifiers=(
        Identifier(scheme=Scheme("isbn"), value="9780141439587"),
        Identifier(scheme=Scheme("doi"), value="10.1000/doiword"),
    ),
    published=PartialDate("1871-12-24"), languages=(Language("ger"),), publishers=("Publisherword",),
    places=("Placeword",), edition="Editionword", series=(Series(title="Seriesword", position="77"),),
    extent="Extentword", pages=982, subjects=(Subject(term="Subjectword"),),
    classifications=(Classification(scheme=Scheme("ddc"), value="813.99"),), responsibility="Responsibilityword",
    description="Descriptionword", notes=("Noteword",), links=(Link(url=Url("https://linkword.example/")),),
    tags=("Tagword",), created_at=_NOW, updated_at=_NOW,
)  # fmt: skip  # one thing, told at once

WORDS: Mapping[str, str] = {
    "title": "Titleword", "subtitle": "Subtitleword", "author: name": "Authorfamily", "author: birth": "1801",
    "author: death": "1899", "author: variants": "Authorvariant", "author: identifiers": "7654321",
    "contributor: name": "Translatorfamily", "contributor: credited_as": "Creditedword",
    "isbn": "9780141439587", "other identifiers": "10.1000/doiword",
    "published": "1871", "languages": r"\b(?:ger|german|de)\b", "publishers": "Publisherword", "places": "Placeword",
    "edition": "Editionword", "series": "Seriesword", "extent": "Extentword", "pages": "982",
    "subjects": "Subjectword", "classifications": "813.99", "responsibility": "Responsibilityword",
    "description": "Descriptionword", "notes": "Noteword", "links": "linkword", "tags": "Tagword",
}  # fmt: skip  # a table is read by column
"""What each field of the book says, and nothing else does."""


def written_to(format_name: str, taken_apart: Callable[[bytes], Iterable[tuple[str, str]]]) -> Places:
    """Look where the fields of a book come out; `taken_apart` gives the places of a file and what they say."""
    writer = record_writer(format_name)
    exported = Exported(book=_BOOK, authors={each.id: each for each in (_AUTHOR, _TRANSLATOR, _CREDITED)})
    places = list(taken_apart(writer.head() + writer.book(exported) + writer.tail()))
    found: dict[str, list[str]] = {}
    for field, word in WORDS.items():
        for place, text in places:
            if re.search(word, text.replace("-", "") if field == "isbn" else text) and place not in found.setdefault(
                field, []
            ):
                found[field].append(place)
    return found


def marc_places(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the subfields of a record, and the control fields."""
    for record in MARCReader(io.BytesIO(content)):
        for field in record.fields if record is not None else ():
            if field.control_field:
                yield field.tag, (field.data or "") if field.tag == "008" else ""
            else:
                yield from ((f"{field.tag} ${each.code}", each.value) for each in field.subfields)


def bibtex_places(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the fields of an entry."""
    yield from ((found[1], found[2]) for found in re.finditer(r"^  (\w+) = \{(.*)\},$", content.decode(), re.MULTILINE))


def ris_places(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the tags of a record."""
    yield from ((line[:2], line[6:]) for line in content.decode().splitlines() if line)


def csl_places(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the variables of an item."""
    yield from ((name, json.dumps(value)) for name, value in json.loads(content)[0].items())


def jsonld_places(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the properties of a node, those within others with a point between."""

    def walk(path: str, value: Any) -> Iterator[tuple[str, str]]:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                for name, inner in each.items():
                    yield from walk(f"{path}.{name}".lstrip("."), inner)
            else:
                yield path, str(each)

    yield from walk("", json.loads(content)["@graph"][0])


def dc_places(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the elements."""
    for element in ET.fromstring(content).iter():  # noqa: S314 - we have just written it
        if element.text and element.text.strip():
            yield f"dc:{element.tag.rpartition('}')[2]}", element.text


def csv_places(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the columns."""
    heads, row = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    yield from zip(heads, row, strict=True)
