"""Lines to records."""

from base64 import b64decode
from collections.abc import Generator, Mapping
from datetime import date, datetime
from typing import Any, BinaryIO
from uuid import UUID

import msgspec
from attrs import frozen
from cattrs import Converter, ForbiddenExtraKeysError

from catalog.adapters.formats.common import lines_of
from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.kinds import Kind
from catalog.domain.sources import Entry
from catalog.domain.values import TextValue

LONGEST_LINE = 50_000_000
"""Bytes."""

_KINDS: Mapping[str, type[Any]] = {Kind.AUTHOR.value: Author, Kind.BOOK.value: Book}


@frozen(kw_only=True)
class NdjsonReader:
    """Reads what `NdjsonWriter` writes; a line that is no record is refused, and the next one is read."""

    source: str = ""

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield the record of each line."""
        for number, line in enumerate(lines_of(content, LONGEST_LINE), 1):
            if len(line) >= LONGEST_LINE:
                yield Entry(line=number, refusal=f"is longer than {LONGEST_LINE:,} bytes, so it is no record")
            elif line.strip():
                yield _entry(number, line)


def _entry(number: int, line: bytes) -> Entry:
    try:
        said = msgspec.json.decode(line)
        kind = said.pop("record", None)
        key = str(said.get("id", ""))[:100]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Entry(line=number, refusal=f"is no JSON: {error}")
    except (AttributeError, TypeError):
        return Entry(line=number, refusal="is no object that says what record it is")
    if not isinstance(kind, str) or kind not in _KINDS:
        return Entry(line=number, key=key, refusal=f"is no record that there is ({', '.join(_KINDS)})")
    try:
        return Entry(line=number, key=key, record=_converter.structure(said, _KINDS[kind]))
    except ForbiddenExtraKeysError as error:
        unknown = ", ".join(sorted(error.extra_fields))[:200]
        return Entry(line=number, key=key, refusal=f"has fields that no {kind} has: {unknown}")
    except KeyError as error:
        return Entry(line=number, key=key, refusal=f"has no field {error}")
    except (ValueError, TypeError, AttributeError) as error:
        return Entry(line=number, key=key, refusal=f"is no {kind}: {str(error)[:300]}")


def _make_converter() -> Converter:
    # A field that this version does not know would be lost: better no record.
    converter = Converter(detailed_validation=False, forbid_extra_keys=True)
    converter.register_structure_hook(UUID, lambda value, _target: UUID(value))
    converter.register_structure_hook(bytes, lambda value, _target: b64decode(value, validate=True))
    converter.register_structure_hook(date, lambda value, _target: date.fromisoformat(value))
    converter.register_structure_hook(datetime, _time)
    converter.register_structure_hook(int, _whole_number)
    converter.register_structure_hook_func(lambda target: isinstance(target, type) and issubclass(target, str), _text)
    return converter


def _time(value: Any, _target: Any) -> datetime:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return time


def _whole_number(value: Any, _target: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{str(value)[:50]!r} is no whole number")
    return value


def _text(value: Any, target: type[str]) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:50]!r} is no text")
    return target(value) if issubclass(target, TextValue) else value


_converter = _make_converter()
