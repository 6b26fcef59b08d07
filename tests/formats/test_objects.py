"""Objects of JSON: one that is broken takes no other along, wherever the file is cut into parts."""

import io
import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from catalog.adapters.formats.common import contents, objects_of
from catalog.adapters.formats.csljson import CslReader
from catalog.adapters.formats.marc import marcjson
from catalog.domain.errors import UnreadableFile
from catalog.domain.sources import Entry
from catalog.entrypoints.formats import Reading, record_reader

ITEMS: Sequence[Any] = [
    {"id": "1", "title": 'A "{[" \\', "author": [{"family": "B"}, {"family": "C"}]},
    {"id": "2", "title": "]}", "issued": {"date-parts": [[1999, 1]]}},
    {"id": "3", "title": "{" * 20},
]


def cut(content: bytes, longest: int = 1_000_000) -> Sequence[bytes | None]:
    return list(objects_of(io.BytesIO(content), longest))


def read(content: bytes) -> Sequence[Entry]:
    return list(CslReader(source="file").read(io.BytesIO(content)))


def told(entries: Sequence[Entry]) -> Sequence[str]:
    """The title of what is a book, and of what is none, the reason."""
    return [entry.refusal if entry.draft is None else entry.draft.details.title for entry in entries]


@pytest.mark.parametrize("part", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [json.dumps(ITEMS), json.dumps(ITEMS, indent=1), "\n".join(map(json.dumps, ITEMS)), json.dumps(ITEMS) * 1 + "\n"],
    ids=["array", "lines", "one after the other", "line end"],
)
def test_objects_are_cut_out_wherever_the_parts_of_the_file_end(
    content: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "PART", part)

    assert [json.loads(raw or b"") for raw in cut(content.encode())] == ITEMS


@pytest.mark.parametrize("part", [5, 1 << 20])
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"id": "2", "title": "T"', "is no JSON"),
        ('{"id": "2", "author": [{"family": "F"}, "title": "T"}', "is no JSON"),
        ('{"id": "2", "issued": {"date-parts": [[1999]], "title": "T"}', "is no JSON"),
        ('{"id": "2", "title": "T,\n  "publisher": "P"}\n', "is no JSON"),
        ('{"id": "2", "title": "T\nT"}', "is no JSON"),
        ('{"id": "2", "title": T}', "is no JSON"),
        ("5", "is no object"),
        ('"}{"', "is no object"),
        ("null", "is no object"),
        ("{}", "has no title"),
        ('{"x":' * 100_000 + "1" + "}" * 100_000, "is nested too deeply"),
        ('{"x":' + "[" * 100_000 + "]" * 100_000 + "}", "is nested too deeply"),
    ],
    ids=["no end", "list", "object", "text", "lines", "word", "number", "string", "null", "empty", "deep", "lists"],
)
def test_a_broken_item_is_refused_and_its_neighbours_are_read(
    broken: str, reason: str, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "PART", part if len(broken) < 1000 else 1 << 16)

    one, refused, *others = told(read(f'[{{"id": 1, "title": "One"}}, {broken}, {json.dumps(ITEMS)[1:]}'.encode()))

    assert one == "One"
    assert refused.startswith(reason)
    assert others == [item["title"] for item in ITEMS]


def test_an_array_that_is_cut_off_loses_no_more_than_the_item_it_ends_in() -> None:
    assert told(read(b'[{"id": 1, "title": "One"}, {"id": 2, "ti')) == ["One", "is no JSON: Input data was truncated"]
    assert told(read(b'[{"id": 1, "title": "One"}, {"id": 2, "title": "Two"]')) == [
        "One",
        "is no JSON: Input data was truncated",
    ]


def test_an_object_that_holds_the_items_is_read_as_well() -> None:
    assert told(read(json.dumps({"items": [*ITEMS, "x"]}).encode())) == [
        *(item["title"] for item in ITEMS),
        "is no item: an object was expected",
    ]


def test_more_items_than_fit_into_memory_are_read_one_by_one() -> None:
    item = json.dumps({"id": "1", "title": "T", "abstract": "a" * 50_000}).encode() + b","

    entries = CslReader(source="file").read(io.BytesIO(b"[" + item * 1100))

    assert sum(entry.draft is not None for entry in entries) == 1100


def test_what_is_too_long_is_told_once_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "PART", 100)
    long = {"id": "x", "notes": ["n" * 20] * 1000}

    first, missing, *others = cut(json.dumps([{"id": 0}, long, *ITEMS]).encode(), longest=1000)

    assert first == b'{"id": 0}'
    assert missing is None
    assert [json.loads(raw or b"") for raw in others] == ITEMS


def test_what_is_no_object_and_too_long_is_told_once_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "PART", 100)

    assert cut(b"[" + b"1," * 5000 + b'{"id": 1}]', longest=1000) == [None, b'{"id": 1}']


@pytest.mark.parametrize("content", [b" " * 2_000_000 + b"x", b'"\n' * 500_000, b'{"a":' * 300_000, b"[[" * 500_000])
def test_what_is_no_json_takes_no_time(content: bytes) -> None:
    begun = time.process_time()

    cut(content, longest=10_000_000)

    assert time.process_time() - begun < 3


def test_an_array_of_something_else_is_told_in_a_few_words() -> None:
    reading = Reading(source="file")

    for content in (b"[1, 2, 3]", b"[]", b'[null, {"a": 1}]', b'["' + b"x" * 5000, b"[true]", b"[-1.5e3,"):
        with pytest.raises(UnreadableFile, match="it is JSON, but none that is read") as raised:
            record_reader(None, content[:4096], reading)
        assert len(str(raised.value)) < 300
    assert isinstance(record_reader(None, b'[5, "x", {"id": 1}', reading), CslReader)


def test_what_stands_between_records_of_marc_is_told_of() -> None:
    between, record = marcjson.records_of(io.BytesIO(b'[5, {"leader": "x", "fields": []}]'))

    assert between.broken == "is no object, as a record is"
    assert record.fields is not None
