"""MARC 21 going out: what came in comes out, but for what was changed here; and what never was MARC becomes it."""

import io
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from pymarc import Record
from tests.formats.exports import NOW, exported, exported_as_imported
from tests.formats.test_marc import TITLE, a_record
from tests.shared_data import shared_file

from catalog.adapters.formats.marc import MarcReader, marcjson, marcxml, transmission, writer
from catalog.adapters.formats.marc.writer import MarcWriter
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Classification, Link, Series, SourceRecord, Subject
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import AuthorKind, IdentifierStatus, Isbn, Language, PartialDate, Role, Scheme, Url

WRITERS: Mapping[str, Callable[[], MarcWriter]] = {
    "marc": writer.iso2709,
    "marcxml": writer.xml,
    "marcjson": writer.json,
}
READERS: Mapping[str, Any] = {
    "marc": transmission.records_of,
    "marcxml": marcxml.records_of,
    "marcjson": marcjson.records_of,
}
each_form = pytest.mark.parametrize("form", WRITERS)


def read(content: bytes, form: str = "marc") -> Sequence[Entry]:
    reader = MarcReader(source="file", format=form, records_of=READERS[form])
    return list(reader.read(io.BytesIO(content)))


def written(form: str, *books: Exported) -> bytes:
    made = WRITERS[form]()
    return b"".join([made.head(), *map(made.book, books), made.tail()])


def back(form: str, *books: Exported) -> Sequence[BookDraft]:
    entries = read(written(form, *books), form)
    assert all(entry.draft is not None for entry in entries), entries
    return [entry.draft for entry in entries if entry.draft is not None]


def record_in(content: bytes) -> Record:
    return transmission.record_in(content)


WHOLE = BookDetails(
    title="The left hand of darkness",
    subtitle="a novel",
    responsibility="by Ursula K. Le Guin",
    author_id=None,
    identifiers=(
        Identifier.of_isbn(Isbn("9780441478125")),
        Identifier(scheme=Scheme("isbn"), value="044147812X"),
        Identifier(scheme=Scheme("isbn"), value="9780141439587", status=IdentifierStatus("cancelled")),
        Identifier(scheme=Scheme("doi"), value="10.1000/182"),
        Identifier(scheme=Scheme("oclc"), value="81"),
    ),
    published=PartialDate("1969"),
    languages=(Language("eng"), Language("fre")),
    publishers=("Ace Books", "Other"),
    places=("New York",),
    edition="2nd ed",
    series=(Series(title="Hainish cycle", position="4"), Series(title="Ace")),
    extent="xii, 286 p.",
    pages=286,
    subjects=(Subject(term="Winter -- Fiction", scheme=Scheme("lcsh")), Subject(term="Ice")),
    classifications=(Classification(scheme=Scheme("ddc"), value="813.54"),),
    description="Snow.",
    notes=("One.", "Two."),
    links=(Link(url=Url("https://example.org/"), label="More"),),
)
URSULA = AuthorDetails(
    name="Ursula K. Le Guin",
    sort_name="Le Guin, Ursula K.",
    kind=AuthorKind("person"),
    birth=PartialDate("1929"),
    death=PartialDate("2018"),
    identifiers=(Identifier(scheme=Scheme("viaf"), value="97956"),),
)
ACE = AuthorDetails(name="Ace Books Staff", kind=AuthorKind("organisation"))


@each_form
def test_a_book_that_never_was_marc_is_read_back_as_it_was(form: str) -> None:
    first, second = back(
        form, exported(WHOLE, URSULA, (ACE, "edt"), (URSULA, "ill")), exported(evolve(WHOLE, title="2"))
    )

    assert first.details == WHOLE
    assert first.author == URSULA
    assert [(each.author.name, each.role) for each in first.contributors] == [
        ("Ace Books Staff", Role("edt")),
        ("Ursula K. Le Guin", Role("ill")),
    ]
    assert second.details.title == "2"


@pytest.mark.parametrize(
    ("said", "content"),
    [
        ("marc", b"A"),
        ("marc", b""),
        ("marcxml", b"<record"),
        ("marcxml", b"<a><b/></a>"),
        ("marcjson", b"{"),
        ("marcjson", b"[1]"),
        ("marcjson", b'{"fields": [{"245": {"subfields": [1]}}]}'),
        ("marcjson", '{"fields": [{"²45": "a"}]}'.encode()),
    ],
)
@each_form
def test_a_book_whose_source_is_no_record_is_written_as_one_that_never_was_marc(
    form: str, said: str, content: bytes
) -> None:
    (draft,) = back(form, exported(WHOLE, URSULA, source=SourceRecord("x", "y", said, content)))

    assert draft.details == WHOLE


@pytest.mark.parametrize(
    ("scheme", "value", "as_given", "told"),
    [
        ("oclc", "123", "(OCoLC)123", "=035  \\\\$a(OCoLC)123"),
        ("oclc", "123", "ocm00000123", "=035  \\\\$a(OCoLC)ocm00000123"),
        ("de-599", "(DE-599)BVB1", None, "=035  \\\\$a(de-599)BVB1"),
        ("isbn", "9780441478125", "0-441-47812-3", "=020  \\\\$a0441478123"),
        ("isbn", "9780441478125", "978 0 441 47812 5", "=020  \\\\$a9780441478125"),
        ("isbn", "9780441478125", "0-441-47812-9", "=020  \\\\$a9780441478125"),
        ("isbn", "9780441478125", "paperback 13", "=020  \\\\$a9780441478125"),
        ("isbn", "0-441-47812-X", None, "=020  \\\\$z0-441-47812-X"),
    ],
)
def test_an_identifier_is_written_as_it_was_given_where_that_is_a_way_to_write_it(
    scheme: str, value: str, as_given: str | None, told: str
) -> None:
    identifier = Identifier(scheme=Scheme(scheme), value=value, as_given=as_given)

    book = exported(BookDetails(title="Emma", author_id=None, identifiers=(identifier,)))

    assert told in lines(written("marc", book))


