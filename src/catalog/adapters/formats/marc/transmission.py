"""ISO 2709: bytes to records. One broken record never takes its neighbours along."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from typing import BinaryIO
from unicodedata import normalize

from attrs import frozen
from pymarc import Field, Indicators, Leader, Record, Subfield

from catalog.adapters.formats.common import parts_of

from . import marc8
from .fields import Fields

RECORD_TERMINATOR, FIELD_TERMINATOR = b"\x1d", b"\x1e"
LONGEST_RECORD = 10_000_000
"""Bytes. The length in the leader ends at 99,999; records in the wild do not."""

_MARKS = re.compile("[\x1d-\x1f]")
_LEADER_LENGTH = 24
_ODD_PLACE = re.compile(rb"\x1f[\x80-\xff]|\x1e.?[\x80-\xff]", re.DOTALL)
"""Where a code of a subfield, or an indicator, may be no ASCII."""
_CUT_OFF = "is cut off: the mark at its end is missing; get the file again"
_BETWEEN = b"\r\n\t \x00\x1a"
"""What programs write between records, though nothing belongs there."""


@frozen
class Transmitted:
    """The bytes of one record and the fields that they say; or why they say none."""

    number: int
    """Which record of the file it is, from 1."""
    content: bytes
    fields: Fields | None = None
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
            if raw.startswith(BOM_UTF8):
                raw = raw.removeprefix(BOM_UTF8).lstrip(_BETWEEN)
            del kept[: end + 1]
            yield None if is_too_long else raw
            is_too_long = False
        if len(kept) > LONGEST_RECORD:
            kept.clear()
            is_too_long = True
    if is_too_long:
        yield None
    elif rest := bytes(kept).removeprefix(BOM_UTF8).strip(_BETWEEN):
        yield rest


def record_in(content: bytes) -> Record:
    """Return the record that the bytes of a kept record say; raise ValueError that says why they say none."""
    if not content.endswith(RECORD_TERMINATOR):
        raise ValueError(_CUT_OFF)
    try:
        return _record(content, *_taken_apart(content, []), [])
    except ValueError as error:
        raise ValueError(f"can not be read: {error}") from None


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
        return Transmitted(number, raw, broken=_CUT_OFF)
    warnings: list[str] = []
    try:
        leader, tags, texts = _taken_apart(raw, warnings)
    except ValueError as error:
        return Transmitted(number, raw, broken=f"can not be read: {error}")
    if _is_sound(tags, texts) and not _has_odd_places(raw):
        fields = Fields.transmitted(tags, texts)
    else:
        fields = Fields.of_record(_record(raw, leader, tags, texts, warnings))
    return Transmitted(number, raw, fields, warnings=tuple(dict.fromkeys(warnings)))


def _taken_apart(raw: bytes, warnings: list[str]) -> tuple[str, Sequence[str], Sequence[str]]:
    """Return the leader, and tags and contents of the fields; raise ValueError where that can not be told."""
    leader, base = _leader(raw)
    tags, fields = _fields(raw, base, warnings)
    return leader, tags, _texts(raw, tags, fields, warnings)


def _is_sound(tags: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether each data field has two indicators and a subfield."""
    for tag, text in zip(tags, texts, strict=True):  # noqa: SIM110 - this is asked of each record, and all() is slower
        if text[2:3] != "\x1f" and not _is_control(tag):
            return False
    return True


def _has_odd_places(raw: bytes) -> bool:
    return not raw.isascii() and _ODD_PLACE.search(raw) is not None


def _is_control(tag: str) -> bool:
    return tag < "010" and tag.isdigit()


def _record(raw: bytes, leader: str, tags: Sequence[str], texts: Sequence[str], warnings: list[str]) -> Record:
    record = Record()
    record.leader = Leader(f"{leader[:9]}a{leader[10:]}")  # in whichever encoding it came, its texts are Unicode now
    record.fields = [_field(tag, text, warnings) for tag, text in zip(tags, texts, strict=True)]
    if _has_odd_places(raw):
        _mend(record, warnings)
    return record


def _leader(raw: bytes) -> tuple[str, int]:
    """Return the leader, with the length that the record has, and where its first field begins."""
    if len(raw) <= _LEADER_LENGTH:
        raise ValueError(f"its leader is cut off: it has {len(raw) - 1} characters, and should have {_LEADER_LENGTH}")
    try:
        leader = f"{min(len(raw), 99_999):05d}" + raw[5:_LEADER_LENGTH].decode("ascii")
    except UnicodeDecodeError as error:
        place, byte = error.start + 5, error.object[error.start]
        raise ValueError(f"its leader has the byte {byte:02x} in place {place}, which is no ASCII; mend it") from None
    if len(raw) > 99_999:  # the leader may have no room for where it begins
        return leader, raw.find(FIELD_TERMINATOR) + 1
    told = leader[12:17]
    if not told.strip().isdigit():
        raise ValueError(f"its leader should say in places 12 to 16 where its fields begin, and says {told!r}; mend it")
    if not _LEADER_LENGTH < int(told) < len(raw):
        raise ValueError(f"its leader says that its fields begin at {int(told)}, and it has {len(raw)} bytes; mend it")
    return leader, int(told)


