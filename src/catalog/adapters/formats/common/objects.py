"""Objects of JSON, cut out of files."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from catalog.domain.errors import InvalidValue

from .contents import parts_of

_MARK = re.compile(
    # Texts, as many as follow each other.
    rb'(?:"[^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*+"\s*+(?::\s*+|,\s*+(?="))?+)++'
    # One that goes on over lines has to be followed by what may follow a text, or its end is another's beginning.
    rb'|"[^"\\]*+(?:\\.[^"\\]*+)*+"(?=\s*(?:[,:\]}]|\Z))'
    rb'|(?P<unfinished>"[^"\\]*+(?:\\.[^"\\]*+)*+\\?\Z)|"'
    rb"|(?P<begins>(?:(?P<comma>,)\s*+)?\{)|(?P<list>\[)|(?P<ends>\})|(?P<list_ends>\])",
    re.DOTALL,
)
_NOTHING = re.compile(rb"[\s,\x00\x1e]*+\]?+[\s,\x00\x1e]*+\[?+[\s,\x00\x1e]*+\]?+[\s,\x00\x1e]*+")
_AROUND = b" \t\r\n,\x00\x1e"


def object_in(raw: bytes) -> dict[str, Any]:
    """Return the object that the bytes say; raise InvalidValue, the rule of which says what they are instead."""
    try:
        said = msgspec.json.decode(raw)
    except RecursionError:
        raise InvalidValue("is nested too deeply") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InvalidValue(f"is no JSON: it has the byte {byte:02x}, which is no UTF-8") from None
    except msgspec.DecodeError as error:
        raise InvalidValue(f"is no JSON: {error}") from None
    if not isinstance(said, dict):
        raise InvalidValue("is no object, as a record is")
    return said


def objects_of(content: BinaryIO, longest: int) -> Iterator[bytes | None]:
    """Yield each outermost object, which stand in an array or one after the other; None for what is longer.

    What stands between them and is no object is yielded, too. Where an end is missing, an object ends where another
    begins that can stand in none, or where the array ends: so what is broken seldom takes others along.
    """
    cutting = _Cutting(longest)
    for part in parts_of(content):
        yield from cutting.go_on(part)
        if len(cutting.kept) > longest:
            if not cutting.is_told:
                yield None
            if not cutting.let_go():
                return
    yield from cutting.come_to_an_end()


class _Cutting:
    """How far a file has been cut."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self.kept = bytearray()
        self.is_told = False
        """Whether the object that is being read is longer than any may be, and was told so."""
        self._open = bytearray()
        """Which brackets are open, from that of the object on."""
        self._begins = self._searched = 0

    def go_on(self, part: bytes) -> Iterator[bytes | None]:
        self.kept += part
        content = bytes(self.kept)
        for mark in _MARK.finditer(content, self._searched):
            kind = mark.lastgroup
            if kind == "unfinished":  # the text goes on in the next part
                break
            if kind is not None:
                yield from self._at(content, kind, mark)
            self._searched = mark.end()
        if self._open or not _NOTHING.fullmatch(content, self._begins):
            done = self._begins
        else:
            done = self._begins = self._searched
        del self.kept[:done]
        self._begins, self._searched = 0, self._searched - done

    def _at(self, content: bytes, kind: str, mark: re.Match[bytes]) -> Iterator[bytes | None]:
        if kind in ("begins", "comma"):
            # Within an object, a name has to follow a comma.
            if mark["comma"] and self._open.endswith(b"{"):
                yield from self._cut(content, mark.start())
            if not self._open:
                yield from self._between(content, mark.end() - 1)
            self._open += b"{"
        elif not self._open:
            return
        elif kind == "list":
            self._open += b"["
        elif kind == "ends":
            del self._open[self._open.rindex(b"{") :]
            if not self._open:
                yield from self._cut(content, mark.end())
        elif (opened := self._open.rfind(b"[")) >= 0:
            del self._open[opened:]
        else:
            yield from self._cut(content, mark.start())

    def _cut(self, content: bytes, end: int) -> Iterator[bytes | None]:
        """End the object that is open."""
        self._open.clear()
        yield from self._until(content, end)

    def _between(self, content: bytes, end: int) -> Iterator[bytes | None]:
        """End what stands where no object is open."""
        if _NOTHING.fullmatch(content, self._begins, end):
            self._begins, self.is_told = end, False
        else:
            yield from self._until(content, end)

    def _until(self, content: bytes, end: int) -> Iterator[bytes | None]:
        if end - self._begins > self._longest:
            yield from () if self.is_told else (None,)
        elif not self.is_told:
            yield content[self._begins : end].strip(_AROUND).removeprefix(b"[").strip(_AROUND)
        self._begins, self.is_told = end, False

    def let_go(self) -> bool:
        """Forget what was read of something too long; return False for a text, the end of which is not known."""
        self.is_told = True
        could = self._searched > 0 or not self._open
        del self.kept[: self._searched if self._open else None]
        self._begins = self._searched = 0
        return could

    def come_to_an_end(self) -> Iterator[bytes | None]:
        if self._open:
            yield from self._cut(bytes(self.kept), len(self.kept))
        else:
            yield from self._between(bytes(self.kept), len(self.kept))
