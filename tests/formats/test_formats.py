"""Which adapter reads a file: the one of its name, or the one that it begins like."""

import gzip

import pytest
from pymarc import Field, Record

from catalog.adapters.formats.csv import CsvReader
from catalog.adapters.formats.marc import MarcReader
from catalog.domain.errors import UnreadableFile
from catalog.entrypoints.formats import FORMATS, Reading, record_reader

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
    with pytest.raises(UnreadableFile, match=f"no format 'word'; there are {', '.join(FORMATS)}"):
        record_reader("word", b"", READING)


def test_columns_are_mapped_in_csv_alone() -> None:
    with pytest.raises(UnreadableFile, match="--map says what the columns of a CSV file mean"):
        record_reader("marc", b"", Reading(source="file", mapping="title=T"))
    assert isinstance(record_reader(None, CONTENT, Reading(source="file", mapping="title=T")), CsvReader)
