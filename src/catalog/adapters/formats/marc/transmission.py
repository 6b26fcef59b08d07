"""ISO 2709: bytes to records. One broken record never takes its neighbours along."""

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from logging import Filter, LogRecord, getLogger
from typing import BinaryIO, Self
from warnings import catch_warnings, simplefilter

from attrs import frozen
from pymarc import Field, Indicators, Leader, Record, Subfield, marc8_to_unicode
from pymarc.exceptions import PymarcException

from catalog.adapters.formats.common import parts_of

RECORD_TERMINATOR, FIELD_TERMINATOR = b"\x1d", b"\x1e"
LONGEST_RECORD = 10_000_000
"""Bytes. The length in the leader ends at 99,999; records in the wild do not."""

_PYMARC = getLogger("pymarc")
_MARKS = re.compile("[\x1d-\x1f]")
_LEADER_LENGTH = 24
_ODD_CODE = re.compile(rb"\x1f[^\x00-\x7f]")
_BETWEEN = b"\r\n\t \x00\x1a"
"""What programs write between records, though nothing belongs there."""


@frozen
class Transmitted:
    """The bytes of one record and the record that they say; or why they say none."""

    number: int
    """Which record of the file it is, from 1."""
    content: bytes
    record: Record | None = None
    broken: str = ""
    warnings: tuple[str, ...] = ()


def records_of(content: BinaryIO) -> Iterator[Transmitted]:
    """Yield the records, as far as the mark at the end of each: the lengths in leaders are often wrong."""
    for number, raw in enumerate(_cut(content), 1):
        if raw is None:
            yield Transmitted(number, b"", broken=f"is longer than {LONGEST_RECORD:,} bytes, so it is no record")
        else:
            yield _read(number, raw)


def _cut(content: BinaryIO) -> Iterator[bytes | None]:
    """Yield the bytes between the marks; None for what is too long to be a record."""
    kept = bytearray()
    is_too_long = False
    for part in parts_of(content):
        kept += part
        while (end := kept.find(RECORD_TERMINATOR)) >= 0:
            raw = bytes(kept[: end + 1]).lstrip(_BETWEEN)
            del kept[: end + 1]
            yield None if is_too_long else raw
            is_too_long = False
        if len(kept) > LONGEST_RECORD:
            kept.clear()
            is_too_long = True
    if is_too_long:
        yield None
    elif rest := bytes(kept).strip(_BETWEEN):
        yield rest


def record_in(content: bytes) -> tuple[Record, bool]:
    """Return the record that the bytes of a kept record say, and whether some of them were replaced."""
    transmitted = _read(1, content)
    if transmitted.record is None:
        raise ValueError(transmitted.broken)
    return transmitted.record, bool(transmitted.warnings)


def bytes_of(record: Record) -> bytes:
    """Return the record as ISO 2709 in UTF-8.

    Where a length has more digits than its place has, nines stand for it: readers go by the marks then, as ours does.
    """
    fields = [_bytes_of(field) for field in record.fields]
    directory, offset = bytearray(), 0
    for field, content in zip(record.fields, fields, strict=True):
        directory += b"%3b%04d%05d" % (
            field.tag.encode("ascii", "replace").rjust(3, b"0")[:3],
            min(len(content), 9_999),
            min(offset, 99_999),
        )
        offset += len(content)
    base = _LEADER_LENGTH + len(directory) + 1
    length = base + offset + 1
    leader = bytearray(str(record.leader).encode("ascii", "replace").ljust(_LEADER_LENGTH)[:_LEADER_LENGTH])
    leader[0:5] = b"%05d" % min(length, 99_999)
    leader[9:17] = b"a22%05d" % min(base, 99_999)
    leader[20:24] = b"4500"
    return bytes(leader) + bytes(directory) + FIELD_TERMINATOR + b"".join(fields) + RECORD_TERMINATOR


def _bytes_of(field: Field) -> bytes:
    """Return the field; where a mark of another would stand, or an indicator that is none, there is a blank."""
    if field.control_field:
        return _MARKS.sub(" ", field.data or "").encode("utf-8", "replace") + FIELD_TERMINATOR
    first, second = [each if "!" <= each <= "~" else " " for each in (field.indicator1, field.indicator2)]
    parts = "".join(f"\x1f{_code(part.code)}{_MARKS.sub(' ', part.value)}" for part in field.subfields)
    return f"{first}{second}{parts}".encode("utf-8", "replace") + FIELD_TERMINATOR