CODED = "=008  " + "690101s1969    nyu           000 1 eng d".replace(" ", "\\")


@pytest.mark.parametrize("title", ["Who?", "A.", "Emma", "M*A*S*H", "1984", "Ἰλιάς", "The end..."])
def test_a_title_is_read_back_whatever_it_ends_with(title: str) -> None:
    (draft,) = back("marc", exported(BookDetails(title=title, author_id=None)))

    assert draft.details.title == title


def of_the_record(*fields: tuple[str, ...]) -> Exported:
    (entry,) = read(a_record(TITLE, *fields, f008="690101s1969    nyu           000 1 eng d"))
    assert entry.draft is not None
    return exported_as_imported(entry.draft)


FIELDS = (
    ("020", "  ", "a", "0441478123", "c", "$1.25"),
    ("040", "  ", "a", "DLC", "c", "DLC"),
    ("100", "1 ", "a", "Le Guin, Ursula K.,", "d", "1929-", "e", "author."),
    ("264", " 1", "a", "New York :", "b", "Ace,", "c", "[1969]"),
    ("500", "  ", "a", "First note."),
    ("500", "  ", "a", "Second note."),
    ("650", " 0", "a", "Winter", "v", "Fiction.", "0", "sh123"),
    ("700", "1 ", "a", "Brock, C. E.", "4", "ill", "5", "DLC"),
    ("700", "1 ", "a", "Austen, Jane.", "t", "Emma."),
    ("999", "  ", "a", "whatever the library keeps here"),
)


def lines(content: bytes) -> list[str]:
    return [str(field) for field in record_in(content).fields]


def edited(book: Exported, **values: Any) -> Exported:
    return evolve(book, book=evolve(book.book, **values))


def test_what_was_not_changed_stays_field_by_field() -> None:
    book = of_the_record(*FIELDS)

    assert lines(written("marc", book)) == lines(book.sources[0].content or b"")


def test_what_was_changed_here_takes_the_place_of_what_the_record_said_and_nothing_else() -> None:
    book = of_the_record(*FIELDS)
    before = set(lines(book.sources[0].content or b""))

    after = set(
        lines(
            written(
                "marc",
                edited(book, notes=("First note.", "Third note."), subjects=(), published=PartialDate("1970")),
            )
        )
    )

    assert before - after == {
        CODED,
        "=264  \\1$aNew York :$bAce,$c[1969]",
        "=500  \\\\$aSecond note.",
        "=650  \\0$aWinter$vFiction.$0sh123",
    }
    assert after - before == {
        "=005  20260102030405.0",
        CODED.replace("s1969", "s1970"),
        "=264  \\1$aNew York :$bAce,$c1970",
        "=500  \\\\$aThird note.",
    }


def test_a_title_that_was_changed_keeps_what_else_its_field_says() -> None:
    book = edited(of_the_record(("245", "10", "a", "Old /", "h", "[sound recording]")), title="New", subtitle="or not")

    (told,) = [line for line in lines(written("marc", book)) if line.startswith("=245") and "New" in line]
    assert told == "=245  00$aNew :$bor not."


def test_a_link_to_another_script_stands_first_and_what_it_links_to_stays() -> None:
    book = of_the_record(
        ("250", "  ", "6", "880-02", "a", "2nd"),
        ("264", " 1", "6", "880-03", "a", "Moskva :", "b", "Nauka"),
        ("880", "10", "6", "245-01", "a", "Левая рука тьмы"),
    )
    content = (book.sources[0].content or b"").replace(b"\x1faThe left", b"\x1f6880-01\x1faThe left")
    (entry,) = read(content)
    assert entry.draft is not None

    book = edited(exported_as_imported(entry.draft), title="Left hand", edition="3rd", publishers=("Mir",))
    told = lines(written("marc", book))

    assert "=245  00$6880-01$aLeft hand." in told
    assert "=250  \\\\$6880-02$a3rd" in told
    assert "=264  \\1$6880-03$aMoskva :$bMir" in told
    assert "=880  10$6245-01$aЛевая рука тьмы" in told


