"""What reference managers exchange: BibTeX, BibLaTeX, RIS, CSL-JSON; and what the web reads: JSON-LD, Dublin Core."""

import io
import json
from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest
import rispy
from attrs import evolve
from pybtex.database import parse_bytes
from tests.formats.exports import exported

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Link, Series, Subject
from catalog.domain.errors import UnreadableFile
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import AuthorKind, Isbn, Language, PartialDate, Role, Scheme, Url
from catalog.entrypoints.formats import Reading, record_reader, record_writer

READ_AND_WRITTEN = ("bibtex", "biblatex", "ris", "csl")
WRITTEN = (*READ_AND_WRITTEN, "jsonld", "dc")
PERSON = AuthorKind("person")


def a_person(family: str, given: str) -> AuthorDetails:
    return AuthorDetails(name=f"{given} {family}", sort_name=f"{family}, {given}", kind=PERSON)


GABRIEL = a_person("García Márquez", "Gabriel")
GREGORY = a_person("Rabassa", "Gregory")
WHOLE = BookDetails(
    title="One hundred years of solitude",
    author_id=None,
    identifiers=(Identifier.of_isbn(Isbn("9780060883287")), Identifier(scheme=Scheme("doi"), value="10.1000/182")),
    published=PartialDate("1970-02"),
    languages=(Language("eng"),),
    publishers=("Harper & Row",),
    places=("New York",),
    edition="1st ed.",
    series=(Series(title="Perennial classics", position="12"),),
    subjects=(Subject(term="Macondo"), Subject(term="Families")),
    description="Seven generations; 100% true.",
    notes=("Translated from the Spanish.",),
    links=(Link(url=Url("https://example.org/a_b?c=1&d=2")),),
)


def written(name: str, *books: Exported) -> bytes:
    writer = record_writer(name)
    return b"".join([writer.head(), *map(writer.book, books), writer.tail()])


def read(name: str | None, content: bytes) -> Sequence[Entry]:
    return list(record_reader(name, content[:4096], Reading(source="file")).read(io.BytesIO(content)))


def drafts(name: str | None, content: bytes) -> Sequence[BookDraft]:
    entries = read(name, content)
    assert all(entry.draft is not None for entry in entries), entries
    return [entry.draft for entry in entries if entry.draft is not None]


@pytest.mark.parametrize("name", READ_AND_WRITTEN)
def test_a_book_is_read_back_as_it_was_written(name: str) -> None:
    (draft,) = drafts(name, written(name, exported(WHOLE, GABRIEL, (GREGORY, "edt"))))

    assert draft.details == WHOLE
    assert draft.author == GABRIEL
    assert [(each.author, each.role) for each in draft.contributors] == [(GREGORY, Role("edt"))]


@pytest.mark.parametrize("name", READ_AND_WRITTEN)
@pytest.mark.parametrize(
    "title",
    [
        "50% of {everything} & $1 #1 a_b ^ ~ \\backslash",
        "ER  - \nTY  - BOOK",
        "an open { brace",
        "a closed } brace",
        "}{ \\{ \\}",
        "Война и мир",
        "“Quoted” – dashed — Ærø Łódź",
        'A "title", with <i>marks</i>',
        "📚",
        "a" * 900,
    ],
)
def test_no_character_of_a_title_breaks_a_file(name: str, title: str) -> None:
    title = " ".join(title.split())
    book = evolve(WHOLE, title=title)

    first, second = drafts(name, written(name, exported(book, GABRIEL), exported(WHOLE)))

    assert first.details.title == (title if name != "csl" else title.replace("<i>", "").replace("</i>", ""))
    assert second.details.title == WHOLE.title


@pytest.mark.parametrize("name", WRITTEN)
def test_every_file_is_known_by_how_it_begins_and_whole_without_a_book(name: str) -> None:
    content = written(name, exported(WHOLE, GABRIEL))

    if name in READ_AND_WRITTEN:
        assert [draft.details.title for draft in drafts(None, content)] == [WHOLE.title]
    assert written(name) is not None


