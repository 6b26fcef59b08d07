"""Elements of XML, cut out of files."""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, BinaryIO

from catalog.domain.errors import UnreadableFile

from .contents import parts_of

_LONGEST_TAG = 200
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")


def elements_of(content: BinaryIO, name: str, parts: str, longest: int) -> Iterator[bytes | None]:
    """Yield each innermost element whose name is so (a regular expression), in UTF-8; None for what is longer.

    They are cut out of the file wherever they stand in it: so what is broken takes no other along, and a document type,
    with whatever entities it declares, is never read. An element may stand in another of its name, which wraps it; but
    where elements that only stand within it (`parts`) came before, one has no end, and another begins. Raises
    UnreadableFile.
    """
    ends = re.compile(rb"</(?P<prefix>[\w.-]*:)?" + name.encode() + rb"\s*>")
    any_starts = re.compile(rb"<(?:[\w.-]+:)?" + name.encode() + rb"(?=[\s>])")
    has_parts = re.compile(rb"<(?:[\w.-]+:)?(?:" + parts.encode() + rb")[\s/>]").search
    kept = bytearray()
    searched = 0
    for part in in_utf_8(content):
        kept += part
        while end := ends.search(kept, searched):
            # Where none begins, it is the end of what was too long, or of what wraps others.
            yield from _from_starts(bytes(kept[: end.end()]), _starts(end["prefix"] or b"", name), has_parts)
            del kept[: end.end()]
            searched = 0
        if len(kept) > longest:
            before, last = _parted(bytes(kept), any_starts)
            yield from filter(has_parts, before)
            if last is not None and len(last) > longest:
                yield None
                last = None
            del kept[: -(_LONGEST_TAG if last is None else len(last))]
        searched = max(0, len(kept) - _LONGEST_TAG)
    yield from _from_starts(bytes(kept), any_starts, has_parts)


def _from_starts(content: bytes, starts: re.Pattern[bytes], has_parts: Callable[[bytes], object]) -> Iterator[bytes]:
    """Yield what begins in the content: last the one that goes on to its end, before it those that have none."""
    before, last = _parted(content, starts)
    yield from filter(has_parts, before)
    if last is not None:
        yield last


def _parted(content: bytes, starts: re.Pattern[bytes]) -> tuple[Sequence[bytes], bytes | None]:
    """Return what stands from one start to the next, and what stands from the last one on."""
    places = [found.start() for found in starts.finditer(content)]
    before = [content[begins:ends] for begins, ends in pairwise(places)]
    return before, content[places[-1] :] if places else None


@cache
def _starts(prefix: bytes, name: str) -> re.Pattern[bytes]:
    return re.compile(rb"<" + re.escape(prefix) + name.encode() + rb"(?=[\s>])")


def in_utf_8(content: BinaryIO) -> Iterator[bytes]:
    """Yield a file of XML, which may declare another encoding, in UTF-8; raise UnreadableFile."""
    try:
        decode: Any = None
        for number, part in enumerate(parts_of(content)):
            decode = _decoder(part) if number == 0 else decode
            yield part if decode is None else decode(part).encode()
    except UnicodeError as error:
        raise UnreadableFile(f"the file is not in the encoding that it declares ({error})") from None


def _decoder(first: bytes) -> Any:
    """Return what decodes the file; None for UTF-8, of which each record is looked at on its own."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")().decode
    found = _DECLARED.search(first[:200])
    name = found[1].decode() if found else "utf-8"
    try:
        "".encode(name)  # refuses what is no encoding of text, as zip
        codec = codecs.lookup(name)
    except LookupError:
        raise UnreadableFile(f"the file declares the encoding {name!r}, which nobody knows") from None
    return None if codec.name in {"utf-8", "ascii"} else codec.incrementaldecoder().decode