@pytest.mark.parametrize(
    ("parts", "values", "told"),
    [
        (("a", "2 v. :", "b", "ill. ;", "c", "24 cm."), {"pages": 77}, "$a2 v. (77 p.) :$bill. ;$c24 cm."),
        (("a", "xii, 286 p. ;", "c", "18 cm"), {"pages": 77}, "$axii, 77 p. ;$c18 cm"),
        (("a", "xii, 275, [1] p."), {"pages": 77}, "$axii, 77, [1] p."),
        (("a", "xii, 320, 99 p."), {"pages": 77}, "$a77 p."),
        (("a", "1 volume"), {"pages": 77}, "$a1 volume (77 p.)"),
        (("3", "text", "c", "18 cm"), {"pages": 77}, "$3text$a77 p. ;$c18 cm"),
        (("6", "880-01", "a", "1 v. ;", "c", "18 cm"), {"extent": "2 v."}, "$6880-01$a2 v."),
        (("a", "286 p. ;", "c", "18 cm", "3", "text"), {"extent": None, "pages": 77}, "$3text$a77 p."),
    ],
)
def test_a_changed_extent_or_number_of_pages_keeps_what_else_the_field_says(
    parts: tuple[str, ...], values: Mapping[str, Any], told: str
) -> None:
    book = of_the_record(("300", "  ", *parts), ("300", "  ", "a", "1 CD"))

    after = [line for line in lines(written("marc", edited(book, **values))) if line.startswith("=300")]

    assert after == [f"=300  \\\\{told}", "=300  \\\\$a1 CD"]


def after(values: Mapping[str, Any], *fields: tuple[str, ...], f008: str = "690101s1969    nyu") -> list[str]:
    """What a record with these fields, read and then edited, says in those fields."""
    said = a_record(*fields, f008=f008.ljust(35) + "eng d")
    (entry,) = read(said)
    assert entry.draft is not None
    told = written("marc", edited(exported_as_imported(entry.draft), **values))
    (again,) = read(told)
    assert again.draft is not None
    assert {name: getattr(again.draft.details, name) for name in values} == values
    tags = {"008", *(tag for tag, *_ in fields)}
    return [str(field)[1:].replace("  ", " ", 1) for field in record_in(told).fields if field.tag in tags]


def test_another_date_is_that_of_the_publication_and_not_of_the_copyright_or_the_printing() -> None:
    told = after(
        {"published": PartialDate("1971")},
        TITLE,
        ("264", " 1", "a", "Boston :", "b", "Ace,", "c", "[1969]"),
        ("264", " 2", "a", "London :", "b", "Tim,", "c", "1969."),
        ("264", " 3", "a", "Leeds :", "b", "Tom,", "c", "1969."),
        ("264", " 4", "c", "©1969"),
    )

    assert told[2:] == [
        "264 \\1$aBoston :$bAce,$c1971",
        "264 \\2$aLondon :$bTim,$c1969.",
        "264 \\3$aLeeds :$bTom,$c1969.",
        "264 \\4$c©1969",
    ]


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("1969.", "1971."),
        ("1969, c1965.", "1971, c1965."),
        ("1969 [c1965]", "1971 [c1965]"),
        ("[1969, c1965].", "[1971, c1965]."),
        ("1969?].", "1971]."),
        ("[c1969]", "1971"),
        ("[between 1969 and 1970?]", "1971"),
    ],
)
def test_another_date_keeps_the_year_of_the_copyright_and_the_full_stop_behind_it(date: str, told: str) -> None:
    fields = TITLE, ("260", "  ", "a", "Boston :", "b", "Ace,", "c", date, "e", "(Leeds :", "f", "Tom)")

    assert after({"published": PartialDate("1971")}, *fields)[-1] == f"260 \\\\$aBoston :$bAce,$c{told}$e(Leeds :$fTom)"


def test_a_date_where_there_was_none_stands_behind_the_publisher() -> None:
    fields = TITLE, ("260", "  ", "a", "Boston :", "b", "Ace.", "e", "(Leeds :", "f", "Tom)")

    told = after({"published": PartialDate("1971")}, *fields, f008="690101nuuuuuuuunyu")

    assert told[0].startswith("008 690101s1971\\\\\\\\nyu")
    assert told[-1] == "260 \\\\$aBoston :$bAce,$c1971.$e(Leeds :$fTom)"


@pytest.mark.parametrize(
    ("before", "published", "coded"),
    [
        ("s1969    ", "1971", "s1971    "),
        ("r19691813", "1971", "r19711813"),
        ("t19691965", "1971", "t19711965"),
        ("m19691975", "1971", "s1971    "),
        ("q19691975", "1971", "s1971    "),
        ("c19699999", "1971", "s1971    "),
        ("e19690512", "1971", "s1971    "),
        ("e19690512", "1971-06", "e197106  "),
        ("m19691975", "1969-05", "m19691975"),
        ("r19691813", "-0043", "b        "),
        ("t19691965", None, "n        "),
    ],
)
def test_no_second_date_stays_in_008_beside_a_first_one_that_it_does_not_belong_to(
    before: str, published: str | None, coded: str
) -> None:
    book = of_the_record_with(f"690101{before}nyu")

    date = None if published is None else PartialDate(published)
    told = record_in(written("marc", edited(book, published=date)))["008"].data or ""

    assert told[6:15] == coded
    assert told[15:18] == "nyu"


def of_the_record_with(f008: str) -> Exported:
    (entry,) = read(a_record(TITLE, f008=f008.ljust(35) + "eng d"))
    assert entry.draft is not None
    return exported_as_imported(entry.draft)