@pytest.mark.parametrize("name", READ_AND_WRITTEN)
def test_bodies_and_people_of_one_name_are_read_back(name: str) -> None:
    body = AuthorDetails(name="Barnes and Noble, Inc", kind=AuthorKind("organisation"))

    (draft,) = drafts(name, written(name, exported(WHOLE, body, (AuthorDetails(name="Homer"), None))))

    assert draft.author is not None
    assert draft.author.name == "Barnes and Noble, Inc"
    assert [each.author.name for each in draft.contributors] == ["Homer"]


@pytest.mark.parametrize("name", READ_AND_WRITTEN)
@pytest.mark.parametrize("credited_as", ["Gregorio Rabassa", "G. RABASSA", "Rabassa", "A Friend"])
def test_a_citation_names_people_as_the_book_credits_them(name: str, credited_as: str) -> None:
    book = exported(WHOLE, GABRIEL, (GREGORY, "edt"), credited={GREGORY.name: credited_as})

    (draft,) = drafts(name, written(name, book))

    assert [(each.author.name, each.role) for each in draft.contributors] == [(credited_as, Role("edt"))]


@pytest.mark.parametrize(
    ("credited_as", "listed_as"),
    [
        ("Gabo Garcia  Marquez", "Garcia Marquez, Gabo"),
        ("G. GARCÍA MÁRQUEZ", "GARCÍA MÁRQUEZ, G."),
        ("García Márquez", "García Márquez"),
        ("Márquez", "Márquez"),
        ("Don Pablo Neruda", "Don Pablo Neruda"),
    ],
)
def test_a_credited_name_is_listed_by_the_family_name_that_it_shares_with_the_author(
    credited_as: str, listed_as: str
) -> None:
    content = written("ris", exported(WHOLE, None, (GABRIEL, "aut"), credited={GABRIEL.name: credited_as}))

    assert f"AU  - {listed_as}\r\n" in content.decode()


@pytest.mark.parametrize("name", ["marcxml", "csv", "jsonld", "dc"])
def test_what_brings_the_books_of_an_author_together_names_the_author_alone(name: str) -> None:
    body = AuthorDetails(name="Board of Translators")

    content = written(name, exported(WHOLE, GABRIEL, (body, "trl"), credited={body.name: "The Board"}))

    assert b"Board of Translators" in content
    assert b"The Board" not in content


@pytest.mark.parametrize("name", ["bibtex", "biblatex", "ris"])
@pytest.mark.parametrize(
    "author",
    [
        AuthorDetails(name="Perl Conference 4.0 (2000 : Monterey, Calif.)", kind=AuthorKind("meeting")),
        AuthorDetails(name="Department of Pharmacy, University, Zambia", kind=AuthorKind("organisation")),
        AuthorDetails(name="Homer"),
    ],
)
def test_names_that_are_not_turned_round_are_read_back(name: str, author: AuthorDetails) -> None:
    (draft,) = drafts(name, written(name, exported(WHOLE, author, (author, "aut"), (author, "edt"))))

    assert draft.author is not None
    assert [draft.author.name, *(each.author.name for each in draft.contributors)] == [author.name] * 2


KING = AuthorDetails(name="Martin Luther King, Jr.", sort_name="King, Martin Luther, Jr.", kind=PERSON)


@pytest.mark.parametrize("name", READ_AND_WRITTEN)
def test_what_follows_a_name_is_read_back(name: str) -> None:
    (draft,) = drafts(name, written(name, exported(WHOLE, KING)))

    assert draft.author == KING


def test_what_follows_a_name_stands_where_each_format_has_it() -> None:
    (draft,) = drafts("bibtex", b"@book{a, title={T}, author={King, Jr., Martin Luther}}")
    assert draft.author == KING

    book = exported(WHOLE, draft.author)
    assert "author = {King, Jr., Martin Luther}" in written("biblatex", book).decode()
    assert json.loads(written("csl", book))[0]["author"] == [
        {"family": "King", "given": "Martin Luther", "suffix": "Jr."}
    ]
    person = json.loads(written("jsonld", book))["@graph"][0]["author"][0]
    assert (person["familyName"], person["givenName"], person["honorificSuffix"]) == ("King", "Martin Luther", "Jr.")


