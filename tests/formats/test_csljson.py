"""CSL-JSON: what reference managers write is read, and what is written is what citation processors take."""

import gzip
import io
import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from attrs import evolve
from tests.formats.exports import exported, exported_as_imported
from tests.shared_data import shared_file

from catalog.adapters.formats.csljson import CslReader, CslWriter
from catalog.adapters.formats.csljson.reader import FORMAT
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Link, Series, SourceKey, Subject
from catalog.domain.errors import UnreadableFile
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import AuthorKind, Isbn, Language, PartialDate, Role, Scheme, Url

PERSON = AuthorKind("person")


def read(*items: Any) -> Sequence[Entry]:
    return list(CslReader(source="file").read(io.BytesIO(json.dumps(items).encode())))


def draft(**said: Any) -> BookDraft:
    (entry,) = read({"id": "a", "title": "T", **said})
    assert entry.draft is not None, entry.refusal
    return entry.draft


def details(**said: Any) -> BookDetails:
    return draft(**said).details


def written(*books: Exported) -> bytes:
    writer = CslWriter()
    return b"".join([writer.head(), *map(writer.book, books), writer.tail()])


@pytest.mark.parametrize("own", ["a", 5])
def test_an_item_is_told_by_its_id(own: str | int) -> None:
    item = {"id": own, "title": "T"}
    (entry,) = read(item)

    assert entry.draft is not None
    assert entry.draft.origin.id == SourceKey("file", str(own))
    assert (entry.draft.origin.format, entry.draft.has_own_key) == (FORMAT, True)
    assert entry.draft.origin.content == msgspec.json.encode(item)


def test_an_item_without_id_is_told_by_what_it_says() -> None:
    (entry,) = read({"title": "T"})

    assert entry.draft is not None
    assert entry.draft.origin.key == sha256(b'{"title":"T"}').hexdigest()
    assert not entry.draft.has_own_key


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ({"family": "Le Guin", "given": "Ursula K."}, ("Ursula K. Le Guin", "Le Guin, Ursula K.")),
        ({"family": "Goethe", "given": "W.", "non-dropping-particle": "von"}, ("W. von Goethe", "von Goethe, W.")),
        ({"family": "King", "given": "Martin", "suffix": "Jr."}, ("Martin King, Jr.", "King, Martin, Jr.")),
        ({"literal": "Barnes, Noble and Co."}, ("Barnes, Noble and Co.", None)),
        ({"family": "Homer"}, ("Homer", None)),
    ],
)  # fmt: skip  # a table
def test_people_stand_by_both_orders_of_their_names(name: Any, author: tuple[str, str | None]) -> None:
    said = draft(author=[name]).author

    assert said is not None
    assert (said.name, said.sort_name) == author


def test_everybody_has_the_role_of_the_variable_that_names_them() -> None:
    one, two, three, four, five = ({"family": family, "given": "X"} for family in "ABCDE")
    said = draft(author=[one, two], editor=[three], translator=[four], illustrator=[five])

    assert said.author == AuthorDetails(name="X A", sort_name="A, X", kind=PERSON)
    roles = [(each.author.name, each.role) for each in said.contributors]
    assert roles == [("X B", None), ("X C", Role("edt")), ("X D", Role("trl")), ("X E", Role("ill"))]


@pytest.mark.parametrize(
    ("issued", "date"),
    [
        ({"date-parts": [[1999, 5, 7]]}, "1999-05-07"),
        ({"date-parts": [["1999", "5"]]}, "1999-05"),
        ({"date-parts": [[-43]]}, "-0043"),
        ({"date-parts": [[1999], [2001]]}, "1999"),
        ({"raw": "1999-05"}, "1999-05"),
        ({"literal": "about 1999"}, "1999"),
    ],
)
def test_dates_are_read_from_their_parts_or_from_their_words(issued: Any, date: str) -> None:
    assert details(issued=issued).published == PartialDate(date)