RECORDING = ("245", "14", "a", "The war.", "n", "Part 2,", "p", "Peace", "h", "[sound recording] :", "b", "a novel /",
             "c", "by X.")  # fmt: skip  # subfields by twos


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"subtitle": "a play"}, "14$aThe war.$nPart 2,$pPeace$h[sound recording] :$ba play /$cby X."),
        ({"subtitle": None}, "14$aThe war.$nPart 2,$pPeace$h[sound recording] /$cby X."),
        ({"responsibility": None}, "14$aThe war.$nPart 2,$pPeace$h[sound recording] :$ba novel."),
        ({"title": "The wars. Part 2, Peace"}, "04$aThe wars.$nPart 2,$pPeace$h[sound recording] :$ba novel /$cby X."),
        ({"title": "The war. Part 2, Love"}, "04$aThe war.$nPart 2,$pLove$h[sound recording] :$ba novel /$cby X."),
        ({"title": "The war. Peace"}, "04$aThe war.$pPeace$h[sound recording] :$ba novel /$cby X."),
        ({"title": "Love"}, "00$aLove$h[sound recording] :$ba novel /$cby X."),
    ],
)
def test_a_title_that_was_changed_keeps_its_parts_and_its_medium_where_they_stood(
    values: Mapping[str, Any], told: str
) -> None:
    assert after(values, RECORDING)[-1] == f"245 {told}"


def test_a_subtitle_that_is_new_stands_behind_the_medium() -> None:
    fields = ("245", "00", "a", "Emma", "h", "[text] /", "c", "by X.")

    assert after({"subtitle": "a novel"}, fields)[-1] == "245 00$aEmma$h[text] :$ba novel /$cby X."


PAIRS = (
    TITLE,
    ("264", "31", "a", "Boston :", "b", "Ace,", "c", "1969-1970."),
    ("264", "31", "a", "London :", "b", "Tim,", "c", "1971."),
)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"publishers": ("Ice", "Tom")}, ["$aBoston :$bIce,$c1969-1970.", "$aLondon :$bTom,$c1971."]),
        ({"places": ("Boston", "Leeds")}, ["$aBoston :$bAce,$c1969-1970.", "$aLeeds :$bTim,$c1971."]),
        ({"publishers": ("Tim",)}, ["$aBoston,$c1969-1970.", "$aLondon :$bTim,$c1971."]),
        ({"publishers": ("Tim",), "places": ("London",)}, ["$aLondon :$bTim,$c1971."]),
        ({"publishers": ("Ace", "Tim", "Tom")}, ["$aBoston :$bAce,$c1969-1970.", "$aLondon :$bTim :$bTom,$c1971."]),
        ({"publishers": ("X", "Ace", "Tim")}, ["$aBoston :$bX :$bAce,$c1969-1970.", "$aLondon :$bTim,$c1971."]),
        ({"publishers": (), "places": ()}, ["$c1969-1970."]),
        ({"publishers": ("Ice Press.", "Tim")}, ["$aBoston :$bIce Press.,$c1969-1970.", "$aLondon :$bTim,$c1971."]),
    ],
)
def test_publishers_that_were_changed_stand_beside_the_places_that_they_stood_beside(
    values: Mapping[str, Any], told: Sequence[str]
) -> None:
    assert after(values, *PAIRS)[2:] == [f"264 31{each}" for each in told]


def test_a_publisher_in_brackets_or_twice_is_written_where_it_stood() -> None:
    fields = TITLE, ("260", "  ", "a", "[Boston :", "b", "Ace],", "c", "1969 ;", "a", "London :", "b", "Ace")

    told = after({"publishers": ("Ice",), "places": ("Boston", "Leeds")}, *fields)

    assert told[-1] == "260 \\\\$a[Boston :$bIce],$c1969 ;$aLeeds :$bIce"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (("eng", "fre"), ["041 1\\$aeng$afre$hger"]),
        (("eng",), ["041 1\\$aeng$hger"]),
        ((), ["041 1\\$hger"]),
    ],
)
def test_languages_that_were_changed_leave_it_a_translation(values: Sequence[str], told: Sequence[str]) -> None:
    languages = tuple(map(Language, values))

    assert after({"languages": languages}, TITLE, ("041", "1 ", "a", "engita", "h", "ger"))[2:] == told


def test_a_translation_whose_languages_were_not_told_gets_them_in_its_own_field() -> None:
    languages = {"languages": (Language("eng"), Language("fre"))}

    assert after(languages, TITLE, ("041", "1 ", "h", "ger"))[2:] == ["041 1\\$aeng$afre$hger"]
    assert after({"languages": (Language("fre"),)}, TITLE, ("041", "0 ", "a", "eng", "a", "fre"))[2:] == []


ABSTRACTS = (
    TITLE,
    ("520", "3 ", "a", "First.", "b", "More.", "c", "X", "u", "http://example.org/"),
    ("520", "8 ", "a", "Second."),
)


@pytest.mark.parametrize(
    ("description", "told"),
    [
        ("New.", ["3\\$aNew.$cX$uhttp://example.org/"]),
        ("First. More.\n\nOther.", ["3\\$aFirst.$bMore.$cX$uhttp://example.org/", "8\\$aOther."]),
        ("Other.\n\nSecond.", ["3\\$aOther.$cX$uhttp://example.org/", "8\\$aSecond."]),
        ("Second.", ["8\\$aSecond."]),
        (None, []),
    ],
)
def test_a_description_that_was_changed_replaces_the_abstracts_that_said_it_before(
    description: str | None, told: Sequence[str]
) -> None:
    assert after({"description": description}, *ABSTRACTS)[2:] == [f"520 {each}" for each in told]


