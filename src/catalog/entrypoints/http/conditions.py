"""Conditional requests (RFC 9110, section 13): ETag, If-None-Match, If-Match.

The ETag of a record is "<version>-<digest of the body>". A book shows its author, so the digest is what makes a
304 honest; the version alone is what a writer must know. The ETag of a list comes from the log: nothing else than a
change can change it, so a 304 costs one short question whatever the list.
"""

import re
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

from attrs import frozen
from litestar import Request, Response

from catalog.domain.authors import Author
from catalog.domain.books import CataloguedBook
from catalog.domain.imports import ImportJob
from catalog.domain.ports import CatalogReader
from catalog.domain.queries import Page, Position

from .asgi import ASGIApp, Message, Receive, Scope, Send, value_of, values_of, with_headers
from .callers import is_replay

_ETAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
_SHOWN = "catalog_shown"
_IS_FROM_LOG = "catalog_etag_from_log"
_REPRESENTATION = "catalog_representation"
_LINKS = "catalog_links"
_NEGOTIATED = "catalog_negotiated"


@frozen
class _Shown:
    """What an answer shows: the version and id of a record, a list as of a position, or something else."""

    version: int | None = None
    id: str = ""
    as_of: Position | None = None


def remember(scope: Scope, data: Any) -> None:
    """Note for the headers what the answer is going to show."""
    match data:
        case Author() | CataloguedBook():
            shown = _Shown(version=data.version, id=str(data.id))
        case ImportJob():
            shown = _Shown(id=str(data.id))
        case Page() if scope["state"].get(_IS_FROM_LOG):
            shown = _Shown(as_of=data.as_of)
        case _:
            shown = _Shown()
    scope["state"][_SHOWN] = shown


def remember_links(scope: Scope, links: Mapping[str, str]) -> None:
    """Note for the headers where the list goes on (RFC 8288)."""
    scope["state"][_LINKS] = ", ".join(f'<{target}>; rel="{rel}"' for rel, target in links.items())


def remember_negotiated(scope: Scope) -> None:
    """Note for the headers that another Accept may get another answer."""
    scope["state"][_NEGOTIATED] = True


class NotModified(Exception):
    """The caller has the list already."""

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.headers = {"etag": etag, "cache-control": "no-cache"}


async def must_be_news(request: Request[Any, Any, Any], reader: CatalogReader) -> None:
    """Let the list have its ETag from the log; raise NotModified for who has it, before any row is read."""
    request.scope["state"][_IS_FROM_LOG] = True
    if known := request.headers.getall("if-none-match", []):
        etag = _etag_of_list(request.scope, await reader.position())
        if _has_already(known, etag):
            raise NotModified(f'"{etag}"')


async def must_be_news_as_file(request: Request[Any, Any, Any], reader: CatalogReader, name: str) -> Mapping[str, str]:
    """Return the headers of a list that is written while it is read, as a file of that format; raise NotModified.

    Its tag is a weak one: who writes meanwhile may be in it already.
    """
    etag = _etag_of_list(request.scope, await reader.position(), name)
    if _has_already(request.headers.getall("if-none-match", []), etag):
        raise NotModified(f'W/"{etag}"')
    return {"ETag": f'W/"{etag}"', "Cache-Control": "no-cache"}


def not_modified(_request: Request[Any, Any, Any], error: NotModified) -> Response[None]:
    """Answer who has the list already."""
    return Response(None, status_code=304, headers=error.headers)


def _etag_of_list(scope: Scope, as_of: Position, *form: str) -> str:
    """Return the tag of a list: what was asked, in which representation, and how far the log had come."""
    asked = (scope["path"], scope["query_string"], scope["state"][_REPRESENTATION], as_of.seq, as_of.at, *form)
    return f"{as_of.seq}-{blake2b(repr(asked).encode(), digest_size=9).hexdigest()}"


def versions_in(if_match: str | None) -> Collection[int] | None:
    """Return the versions that an If-Match header knows; None without one, or for `*`: any version.

    Weak and foreign tags match nothing (RFC 9110, section 13.1.1).
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (tag["opaque"].partition("-")[0] for tag in _ETAG.finditer(if_match) if not tag["weak"])
    return {int(version) for version in tags if version.isascii() and version.isdigit() and len(version) < 19}


def with_conditions(app: ASGIApp, representation: str) -> ASGIApp:
    """Give answers their ETag and Location, and answer 304 to who has the body already.

    `representation` tells programs apart that show the same records otherwise.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""
        scope["state"][_REPRESENTATION] = representation

        async def send_with_etag(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _SHOWN in scope["state"] and message["status"] < 300:
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                if message["type"] == "http.response.start" and _NEGOTIATED in scope["state"]:
                    message = with_headers(message, [(b"vary", b"Accept")])
                await send(message)
                return
            body += message["body"]
            if message.get("more_body"):
                return
            for part in _answer(scope, start, body):
                await send(part)

        await app(_with_one_if_match(scope), receive, send_with_etag)

    return middleware


def _with_one_if_match(scope: Scope) -> Scope:
    """Return the request with its If-Match lines as one (RFC 9110, section 5.3).

    A write that asks for there to be nothing yet (If-None-Match: *) can not succeed, for writes never create: it gets
    a tag that matches no version.
    """
    if_match = values_of(scope, b"if-match")
    if scope["method"] in {"PUT", "PATCH", "DELETE"} and (value_of(scope, b"if-none-match") or "").strip() == "*":
        if_match = ['""']
    if not if_match:
        return scope
    others = [(name, value) for name, value in scope["headers"] if name != b"if-match"]
    return {**scope, "headers": [*others, (b"if-match", ", ".join(if_match).encode("latin-1"))]}


def _answer(scope: Scope, start: Any, body: bytes) -> tuple[Any, Any]:
    shown: _Shown = scope["state"][_SHOWN]
    if shown.as_of is not None:
        etag = _etag_of_list(scope, shown.as_of)
    else:
        digest = blake2b(body, digest_size=9).hexdigest()
        etag = digest if shown.version is None else f"{shown.version}-{digest}"
    more = [(b"etag", f'"{etag}"'.encode()), (b"cache-control", b"no-cache")]
    if _NEGOTIATED in scope["state"]:
        more.append((b"vary", b"Accept"))
    if links := scope["state"].get(_LINKS):
        more.append((b"link", links.encode()))
    if is_replay(scope):
        more.append((b"idempotency-replayed", b"true"))
    if start["status"] in (201, 202):
        more.append((b"location", f"{scope['path'].rstrip('/')}/{shown.id}".encode()))
    start = with_headers(start, more)
    if scope["method"] == "GET" and _has_already(values_of(scope, b"if-none-match"), etag):
        kept = [header for header in start["headers"] if header[0] not in (b"content-length", b"content-type")]
        nothing = {"type": "http.response.body", "body": b"", "more_body": False}
        return {**start, "status": 304, "headers": kept}, nothing
    return start, {"type": "http.response.body", "body": body, "more_body": False}


def _has_already(if_none_match: Collection[str], etag: str) -> bool:
    if not if_none_match:
        return False
    header = ",".join(if_none_match).strip()
    return header == "*" or any(tag["opaque"] == etag for tag in _ETAG.finditer(header))