def test_what_does_not_end_the_name_is_nothing_that_follows_it() -> None:
    churchill = AuthorDetails(name="Winston Churchill", sort_name="Churchill, Winston, Sir", kind=PERSON)

    assert "suffix" not in json.loads(written("csl", exported(WHOLE, churchill)))[0]["author"][0]


@pytest.mark.parametrize("name", ["bibtex", "biblatex", "ris"])
def test_all_publishers_and_places_are_read_back(name: str) -> None:
    book = evolve(WHOLE, publishers=("Harper & Row", "Wiley, Sons"), places=("New York", "London"))

    (draft,) = drafts(name, written(name, exported(book)))

    assert (draft.details.publishers, draft.details.places) == (book.publishers, book.places)


@pytest.mark.parametrize(
    "terms", [("Paris, France",), ("Paris, France", "Ice"), ("Ice", "Snow"), ("Ice",), ("Ice -- Paris, France", "a.b")]
)
def test_keywords_with_commas_are_read_back_from_csl(terms: tuple[str, ...]) -> None:
    book = evolve(WHOLE, subjects=tuple(Subject(term=term) for term in terms))

    (draft,) = drafts("csl", written("csl", exported(book)))

    assert [each.term for each in draft.details.subjects] == list(terms)


@pytest.mark.parametrize(
    ("keyword", "terms"),
    [
        ("ice, snow", ["ice", "snow"]),
        ("ice; snow, wet;", ["ice", "snow, wet"]),
        ("ice", ["ice"]),
    ],
)
def test_keywords_of_csl_stand_between_commas_or_semicolons(keyword: str, terms: Sequence[str]) -> None:
    (draft,) = drafts("csl", json.dumps([{"id": 1, "title": "T", "keyword": keyword}]).encode())

    assert [each.term for each in draft.details.subjects] == terms


@pytest.mark.parametrize("name", ["bibtex", "biblatex", "ris"])
def test_keywords_with_commas_are_read_back(name: str) -> None:
    terms = ("Paris, France", "C; Pascal", "{braces}", "Ünder, wear", "plain")
    book = evolve(WHOLE, subjects=tuple(Subject(term=term) for term in terms))

    (draft,) = drafts(name, written(name, exported(book)))

    assert [each.term for each in draft.details.subjects] == list(terms)


@pytest.mark.parametrize("name", [*WRITTEN, "csv"])
def test_an_isbn_of_ten_and_of_thirteen_digits_is_written_once(name: str) -> None:
    isbn = Scheme("isbn")
    both = (Identifier(scheme=isbn, value="1590593561"), Identifier(scheme=isbn, value="9781590593561"))

    content = written(name, exported(WHOLE.amended({"identifiers": both}), GABRIEL))

    assert content.count(b"9781590593561") == 1


CITING = {
    "bibtex": (b"author = {", b"editor = {"),
    "biblatex": (b"author = {", b"editor = {"),
    "ris": (b"AU  - ", b"A2  - "),
    "csl": (b'"author":[{', b'"editor":[{'),
    "jsonld": (b'"author":[{', b'"editor":[{'),
    "dc": (b"<dc:creator>", b"<dc:contributor>"),
}
"""How each form of citation begins to tell an author, and an editor."""


@pytest.mark.parametrize("name", [*CITING, "csv"])
@pytest.mark.parametrize("role", [None, "aut", "cre"])
def test_who_is_entered_and_among_the_contributors_is_cited_once(name: str, role: str | None) -> None:
    content = written(name, exported(WHOLE, GABRIEL, (GREGORY, "trl"), (GABRIEL, role)))

    assert content.count(b"Gabriel") == content.count(b"Gregory")
    if name in CITING:
        assert content.count(CITING[name][0]) == 1


