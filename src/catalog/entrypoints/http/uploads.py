"""Files that come as the body of a request, or as the parts of one, piece by piece and never all at once."""

import codecs
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from attrs import define
from litestar import Request
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from catalog.domain.errors import UnreadableFile
from catalog.domain.imports import ImportFile, ImportOptions
from catalog.entrypoints.formats import BEGINNING, FORMATS, format_of, record_reader
from catalog.entrypoints.import_reader import reading_of

from .problems import InvalidParameters, RequestProblem, Violation

MOST_FILES = 100
"""Files of one import."""

LONGEST_NAME = 200
BODY = "body"
"""What a file is called that has no name."""

_FORMATS: dict[str, str] = {
    each.media_type: name for name, each in reversed([*FORMATS.items()]) if each.reader and each.media_type
}


async def files_in(request: Request[Any, Any, Any], options: ImportOptions) -> AsyncGenerator[ImportFile | bytes]:
    """Yield each file that the request has, followed by what it holds; raise RequestProblem, UnreadableFile."""
    media_type, parameters = parse_options_header(request.headers.get("content-type", ""))
    if media_type == "multipart/form-data":
        pieces = _parts(request, parameters.get("boundary", ""))
    else:
        _must_be_coded_as_we_read(request.headers.get("content-encoding", ""))
        pieces = _body(request, media_type, parameters.get("charset"))
    file: _Coming | None = None
    async for piece in pieces:
        if isinstance(piece, bytes):
            told = [] if file is None else file.add(piece)
        else:
            told = [] if file is None else file.end()
            file = _Coming(*piece, options)
        for each in told:
            yield each
    for each in [] if file is None else file.end():
        yield each


@define
class _Coming:
    """A file that comes piece by piece; how it begins is held back until its format is known."""

    name: str
    format: str | None
    charset: str | None
    options: ImportOptions
    beginning: bytes = b""
    is_known: bool = False

    def add(self, piece: bytes) -> Sequence[ImportFile | bytes]:
        """Return what is known by now, and was not told before."""
        if self.is_known:
            return [piece]
        self.beginning += piece
        return self.end() if len(self.beginning) >= BEGINNING else []

    def end(self) -> Sequence[ImportFile | bytes]:
        """Return what was held back."""
        if self.is_known:
            return []
        self.is_known = True
        return [self._file(), self.beginning]

    def _file(self) -> ImportFile:
        """Return the file, whose format is known by what was said of it, or else by how it begins."""
        if not self.beginning:
            raise UnreadableFile(f"{self.name or 'the body'} is empty; send the records of a file")
        reading = reading_of(self.options, self.name or BODY)
        format_name = self.options.format or self.format or format_of(self.beginning, reading)
        record_reader(format_name, self.beginning, reading)
        if format_name == "csv" and self.charset and not _is_same(self.charset, self.options.encoding):
            rule = f"must be {self.charset[:40]}, as the Content-Type says, which says what is here: or leave that out"
            raise InvalidParameters([Violation(detail=rule, parameter="encoding")])
        tells_source = format_name in FORMATS and FORMATS[format_name].names_sources
        if not (self.name or self.options.source or tells_source):
            rule = "must be said of a file without a name: it tells the same records again when they come again"
            raise InvalidParameters([Violation(detail=rule, parameter="source")])
        return ImportFile(name=self.name or BODY, format=format_name)


async def _body(
    request: Request[Any, Any, Any], media_type: str, charset: str | None
) -> AsyncIterator[tuple[str, str | None, str | None] | bytes]:
    yield "", _FORMATS.get(media_type), charset
    async for piece in request.stream():
        yield piece


async def _parts(
    request: Request[Any, Any, Any], boundary: str
) -> AsyncIterator[tuple[str, str | None, str | None] | bytes]:
    number = 0
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_FILES, max_segment_size=2**63) as parser:
            async for received in request.stream():
                for part in [] if parser.closed else parser.parse(received):
                    if isinstance(part, MultipartSegment):
                        number += 1
                        media_type, parameters = parse_options_header(part.content_type or "")
                        yield _name(part), _FORMATS.get(media_type), parameters.get("charset")
                    elif part:
                        yield bytes(part)
    except ParserLimitReached:
        raise _malformed(f"The body has more than {MOST_FILES} parts; make several imports of them.") from None
    except MultipartError as error:
        raise _malformed(f"The body is not multipart/form-data as RFC 7578 says it: {error}.") from None
    if not number:
        raise _malformed("The body has no part; send each file as a part with a filename.")


def _must_be_coded_as_we_read(coding: str) -> None:
    """Refuse what is compressed otherwise than files are read; of gzip, the file itself tells."""
    if coding.strip().lower() not in ("", "identity", "gzip", "x-gzip"):
        detail = f"The body has the Content-Encoding {coding[:40]!r}; send it as it is, or with gzip."
        raise RequestProblem("unknown-coding", detail)


def _is_same(one: str, other: str) -> bool:
    """Whether both name one encoding; ASCII is UTF-8, too."""
    try:
        names = {codecs.lookup(name).name for name in (one, other)}
    except LookupError:
        return False
    return len(names) == 1 or names == {"ascii", "utf-8"}


def _name(part: MultipartSegment) -> str:
    if part.filename is None:
        raise _malformed(f"The part {str(part.name)[:50]!r} has no filename; send options as query parameters.")
    # Some say the path that the file has there; its last part is its name.
    name = part.filename.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]


def _malformed(detail: str) -> RequestProblem:
    return RequestProblem("malformed-upload", detail)
