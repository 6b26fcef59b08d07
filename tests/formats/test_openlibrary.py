"""Dumps of Open Library: editions are books, and the lines before them say who wrote them."""

import gzip
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from tests.shared_data import shared_file

from catalog.adapters.formats.openlibrary import FORMAT, Known, OpenLibraryReader
from catalog.adapters.formats.openlibrary.dates import certain_date, date_within
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Classification, Link, Series, SourceKey, Subject
from catalog.domain.errors import UnreadableFile
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import AuthorKind, Language, PartialDate, Role, Scheme, Url


def a_line(kind: str, key: str, **said: Any) -> bytes:
    return f"/type/{kind}\t{key}\t1\t2013-03-28T07:50:50\t{json.dumps(said)}\n".encode()


def an_edition(**said: Any) -> bytes:
    return a_line("edition", "/books/OL1M", **{"title": "T", **said})


URSULA = a_line("author", "/authors/OL1A", name="Ursula K. Le Guin", birth_date="21 October 1929", death_date="2018",
                entity_type="person")  # fmt: skip
GIVE = "give the dumps of authors and of works first, in the same run"
BY_URSULA = [{"key": "/authors/OL1A"}]


def read(*lines: bytes, most_known: int = 10) -> Sequence[Entry]:
    return list(OpenLibraryReader(source="file", known=Known(most_known)).read(io.BytesIO(b"".join(lines))))


def draft(*lines: bytes) -> BookDraft:
    (entry,) = read(*lines)
    assert entry.draft is not None, entry.refusal
    return entry.draft


def details(**said: Any) -> BookDetails:
    return draft(an_edition(**said)).details


def test_an_edition_is_told_by_the_key_that_open_library_gave_it() -> None:
    line = an_edition()

    said = draft(line)

    assert said.origin.id == SourceKey("openlibrary", "OL1M")
    assert (said.origin.format, said.origin.content, said.has_own_key) == (FORMAT, line.rstrip(b"\n"), True)
    without = draft(a_line("edition", "", title="T"))
    assert (without.origin.source, len(without.origin.key), without.has_own_key) == ("file", 64, False)


def test_authors_are_those_whom_a_line_before_named() -> None:
    said = draft(URSULA, a_line("author", "/authors/OL2A", name="UN", entity_type="org"),
                 an_edition(authors=[*BY_URSULA, {"key": "/authors/OL2A"}]))  # fmt: skip

    olid = Scheme("olid")
    assert said.author == AuthorDetails(
        name="Ursula K. Le Guin",
        kind=AuthorKind("person"),
        birth=PartialDate("1929-10-21"),
        death=PartialDate("2018"),
        identifiers=(Identifier(scheme=olid, value="OL1A"),),
    )
    (other,) = said.contributors
    assert (other.author.name, other.author.kind, other.role) == ("UN", AuthorKind("organisation"), None)
    assert other.author.identifiers == (Identifier(scheme=olid, value="OL2A"),)


def test_an_edition_that_names_no_author_has_those_of_its_work() -> None:
    work = a_line("work", "/works/OL1W", authors=[{"author": {"key": "/authors/OL1A"}, "type": {"key": "x"}}])
    author = draft(URSULA, work, an_edition(works=[{"key": "/works/OL1W"}])).author

    assert author is not None
    assert author.name == "Ursula K. Le Guin"


def test_authors_of_one_file_are_known_in_the_next_of_the_same_run() -> None:
    known = Known()
    assert list(OpenLibraryReader(source="authors", known=known).read(io.BytesIO(URSULA))) == []

    (entry,) = OpenLibraryReader(source="editions", known=known).read(io.BytesIO(an_edition(authors=BY_URSULA)))

    assert entry.draft is not None
    assert entry.draft.author is not None


def test_an_author_whose_name_nobody_told_is_left_out_and_told_of() -> None:
    (after,) = read(an_edition(authors=BY_URSULA), URSULA)
    (_, beyond) = read(an_edition(), URSULA, an_edition(authors=BY_URSULA), most_known=0)

    for entry in (after, beyond):
        assert entry.draft is not None
        assert entry.draft.author is None
        assert entry.warnings == ("author /authors/OL1A left out: no line before this one tells the name; " + GIVE,)


def test_an_edition_of_a_work_that_nobody_told_says_that_its_authors_are_missing() -> None:
    works = [{"key": "/works/OL1W"}]
    by_ursula = a_line("work", "/works/OL1W", authors=[{"author": {"key": "/authors/OL1A"}}])
    by_nobody = a_line("work", "/works/OL1W", title="T")

    (alone,) = read(an_edition(works=works))
    (without_name,) = read(by_ursula, an_edition(works=works))

    assert alone.warnings == (
        "authors of /works/OL1W left out: no line before this one tells who wrote that work; " + GIVE,
    )
    assert [told.partition(":")[0] for told in without_name.warnings] == ["author /authors/OL1A left out"]
    for told in (
        [URSULA, by_ursula, an_edition(works=works)],
        [by_nobody, an_edition(works=works)],
        [URSULA, an_edition(works=works, authors=BY_URSULA)],
        [an_edition()],
    ):
        assert read(*told)[0].warnings == ()


