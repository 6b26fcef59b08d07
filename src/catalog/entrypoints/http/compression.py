"""Compression, where a client accepts it (RFC 9110, section 12.5.3) and where it pays; and the tags of what it makes.

A compressed answer is another representation, so its ETag has to be another one, too: that of the plain answer with the
coding after it, "3-5f2a-gzip". On the way in all of them stand for the plain one, and a 304 names the one that its
client has.
"""

import asyncio
import gzip
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Protocol

import brotli

from catalog.entrypoints.formats import FORMATS

from .asgi import ASGIApp, Message, Receive, Scope, Send

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEAST_BYTES = 1024
"""Shorter answers go into one packet or two as they are."""
MOST_BYTES = 8 * 2**20
"""Longer answers are not held back until they are complete."""
MOST_BYTES_IN_PLACE = 64 * 1024
"""Longer answers are compressed in a thread: others do not wait for more than half a millisecond."""

MEDIA_TYPES = frozenset(
    {
        *(each.media_type.encode() for each in FORMATS.values() if each.writer),
        b"application/json",
        b"application/problem+json",
        b"application/vnd.oai.openapi+json",
        b"application/javascript",
        b"text/javascript",
        b"text/html",
        b"text/css",
    }
)
"""What is compressed; never a stream of events, which would wait in the compressor."""


class Compressor(Protocol):
    """Compresses what comes in parts."""

    def compress(self, part: bytes, /) -> bytes:
        """Return what can be sent by now."""
        ...

    def flush(self) -> bytes:
        """Return the rest."""
        ...


class _Brotli:
    """What Brotli has under other names."""

    def __init__(self) -> None:
        self._compressor = brotli.Compressor(quality=3)

    def compress(self, part: bytes, /) -> bytes:
        compressed: bytes = self._compressor.process(part)
        return compressed

    def flush(self) -> bytes:
        rest: bytes = self._compressor.finish()
        return rest


COMPRESSORS: Mapping[str, Callable[[], Compressor]] = {
    "zstd": partial(zstd.ZstdCompressor, level=3),
    "br": _Brotli,
    "gzip": partial(zlib.compressobj, level=1, wbits=31),
}
"""What compresses an answer whose length nobody knows yet."""

CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": partial(zstd.compress, level=3),
    "br": partial(brotli.compress, quality=3),
    "gzip": partial(gzip.compress, compresslevel=1, mtime=0),
}
"""What compresses, best first: at low levels, for higher ones take twice the time or more for a tenth of the bytes."""

Header = tuple[bytes, bytes]

_ENTITY_TAG = re.compile(rb'(?:W/)?(?P<tag>"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)")')
_OF_CODING = re.compile(rf"-(?:{'|'.join(CODINGS)})$".encode())
_WEIGHT = re.compile(
    r"\s*(?P<coding>[!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(;\s*q=(?P<q>0(\.\d{0,3})?|1(\.0{0,3})?)\s*)?", re.IGNORECASE
)
_OTHER_NAMES = {"x-gzip": "gzip"}


@lru_cache(maxsize=256)
def coding_for(accept_encoding: bytes) -> str | None:
    """Return the coding that a client wants most among those there are; None where that is none of them.

    A client that excludes everything is answered all the same, as it would be without the header.
    """
    weights = dict(_weights(accept_encoding.decode("latin-1")))
    others = weights.get("*", 0.0)
    wanted, coding = max(
        ((weights.get(coding, others), coding) for coding in CODINGS),
        key=lambda candidate: candidate[0],  # the first of equals is the best
    )
    return coding if wanted > 0 and wanted >= weights.get("identity", 0.0) else None


def _weights(accept_encoding: str) -> Iterator[tuple[str, float]]:
    for member in accept_encoding.split(","):
        if match := _WEIGHT.fullmatch(member):
            coding = match["coding"].lower()
            yield _OTHER_NAMES.get(coding, coding), float(match["q"] or 1)


def tag_known(if_none_match: bytes, etag: bytes) -> bytes | None:
    """Return the tag of an If-None-Match header that stands for what has this ETag, whatever its coding; None if none.

    Tags are compared weakly (RFC 9110, section 8.8.3.2). `*` stands for anything: then it is the ETag itself.
    """
    if if_none_match == etag:
        return etag
    if if_none_match.strip() == b"*":
        return etag
    wanted = _ENTITY_TAG.fullmatch(etag)
    if wanted is None:
        return None
    plain = _OF_CODING.sub(b"", wanted["opaque"])
    known = (match for match in _ENTITY_TAG.finditer(if_none_match) if _OF_CODING.sub(b"", match["opaque"]) == plain)
    return next((match["tag"] for match in known), None)


