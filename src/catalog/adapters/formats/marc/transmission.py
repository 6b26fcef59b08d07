"""ISO 2709: bytes to records. One broken record never takes its neighbours along."""

import zlib
from collections.abc import Iterator
from contextlib import redirect_stderr
from gzip import BadGzipFile, GzipFile
from io import BufferedReader, RawIOBase, StringIO
from logging import Filter, LogRecord, getLogger
from typing import BinaryIO, Self, cast
from warnings import catch_warnings, simplefilter

from attrs import frozen
from pymarc import Record
from pymarc.exceptions import PymarcException

from catalog.domain.errors import UnreadableFile

RECORD_TERMINATOR = b"\x1d"
LONGEST_RECORD = 10_000_000
"""Bytes. The length in the leader ends at 99,999; records in the wild do not."""

_PYMARC = getLogger("pymarc")
_PART = 1 << 20
_GZIP = b"\x1f\x8b"
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


def _parts(content: BinaryIO) -> Iterator[bytes]:
    """Yield the content, gzipped or not, part by part; raise UnreadableFile where a gzipped one is damaged."""
    reader = BufferedReader(cast("RawIOBase", content))
    try:
        source = cast("BinaryIO", GzipFile(fileobj=reader)) if reader.peek(2)[:2] == _GZIP else reader
        while part := source.read(_PART):
            yield part
    except (EOFError, zlib.error, BadGzipFile) as error:
        raise UnreadableFile(f"the compressed file is damaged or not complete ({error}); get it again") from None
    finally:
        reader.detach()


def _cut(content: BinaryIO) -> Iterator[bytes | None]:
    """Yield the bytes between the marks; None for what is too long to be a record."""
    kept = bytearray()
    is_too_long = False
    for part in _parts(content):
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


def _read(number: int, raw: bytes) -> Transmitted:
    if not raw.endswith(RECORD_TERMINATOR):
        return Transmitted(number, raw, broken="is cut off: the mark at its end is missing; get the file again")
    replaced: list[str] = []
    with _Heard() as heard:
        try:
            try:
                record = _record(raw, "strict")
            except UnicodeDecodeError as error:
                replaced = [f"bytes that are no UTF-8 ({error.object[error.start : error.end].hex(' ')}) were replaced"]
                heard.said.clear()
                record = _record(raw, "replace")
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
    # What it prints and warns of, too, is told by the mark of what was replaced.
    with catch_warnings(), redirect_stderr(StringIO()):
        simplefilter("ignore")
        return Record(_with_right_length(raw), utf8_handling=utf8_handling, hide_utf8_warnings=True)


def _with_right_length(raw: bytes) -> bytes:
    """Return the record with the length that it has, as far as the leader has room for it."""
    return b"%05d" % min(len(raw), 99_999) + raw[5:]