def _fields(raw: bytes, base: int, warnings: list[str]) -> tuple[Sequence[str], Sequence[bytes]]:
    """Return the tags that the directory tells, and the bytes of each field."""
    try:
        directory = raw[_LEADER_LENGTH : base - 1].decode("ascii")
    except UnicodeDecodeError as error:
        place, byte = error.start + _LEADER_LENGTH, error.object[error.start]
        raise ValueError(f"its directory has the byte {byte:02x} in place {place}, which is no ASCII") from None
    if not directory:
        raise ValueError("it has no fields")
    if len(directory) % 12:
        raise ValueError(
            f"its directory has {len(directory)} characters, and 12 belong to each field; "
            "it, or where the leader says that it ends, is wrong"
        )
    tags = [directory[at : at + 3] for at in range(0, len(directory), 12)]
    data = raw[base:-1]
    fields = data.split(FIELD_TERMINATOR)
    if not fields[-1]:
        fields.pop()
    if _is_in_order(directory, fields):
        return tags, fields
    places = _places(directory)
    told = [data[place : place + length - 1] for length, place in places]
    if _is_whole(data, places):  # in another order, or with marks of its own within a field
        return tags, told
    is_out_of_reach = len(raw) > 99_999 or any(len(field) > 9_998 for field in fields)
    if len(tags) == len(fields):
        if not is_out_of_reach:
            warnings.append("its directory says wrong where its fields stand: they were taken in their order")
        return tags, fields
    if is_out_of_reach:
        raise ValueError(f"its directory tells of {len(tags)} fields, and it has {len(fields)}")
    warnings.append(f"its directory tells of {len(tags)} fields, and it has {len(fields)}: some may be lost or wrong")
    return tags, told


def _is_in_order(directory: str, fields: Sequence[bytes]) -> bool:
    """Whether the directory says of each field how long it is and where it stands, one after the other."""
    if len(directory) != 12 * len(fields):
        return False
    place, at = 0, 3
    try:
        for field in fields:
            length = len(field) + 1
            if int(directory[at : at + 9]) != length * 100_000 + place:
                return False
            place += length
            at += 12
    except ValueError:
        return False
    return True


def _places(directory: str) -> Sequence[tuple[int, int]]:
    """Return the length of each field, and where it begins, as the directory says it."""
    places: list[tuple[int, int]] = []
    for at in range(0, len(directory), 12):
        tag, length, place = (directory[at + first : at + last] for first, last in ((0, 3), (3, 7), (7, 12)))
        if not (length.strip().isdigit() and place.strip().isdigit()):
            raise ValueError(f"its directory says of {tag!r} {length + place!r}, where length and place should stand")
        places.append((int(length), int(place)))
    return places


def _is_whole(data: bytes, places: Sequence[tuple[int, int]]) -> bool:
    """Whether each field stands between marks, and each of the bytes in one field."""
    at = 0
    for length, place in sorted(places, key=itemgetter(1)):
        if place != at or length < 1 or data[place + length - 1 : place + length] != FIELD_TERMINATOR:
            return False
        at += length
    return at == len(data)


def _field(tag: str, text: str, warnings: list[str]) -> Field:
    if _is_control(tag):
        return Field(tag, data=text)
    both, *parts = text.split("\x1f")
    if len(both) != 2:
        warnings.append(f"{tag} has {len(both)} indicators, not 2")
        both = both.ljust(2)
    return Field(tag, Indicators(both[0], both[1]), [Subfield(part[0], part[1:]) for part in parts if part])


def _mend(record: Record, warnings: list[str]) -> None:
    """Take a letter of ASCII for each code that is none, and a blank for each such indicator."""
    for field in record.fields:
        if field.control_field:
            continue
        if not "".join(field.indicators or ()).isascii():
            warnings.append(f"{field.tag} has an indicator that is no ASCII: a blank stands for it")
            first, second = [each if each.isascii() else " " for each in field.indicators or "  "]
            field.indicators = Indicators(first, second)
        for place, part in enumerate(field.subfields):
            if not part.code.isascii():
                code = normalize("NFKD", part.code + part.value).encode("ascii", "ignore").decode()[:1] or "_"
                warnings.append(f"{field.tag} has a subfield {part.code!r}: it was taken for ${code}")
                field.subfields[place] = Subfield(code, part.value)


def _texts(raw: bytes, tags: Sequence[str], fields: Sequence[bytes], warnings: list[str]) -> Sequence[str]:
    """Return what the fields say, in the encoding that the leader tells, unless the bytes tell another."""
    if raw[9:10] == b"a" or (raw.isascii() and marc8.ESCAPE not in raw):
        try:
            return [field.decode() for field in fields]
        except UnicodeDecodeError as error:
            wrong = error.object[error.start : error.end].hex(" ")
            warnings.append(f"bytes that are no UTF-8 ({wrong}) were replaced")
            return [field.decode("utf-8", "replace") for field in fields]
    if marc8.ESCAPE not in raw:
        # A diacritic of MARC-8 stands before a letter of ASCII, which UTF-8 never has there.
        with suppress(UnicodeDecodeError):
            texts = [field.decode() for field in fields]
            warnings.append("its leader says MARC-8, and its bytes are UTF-8: it was read as UTF-8")
            return texts
    return marc8.texts_of(tags, fields, warnings)
