"""Files that are no text, are in another encoding, or hold records without end: what is said of them."""

import gzip
import io
from collections.abc import Sequence

import pytest
from tests.formats.test_formats import CONTENT
from tests.formats.test_onix import a_message, a_product

from catalog.domain.errors import UnreadableFile
from catalog.domain.sources import Entry
from catalog.entrypoints.formats import Reading, read_formats, record_reader

RIS = "TY  - BOOK\r\nTI  - T\r\nER  - \r\n"
MARCXML = '<collection xmlns="http://www.loc.gov/MARC21/slim"><record><leader/></record></collection>'


def read(content: bytes, name: str | None = None) -> Sequence[Entry]:
    return list(record_reader(name, content[:4096], Reading(source="file")).read(io.BytesIO(content)))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ris", RIS),
        ("bibtex", "@book{a, title={T}}"),
        ("csl", '[{"id": 1, "title": "T"}]'),
        ("ndjson", '{"record": "author"}'),
        ("openlibrary", "/type/edition\t/books/OL1M\t1\t2013\t{}"),
    ],
)
def test_what_is_not_read_in_utf_16_asks_for_utf_8(name: str, content: str, pack: type[bytes]) -> None:
    for given in (None, name):
        with pytest.raises(UnreadableFile, match=r"is in UTF-16, and .* is read in UTF-8; convert it") as raised:
            read(pack(content.encode("utf-16")), given)
        assert "--encoding" not in str(raised.value)


def test_xml_in_utf_16_is_known_and_read() -> None:
    assert len(read(MARCXML.encode("utf-16"))) == 1
    assert len(read(a_message(a_product()).decode().encode("utf-16"))) == 1


def test_csv_in_utf_16_asks_for_the_option_that_reads_it() -> None:
    with pytest.raises(UnreadableFile, match="--encoding utf-16"):
        read("title\nEmma\n".encode("utf-16"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("title,authors\nEmma,Jane Austen\n".encode("utf-16-le"), "no text"),
        ("<?xml version='1.0'?><record/>".encode("utf-16-le"), "no text"),
        (gzip.compress(gzip.compress(b"title\n")), "compressed twice"),
        (b"\x89PNG\r\n\x1a\n\x00", "not in the encoding utf-8"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "no text"),
        (b"\x7fELF\x02\x01\x01\x00", "no text"),
    ],
)
def test_what_is_no_text_is_called_so_and_not_shown(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told) as raised:
        read(content)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", sorted(set(read_formats()) - {"csv"}))
def test_what_is_compressed_twice_is_told_by_every_format(name: str) -> None:
    with pytest.raises(UnreadableFile, match="compressed twice"):
        read(gzip.compress(gzip.compress(CONTENT)), name)


def test_a_line_of_csv_that_is_too_long_is_told_as_that_and_the_next_is_read() -> None:
    long, cut, emma = read(b"title\n" + b"x" * 1_000_001 + b'\n"open\nEmma\n', "csv")

    assert long.refusal == "longer than 1,000,000 characters"
    assert (cut.line, cut.refusal) == (3, "not CSV: unexpected end of data")
    assert emma.draft is not None


def test_a_cell_without_an_end_is_told_as_that() -> None:
    refused, *others = read(b'title\n"open\n' + b"Emma\n" * 30_000, "csv")

    assert refused.refusal == "not CSV: a cell is longer than 131,072 characters; a quote may not be closed"
    assert len(others) == 30_000


@pytest.mark.parametrize("line", ["N1  - n\r\n" * 20_000, f"N1  - {'n' * 999_990}\r\n" * 11], ids=["lines", "bytes"])
def test_a_record_of_ris_that_is_too_long_is_told_as_that_and_the_next_is_read(line: str) -> None:
    refused, whole = read(RIS.replace("ER", f"{line}ER").encode() + RIS.encode())

    assert refused.refusal == "is longer than 20,000 lines or 10,000,000 bytes, so it is no record"
    assert whole.draft is not None
