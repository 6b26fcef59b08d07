"""Bytes to rows: one broken row never takes its neighbours along."""

import csv
import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, cast

from attrs import frozen

from catalog.domain.errors import UnreadableFile

LONGEST_LINE = 1_000_000
# Stands for a line that is longer, and is none of CSV: a quote within a cell.
TOO_LONG = '"this line is too long"x\n'
_GZIP = b"\x1f\x8b"
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@frozen
class Row:
    """One row: the line it begins on, and its cells; or the line that is no row, and why."""

    line: int
    cells: tuple[str, ...] = ()
    broken: str = ""


def rows_of(content: BinaryIO, encoding: str) -> Generator[Row]:
    """Yield the rows of a CSV file, gzipped or not; raise UnreadableFile where it is none at all.

    Bytes that are not in the encoding come as lone surrogates (PEP 383), so that only their row is refused.
    """
    with closing(_decoded(content, encoding)) as decoded:
        yield from _rows(_Lines(decoded))


def _rows(lines: "_Lines") -> Iterator[Row]:
    header = lines.first()
    if _NO_TEXT.search(header):
        raise UnreadableFile(
            "the file is no text, for there are control characters in its first line; "
            "if it is text in another encoding, convert it to UTF-8"
        )
    reader = csv.reader(lines, strict=True, delimiter=_delimiter(header))
    while True:
        begins = lines.number + 1
        lines.keep()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # An open quote swallows lines until something else goes wrong; all but the first are read again.
            yield Row(begins, broken=_why(error, lines.first_kept()))
            lines.put_back_all_but_first()
        else:
            if cells:
                yield Row(begins, tuple(cells))


def _why(error: csv.Error, line: str) -> str:
    """Return why the line is no row."""
    if line is TOO_LONG:
        return f"longer than {LONGEST_LINE:,} characters"
    if str(error).startswith("field larger"):
        return f"not CSV: a cell is longer than {csv.field_size_limit():,} characters; a quote may not be closed"
    return f"not CSV: {error}"


def _delimiter(header: str) -> str:
    """Return what separates the columns: a comma, or what spreadsheets write where that is the decimal point."""
    return next((delimiter for delimiter in ",;\t" if delimiter in header), ",")


class _Lines:
    """Physical lines, numbered, which can be put back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._again: deque[str] = deque()
        self._kept: list[str] = []
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._source)
        self.number += 1
        self._kept.append(line)
        return line

    def first(self) -> str:
        """Return the next line, which still comes."""
        line = next(self._source, None)
        if line is not None:
            self._again.append(line)
        return line or ""

    def first_kept(self) -> str:
        """Return the first line since `keep`."""
        return self._kept[0]

    def keep(self) -> None:
        """Begin to keep lines, in case they have to be read again."""
        self._kept.clear()

    def put_back_all_but_first(self) -> None:
        """Have the lines since `keep`, but for the first, come again."""
        self._again.extendleft(reversed(self._kept[1:]))
        self.number -= len(self._kept) - 1


def _decoded(content: BinaryIO, encoding: str) -> Generator[str]:
    try:
        yield from _text_lines(content, encoding)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UnreadableFile(f"the compressed file is damaged or not complete ({error}); get it again") from None
    except UnicodeError as error:
        raise UnreadableFile(
            f"the file is not in the encoding {encoding} ({error}); name another with --encoding"
        ) from None


def _text_lines(content: BinaryIO, encoding: str) -> Iterator[str]:
    with _peekable(content) as raw:
        if raw.peek(2)[:2] == _GZIP:
            with _peekable(cast("BinaryIO", gzip.GzipFile(fileobj=raw))) as unpacked:
                yield from _lines_of(unpacked, encoding)
        else:
            yield from _lines_of(raw, encoding)


def _lines_of(content: "io.BufferedReader[Any]", encoding: str) -> Iterator[str]:
    beginning = content.peek(2)[:2]
    if beginning == _GZIP:
        raise UnreadableFile("the file is compressed twice; decompress it once")
    if beginning in _UTF16 and not encoding.lower().startswith("utf-16"):
        raise UnreadableFile("the file is in UTF-16; say so with --encoding utf-16")
    text = io.TextIOWrapper(content, encoding, errors="surrogateescape", newline="")
    try:
        while line := text.readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                _skip_to_line_end(text)
                line = TOO_LONG
            yield line
    finally:
        text.detach()


def _skip_to_line_end(text: io.TextIOWrapper) -> None:
    while (more := text.readline(LONGEST_LINE)) and not more.endswith("\n"):
        pass


@contextmanager
def _peekable(content: BinaryIO) -> Generator["io.BufferedReader[Any]"]:
    """Look ahead in a file that stays its owner's to close."""
    reader = io.BufferedReader(cast("io.RawIOBase", content))
    try:
        yield reader
    finally:
        reader.detach()