def test_a_name_of_letters_and_accents_apart_is_known_again() -> None:
    abstracts = ("520", "  ", "a", "e\u0301"), ("520", "  ", "a", "a")
    fields = TITLE, ("264", " 1", "a", "Que\u0301bec :", "b", "Pre\u0301cis,", "c", "1969."), *abstracts

    told = after({"publishers": ("Précis", "Ace"), "places": ("Paris",), "description": "é\n\nb"}, *fields)

    assert told[2:] == [
        "264 \\1$aParis :$bPre\u0301cis :$bAce,$c1969.",
        "520 \\\\$ae\u0301",
        "520 \\\\$ab",
    ]


def test_an_edition_that_was_changed_leaves_another_one_as_it_was() -> None:
    fields = TITLE, ("250", "  ", "a", "Second edition."), ("250", "  ", "3", "CD", "a", "First.")

    assert after({"edition": "Third edition"}, *fields)[2:] == ["250 \\\\$aThird edition.", "250 \\\\$3CD$aFirst."]


@pytest.mark.parametrize(
    ("dates", "told"),
    [
        (("d", "1929-2018,", "e", "author."), "$d1930-2018,$eauthor."),
        (("d", "1929-,", "e", "author."), "$d1930-$eauthor."),
        (("d", "1929-2018.",), "$d1930-2018."),
        (("e", "author.",), "$d1930-$eauthor."),
    ],
)  # fmt: skip  # subfields by twos
def test_the_comma_behind_dates_that_were_changed_stays(dates: tuple[str, ...], told: str) -> None:
    book = of_the_record(("100", "1 ", "a", "Le Guin, Ursula K.,", *dates))

    told_now = lines(written("marc", with_edited(book, birth=PartialDate("1930"), dob=None)))

    assert f"=100  1\\$aLe Guin, Ursula K.,{told}" in told_now


def test_somebody_who_is_called_otherwise_by_now_has_a_heading_of_their_own() -> None:
    book = of_the_record(*FIELDS)
    author, brock = book.author, next(each for each, _ in book.contributors())
    assert author is not None
    new = evolve(author, name="Ursula Kroeber Le Guin", sort_name="Le Guin, Ursula Kroeber")
    ill = evolve(brock, name="H. M. Brock", sort_name="Brock, H. M.")
    book = evolve(book, book=evolve(book.book, author=new), authors={**book.authors, new.id: new, ill.id: ill})

    told = lines(written("marc", book))

    assert "=100  1\\$aLe Guin, Ursula Kroeber,$d1929-" in told
    assert "=700  1\\$aBrock, H. M.$4ill" in told
    assert "=700  1\\$aAusten, Jane.$tEmma." in told
    assert not [line for line in told if "C. E." in line]


def test_somebody_who_is_credited_as_the_record_says_keeps_its_heading_and_has_their_own_where_there_is_none() -> None:
    book = of_the_record(*FIELDS)
    brock = next(each for each, _ in book.contributors())
    known = evolve(brock, name="Charles Edmund Brock", sort_name="Brock, Charles Edmund")
    credited = tuple(evolve(each, credited_as="C.E. Brock") for each in book.book.contributors)
    twice = (*credited, evolve(credited[0], role=Role("trl")))
    authors = {**book.authors, known.id: known}

    same = written("marc", evolve(book, book=evolve(book.book, contributors=credited), authors=authors))
    more = lines(written("marc", evolve(book, book=evolve(book.book, contributors=twice), authors=authors)))

    assert same == written("marc", of_the_record(*FIELDS))
    assert [line for line in more if "Brock" in line] == [
        *(line for line in lines(same) if "Brock" in line),
        "=700  1\\$aBrock, Charles Edmund$4trl",
    ]


def test_somebody_who_was_edited_since_is_told_with_the_dates_of_today() -> None:
    book = of_the_record(*FIELDS)

    told = lines(written("marc", with_edited(book, ("death",), death=PartialDate("2018-01-22"))))

    assert "=100  1\\$aLe Guin, Ursula K.,$d1929-2018$eauthor." in told


LATER = NOW + timedelta(days=1)
BRONTE = (
    *("6", "880-01", "a", "Bronte, Charlotte,", "q", "(Charlotte B.)", "d", "1816-1855,"),
    *("e", "author.", "0", "(viaf)71388025", "5", "DLC"),
)