def with_compression(app: ASGIApp) -> ASGIApp:
    """Compress what is worth it for those who accept it, and understand the tags of what was compressed."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-encoding")
        if_none_match = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
        coding = coding_for(accepted)
        held: Message | None = None
        parts: list[bytes] = []
        compressor: Compressor | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal held, compressor
            if message["type"] == "http.response.start":
                message = _negotiated(message, if_none_match)
                if coding is not None and _is_worth_it(message):
                    held = message
                    return
                if coding is not None and scope["method"] == "GET" and _is_written_while_read(message):
                    compressor = COMPRESSORS[coding]()
                    message = {**message, "headers": _headers_of(message["headers"], 0, coding.encode())}
                await send(message)
                return
            if compressor is not None and message["type"] == "http.response.body":
                await send(await _with_body_compressed(message, compressor))
                return
            if held is None or coding is None or message["type"] != "http.response.body":
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            for part in await _compressed(held, b"".join(parts), coding):
                await send(part)

        await app(_with_plain_tags(scope) if if_none_match else scope, receive, send_compressed)

    return middleware


def _negotiated(start: Message, if_none_match: bytes) -> Message:
    """Return the beginning of an answer, with whatever it says besides because there are several codings."""
    headers: Sequence[Header] = start["headers"]
    if start["status"] == 304:
        headers = [(name, tag_known(if_none_match, value) or value) for name, value in headers if name == b"etag"] + [
            header for header in headers if header[0] != b"etag"
        ]
    elif not _is_compressible(headers):
        return start
    return {**start, "headers": _varying(headers)}


def _varying(headers: Sequence[Header]) -> list[Header]:
    before = [value for name, value in headers if name == b"vary"]
    others = [header for header in headers if header[0] != b"vary"]
    return [*others, (b"vary", b", ".join([*before, b"Accept-Encoding"]))]


def _is_compressible(headers: Sequence[Header]) -> bool:
    media_type = b""
    for name, value in headers:
        if name == b"content-type":
            media_type = value.partition(b";")[0].strip().lower()
        elif name in {b"content-encoding", b"content-range"}:
            return False
    return media_type in MEDIA_TYPES


def _is_worth_it(start: Message) -> bool:
    length = next((int(value) for name, value in start["headers"] if name == b"content-length"), 0)
    return LEAST_BYTES <= length <= MOST_BYTES and _is_compressible(start["headers"])


def _is_written_while_read(start: Message) -> bool:
    """Whether nobody knows yet how long the answer is, but that it is worth it."""
    has_length = any(name == b"content-length" for name, _ in start["headers"])
    return start["status"] == 200 and not has_length and _is_compressible(start["headers"])


async def _with_body_compressed(message: Message, compressor: Compressor) -> Message:
    """Return a part of the answer as it is sent; with the last one, all that was held back."""
    part: bytes = message.get("body", b"")
    if len(part) > MOST_BYTES_IN_PLACE:
        compressed = await asyncio.to_thread(compressor.compress, part)
    else:
        compressed = compressor.compress(part)
    more_body = message.get("more_body", False)
    return {**message, "body": compressed if more_body else compressed + compressor.flush()}


async def _compressed(start: Message, body: bytes, coding: str) -> Sequence[Message]:
    """Return the answer in that coding, or as it was where that would not be shorter."""
    compress = CODINGS[coding]
    short = compress(body) if len(body) <= MOST_BYTES_IN_PLACE else await asyncio.to_thread(compress, body)
    if len(short) < len(body):
        start, body = {**start, "headers": _headers_of(start["headers"], len(short), coding.encode())}, short
    return start, {"type": "http.response.body", "body": body, "more_body": False}


def _headers_of(headers: Sequence[Header], length: int, coding: bytes) -> list[Header]:
    of_coding: list[Header] = []
    for name, value in headers:
        if name == b"content-length":
            of_coding.append((name, str(length).encode()))
        elif name == b"etag" and value.endswith(b'"'):
            of_coding.append((name, b'%b-%b"' % (value[:-1], coding)))
        else:
            of_coding.append((name, value))
    return [*of_coding, (b"content-encoding", coding)]


def _with_plain_tags(scope: Scope) -> Scope:
    headers = [
        (name, _ENTITY_TAG.sub(_plain, value) if name == b"if-none-match" else value)
        for name, value in scope["headers"]
    ]
    return {**scope, "headers": headers}


def _plain(match: re.Match[bytes]) -> bytes:
    return b'"%b"' % _OF_CODING.sub(b"", match["opaque"])