@pytest.mark.parametrize("name", CITING)
def test_who_is_entered_as_editor_is_cited_as_editor_alone(name: str) -> None:
    as_author, as_editor = CITING[name]

    content = written(name, exported(WHOLE, GABRIEL, (GABRIEL, "edt")))

    assert (content.count(as_author), content.count(as_editor)) == (0, 1)
    if name == "biblatex":
        assert content.startswith(b"@collection{")


@pytest.mark.parametrize("name", CITING)
def test_who_is_entered_and_illustrated_the_book_too_is_its_author_still(name: str) -> None:
    as_author, _ = CITING[name]

    content = written(name, exported(WHOLE, GABRIEL, (GABRIEL, "ill")))

    assert content.count(as_author) == 1


@pytest.mark.parametrize("name", CITING)
def test_who_is_entered_and_no_contributor_is_cited_as_the_first_author(name: str) -> None:
    content = written(name, exported(WHOLE, GABRIEL, (GREGORY, "aut")))

    assert content.index(b"Gabriel") < content.index(b"Gregory")
    if name in READ_AND_WRITTEN:
        assert [draft.author for draft in drafts(name, content)] == [GABRIEL]


def test_who_has_two_roles_that_a_form_of_citation_tells_alike_stands_there_once() -> None:
    book = exported(WHOLE, GABRIEL, (GREGORY, "edt"), (GREGORY, "com"), (GREGORY, "ill"))

    assert written("ris", book).count(b"A2  - Rabassa, Gregory") == 1
    assert written("dc", book).count(b"Rabassa, Gregory") == 1
    assert b"Gregory Rabassa (ill)" in written("ris", book)


@pytest.mark.parametrize("name", ["bibtex", "biblatex"])
def test_notes_are_joined_with_one_full_stop(name: str) -> None:
    book = evolve(WHOLE, notes=("500 copies printed.", "Why?", "Vol. 2", "Last"))

    (draft,) = drafts(name, written(name, exported(book)))

    assert draft.details.notes == ("500 copies printed. Why? Vol. 2. Last",)


def test_others_read_our_bibtex_as_it_was_meant() -> None:
    books = [
        exported(WHOLE, GABRIEL, (GREGORY, "edt")),
        exported(WHOLE, GABRIEL),
        exported(evolve(WHOLE, title="1984")),
    ]

    for name in ("bibtex", "biblatex"):
        content = written(name, *books)
        entries = parse_bytes(content, "bibtex").entries
        assert list(entries) == ["garciamarquez1970one", "garciamarquez1970onea", "19701984"]
        first = entries["garciamarquez1970one"]
        assert first.persons["author"][0].last_names[-1].endswith("rquez")
        assert first.fields["isbn"] == "9780060883287"
        assert content.isascii() == (name == "bibtex")


def test_others_read_our_ris_as_it_was_meant() -> None:
    content = written("ris", exported(WHOLE, GABRIEL, (GREGORY, "trl")), exported(WHOLE))

    first, second = rispy.loads(content.decode())

    assert (first["type_of_reference"], first["title"], first["year"]) == ("BOOK", WHOLE.title, "1970")
    assert (first["authors"], first["subsidiary_authors"]) == (["García Márquez, Gabriel"], ["Rabassa, Gregory"])
    assert second["keywords"] == ["Macondo", "Families"]
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_dates_before_the_year_one_are_told_where_a_format_can() -> None:
    iliad = evolve(WHOLE, published=PartialDate("-0750"))

    assert json.loads(written("csl", exported(iliad)))[0]["issued"] == {"date-parts": [[-750]]}
    assert drafts("biblatex", written("biblatex", exported(iliad)))[0].details.published == PartialDate("-0750")
    assert drafts("csl", written("csl", exported(iliad)))[0].details.published == PartialDate("-0750")