def with_edited(book: Exported, edited: Collection[str] | None = None, **values: Any) -> Exported:
    """The book, with these values of everybody whom it names; `edited` are those that somebody edited since."""
    now = {each.id: evolve(each, version=2, updated_at=LATER, **values) for each in book.authors.values()}
    edits = dict.fromkeys(now, frozenset(values if edited is None else edited))
    author = None if book.author is None else now[book.author.id]
    return evolve(book, book=evolve(book.book, author=author), authors=now, edited=edits)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (
            {"name": "Currer Bell", "sort_name": "Bell, Currer"},
            "1\\$6880-01$aBell, Currer,$d1816-1855,$eauthor.$0(viaf)71388025$5DLC",
        ),
        (
            {"name": "Charlotte Brontë", "sort_name": "Brontë, Charlotte"},
            "1\\$6880-01$aBrontë, Charlotte,$d1816-1855,$eauthor.$0(viaf)71388025$5DLC",
        ),
        (
            {"birth": PartialDate("1815"), "dob": None},
            "1\\$6880-01$aBronte, Charlotte,$q(Charlotte B.)$d1815-1855,$eauthor.$0(viaf)71388025$5DLC",
        ),
        (
            {
                "identifiers": (
                    Identifier(scheme=Scheme("viaf"), value="71388025"),
                    Identifier(scheme=Scheme("isni"), value="0000000121222837"),
                )
            },
            (
                "1\\$6880-01$aBronte, Charlotte,$q(Charlotte B.)$d1816-1855,$eauthor."
                "$0(viaf)71388025$5DLC$0(ISNI)0000000121222837"
            ),
        ),
        (
            {"identifiers": (Identifier(scheme=Scheme("viaf"), value="5"),)},
            "1\\$6880-01$aBronte, Charlotte,$q(Charlotte B.)$d1816-1855,$eauthor.$5DLC$0(VIAF)5",
        ),
    ],
    ids=["another name", "another spelling", "another year", "one number more", "another number"],
)
@pytest.mark.parametrize("tag", ["100", "700"])
def test_what_was_edited_of_somebody_since_stands_in_their_heading_and_the_rest_stays(
    tag: str, values: Mapping[str, Any], told: str
) -> None:
    book = of_the_record((tag, "1 ", *BRONTE), ("700", "1 ", "a", "Austen, Jane.", "t", "Emma."))

    after = lines(written("marc", with_edited(book, **values)))

    before = lines(written("marc", book))
    assert set(after) - set(before) == {f"={tag}  {told}", "=005  20260103030405.0"}
    assert len(after) == len(before) + 1


def test_somebody_of_another_kind_has_another_tag() -> None:
    book = of_the_record(("100", "1 ", "a", "Society, The,", "d", "1900-", "e", "author."))

    told = lines(written("marc", with_edited(book, kind=AuthorKind("organisation"))))

    assert "=110  2\\$aSociety, The,$eauthor." in told


@pytest.mark.parametrize("edited", [(), ("variants",), ("death",), ("identifiers",)])
def test_a_heading_has_nothing_of_an_author_but_what_was_edited_since(edited: Collection[str]) -> None:
    book = of_the_record(("100", "1 ", "a", "Brock, C. E.", "e", "Illustrator."), ("700", "1 ", "a", "Brock, C. E."))
    known = {"name": "C. É. Brock", "death": PartialDate("1938"), "identifiers": URSULA.identifiers}
    told = {"death": ("C. E.,$d-1938", ""), "identifiers": ("C. E.", "$0(VIAF)97956")}.get(
        "".join(edited), ("C. E.", "")
    )

    headings = [line for line in lines(written("marc", with_edited(book, edited, **known))) if line[1] in "17"]

    name, number = told
    assert headings == [f"=100  1\\$aBrock, {name}$eIllustrator.{number}", f"=700  1\\$aBrock, {name}{number}"]


def test_a_life_that_was_taken_out_of_an_author_is_taken_out_of_the_heading() -> None:
    book = of_the_record(("100", "1 ", "a", "Brock, C. E.,", "d", "1816-1855"))

    told = lines(written("marc", with_edited(book, birth=None, dob=None, death=None)))

    assert "=100  1\\$aBrock, C. E.," in told


def test_a_book_by_somebody_else_by_now_has_their_heading_whatever_was_edited_of_them() -> None:
    book = of_the_record(("100", "1 ", "a", "Brock, C. E.,", "e", "author."))
    other = exported(BookDetails(title="x", author_id=None), URSULA).author
    assert other is not None

    by_other = evolve(book, book=evolve(book.book, author=other), edited={other.id: frozenset(("death",))})

    assert "=100  1\\$aLe Guin, Ursula K.,$d1929-2018$0(VIAF)97956" in lines(written("marc", by_other))


def test_somebody_edited_since_keeps_their_place_and_their_name_where_the_book_credits_it() -> None:
    book = of_the_record(("700", "1 ", "a", "Brock, C. E.", "4", "ill"), ("700", "1 ", "a", "Austen, Jane", "4", "aut"))
    contributors = tuple(reversed(book.book.contributors))
    credited = tuple(evolve(each, credited_as="C.E. Brock") for each in book.book.contributors[:1])
    death = {"name": "X", "sort_name": None, "death": PartialDate("1938")}

    turned = with_edited(evolve(book, book=evolve(book.book, author=None, contributors=contributors)))
    same = with_edited(evolve(book, book=evolve(book.book, author=None, contributors=credited)), **death)

    assert [line for line in lines(written("marc", turned)) if line[1:2] == "7"] == [
        "=700  1\\$aAusten, Jane$4aut",
        "=700  1\\$aBrock, C. E.$4ill",
    ]
    assert "=700  1\\$aBrock, C. E.,$d-1938$4ill" in lines(written("marc", same))


SEVERAL = (
    ("700", "1 ", "a", "Brock, C. E.,", "e", "editor,", "e", "translator,", "e", "friend.", "4", "trl", "5", "DLC"),
    ("700", "1 ", "a", "Austen, Jane", "4", "aut"),
)