@pytest.mark.parametrize(
    ("birth", "death", "told"),
    [
        ("1661?", "", "birth of X left out: '1661?' is no certain date"),
        ("1929", "1028", "dates of X left out: the author must not die before being born"),
    ],
)
def test_a_life_that_is_not_certain_is_told_of_and_the_author_kept(birth: str, death: str, told: str) -> None:
    (entry,) = read(a_line("author", "/authors/OL1A", name="X", birth_date=birth, death_date=death),
                    an_edition(authors=BY_URSULA))  # fmt: skip

    assert entry.draft is not None
    assert entry.draft.author is not None
    assert (entry.draft.author.birth, entry.draft.author.death) == (None, None)
    assert entry.warnings[0].startswith(told)


def test_what_else_an_edition_says_has_its_field() -> None:
    said = draft(an_edition(
        title_prefix="The ", title="left hand\r\n of darkness", subtitle="a novel", by_statement="by X.",
        isbn_10=["0441478123"], isbn_13=["978-0-441-47812-5"], oclc_numbers=["12345"], lccn=["75001234"],
        identifiers={"goodreads": ["18423"]}, publish_date="June 2003", languages=[{"key": "/languages/eng"}],
        publishers=["Ace"], publish_places=["New York"], edition_name="2nd ed.", number_of_pages=286,
        pagination="xii, 286 p.", series=["Hainish cycle ; 4", "Ace books"], subjects=["Ice", "Snow -- Fiction"],
        subject_places=["Winter"], dewey_decimal_class=["813.54"], lc_classifications=["PS3562"],
        description={"type": "/type/text", "value": "On\r\nWinter."}, notes="Ace special.",
        contributions=["Dillon, Leo"], contributors=[{"name": "Diane Dillon", "role": "Illustrator"}, {"name": "Z"}],
        links=[{"title": "Home", "url": "http://example.org/a"}], url=["http://example.org/b"],
    ))  # fmt: skip  # as in a dump

    isbn, oclc, lccn, goodreads = said.details.identifiers
    assert (isbn.value, isbn.as_given) == ("9780441478125", "978-0-441-47812-5")
    assert [(str(i.scheme), i.value) for i in (oclc, lccn, goodreads)] == [
        ("oclc", "12345"), ("lccn", "75001234"), ("goodreads", "18423"),
    ]  # fmt: skip
    assert said.details == BookDetails(
        author_id=None,
        title="The left hand of darkness", subtitle="a novel", responsibility="by X.",
        identifiers=said.details.identifiers,
        published=PartialDate("2003-06"), languages=(Language("eng"),), publishers=("Ace",), places=("New York",),
        edition="2nd ed.", extent="xii, 286 p.", pages=286,
        series=(Series(title="Hainish cycle", position="4"), Series(title="Ace books")),
        subjects=(Subject(term="Ice"), Subject(term="Snow -- Fiction"), Subject(term="Winter")),
        classifications=(
            Classification(scheme=Scheme("ddc"), value="813.54"), Classification(scheme=Scheme("lcc"), value="PS3562"),
        ),
        description="On\nWinter.", notes=("Ace special.", "Contributor: Dillon, Leo"),
        links=(Link(url=Url("http://example.org/a"), label="Home"), Link(url=Url("http://example.org/b"))),
    )  # fmt: skip  # the same order
    assert [(each.author.name, each.role) for each in said.contributors] == [("Diane Dillon", Role("ill")), ("Z", None)]


def test_wrong_isbns_are_kept_as_they_are() -> None:
    said = details(isbn_10=["0441478124", "see cover"])

    assert [(each.value, str(each.status)) for each in said.identifiers] == [
        ("0441478124", "invalid"),
        ("see cover", "invalid"),
    ]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2003", "2003"),
        ("June 2003", "2003-06"),
        ("Sept. 2003", "2003-09"),
        ("December 23, 1998", "1998-12-23"),
        ("21st October 1929", "1929-10-21"),
        ("2003 Jun 5", "2003-06-05"),
        ("1999-05", "1999-05"),
        ("1999-05-07", "1999-05-07"),
        ("384 B.C.", "-0383"),
    ],
)
def test_dates_are_read_as_people_write_them(text: str, date: str) -> None:
    assert certain_date(text) == date_within(text) == PartialDate(date)


@pytest.mark.parametrize(
    ("text", "date"),
    [("c1999", "1999"), ("[1861?]", "1861"), ("1998-1999", "1998"), ("February 30, 2001", "2001"),
     ("05/06/2003", "2003"), ("n.d.", None), ("19--", None), ("１９９９", None)],
)  # fmt: skip
def test_of_what_is_no_certain_date_the_year_is_taken_for_a_book_alone(text: str, date: str | None) -> None:
    assert certain_date(text) is None
    assert date_within(text) == (None if date is None else PartialDate(date))