def test_what_else_an_item_says_has_its_field() -> None:
    said = details(
        type="chapter", ISBN="978-0-441-47812-5, 0441478124", DOI="10.1000/1", publisher="Ace", edition=2,
        **{"publisher-place": "New York", "number-of-pages": "286", "collection-title": "Hainish"},
        **{"collection-number": 4}, language="en-US", abstract="On Winter.", note="Special.", keyword="ice, snow",
        URL="http://example.org/a",
    )  # fmt: skip

    assert said.isbn == Isbn("9780441478125")
    assert [(str(each.scheme), each.value, str(each.status)) for each in said.identifiers] == [
        ("isbn", "9780441478125", "valid"), ("isbn", "0441478124", "invalid"), ("doi", "10.1000/1", "valid"),
    ]  # fmt: skip
    assert said == BookDetails(
        author_id=None, title="T", identifiers=said.identifiers, publishers=("Ace",), places=("New York",), edition="2",
        series=(Series(title="Hainish", position="4"),), pages=286, languages=(Language("eng"),),
        subjects=(Subject(term="ice"), Subject(term="snow")), description="On Winter.", notes=("Special.",),
        links=(Link(url=Url("http://example.org/a")),),
    )  # fmt: skip


@pytest.mark.parametrize("value", [5, None, True, [], {}, [[]], [{}], {"date-parts": [[None]]}, {"date-parts": 5}, "x"])
def test_no_value_of_another_type_takes_an_item_along(value: Any) -> None:
    names = ("author", "editor", "issued", "ISBN", "DOI", "publisher", "edition", "number-of-pages", "language",
             "abstract", "keyword", "URL", "collection-title")  # fmt: skip

    assert details(**dict.fromkeys(names, value)).title == "T"


def test_a_broken_item_is_refused_and_its_neighbours_are_read() -> None:
    before, no_title, no_object, after = read({"id": 1, "title": "T"}, {"id": 2}, 5, {"id": 1, "title": "T"})

    assert before.draft is not None
    assert before.draft == after.draft
    assert (no_title.key, no_title.refusal) == ("2", "has no title")
    assert (no_object.line, no_object.refusal) == (3, "is no object, as a record is")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'[{"title": ' + b'{"a":' * 100_000, "is nested too deeply"),
        (gzip.compress(b'[{"title": "' + b" " * 10_000_000 + b'"}]'), "is longer than 10,000,000 bytes"),
    ],
    ids=["nested", "a bomb"],
)
def test_an_item_that_can_not_be_read_says_so(content: bytes, told: str) -> None:
    (refused,) = CslReader(source="file").read(io.BytesIO(content))

    assert refused.refusal.startswith(told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[" * 100_000, "no array"),
        (b"5", "no array"),
        (gzip.compress(b'[{"title": "T"}]')[:-5], "damaged or not complete"),
    ],
    ids=["nested", "a number", "cut off"],
)
def test_a_file_that_can_not_be_read_says_so(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told):
        list(CslReader(source="file").read(io.BytesIO(content)))


# ---- what is written

STRINGS = {
    "publisher", "publisher-place", "collection-title", "abstract", "keyword", "note", "language", "ISBN", "ISSN",
    "DOI", "PMID", "PMCID", "URL", "title",
}  # fmt: skip
"""Variables of csl-data.json that are strings."""
NUMBERS = {"collection-number", "edition", "number-of-pages"}
"""Variables that are strings or numbers."""
NAMES = {
    "author", "collection-editor", "compiler", "composer", "contributor", "director", "editor", "illustrator",
    "interviewer", "narrator", "performer", "producer", "recipient", "translator",
}  # fmt: skip
"""Variables that are lists of names."""
PARTS_OF_NAMES = {"family", "given", "dropping-particle", "non-dropping-particle", "suffix", "literal"}


