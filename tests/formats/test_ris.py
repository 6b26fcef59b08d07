"""RIS as reference managers write it: tags that come again, and types that are no whole book."""

import io

import pytest

from catalog.adapters.formats.ris import RisReader
from catalog.domain.books import BookDetails, Series
from catalog.domain.sources import Entry
from catalog.domain.values import Language, Role


def read(*lines: str, kind: str = "BOOK") -> Entry:
    content = "\n".join([f"TY  - {kind}", "TI  - T", *lines, "ER  - ", ""])
    (entry,) = RisReader(source="file").read(io.BytesIO(content.encode()))
    return entry


def details(*lines: str, kind: str = "BOOK") -> BookDetails:
    entry = read(*lines, kind=kind)
    assert entry.draft is not None, entry.refusal
    assert entry.warnings == ()
    return entry.draft.details


def test_numbers_publishers_and_places_that_come_again_are_all_read() -> None:
    book = details("SN  - 0-201-13447-0", "SN  - 9780141439600 (pbk)", "SN  - 1234-5679",
                   "PB  - Harper & Row", "PB  - Wiley; Sons",
                   "CY  - New York", "CY  - London")  # fmt: skip

    assert [(str(each.scheme), each.value) for each in book.identifiers] == [
        ("isbn", "9780201134476"),
        ("isbn", "9780141439600"),
        ("issn", "1234-5679"),
    ]
    assert book.publishers == ("Harper & Row", "Wiley", "Sons")
    assert book.places == ("New York", "London")


@pytest.mark.parametrize(
    "text", ["1234-5679; 2049-3630", "1234-5679 (print) 2049-3630 (online)", "ISSN 1234-5679 | eISSN: 2049-3630"]
)
def test_issns_are_numbers_of_their_own(text: str) -> None:
    assert [(str(each.scheme), each.value) for each in details(f"SN  - {text}", kind="JOUR").identifiers] == [
        ("issn", "1234-5679"),
        ("issn", "2049-3630"),
    ]


def test_a_number_that_is_neither_isbn_nor_issn_is_told_of() -> None:
    assert read("SN  - A-17").warnings == ("SN 'A-17' left out: it is neither an ISBN nor an ISSN",)


def test_editors_stand_in_a_tag_of_their_own_too() -> None:
    draft = read("ED  - Rabassa, Gregory", "ED  - García, Ana").draft

    assert draft is not None
    assert [(each.author.name, each.role) for each in draft.contributors] == [
        ("Gregory Rabassa", Role("edt")),
        ("Ana García", Role("edt")),
    ]


def test_abstracts_that_come_again_are_joined_and_another_kind_is_a_note() -> None:
    book = details("AB  - One", "goes on", "AB  - Two", "AB  - Two", "N2  - Two", "N2  - Three", "N1  - Note")

    assert book.description == "One goes on\n\nTwo"
    assert book.notes == ("Note", "Three")
    assert details("N2  - One", "N2  - Two").description == "One\n\nTwo"


def test_a_line_without_a_tag_goes_on_with_the_one_before() -> None:
    book = details("PB  - Harper", "& Row", "CY  - New", "York", "PB  - Wiley")

    assert (book.publishers, book.places) == (("Harper & Row", "Wiley"), ("New York",))


def test_several_series_are_read() -> None:
    book = details("T3  - One", "T3  - Two", "VL  - 4")

    assert book.series == (Series(title="One", position="4"), Series(title="Two"))


@pytest.mark.parametrize("kind", ["CHAP", "JOUR", "MGZN", "CONF", "GEN"])
def test_pages_of_what_is_no_whole_book_are_no_count(kind: str) -> None:
    entry = read("SP  - 100", "EP  - 120", kind=kind)

    assert entry.draft is not None
    assert entry.draft.details.pages is None
    assert entry.warnings == ("left out, as no field takes it: SP, EP",)


@pytest.mark.parametrize(
    ("lines", "pages"),
    [(["SP  - 286"], 286), (["SP  - 1", "EP  - 286"], 286), (["SP  - 286 p."], 286), (["EP  - 286"], 286)],
)
@pytest.mark.parametrize("kind", ["BOOK", "THES", "RPRT"])
def test_pages_of_a_whole_book_are_their_count(lines: list[str], pages: int, kind: str) -> None:
    assert details(*lines, kind=kind).pages == pages


def test_languages_may_be_said_by_name() -> None:
    book = details("LA  - English; German and Francais, en-GB")

    assert book.languages == (Language("eng"), Language("ger"), Language("fre"))


def test_what_no_field_takes_is_told_of_by_its_tag_unless_it_says_nothing() -> None:
    lines = ["ID  - 1", "C1  - x", "DB  - y", "L2  - ", "ZZ  - z", "VL  - 3", "T2  - In", "ST  - T", "T1  - T"]
    lines += ["UK  - u", "C1  - v", "UR  - http://x.example/", "DO  - 10.1/2", "PY  - 1999", "KW  - k"]

    entry = read(*lines, kind="CHAP")

    assert entry.warnings == ("left out, as no field takes it: C1, DB, ZZ, UK, VL, T2",)
