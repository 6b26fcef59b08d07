"""Which adapter reads a file: the one of its name, or the one that it begins like."""

import gzip
import io
from pathlib import Path

import pytest
from pymarc import Field, Record

from catalog.adapters.formats.csv import CsvReader
from catalog.adapters.formats.marc import MarcReader
from catalog.domain.errors import UnreadableFile
from catalog.entrypoints.formats import Reading, read_formats, record_reader

READING = Reading(source="file")
MARC = Record(force_utf8=True)
MARC.add_field(Field(tag="001", data="1"))
CONTENT: bytes = MARC.as_marc()


@pytest.mark.parametrize("content", [CONTENT, b"\r\n" + CONTENT, gzip.compress(CONTENT)], ids=["plain", "late", "gzip"])
def test_a_marc_file_is_known_by_its_leader(content: bytes) -> None:
    assert isinstance(record_reader(None, content, READING), MarcReader)


@pytest.mark.parametrize("content", [b"", b"title,authors\n", b"12345,Emma\n", b"\x1f\x8bno gzip"])
def test_what_begins_like_nothing_else_is_csv(content: bytes) -> None:
    assert isinstance(record_reader(None, content, READING), CsvReader)


def test_the_name_of_a_format_comes_before_how_a_file_begins() -> None:
    assert isinstance(record_reader("csv", CONTENT, READING), CsvReader)
    assert isinstance(record_reader("marc", b"title", READING), MarcReader)


def test_an_unknown_format_is_refused_with_all_there_are() -> None:
    with pytest.raises(
        UnreadableFile, match=f"no format 'word' that could be read; there are {', '.join(read_formats())}"
    ):
        record_reader("word", b"", READING)


def test_columns_are_mapped_in_csv_alone() -> None:
    with pytest.raises(UnreadableFile, match="a map says what the columns of a CSV file mean"):
        record_reader("marc", b"", Reading(source="file", mapping="title=T"))
    assert isinstance(record_reader(None, CONTENT, Reading(source="file", mapping="title=T")), CsvReader)


OFFERED = """
from catalog.domain.sources import Entry


class LineReader:
    def read(self, content):
        for number, line in enumerate(content, 1):
            yield Entry(line=number, refusal=line.decode().strip())


def lines(source):
    return LineReader()


def broken(source):
    raise ImportError("no such thing")
"""


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with formats of its own."""
    about = tmp_path / "offered-1.dist-info"
    about.mkdir()
    (tmp_path / "offered_formats.py").write_text(OFFERED, "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: offered\nVersion: 1\n", "utf-8")
    points = "[catalog.formats]\nlines = offered_formats:lines\nbroken = offered_formats:broken\n"
    (about / "entry_points.txt").write_text(points, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("offered")
def test_a_package_can_offer_a_format() -> None:
    entries = list(record_reader("lines", b"", READING).read(io.BytesIO(b"one\ntwo\n")))

    assert [(entry.line, entry.refusal) for entry in entries] == [(1, "one"), (2, "two")]
    with pytest.raises(UnreadableFile, match="csv, broken, lines"):
        record_reader("word", b"", READING)


@pytest.mark.usefixtures("offered")
def test_a_package_whose_format_is_broken_is_named() -> None:
    with pytest.raises(UnreadableFile, match=r"the package offered offers the format broken .* no such thing"):
        record_reader("broken", b"", READING)
