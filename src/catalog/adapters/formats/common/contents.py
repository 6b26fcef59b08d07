"""Files, which may be compressed, as bytes."""

import zlib
from codecs import BOM_UTF8
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from gzip import BadGzipFile, GzipFile
from io import BufferedReader, RawIOBase
from typing import BinaryIO, cast

from catalog.domain.errors import UnreadableFile

PART = 1 << 20
MOST_AT_ONCE = 50_000_000
"""Bytes of a file that has to be read at once."""

_GZIP = b"\x1f\x8b"


@contextmanager
def unpacked(content: BinaryIO) -> Generator[BinaryIO]:
    """Give the content, decompressed where it is gzipped, without a byte order mark; raise UnreadableFile for damage.

    The file stays its owner's to close.
    """
    reader = BufferedReader(cast("RawIOBase", content))
    try:
        is_packed = reader.peek(2)[:2] == _GZIP
        source = cast("BufferedReader", GzipFile(fileobj=reader)) if is_packed else reader
        beginning = source.peek(len(BOM_UTF8))
        if is_packed and beginning.startswith(_GZIP):
            raise UnreadableFile("the file is compressed twice; decompress it once")
        if beginning.startswith(BOM_UTF8):
            source.read(len(BOM_UTF8))
        yield cast("BinaryIO", source)
    except (EOFError, zlib.error, BadGzipFile) as error:
        raise UnreadableFile(f"the compressed file is damaged or not complete ({error}); get it again") from None
    finally:
        reader.detach()


def parts_of(content: BinaryIO) -> Iterator[bytes]:
    """Yield the content in parts of a megabyte."""
    with unpacked(content) as source:
        while part := source.read(PART):
            yield part


def lines_of(content: BinaryIO, longest: int) -> Iterator[bytes]:
    """Yield the lines; of one that is longer, only as much as tells that it is."""
    with unpacked(content) as source:
        while line := source.readline(longest):
            yield line
            while len(line) == longest and not line.endswith(b"\n"):
                line = source.readline(longest)


def whole(content: BinaryIO) -> bytes:
    """Return the content; raise UnreadableFile where it is too long for that."""
    with unpacked(content) as source:
        read = source.read(MOST_AT_ONCE + 1)
    if len(read) > MOST_AT_ONCE:
        raise UnreadableFile(
            f"the file has more than {MOST_AT_ONCE:,} bytes, and one of this format has to be read at once; divide it"
        )
    return read
