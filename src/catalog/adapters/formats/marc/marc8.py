"""MARC-8: the encoding of records whose leader does not say UTF-8. Every character that gets lost is told of."""

import re
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO

from pymarc import marc8_to_unicode

ESCAPE = b"\x1b"
"""What begins a sequence that changes the set of characters."""

_SETS = b"1234BENQSbgps"
_UNKNOWN_ESCAPE = re.compile(rb"\x1b(?![(,)$-]*[" + _SETS + rb"])")
# But those that keep words out of sorting, and those that join letters or do not.
_CONTROLS = re.compile(rb"[\x81-\x87\x8a-\x8c\x8f-\x9f]")
_DIACRITIC = re.compile(rb"[\xe0-\xfe]")
# Of pymarc; a blank in another alphabet is one all the same.
_COMPLAINTS = re.compile("^(?:Unable to parse character (?!0x20 )|Multi-byte position)", re.MULTILINE)


def texts_of(tags: Sequence[str], fields: Sequence[bytes], warnings: list[str]) -> Sequence[str]:
    """Return what the fields say; a warning tells how many characters could not be understood, and where."""
    texts: list[str] = []
    lost: dict[str, int] = {}
    for tag, field in zip(tags, fields, strict=True):
        text, count = _text(tag, field)
        texts.append(text)
        if count:
            lost[tag] = lost.get(tag, 0) + count
    if lost:
        number = sum(lost.values())
        warnings.append(
            f"{number} {'character' if number == 1 else 'characters'} in {', '.join(lost)} "
            "could not be read as MARC-8, which its leader says; a blank or nothing stands there"
        )
    return texts


def _text(tag: str, field: bytes) -> tuple[str, int]:
    if tag < "010" and tag.isdigit():
        return field.decode("latin-1"), 0
    indicators, *parts = field.split(b"\x1f")
    converted = [_converted(part[1:]) for part in parts]
    codes = [part[:1].decode("latin-1") for part in parts]
    said = [code + text for code, (text, _) in zip(codes, converted, strict=True)]
    return "\x1f".join([indicators.decode("latin-1"), *said]), sum(count for _, count in converted)


def _converted(data: bytes) -> tuple[str, int]:
    """Return the text, and how many characters of it got lost."""
    has_escape = ESCAPE in data
    if not has_escape and data.isascii():
        return data.decode("ascii"), 0
    count = len(_CONTROLS.findall(data)) + len(_UNKNOWN_ESCAPE.findall(data))
    if not has_escape and _DIACRITIC.match(data[-1:]):
        count += 1  # there is no letter to which it belongs
    try:
        text, complaints = _by_pymarc(data)
    except UnicodeDecodeError:  # a sequence ends before it says anything
        text, complaints = _by_pymarc(data.replace(ESCAPE, b""))
    return text, count + complaints


def _by_pymarc(data: bytes) -> tuple[str, int]:
    with redirect_stderr(StringIO()) as said:
        text = marc8_to_unicode(data)
    return text, len(_COMPLAINTS.findall(said.getvalue()))
