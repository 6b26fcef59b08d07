"""Elements of XML, cut out of files."""

import codecs
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO

from catalog.domain.errors import UnreadableFile

from .contents import parts_of

_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)")


def elements_of(content: BinaryIO, name: str, longest: int) -> Iterator[bytes | None]:
    """Yield each innermost element whose name is so (a regular expression), in UTF-8; None for what is longer.

    They are cut out of the file wherever they stand in it: so what is broken takes no other along, and a document type,
    with whatever entities it declares, is never read. Raises UnreadableFile.
    """
    ends = re.compile(rb"</(?P<prefix>[\w.-]*:)?" + name.encode() + rb"\s*>")
    kept = bytearray()
    searched = 0
    for part in in_utf_8(content):
        kept += part
        while end := ends.search(kept, searched):
            begins = _last_start(bytes(kept[: end.start()]), _starts(end["prefix"] or b"", name))
            if begins is not None:
                yield bytes(kept[begins : end.end()])
            del kept[: end.end()]
            searched = 0
        searched = max(0, len(kept) - 200)
        if len(kept) > longest:
            yield None
            kept.clear()
            searched = 0
    if (begins := _last_start(bytes(kept), _starts(b"", name))) is not None and ends.search(kept) is None:
        yield bytes(kept[begins:])


def _last_start(content: bytes, starts: re.Pattern[bytes]) -> int | None:
    *_, last = (None, *starts.finditer(content))
    return None if last is None else last.start()


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
