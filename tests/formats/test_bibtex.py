"""BibTeX that grows, that nobody would read, or that is in no encoding of today."""

import io
import time
import tracemalloc
from collections.abc import Sequence

import pytest
from tests.formats.exports import exported

from catalog.adapters.formats.bibtex import BibtexReader
from catalog.adapters.formats.bibtex import parser as bounds
from catalog.domain.books import BookDetails
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import PartialDate, Role
from catalog.entrypoints.formats import Reading, record_reader, record_writer

LAST = "@book{last, title={Last}}"


def read(content: str | bytes) -> Sequence[Entry]:
    raw = content if isinstance(content, bytes) else content.encode()
    return list(BibtexReader(source="file").read(io.BytesIO(raw)))


def title_of(entry: Entry) -> str:
    assert entry.draft is not None, entry.refusal
    return entry.draft.details.title


def test_a_macro_that_grows_without_end_is_refused_and_the_rest_goes_on() -> None:
    grown = [f"@string{{a{n} = {' # '.join([f'a{n - 1}'] * 10)}}}" for n in range(1, 9)]
    text = "\n".join(['@string{a0 = "aaaaaaaaaa"}', *grown, "@book{x, title=a8}", LAST])

    tracemalloc.start()
    refused, last = read(text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "macros make the value longer than 100,000 characters" in refused.refusal
    assert title_of(last) == "Last"
    assert most < 100_000_000  # half of it is the room that any file is read into


def test_macros_make_no_large_file_of_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MOST_EXPANDED", 1_000)
    text = f'@string{{a = "{"a" * 400}"}}' + "".join(f"@book{{b{n}, title=a}}" for n in range(4)) + LAST

    *entries, last = read(text)

    assert [bool(entry.refusal) for entry in entries] == [False, False, True, True]
    assert "macros make the file longer" in entries[-1].refusal
    assert title_of(last) == "Last"


def test_cross_references_make_no_large_file_of_a_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.adapters.formats.bibtex.reader.MOST_EXPANDED", 1_000)
    children = "".join(f"@book{{b{n}, title={{T}}, crossref={{p}}}}" for n in range(4))

    _, *entries = read(f"@book{{p, title={{P}}, note={{{'n' * 400}}}}}{children}")

    assert [bool(entry.warnings) for entry in entries] == [False, False, True, True]
    assert "crossref" in entries[-1].warnings[0]


def test_a_file_with_many_macros_reads_each_of_them() -> None:
    macros = "".join(f'@string{{p{n} = "Press {n}"}}' for n in range(451))
    books = "".join(f"@book{{b{n}, title={{T}}, publisher=p{n}}}" for n in range(451))

    drafts = [entry.draft for entry in read(macros + books)]

    assert [draft.details.publishers for draft in drafts if draft] == [(f"Press {n}",) for n in range(451)]


def test_undefined_macros_are_told_of_a_few_times() -> None:
    (entry,) = read(f"@book{{a, title={{T}}, note={' # '.join(['x'] * 1000)}}}")

    assert len(entry.warnings) == 20


@pytest.mark.parametrize("text", ['@book{a, title="' + "{}" * 150_000, "@book(a, " + 'x="1",' * 40_000])
def test_what_never_ends_is_looked_through_once(text: str) -> None:
    begun = time.process_time()

    read(text)

    assert time.process_time() - begun < 2


def test_a_title_that_is_too_long_even_for_tex_is_refused_unread() -> None:
    begun = time.process_time()

    refused, last = read("@book{a, title={" + '{\\"o}' * 600_000 + "}}" + LAST)

    assert refused.refusal == "title must have at most 20,000 characters of TeX, and this has 3,000,000"
    assert title_of(last) == "Last"
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "name", ["abstract", "note", "keywords", "publisher", "author", "editor", "series", "language"]
)
def test_a_field_that_is_too_long_even_for_tex_is_left_out_by_name(name: str) -> None:
    begun = time.process_time()

    (entry,) = read(f"@book{{a, title={{T}}, {name}={{" + '{\\"o}' * 200_000 + "}}")

    assert title_of(entry) == "T"
    assert [told.partition(" left out")[0] for told in entry.warnings] == [name]
    assert time.process_time() - begun < 5


