"""Files that come as the body of a request, or as the parts of one, piece by piece and never all at once."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any

from attrs import define
from litestar import Request
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

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
        pieces = _body(request, media_type)
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
        tells_source = format_name in FORMATS and FORMATS[format_name].names_sources
        if not (self.name or self.options.source or tells_source):
            rule = "must be said of a file without a name: it tells the same records again when they come again"
            raise InvalidParameters([Violation(detail=rule, parameter="source")])
        return ImportFile(name=self.name or BODY, format=format_name)


async def _body(request: Request[Any, Any, Any], media_type: str) -> AsyncIterator[tuple[str, str | None] | bytes]:
    yield "", _FORMATS.get(media_type)
    async for piece in request.stream():
        yield piece


async def _parts(request: Request[Any, Any, Any], boundary: str) -> AsyncIterator[tuple[str, str | None] | bytes]:
    number = 0
    try:
        with PushMultipartParser(boundary, max_segment_count=MOST_FILES, max_segment_size=2**63) as parser:
            async for received in request.stream():
                for part in [] if parser.closed else parser.parse(received):
                    if isinstance(part, MultipartSegment):
                        number += 1
                        yield _name(part), _FORMATS.get(parse_options_header(part.content_type or "")[0])
                    elif part:
                        yield bytes(part)
    except MultipartError as error:
        raise _malformed(f"The body is not multipart/form-data as RFC 7578 says it: {error}.") from None
    if not number:
        raise _malformed("The body has no part; send each file as a part with a filename.")


def _name(part: MultipartSegment) -> str:
    if part.filename is None:
        raise _malformed(f"The part {str(part.name)[:50]!r} has no filename; send options as query parameters.")
    # Some say the path that the file has there; its last part is its name.
    name = part.filename.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:LONGEST_NAME]


def _malformed(detail: str) -> RequestProblem:
    return RequestProblem("malformed-upload", detail)
