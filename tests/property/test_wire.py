"""What holds for all bodies."""

from collections.abc import Sequence
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, BookRecord
from catalog.domain.records import Amendment
from catalog.entrypoints.http import wire
from catalog.entrypoints.http.problems import InvalidBody, Violation
from catalog.testing.strategies import author_details, authors, book_details, instances_of

BODIES: list[Any] = [AuthorDetails, BookDetails, Amendment[AuthorDetails], Amendment[BookDetails]]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["2020-02-30", "2020-01-01T00:00:00Z", "9780141439600", "eng", "trl", "-0043", "\x00", "x" * 2000]
    )
    | st.uuids().map(str)
)
names = st.text(max_size=8) | st.sampled_from(
    sorted({*attrs.fields_dict(AuthorDetails), *attrs.fields_dict(BookDetails), "role", "id", "version", "a/b", "~"})
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=5))
objects = st.dictionaries(names, values, max_size=8)


def json_of(value: Any) -> bytes:
    return wire.encode(value)


@given(details=author_details())
def test_an_author_is_read_as_it_is_written(details: AuthorDetails) -> None:
    assert wire.decode(json_of(details), AuthorDetails) == details


@given(details=book_details(st.uuids()))
def test_a_book_is_read_as_it_is_written(details: BookDetails) -> None:
    assert wire.decode(json_of(details), BookDetails) == details


@given(details=author_details())
def test_changes_of_every_field_make_the_author_they_are_taken_from(details: AuthorDetails) -> None:
    changes: Amendment[AuthorDetails] = wire.decode(json_of(details), Amendment[AuthorDetails])

    assert changes.applied_to(AuthorDetails(name="Somebody else")) == details


@given(details=book_details(st.uuids()))
def test_changes_of_every_field_make_the_book_they_are_taken_from(details: BookDetails) -> None:
    changes: Amendment[BookDetails] = wire.decode(json_of(details), Amendment[BookDetails])

    assert changes.applied_to(BookDetails(title="Another", author_id=None)) == details


@given(record=authors())
def test_an_answer_says_everything_about_an_author_the_id_first(record: Any) -> None:
    told = msgspec.json.decode(json_of(record))

    assert told.keys() == attrs.fields_dict(type(record)).keys()
    assert next(iter(told)) == "id"
    assert wire.decode(json_of(record), type(record)) == record


@given(record=instances_of(BookRecord))
def test_an_answer_says_everything_about_a_book_the_id_first(record: Any) -> None:
    told = msgspec.json.decode(json_of(record))

    assert told.keys() == attrs.fields_dict(type(record)).keys()
    assert next(iter(told)) == "id"
    assert wire.decode(json_of(record), type(record)) == record


def violations_of(content: bytes, body: Any) -> Sequence[Violation]:
    """Decode, and return what is wrong; whatever else than InvalidBody is raised is a failure of the test."""
    try:
        wire.decode(content, body)
    except InvalidBody as refusal:
        return refusal.violations or pytest.fail("refused, and nothing is wrong")
    return ()


@pytest.mark.parametrize("body", BODIES, ids=str)
@given(value=objects | values)
def test_any_json_is_a_body_or_refused_as_one(body: Any, value: Any) -> None:
    assert all(v.detail and v.pointer is not None for v in violations_of(msgspec.json.encode(value), body))


@pytest.mark.parametrize("body", BODIES, ids=str)
@given(details=book_details(st.uuids()) | author_details(), name=names, value=values)
def test_a_good_body_with_one_strange_member_is_a_body_or_refused_as_one(
    body: Any, details: Any, name: str, value: Any
) -> None:
    content = msgspec.json.encode({**wire.told(details), name: value})

    assert all(v.detail and v.pointer is not None for v in violations_of(content, body))


@pytest.mark.parametrize("body", BODIES, ids=str)
@given(content=st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(content=b"[" * 100_000)
@example(content=b'{"name": "\xff"}')
@example(content=b'{"name": "\\ud800"}')
@example(content=b'{"name": 1e999}')
@example(content=b'{"name": ' + b"9" * 5000 + b"}")
@example(content=b'\xef\xbb\xbf{"name": "x"}')
@example(content=b"")
def test_any_bytes_are_a_body_or_refused_as_one(body: Any, content: bytes) -> None:
    assert all(v.detail and v.pointer is not None for v in violations_of(content, body))


@given(value=objects)
def test_every_pointer_leads_to_what_is_wrong_or_to_where_it_is_missing(value: Any) -> None:
    for violation in violations_of(msgspec.json.encode(value), BookDetails):
        *path, last = [step.replace("~1", "/").replace("~0", "~") for step in (violation.pointer or "").split("/")]
        parent: Any = value
        for step in path[1:]:
            parent = parent[int(step)] if isinstance(parent, list) else parent[step]
        if isinstance(parent, list):
            assert int(last) < len(parent)
        elif last not in parent:
            assert violation.detail == "this field is required"