def test_a_long_field_that_nobody_reads_is_left_out_without_a_word() -> None:
    (entry,) = read("@book{a, title={T}, file={" + "x" * 30_000 + "}}")

    assert entry.warnings == ()


def test_a_name_that_is_too_long_even_for_tex_takes_no_other_along() -> None:
    (entry,) = read("@book{a, title={T}, author={" + '{\\"o}' * 5_000 + " and Knuth, Donald}}")

    assert entry.draft is not None
    assert entry.draft.author is not None
    assert entry.draft.author.name == "Donald Knuth"
    assert entry.warnings == ("a name left out: it must have at most 20,000 characters of TeX",)


def test_an_entry_in_another_encoding_tells_what_it_was_taken_for() -> None:
    umlaut, plain = read("@book{a, title={Öl}}@book{b, title={Oil}}".encode("latin-1"))

    assert title_of(umlaut) == "Öl"
    assert umlaut.warnings == ("the file is not in UTF-8, and was read as cp1252",)
    assert plain.warnings == ()


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"The \texttt{awk} and \textsf{sed} \mbox{box} book", "The awk and sed box book"),
        (r"\underline{u} \text{t} \textrm{r} \textsc{c} \emph{e} \textup{p} \textmd{m}", "u t r c e p m"),
        (r"\unheard{of} and \heard[o]{f} \verb|x_y|", "of and [o]f x_y"),
        (r"\MakeUppercase{a} \enquote{\textit{b} \texttt{\{c\}}}", "a b {c}"),
        (r"hy\-phen\-ation, {\em hy\-phen}, shelf\/ful", "hyphenation, hyphen, shelfful"),
        (r"and\slash or, \url{http://x.example/a_b}", "and/or, http://x.example/a_b"),
        ("so\u00adft", "soft"),
        ("so\u00adft {T}", "soft T"),
        (r"\label{x}\color{red}Red", "Red"),
        (r"\href{http://x.example/}{\texttt{Here}} 100\%", "Here 100%"),
    ],
)
def test_commands_of_tex_go_and_their_words_stay(tex: str, text: str) -> None:
    (entry,) = read(f"@book{{a, title={{{tex}}}}}")

    assert title_of(entry) == text


def draft_of(fields: str, name: str = "bibtex") -> BookDraft:
    content = f"@book{{a, title={{T}}, {fields}}}".encode()
    (entry,) = record_reader(name, b"", Reading(source="file")).read(io.BytesIO(content))
    assert entry.draft is not None, entry.refusal
    return entry.draft


@pytest.mark.parametrize(
    ("fields", "publishers"),
    [
        ("publisher={Industrial and Applied Mathematics}", ["Industrial and Applied Mathematics"]),
        ("publisher={{Harper and Row} and {Wiley}}", ["Harper and Row", "Wiley"]),
        ("publisher={{Harper and Row} and Wiley}", ["Harper and Row and Wiley"]),
        (r"publisher={{\"O}l and Erd{\"o}}", ["Öl and Erdö"]),
        ("publisher={Harper and Wiley}, location={Oslo}", ["Harper", "Wiley"]),
        ("publisher={{Harper and Row} and Wiley}, date={1999}", ["Harper and Row", "Wiley"]),
    ],
)  # fmt: skip
def test_publishers_are_a_list_in_biblatex_and_within_braces(fields: str, publishers: Sequence[str]) -> None:
    assert draft_of(fields).details.publishers == tuple(publishers)


def test_who_says_biblatex_reads_lists_whatever_fields_there_are() -> None:
    assert draft_of("publisher={A and B}, address={C and D}", "biblatex").details.publishers == ("A", "B")
    assert draft_of("publisher={A and B}, address={C and D}").details.places == ("C and D",)