def test_somebody_who_did_several_things_keeps_the_heading_that_says_them() -> None:
    book = of_the_record(*SEVERAL)
    brock = "=700  1\\$aBrock, C. E.,$eeditor,$etranslator,$efriend.$4trl$5DLC"

    assert lines(written("marc", book)) == lines(book.sources[0].content or b"")
    turned = lines(written("marc", edited(book, contributors=tuple(reversed(book.book.contributors)))))
    assert turned[-2:] == ["=700  1\\$aAusten, Jane$4aut", brock]
    dead = with_edited(book, death=PartialDate("1938"))
    assert brock.replace("E.,$", "E.,$d-1938,$") in lines(written("marc", dead))


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ((0, 2), "$eeditor,$efriend.$5DLC"),
        ((1, 2), "$etranslator,$efriend.$4trl$5DLC"),
        ((2,), None),
    ],
)
def test_something_that_somebody_did_no_more_is_taken_out_of_their_heading(
    places: Sequence[int], told: str | None
) -> None:
    book = of_the_record(*SEVERAL)
    contributors = tuple(book.book.contributors[place] for place in places)

    headings = [line for line in lines(written("marc", edited(book, contributors=contributors))) if line[1] == "7"]

    brock = [] if told is None else [f"=700  1\\$aBrock, C. E.,{told}"]
    assert headings == [*brock, "=700  1\\$aAusten, Jane$4aut"]


def test_a_family_that_is_called_otherwise_by_now_stays_one_until_it_is_said_to_be_a_person() -> None:
    book = of_the_record(("700", "3 ", "a", "Bronte family,", "e", "patron."))

    renamed = lines(written("marc", with_edited(book, name="Brontë family")))
    person = lines(written("marc", with_edited(book, kind=AuthorKind("person"))))

    assert "=700  3\\$aBrontë family,$epatron." in renamed
    assert "=700  0\\$aBronte family,$epatron." in person


@each_form
def test_a_record_longer_than_its_lengths_can_say_comes_and_goes(form: str) -> None:
    notes = tuple(f"{number} " + "x" * 19_000 for number in range(8))
    book = exported(evolve(WHOLE, notes=notes), URSULA)

    (draft,) = back(form, book)
    (again,) = back(form, exported_as_imported(draft))

    assert draft.details.notes == again.details.notes == notes


@each_form
def test_utf_8_whose_leader_said_marc_8_goes_out_as_utf_8_that_says_so(form: str) -> None:
    content = a_record(TITLE, ("500", "  ", "a", "с чистой совестью"))
    (entry,) = read(content[:9] + b" " + content[10:])
    assert entry.draft is not None

    told = written(form, exported_as_imported(entry.draft))

    (transmitted,) = READERS[form](io.BytesIO(told))
    again = {"marc": transmission, "marcxml": marcxml, "marcjson": marcjson}[form].record_in(transmitted.content)
    assert "=500  \\\\$aс чистой совестью" in map(str, again.fields)
    assert again.leader.coding_scheme == "a"


def test_controls_that_a_form_has_no_place_for_break_nothing() -> None:
    book = of_the_record(("500", "  ", "a", "with \x01 a control"))

    assert [each.details.title for each in back("marcxml", book)] == ["The left hand of darkness"]


# ---- XML and JSON that nobody should have written

