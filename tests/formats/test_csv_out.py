"""CSV going out: rows that come in again, and cells that no spreadsheet runs."""

import csv
import io
from collections.abc import Sequence

import pytest
from attrs import evolve
from tests.formats.exports import exported
from tests.formats.test_citations import GABRIEL, GREGORY, WHOLE

from catalog.domain.books import BookDetails, Series, Subject
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft
from catalog.domain.values import IdentifierStatus, Role, Scheme
from catalog.entrypoints.formats import Reading, record_reader, record_writer


def written(name: str, *books: Exported) -> bytes:
    writer = record_writer(name)
    return b"".join([writer.head(), *map(writer.book, books), writer.tail()])


def back(*books: Exported) -> Sequence[BookDraft]:
    content = written("csv", *books)
    entries = list(record_reader("csv", content, Reading(source="file")).read(io.BytesIO(content)))
    assert all(entry.draft is not None and not entry.warnings for entry in entries), entries
    return [entry.draft for entry in entries if entry.draft is not None]


def test_a_book_is_read_back_with_all_that_a_row_has_room_for() -> None:
    book = evolve(
        WHOLE,
        identifiers=WHOLE.identifiers[:1],
        links=(),
        pages=417,
        series=(Series(title="Perennial classics", position="12"), Series(title="Other")),
        tags=("to-read", "magic"),
    )

    (draft,) = back(exported(book, GABRIEL, (GREGORY, "trl")))

    assert draft.details == book
    assert draft.author is not None
    assert draft.author.name == GABRIEL.name
    assert [(each.author.name, each.role) for each in draft.contributors] == [(GREGORY.name, Role("trl"))]


def test_wrong_isbns_are_kept_and_several_are_read() -> None:
    wrong = Identifier(scheme=Scheme("isbn"), value="0-00-000000-1")
    book = evolve(WHOLE, identifiers=(WHOLE.identifiers[0], wrong))

    content = written("csv", exported(book))
    (entry,) = record_reader("csv", content, Reading(source="file")).read(io.BytesIO(content))

    assert entry.draft is not None
    assert entry.draft.details.identifiers == book.identifiers
    assert "kept and marked" in entry.warnings[0]


def test_who_is_entered_as_editor_is_told_once_and_is_both_again() -> None:
    book = exported(evolve(WHOLE, identifiers=(), links=()), GABRIEL, (GREGORY, "trl"), (GABRIEL, "edt"))

    (row,) = csv.DictReader(io.StringIO(written("csv", book).decode()))
    (draft,) = back(book)

    assert row["authors"] == "Gabriel García Márquez [edt]; Gregory Rabassa [trl]"
    assert draft.author is not None
    assert draft.author.name == GABRIEL.name
    assert [(each.author.name, each.role) for each in draft.contributors] == [
        (GABRIEL.name, Role("edt")),
        (GREGORY.name, Role("trl")),
    ]


def test_a_cancelled_isbn_never_comes_back_as_a_valid_one() -> None:
    isbn = Scheme("isbn")
    withdrawn = [
        Identifier(scheme=isbn, value="9780141439600", status=IdentifierStatus("cancelled")),
        Identifier(scheme=isbn, value="9780141439587", status=IdentifierStatus("invalid")),
        Identifier(scheme=isbn, value="60007761"),  # which a spreadsheet would have made of 0060007761
    ]
    book = evolve(WHOLE, identifiers=(WHOLE.identifiers[0], *withdrawn), links=())

    (row,) = csv.DictReader(io.StringIO(written("csv", exported(book)).decode()))

    assert row["isbn"] == "9780060883287"


@pytest.mark.parametrize(
    "title", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠SUM(A1)", 'A "b", c', "Ünïcödé 📚"]
)
def test_formulas_are_escaped_only_where_that_is_asked_for(title: str) -> None:
    book = exported(BookDetails(title=title, author_id=None))

    rows = [list(csv.DictReader(io.StringIO(written(name, book).decode()))) for name in ("csv", "spreadsheet")]

    assert rows[0][0]["title"] == title
    assert rows[1][0]["title"] == (f"'{title}" if title[0] in "=+-@＝＋－＠" else title)
    assert back(book)[0].details.title == title


def test_a_part_of_a_list_never_becomes_two() -> None:
    (draft,) = back(
        exported(evolve(WHOLE, identifiers=(), links=(), subjects=(Subject(term="One; two"),), tags=("a;b",)))
    )

    assert draft.details.subjects == (Subject(term="One, two"),)
    assert draft.details.tags == ("a;b",)
