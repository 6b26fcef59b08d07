"""MARC-in-JSON (Ross Singer): bytes to records and back. Records stand in an array, or one after the other."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from pymarc import Field, Indicators, Leader, Record, Subfield

from catalog.adapters.formats.common import object_in, objects_of

from .fields import Fields
from .transmission import LONGEST_RECORD, Transmitted

_BLANK_LEADER = "00000nam a2200000   4500"


def records_of(content: BinaryIO) -> Iterator[Transmitted]:
    """Yield the records of the file; raise UnreadableFile where it is damaged as a whole."""
    for number, raw in enumerate(objects_of(content, LONGEST_RECORD), 1):
        if raw is None:
            yield Transmitted(number, b"", broken=f"is longer than {LONGEST_RECORD:,} bytes, so it is no record")
            continue
        try:
            record = record_in(raw)
        except ValueError as error:
            yield Transmitted(number, raw, broken=str(error))
        else:
            yield Transmitted(number, raw, Fields.of_record(record))


def record_in(raw: bytes) -> Record:
    """Return the record that one object says; raise ValueError that says why it is none."""
    said = object_in(raw)
    try:
        return _made(said)
    except (ValueError, TypeError) as error:
        raise ValueError(f"is no record of MARC: {error}") from None


def _made(said: Mapping[str, Any]) -> Record:
    if not isinstance(said.get("fields"), list):
        raise TypeError("it has no list of fields")
    record = Record(force_utf8=True)
    record.leader = Leader(_text(said.get("leader", _BLANK_LEADER), "its leader").ljust(24)[:24])
    record.fields = [_field(tag, content) for each in said["fields"] for tag, content in _object(each).items()]
    return record


def bytes_of(record: Record) -> bytes:
    """Return the record as an object."""
    return json.dumps(record.as_dict(), ensure_ascii=False).encode("utf-8", "replace")


def _field(tag: str, content: Any) -> Field:
    if len(tag) != 3 or not tag.isascii():
        raise ValueError(f"{tag[:20]!r} is no tag")
    if isinstance(content, str):
        return Field(tag=tag, data=content)
    if not isinstance(content, dict) or not isinstance(content.get("subfields"), list):
        raise TypeError(f"its field {tag} has neither a text nor a list of subfields")
    subfields = [
        Subfield(code, _text(value, f"${code} of {tag}"))
        for each in content["subfields"]
        for code, value in _object(each).items()
        if len(code) == 1
    ]
    first, second = (_text(content.get(name, " "), f"{name} of {tag}").ljust(1)[0] for name in ("ind1", "ind2"))
    return Field(tag=tag, indicators=Indicators(first, second), subfields=subfields)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("something stands where a field or a subfield should")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{place} is no text")
    return value