def _code(code: str) -> str:
    return code if len(code) == 1 and " " <= code <= "~" else "_"


def _read(number: int, raw: bytes) -> Transmitted:
    if not raw.endswith(RECORD_TERMINATOR):
        return Transmitted(number, raw, broken="is cut off: the mark at its end is missing; get the file again")
    replaced: list[str] = []
    with _Heard() as heard:
        try:
            try:
                record = _taken_in_order(raw, "strict") if _is_out_of_reach(raw) else _record(raw, "strict")
            except UnicodeDecodeError as error:
                replaced += [
                    f"bytes that are no UTF-8 ({error.object[error.start : error.end].hex(' ')}) were replaced"
                ]
                heard.said.clear()
                record = _taken_in_order(raw, "replace") if _is_out_of_reach(raw) else _record(raw, "replace")
        except _BROKEN as error:
            return Transmitted(number, raw, broken=f"can not be read: {str(error) or type(error).__name__}")
    return Transmitted(number, raw, record, warnings=(*replaced, *heard.said))


class _Heard(Filter):
    """Hears what pymarc would otherwise print of a record: it goes into the report, in the words of pymarc."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def __enter__(self) -> Self:
        _PYMARC.addFilter(self)
        return self

    def __exit__(self, *_: object) -> None:
        _PYMARC.removeFilter(self)

    def filter(self, record: LogRecord) -> bool:
        self.said.append(record.getMessage()[:200])
        return False


# pymarc meets bytes that nobody foresaw with whatever Python raises then.
_BROKEN = (PymarcException, ValueError, LookupError, TypeError)


def _record(raw: bytes, utf8_handling: str) -> Record:
    content = _with_right_length(raw)
    if raw[9:10] == b"a" and not _ODD_CODE.search(raw):  # as most; then there is nothing that it could say
        return Record(content, utf8_handling=utf8_handling)
    with _in_silence():
        return Record(content, utf8_handling=utf8_handling, hide_utf8_warnings=True)


@contextmanager
def _in_silence() -> Generator[None]:
    """Keep pymarc from printing and warning: what it would say is told by the mark of what was replaced."""
    with catch_warnings(), redirect_stderr(StringIO()):
        simplefilter("ignore")
        yield


def _is_out_of_reach(raw: bytes) -> bool:
    """Whether the record, or a field, is longer than the digits of leader and directory can say."""
    return len(raw) > 99_999 or (len(raw) > 9_999 and any(len(field) > 9_998 for field in raw.split(FIELD_TERMINATOR)))


def _taken_in_order(raw: bytes, utf8_handling: str) -> Record:
    """Return the record of which the directory tells the tags, and the marks where each field ends."""
    leader = raw[:_LEADER_LENGTH].decode("ascii")
    directory, *fields = raw[_LEADER_LENGTH:].removesuffix(RECORD_TERMINATOR).split(FIELD_TERMINATOR)
    tags = [directory[at : at + 3].decode("ascii") for at in range(0, len(directory), 12)]
    if fields and not fields[-1]:
        fields.pop()
    if len(tags) != len(fields):
        raise ValueError(f"its directory tells of {len(tags)} fields, and it has {len(fields)}")

    def text(data: bytes) -> str:
        return (
            data.decode("utf-8", utf8_handling) if leader[9] == "a" else marc8_to_unicode(data, hide_utf8_warnings=True)
        )

    record = Record(force_utf8=True)
    record.leader = Leader(leader)
    with _in_silence():
        for tag, data in zip(tags, fields, strict=True):
            if tag < "010" and tag.isdigit():
                record.add_field(Field(tag=tag, data=text(data)))
                continue
            indicators, *parts = data.split(b"\x1f")
            both = indicators.decode("ascii").ljust(2)
            subfields = [Subfield(part[:1].decode("ascii"), text(part[1:])) for part in parts if part]
            record.add_field(Field(tag=tag, indicators=Indicators(both[0], both[1]), subfields=subfields))
    return record


def _with_right_length(raw: bytes) -> bytes:
    """Return the record with the length that it has, as far as the leader has room for it."""
    return b"%05d" % min(len(raw), 99_999) + raw[5:]
