"""Our own records: what is read back, and what is refused, so that nothing is made of what nobody said."""

import gzip
import io
import json
import time
from codecs import BOM_UTF8
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from tests.formats.exports import NOW, exported
from tests.formats.test_csljson import WHOLE

from catalog.adapters.formats.ndjson import NdjsonReader, NdjsonWriter
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import SourceRecord
from catalog.domain.sources import Entry
from catalog.testing.doubles import SortedIds

AUTHOR = Author.recorded(AuthorDetails(name="Homer"), id=SortedIds().new(), at=NOW)
BOOK = exported(WHOLE, source=SourceRecord("s", "k", "csv", b"x"))


def read(*lines: bytes) -> Sequence[Entry]:
    return list(NdjsonReader().read(io.BytesIO(b"\n".join(lines))))


def author(**said: Any) -> bytes:
    return json.dumps({**json.loads(NdjsonWriter().author(AUTHOR)), **said}).encode()


def book(**said: Any) -> bytes:
    return json.dumps({**json.loads(NdjsonWriter().book(BOOK)), **said}).encode()


def test_a_record_is_read_as_it_was_written() -> None:
    one, other = read(author(), book())

    assert one.record == AUTHOR
    assert other.record is not None
    assert (other.record.id, other.record.details) == (BOOK.book.id, BOOK.book.details)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (book(version=10**30), "version must be a whole number from 1 to 2147483647"),
        (book(version=2**31), "version must be a whole number from 1 to 2147483647"),
        (book(version=-1), "version must be a whole number from 1 to 2147483647"),
        (book(version="1"), "version must be a whole number from 1 to 2147483647"),
        (book(version=True), "version must be a whole number from 1 to 2147483647"),
        (book(title=None), "title must be text, not null"),
        (book(title=" "), "title must not be blank"),
        (book(title=["x"]), "title must be text, not a list"),
        (book(tags={"a": 1}), "tags must be a list, not an object"),
        (book(tags="abc"), "tags must be a list, not text"),
        (book(notes=["n", 5]), "notes[1] must be text, not a number"),
        (book(notes=["n", "\x07"]), "notes[1] must not hold control characters, and this holds U+0007 at position 0"),
        (book(description=["x"]), "description must be text, not a list"),
        (book(pages="5"), "pages must be a whole number, not text"),
        (book(pages=10**30), "pages must be a whole number from 1 to 1000000"),
        (book(published=1999), "published must be text, not a number"),
        (book(sources={}), "sources must be a list, not an object"),
        (book(sources=["x"]), "sources[0] must be an object, not text"),
        (book(sources=[{"source": "s"}]), "sources[0].key is missing"),
        (
            book(sources=[{"source": "s", "key": "k\0"}]),
            "sources[0].key must be text of at most 500 characters, none of them U+0000",
        ),
        (
            book(sources=[{"source": "s", "key": "k", "content": "ä"}]),
            "sources[0].content must be base64, not 'ä'",
        ),
        (book(links=[{"url": 5}]), "links[0].url must be text, not a number"),
        (book(id=5), "id must be a UUID, not a number"),
        (book(id="5"), "id must be a UUID, not '5'"),
        (book(created_at="2020-01-01T00:00:00"), "created_at must be a time as YYYY-MM-DDTHH:MM:SSZ"),
        (book(created_at="0001-01-01T00:00:00+14:00"), "created_at must be a time as YYYY-MM-DDTHH:MM:SSZ"),
        (book(isbn="9780141439600"), "must have one first ISBN"),
        (book(colour="red"), "it must not have the members colour, which there are not"),
        (author(name=5), "name must be text, not a number"),
        (author(name=None, variants="abc"), "name must be text, not null; variants must be a list, not text"),
        (author(dob=5), "dob must be a day as YYYY-MM-DD, not a number"),
        (author(dob="soon"), "dob must be a day as YYYY-MM-DD, not 'soon'"),
        (b'{"record": "author"}', "id is missing; name is missing; created_at is missing; updated_at is missing"),
    ],
)
def test_a_member_that_holds_something_else_is_told_with_what_it_must_be(line: bytes, told: str) -> None:
    refused, last = read(line, author())

    assert told in refused.refusal
    assert refused.record is None
    assert last.record == AUTHOR


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"[]", "is no object, as a record is"),
        (b"{", "is no JSON: Input data was truncated"),
        (b'{"record":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deeply"),
        (b'{"record": 5}', "is no record that there is (author, book)"),
    ],
)
def test_a_line_that_is_no_record_says_so_in_words(line: bytes, told: str) -> None:
    refused, last = read(line, author())

    assert refused.refusal == told
    assert last.record == AUTHOR


def test_a_time_of_another_zone_is_kept_in_utc() -> None:
    (entry,) = read(author(created_at="2026-01-02T05:04:05+02:00"))

    assert entry.record == evolve(AUTHOR, created_at=NOW)


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_byte_order_mark_before_the_first_record_is_passed_over(packed: Any) -> None:
    entries = list(NdjsonReader().read(io.BytesIO(packed(BOM_UTF8 + author()))))

    assert [entry.record for entry in entries] == [AUTHOR]


def test_a_record_with_half_a_million_wrong_items_is_refused_in_a_few_words() -> None:
    begun = time.process_time()

    (entry,) = read(book(tags=[5] * 500_000))

    assert len(entry.refusal) < 1000
    assert time.process_time() - begun < 5