def test_json_ld_can_stand_in_a_page_and_names_who_did_what() -> None:
    viaf = Identifier(scheme=Scheme("viaf"), value="95218067")
    content = written(
        "jsonld",
        exported(evolve(WHOLE, title="</script>"), evolve(GABRIEL, identifiers=(viaf,)), (GREGORY, "trl")),
        exported(WHOLE, AuthorDetails(name="UN", kind=AuthorKind("organisation"))),
    )

    assert b"<" not in content
    graph = json.loads(content)
    assert graph["@context"] == "https://schema.org"
    first, second = graph["@graph"]
    assert (first["@type"], first["name"], first["isbn"]) == ("Book", "</script>", ["9780060883287"])
    assert first["author"][0]["sameAs"] == ["https://viaf.org/viaf/95218067"]
    assert first["translator"][0]["familyName"] == "Rabassa"
    assert second["author"][0]["@type"] == "Organization"


def test_dublin_core_is_xml_whatever_a_book_says() -> None:
    content = written("dc", exported(evolve(WHOLE, title="<&>"), GABRIEL), exported(WHOLE))

    root = ET.fromstring(content)
    dc = "{http://purl.org/dc/elements/1.1/}"
    assert [each.text for each in root.iter(f"{dc}title")] == ["<&>", WHOLE.title]
    assert "urn:isbn:9780060883287" in [each.text for each in root.iter(f"{dc}identifier")]


# ---- what is broken


def test_an_entry_of_bibtex_that_is_broken_takes_no_other_along() -> None:
    text = (
        '@string{x = "Press"}\n@book{one, title = {One}, publisher = x}\n@book{two, title = }\n'
        "@book{three, title = {3}}"
    )

    entries = read("bibtex", text.encode())

    assert entries[0].draft is not None
    assert entries[0].draft.details.publishers == ("Press",)
    assert entries[-1].draft is not None
    assert entries[-1].draft.details.title == "3"
    assert any("syntax error" in said for entry in entries for said in (*entry.warnings, entry.refusal))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("bibtex", b"nothing at all", "no entry of BibTeX"),
        ("ris", b"FN Clarivate\nVR 1.0\nPT J\nER\n", "no record of RIS"),
        ("csl", b"[" * 100_000, "no array"),
        ("csl", b"5", "no array"),
    ],
)
def test_a_file_that_is_none_of_its_format_says_so(name: str, content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told):
        read(name, content)


def test_records_that_can_not_become_books_say_why() -> None:
    ris = b"TY  - BOOK\r\nTI  - Cut\r\nTY  - BOOK\r\nTI  - Whole\r\nER  - \r\nTY  - BOOK\r\nER  - \r\n"
    csl = json.dumps(
        [5, {"id": 1}, {"id": 2, "title": "T", "issued": {"date-parts": [["x"]], "literal": "soon"}}]
    ).encode()

    assert [entry.refusal[:14] for entry in read("ris", ris)] == ["has no end: a ", "", "has no title"]
    assert [entry.refusal for entry in read("csl", csl)] == ["is no object, as a record is", "has no title", ""]
    assert read("csl", csl)[2].warnings == ("date 'soon' left out: it is neither a year nor YYYY-MM-DD",)


def test_macros_cross_references_and_tex_become_plain_text() -> None:
    text = r"""
    @string{anchor = "Anchor" # " Books"}
    @book{child, title = {The {\TeX}book -- a ``guide'' to \emph{typesetting}}, author = {Knuth, Donald E. and others},
      crossref = {parent}, month = mar, isbn = {0-201-13447-0 and 020113448X}}
    @proceedings{parent, title = {Parent}, publisher = anchor, year = 1986, editor = {{The Board} and G{\"o}del, Kurt}}
    """

    child, parent = drafts("bibtex", text.encode())

    assert child.details.title == "The TeXbook – a “guide” to typesetting"
    assert (child.details.publishers, child.details.published) == (("Anchor Books",), PartialDate("1986-03"))
    assert [each.author.name for each in parent.contributors] == ["The Board", "Kurt Gödel"]
    assert len(child.details.identifiers) == 2


# ---- files that nobody here wrote

# What the counts are otherwise, first of our side, then of theirs. Records without a title are refused, and nothing of
# them is counted; editors and translators are contributors with a role (A2 of RIS, too); "others" are nobody; a year
# may stand in the entry that is referred to, or within a text; of several ISBNs in one field, each is read.