def test_what_does_not_fit_is_left_out_and_told() -> None:
    (entry,) = read(an_edition(
        publish_date="soon", languages=[{"key": "/languages/xxx"}], edition_name="x" * 501, number_of_pages=10_000_000,
        subjects=["a\x07b", "Ice"], series=["s" * 1001], links=[{"url": "nowhere"}], classifications={"?": ["1"]},
        contributors=[{"name": "\u202e"}],
    ))  # fmt: skip

    assert entry.draft is not None
    assert entry.draft.details == BookDetails(author_id=None, title="T", subjects=(Subject(term="Ice"),))
    assert [told.split(" left out: ")[0] for told in entry.warnings] == [
        "a contributor", "date of publication", "language 'xxx'", "edition", "one of series", "pages",
        "one of subjects", "one of classifications", "link 'nowhere'",
    ]  # fmt: skip


@pytest.mark.parametrize("value", [5, None, True, [], {}, [[]], [{}], {"key": {}}, [{"key": 5}], {"value": []}, 1e300])
def test_no_value_of_another_type_takes_an_edition_along(value: Any) -> None:
    names = (
        "subtitle", "authors", "works", "by_statement", "isbn_10", "isbn_13", "oclc_numbers", "identifiers",
        "publishers", "publish_date", "number_of_pages", "languages", "subjects", "series", "notes", "description",
        "contributions", "contributors", "classifications", "dewey_decimal_class", "links", "url",
    )  # fmt: skip

    assert details(**dict.fromkeys(names, value)).title == "T"


def test_only_editions_are_books() -> None:
    others = [a_line("redirect", "/books/OL2M", location="/books/OL1M"), a_line("delete", "/books/OL3M"),
              a_line("language", "/languages/eng", name="English"), b"\n", URSULA]  # fmt: skip

    (entry,) = read(*others, an_edition())

    assert (entry.line, entry.key) == (6, "OL1M")
    assert read(*others) == []


def test_a_byte_order_mark_before_the_first_line_is_passed_over() -> None:
    (entry,) = read(b"\xef\xbb\xbf" + an_edition())

    assert entry.draft is not None


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"/type/edition\t/books/OL2M\t1\t2013\t{\n", "is no JSON"),
        (b"/type/edition\t/books/OL2M\t1\t2013\t" + b"[" * 100_000 + b"\n", "is nested too deeply"),
        (b"/type/edition\t/books/OL2M\t1\t2013\t{\"title\": \"\xff\"}\n", "is no JSON"),
        (b"/type/edition\t/books/OL2M\t1\t2013\t[]\n", "is no object, as a record is"),
        (b"/type/author\t/authors/OL2A\t1\t2013\t{\n", "is no JSON"),
        (b"/type/edition\t/books/OL2M\n", "is no line of a dump"),
        (a_line("edition", "/books/OL2M", notes="No title"), "has no title"),
        (a_line("edition", "/books/OL2M", title="x" * 1001), "title must have at most 1000 characters"),
        (b"/type/edition\t/books/OL2M\t1\t2013\t\"" + b"x" * 10_000_000 + b"\"\n", "is longer than 10,000,000 bytes"),
    ],
    ids=["cut off", "nested", "no UTF-8", "no object", "an author", "columns", "no title", "title", "too long"],
)  # fmt: skip
def test_a_broken_line_is_refused_and_its_neighbours_are_read(broken: bytes, reason: str) -> None:
    before, refused, after = read(an_edition(), broken, an_edition())

    assert before.draft is not None
    assert before.draft == after.draft
    assert (before.line, refused.line, after.line) == (1, 2, 3)
    assert refused.draft is None
    assert refused.refusal.startswith(reason)


def test_a_dump_that_begins_badly_is_one_and_what_is_none_says_so() -> None:
    refused, entry = read(b"type\tkey\trevision\ttime\tJSON\n", an_edition())

    assert refused.refusal
    assert entry.draft is not None
    for content in (b"", b"a,b,c\n", b"x\n" * 1000 + an_edition()):
        with pytest.raises(UnreadableFile, match="no line of a dump of Open Library"):
            read(content)


def test_a_gzipped_dump_is_read_and_a_damaged_one_told_of() -> None:
    packed = gzip.compress(an_edition() * 3)

    assert len(read(packed)) == 3
    with pytest.raises(UnreadableFile, match="damaged or not complete"):
        read(packed[:-10])


# ---- files that nobody here wrote


# What the counts are otherwise, and why: first of our side, then of theirs.
def test_a_whole_dump_names_the_author_of_every_edition() -> None:
    parts = [shared_file(f"openlibrary/ol_dump_{kind}.txt").read_bytes() for kind in ("authors", "works", "editions")]

    entries = read(*parts, most_known=100)

    named = [entry.draft.author.name for entry in entries if entry.draft is not None and entry.draft.author is not None]
    assert len(named) == len(entries) == 36
    assert [told for entry in entries for told in entry.warnings if "no line before" in told] == []
