"""What we write is read by programs that nobody here wrote: yaz-marcdump, marclint, biber, PyLD.

The first three are no Python packages; Debian has them as yaz, libmarc-lint-perl and biber. Where one is missing, its
tests are skipped.
"""

import json
import re
import shutil
import subprocess
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from pyld import jsonld
from tests.shared_data import shared_file

from catalog.domain.exports import Exported
from catalog.domain.sources import BookDraft
from catalog.entrypoints.formats import BEGINNING, Reading, record_reader, record_writer

from .exports import exported_as_imported
from .test_marc_out import BROKEN, real_records

OTHERS = (
    "csljson/csl-test-suite-books.json",
    "bibtex/notes-test.bib",
    "bibtex/biblatex-examples.bib",
    "bibtex/texbook2.bib.gz",
    "openlibrary/ol_dump_editions.txt",
    "csv/goodbooks-10k/books.csv.gz",
)
MOST = 3000


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}, which is no Python package")


@cache
def real_books() -> Sequence[Exported]:
    """Return real books that never were MARC."""
    return [exported_as_imported(draft) for name in OTHERS for draft in _drafts(name)][:MOST]


@cache
def marc_books() -> Sequence[tuple[str, bytes, Exported]]:
    """Return real books that were MARC: the name of the file, the record, and the book."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymarc's, of damaged records
        return [
            (name, entry.draft.origin.content or b"", exported_as_imported(entry.draft))
            for name, form, entry in real_records()
            if form == "marc" and entry.draft is not None and name not in BROKEN
        ]


def _drafts(name: str) -> Iterator[BookDraft]:
    with shared_file(name).open("rb") as content:
        reader = record_reader(None, content.peek(BEGINNING), Reading(source=name))
        yield from (entry.draft for entry in reader.read(content) if entry.draft is not None)


def written(form: str, books: Iterable[Exported]) -> bytes:
    writer = record_writer(form)
    return b"".join([writer.head(), *map(writer.book, books), writer.tail()])


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=300, check=False)


# ---- MARC

DAMAGED = {
    "marc/broken/bad_encoding.mrc": "its directory says wrong where its fields stand",
    "marc/openlibrary/dasrmischepriv00rein_meta.mrc": "its directory says wrong where its fields stand",
    "marc/openlibrary/collingswood_bad_008.mrc": "its 008 holds a byte of MARC-8 that stands alone",
    "marc/pymarc/1251.dat": "is in Windows-1251, and says MARC-8",
    "marc/pymarc/bad_indicator.dat": "an indicator is the mark of a subfield",
    "marc/pymarc/bad_subfield_code.dat": "its directory says wrong where its fields stand",
    "marc/pymarc/utf8_invalid.mrc": "a code of a subfield is half a character",
    "marc/traject/bad_subfield_code.marc": "a code of a subfield is half a character",
}
"""Files that two programs read otherwise, neither of them wrongly."""


def dumped(content: bytes, encoding: str, file: Path) -> Sequence[Sequence[str]]:
    """Return the lines that yaz-marcdump shows of each record, but for the leader, which tells lengths."""
    file.write_bytes(content)
    done = run("yaz-marcdump", "-i", "marc", "-o", "line", "-f", encoding, "-t", "utf8", file)
    assert (done.returncode, done.stderr) == (0, "")
    records = done.stdout.strip("\n").split("\n\n")
    return [[line for line in record.split("\n") if re.match(r"\d{3} ", line)] for record in records]


def is_utf8(record: bytes) -> bool:
    """Whether the record is in UTF-8, or in ASCII and says UTF-8, whatever else it says."""
    if record[9:10] == b"a" or record.isascii():
        return record[9:10] == b"a"
    return b"\x1b" not in record and "\ufffd" not in record.decode("utf-8", "replace")


def alike(lines: Sequence[str], *, marks: bool) -> Sequence[str]:
    """Return the lines in a form that does not tell how letters are composed, nor, without `marks`, their marks.

    MARC-8 has two ways to write a mark over two letters, and another order of marks and letters.
    """
    told = [unicodedata.normalize("NFC" if marks else "NFD", line) for line in lines]
    if not marks:
        told = ["".join(c for c in line if unicodedata.category(c)[0] in "LNPS") for line in told]
    return [" ".join(line.split()) for line in told]


@needs("yaz-marcdump")
@pytest.mark.parametrize("encoding", ["utf8", "marc8"])
def test_yaz_marcdump_finds_every_field_of_every_readable_record_as_it_was(tmp_path: Path, encoding: str) -> None:
    books = [
        (name, record, book)
        for name, record, book in marc_books()
        if is_utf8(record) is (encoding == "utf8") and name not in DAMAGED
    ]
    theirs = dumped(b"".join(record for _, record, _ in books), encoding, tmp_path / "theirs.mrc")
    ours = dumped(written("marc", (book for *_, book in books)), "utf8", tmp_path / "ours.mrc")

    assert len(theirs) == len(ours) == len(books) > 190
    differing = Counter[str]()
    for (name, *_), one, other in zip(books, theirs, ours, strict=True):
        differing[name] += alike(one, marks=encoding == "utf8") != alike(other, marks=encoding == "utf8")
    assert +differing == Counter()


TITLES_END = re.compile(r"245: (Must end with . \(period\)|MARC21 allows \? or ! as final punctuation but LCRI).*")
"""Only where a title can be told from its full stop again it gets one."""
ARTICLES = re.compile(r"24[05]: First word, \w+, (may be an article|does not appear to be an article).*")
"""What is an article in one language is a word in another; this program asks for no language."""


@needs("marclint")
def test_marclint_has_nothing_against_our_records_but_how_titles_begin_and_end(tmp_path: Path) -> None:
    file = tmp_path / "ours.mrc"
    file.write_bytes(written("marc", real_books()))

    done = run("marclint", file)

    assert done.returncode == 0
    said = [line for line in done.stdout.splitlines() if re.match(r"\d{3}: ", line)]
    assert [line for line in said if not TITLES_END.fullmatch(line) and not ARTICLES.fullmatch(line)] == []
    assert sum(bool(ARTICLES.fullmatch(line)) for line in said) < len(real_books()) / 100


# ---- citations


EXPECTED = re.compile(
    "Missing mandatory field"  # the book does not say it
    "|ISBN '978661"  # its table of publishers is older than these
    "|legacy year field '-"  # BibTeX has no years before Christ
    "|Invalid namepart '{cjk="  # so it stands in the file of a test suite
)


@needs("biber")
@pytest.mark.parametrize("form", ["biblatex", "bibtex"])
def test_biber_reads_our_entries_and_misses_only_what_a_book_does_not_say(tmp_path: Path, form: str) -> None:
    books = [*real_books(), *(book for *_, book in marc_books())]
    file = tmp_path / "ours.bib"
    file.write_bytes(written(form, books))

    done = run("biber", "--tool", "--validate-datamodel", "--nolog", file, "-O", tmp_path / "theirs.bib")

    assert done.returncode == 0, done.stdout[-2000:]
    assert "ERROR" not in done.stdout
    warned = [line for line in done.stdout.splitlines() if line.startswith("WARN")]
    assert [line for line in warned if not EXPECTED.search(line)] == []
    assert len(re.findall("(?m)^@", (tmp_path / "theirs.bib").read_text("utf-8"))) == len(books)


# ---- the web

CONTEXT = {"@context": {"@vocab": "https://schema.org/"}}


def our_context(_url: str, _options: object) -> dict[str, object]:
    """Return what stands for the context of schema.org, for which a program would ask the net: all its words."""
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": _url, "document": CONTEXT}


def test_pyld_expands_our_json_ld_and_every_word_is_one_of_schema_org() -> None:
    document = json.loads(written("jsonld", real_books()))

    expanded = jsonld.expand(document, {"documentLoader": our_context})

    assert len(expanded) == len(real_books())
    known = re.compile(r"https://schema\.org/[A-Za-z]+|@id|@type")
    names = {name for node in expanded for name in node}
    assert all(known.fullmatch(name) for name in names), names
    assert {node["@type"][0] for node in expanded} == {"https://schema.org/Book"}
    triples = jsonld.to_rdf(document, {"documentLoader": our_context, "format": "application/n-quads"})
    assert triples.count("<https://schema.org/Book> .\n") == len(real_books())