@pytest.mark.parametrize("name", ["bibtex", "biblatex"])
@pytest.mark.parametrize(
    "publishers", [("Simon and Schuster",), ("Simon and Schuster", "Knopf"), ("Örebro", "Łódź and Co")]
)
def test_publishers_are_read_back_as_many_as_there_were(name: str, publishers: tuple[str, ...]) -> None:
    writer = record_writer(name)
    content = writer.book(exported(BookDetails(title="T", author_id=None, publishers=publishers)))

    (entry,) = record_reader(None, content, Reading(source="file")).read(io.BytesIO(content))

    assert entry.draft is not None
    assert entry.draft.details.publishers == publishers


@pytest.mark.parametrize(
    ("fields", "role"),
    [
        ("editor={Ray, Ann}", "edt"),
        ("editor={Ray, Ann}, editortype={compiler}", "com"),
        ("editora={Ray, Ann}, editoratype={Translator}", "trl"),
        ("editorc={Ray, Ann}, editorctype={director}", "drt"),
        ("editora={Ray, Ann}, editortype={compiler}", "edt"),
    ],
)
def test_the_type_of_editors_is_what_they_did(fields: str, role: str) -> None:
    (contributor,) = draft_of(fields).contributors

    assert (contributor.author.name, contributor.role) == ("Ann Ray", Role(role))


def test_a_type_of_editors_that_nobody_knows_is_told_of() -> None:
    (entry,) = read("@book{a, title={T}, editor={Ray, Ann}, editortype={juggler}}")

    assert entry.draft is not None
    assert entry.draft.contributors[0].role == Role("ctb")
    assert entry.warnings == ("editortype 'juggler' read as contributor: no role of that name is known",)


@pytest.mark.parametrize("number", ["2001012345", "86012345", "n 79021164", "86-1234", "2001-1234", "agr 25000003"])
def test_a_number_of_the_library_of_congress_is_an_identifier(number: str) -> None:
    assert [each.value for each in draft_of(f"lccn={{{number}}}").details.identifiers] == [number]


def test_a_call_number_is_no_number_of_a_record() -> None:
    details = draft_of("lccn={QA76.6 .K64 2005}").details

    assert (details.identifiers, details.notes) == ((), ("LCCN: QA76.6 .K64 2005",))
    assert read("@book{a, title={T}, lccn={????}}")[0].warnings == ("lccn '????' left out: it is no number",)


@pytest.mark.parametrize(
    ("fields", "position", "notes"),
    [
        ("volume={2}", None, ["Volume 2"]),
        ("volume={2}, number={7}", None, ["Volume 2", "Number 7"]),
        ("series={S}, volume={2}", "2", []),
        ("series={S}, volume={2}, number={7}", "7", ["Volume 2"]),
    ],
)
def test_a_volume_is_a_place_in_a_series_or_a_note(fields: str, position: str | None, notes: Sequence[str]) -> None:
    details = draft_of(fields).details

    assert [each.position for each in details.series] == ([position] if position else [])
    assert details.notes == tuple(notes)


def test_a_volume_of_a_journal_is_told_of() -> None:
    (entry,) = read("@article{a, title={T}, journal={J}, volume={2}}")

    assert entry.warnings == ("volume '2' left out: it is that of a journal",)


def test_a_child_has_no_subtitle_abstract_address_or_number_of_its_parent() -> None:
    parent = (
        "@collection{p, title={P}, subtitle={Sub}, abstract={A}, url={http://x.example/}, isbn={9780141439600},"
        " doi={10.1/2}, publisher={Pub}, date={1999-05}, pagetotal={300}}"
    )

    child, chapter, dated, _ = read(
        "@incollection{c, title={C}, crossref={p}} @inbook{d, chapter={3}, crossref={p}} "
        f"@incollection{{e, title={{E}}, crossref={{p}}, year={{2001}}}} {parent}"
    )

    assert child.draft is not None
    assert child.draft.details == BookDetails(
        title="C", author_id=None, publishers=("Pub",), published=PartialDate("1999-05")
    )
    assert chapter.draft is not None
    assert (chapter.draft.details.title, chapter.draft.details.subtitle) == ("P", "Sub")
    assert dated.draft is not None
    assert dated.draft.details.published == PartialDate("2001")