def assert_valid(item: dict[str, Any]) -> None:
    """Check the item as csl-data.json does: no variable that there is not, and each of its type."""
    assert isinstance(item["id"], str | int)
    assert item["type"] == "book"
    assert set(item) <= {"id", "type", "issued"} | STRINGS | NUMBERS | NAMES
    for name, value in item.items():
        if name in STRINGS:
            assert isinstance(value, str), name
        if name in NUMBERS:
            assert isinstance(value, str | int), name
    for each in (each for name in NAMES & item.keys() for each in item[name]):
        assert each
        assert set(each) <= PARTS_OF_NAMES
        assert all(isinstance(part, str) for part in each.values())
    if "issued" in item:
        assert set(item["issued"]) == {"date-parts"}
        (parts,) = item["issued"]["date-parts"]
        assert 1 <= len(parts) <= 3
        assert all(isinstance(part, int) for part in parts)


GABRIEL = AuthorDetails(name="Gabriel García Márquez", sort_name="García Márquez, Gabriel", kind=PERSON)
WHOLE = BookDetails(
    title="One hundred years of solitude",
    author_id=None,
    identifiers=(Identifier.of_isbn(Isbn("9780060883287")), Identifier.of_isbn(Isbn("9780441478125")),
                 Identifier(scheme=Scheme("isbn"), value="0441478124"),
                 Identifier(scheme=Scheme("doi"), value="10.1000/182")),
    published=PartialDate("1970-02"), languages=(Language("eng"),), publishers=("Harper & Row",), places=("New York",),
    edition="1st ed.", series=(Series(title="Perennial classics", position="12"),), pages=417,
    subjects=(Subject(term="Macondo"),), description='Seven "generations".', notes=("One.",),
    links=(Link(url=Url("https://example.org/")),), tags=("read",),
)  # fmt: skip


@pytest.mark.parametrize("role", [None, "aut", "edt", "trl", "ill", "nrt", "bkd", "oth"])
def test_what_is_written_is_what_the_schema_of_csl_takes(role: str | None) -> None:
    body = AuthorDetails(name="The Board", kind=AuthorKind("organisation"))
    whole, least = exported(WHOLE, GABRIEL, (body, role)), exported(BookDetails(title="T", author_id=None))

    items = json.loads(written(whole, least))

    for item in items:
        assert_valid(item)
    assert [item["id"] for item in items] == [str(whole.book.id), str(least.book.id)]
    assert items[0]["ISBN"] == "9780060883287 9780441478125"
    assert items[0]["author"][0] == {"family": "García Márquez", "given": "Gabriel"}
    assert {"literal": "The Board"} in [each for name in NAMES for each in items[0].get(name, ())]
    assert set(items[1]) == {"id", "type", "title"}


def test_a_file_is_an_array_however_many_books_there_are() -> None:
    book = exported(WHOLE)

    assert [len(json.loads(written(*[book] * number))) for number in range(4)] == [0, 1, 2, 3]
    assert written(book, book) == written(book, book)


def test_a_book_that_is_read_and_written_says_the_same_again() -> None:
    (entry,) = CslReader(source="file").read(io.BytesIO(written(exported(WHOLE, GABRIEL))))

    assert entry.draft is not None
    assert entry.draft.details.isbn == WHOLE.isbn
    (again,) = json.loads(written(exported_as_imported(entry.draft)))
    (first,) = json.loads(written(exported(WHOLE, GABRIEL)))
    assert {**again, "id": ""} == {**first, "id": ""}


def test_a_title_and_its_subtitle_are_one() -> None:
    (item,) = json.loads(written(exported(evolve(WHOLE, title="A", subtitle="b"))))

    assert item["title"] == "A: b"


# ---- a file that nobody here wrote


# What the counts are otherwise, first of our side, then of theirs: 325 of the items have no title and are refused, and
# nothing of them is counted. Editors, translators and composers are contributors here, with a role, and there only
# those who follow the first author are. Of six languages, four are the words "French language" and the like, no tags.
def test_the_items_of_others_are_valid_when_they_come_out_again() -> None:
    name = "csljson/csl-test-suite-books.json"
    with shared_file(name).open("rb") as content:
        entries = list(CslReader(source=name).read(content))
    said = [entry.draft for entry in entries if entry.draft is not None]
    for item in json.loads(written(*map(exported_as_imported, said))):
        assert_valid(item)