RECORD = marcxml.bytes_of(record_in(a_record(TITLE))).decode()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            f'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>{RECORD.replace("left", "&b;")}</x>',
            "undefined entity",
        ),
        (f'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>{RECORD.replace("left", "&a;")}</x>', "undefined"),
        (f"<x>{RECORD.replace('left', '<a>')}</x>", "mismatched tag"),
        (f"<x>{RECORD.replace('left', '<a>' * 50 + '</a>' * 50)}</x>", "nested too deeply"),
        (f"<x>{RECORD.replace('left', chr(1))}</x>", "not well-formed"),
        ("<x><record><b/></record></x>", "has no title"),
        (f"<x>{RECORD.replace('tag=', 'tug=')}</x>", "an element or an attribute is missing"),
    ],
)
def test_one_element_that_is_broken_is_refused_and_the_next_one_is_read(content: str, told: str) -> None:
    broken, good = read((content + RECORD).encode(), "marcxml")

    assert told in broken.refusal
    assert good.draft is not None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    content = f'<?xml version="1.0" encoding="{encoding}"?><x>{RECORD.replace("left", "lëft")}</x>'.encode(encoding)

    (entry,) = read(content, "marcxml")

    assert entry.draft is not None
    assert entry.draft.details.title == "The lëft hand of darkness"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"leader": "x", "fields": [{"245": {"ind1": "0"', "is no JSON"),
        (b'{"fields": [{"245": 5}]}', "is no record of MARC: its field 245 has neither a text nor a list of subfields"),
        (b'{"fields": [{"245": {"subfields": [{"a": 5}]}}]}', "is no record of MARC: $a of 245 is no text"),
        (b'{"fields": [{"245": {"ind1": 1, "subfields": []}}]}', "is no record of MARC: ind1 of 245 is no text"),
        (b'{"fields": [5]}', "is no record of MARC: something stands where a field or a subfield should"),
        (b'{"fields": [{"24": "a"}]}', "is no record of MARC: '24' is no tag"),
        (b'{"leader": 5, "fields": []}', "is no record of MARC: its leader is no text"),
        (b'{"fields": ' + b"[" * 5000 + b"]" * 5000 + b"}", "is nested too deeply"),
        (b'{"title": "Emma"}', "is no record of MARC: it has no list of fields"),
        (b'{"title": "\xe9"}', "is no JSON: it has the byte e9, which is no UTF-8"),
    ],
)
def test_json_that_is_no_record_is_refused(content: bytes, told: str) -> None:
    good = marcjson.bytes_of(record_in(a_record(TITLE)))

    entries = read(b"[" + good + b",\n" + content, "marcjson")

    assert entries[0].draft is not None
    assert told in entries[-1].refusal


# ---- files that nobody here wrote

FORMS = {"marc": "marc", "marcxml": "marcxml", "sru": "marcxml", "marcjson": "marcjson"}

# Marks of the transmission format, and controls, stand within their fields, where no form has a place for them.
BROKEN = {
    "marc/pymarc/bad_marc8_escape.dat",
    # Its indicators are no characters that indicators may be; they become blanks.
    "marcxml/openlibrary/39002054008678_yale_edu_marc.xml",
}


def real_records() -> Iterator[tuple[str, str, Entry]]:
    folder = shared_file("marc").parent
    for name, form in FORMS.items():
        for file in sorted(
            path for path in (folder / name).rglob("*") if path.is_file() and "ol_expect" not in path.parts
        ):
            if file.suffix not in {".txt", ".md"}:
                with file.open("rb") as content:
                    reader = MarcReader(source=file.name, format=form, records_of=READERS[form])
                    yield from ((str(file.relative_to(folder)), form, entry) for entry in reader.read(content))


def test_every_field_of_every_readable_record_comes_out_as_it_came_in() -> None:
    count, differing = 0, set()
    for name, form, entry in real_records():
        if entry.draft is None:
            continue
        count += 1
        book = exported_as_imported(entry.draft)
        original = writer._READ[form](entry.draft.origin.content or b"")
        for other in WRITERS:
            made = WRITERS[other]()
            again = writer._READ[other](made.book(book))
            if [str(field) for field in again.fields] != [str(field) for field in original.fields]:
                differing.add(name)

    assert count > 700
    assert differing == BROKEN


EDITED: Mapping[str, Sequence[str]] = {
    "title": ("245",),
    "subtitle": ("245",),
    "responsibility": ("245",),
    "published": ("008", "260", "264"),
    "publishers": ("260", "264"),
    "places": ("260", "264"),
    "languages": ("008", "041"),
    "edition": ("250",),
    "description": ("520",),
    "pages": ("300",),
}


def edits_of(details: BookDetails) -> Iterator[tuple[str, Any]]:
    yield "title", f"{details.title} again"
    yield "subtitle", None if details.subtitle else "a novel"
    yield "responsibility", None if details.responsibility else "by X."
    yield "published", PartialDate("1234")
    yield "publishers", tuple(dict.fromkeys((*details.publishers[1:], "Ace Press.")))
    yield "publishers", details.publishers[1:]
    yield "places", tuple(dict.fromkeys(("Reading, Mass.", *details.places)))
    yield "languages", tuple(dict.fromkeys((Language("fin"), *details.languages)))
    yield "edition", "9th ed."
    yield "description", "Snow."
    yield "pages", 77


def test_whatever_is_edited_of_any_readable_record_is_read_again_and_changes_no_other_field() -> None:
    count = 0
    for name, form, entry in real_records():
        if entry.draft is None or form != "marc" or name.endswith("245_no_ab.marc"):  # its title is no part of a title
            continue
        book = exported_as_imported(entry.draft)
        standing = {str(field) for field in writer._READ[form](entry.draft.origin.content or b"").fields}
        for what, value in edits_of(entry.draft.details):
            if getattr(book.book, what) == value:
                continue
            count += 1
            content = written("marc", edited(book, **{what: value}))
            (again,) = read(content)
            assert again.draft is not None
            assert getattr(again.draft.details, what) == value, name
            changed = {line[1:4] for line in standing.symmetric_difference(lines(content))}
            assert changed <= {"005", *EDITED[what]}, (name, what)

    assert count > 4000


def test_marc_in_xml_and_json_says_what_others_find_in_it() -> None:
    expected = json.loads(shared_file("../expected/expected.json").read_text(encoding="utf-8"))["files"]
    found: dict[str, list[Entry]] = {}
    for name, _, entry in real_records():
        found.setdefault(name, []).append(entry)
    differing = {}
    for name, theirs in expected.items():
        if Path(name).parts[0] not in FORMS or name.startswith("marc/") or "with_title" not in theirs:
            continue
        said = [entry.draft for entry in found.get(name, []) if entry.draft is not None]
        counts = {
            "records": (len(found.get(name, [])), theirs["records"]),
            "titles": (len(said), theirs["with_title"]),
            "contributors": (sum(len(each.contributors) for each in said), theirs["contributors_total"]),
            "isbns": (len({isbn for each in said for isbn in each.details.isbns()}), theirs["valid_isbn13_distinct"]),
            "languages": (sum(bool(each.details.languages) for each in said), theirs["with_language"]),
            "years": (sum(each.details.published is not None for each in said), theirs["with_year"]),
        }
        if unequal := {what: pair for what, pair in counts.items() if pair[0] != pair[1]}:
            differing[name] = unequal

    assert differing == {}


@pytest.mark.parametrize(
    ("published", "code"),
    [(None, "n    "), ("1969", "s1969"), ("0001", "s0001"), ("-0043", "b    "), ("0000", "b    ")],
)
def test_a_year_that_has_no_room_in_008_is_told_to_be_before_the_first(published: str | None, code: str) -> None:
    book = evolve(WHOLE, published=None if published is None else PartialDate(published))

    assert (record_in(written("marc", exported(book)))["008"].data or "")[6:11] == code
