"""Conditional requests (RFC 9110, section 13): ETag, If-None-Match, If-Match.

An ETag is "<version>-<digest of the body>". A book shows its author, so the digest is what makes a
304 honest; the version alone is what a writer must know.
"""

import re
from collections.abc import Collection
from hashlib import blake2b
from typing import Any

from attrs import frozen
from litestar.datastructures import Headers, MutableScopeHeaders

from catalog.domain.authors import Author
from catalog.domain.books import Book

from .asgi import ASGIApp, Message, Receive, Scope, Send

_ETAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*)"')
_SHOWN = "catalog_shown"


@frozen
class _Shown:
    """What an answer shows: the version and id of a record, or neither for a list."""

    version: int | None = None
    id: str = ""


def remember(scope: Scope, data: Any) -> None:
    """Note for the headers what the answer is going to show."""
    shown = _Shown(data.version, str(data.id)) if isinstance(data, Author | Book) else _Shown()
    scope["state"][_SHOWN] = shown


def versions_in(if_match: str | None) -> Collection[int] | None:
    """Return the versions that an If-Match header knows; None without one, or for `*`: any version.

    Weak and foreign tags match nothing (RFC 9110, section 13.1.1).
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (tag["opaque"].partition("-")[0] for tag in _ETAG.finditer(if_match) if not tag["weak"])
    return {int(version) for version in tags if version.isascii() and version.isdigit() and len(version) < 19}


def with_conditions(app: ASGIApp) -> ASGIApp:
    """Give answers their ETag and Location, and answer 304 to who has the body already."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""

        async def send_with_etag(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _SHOWN in scope["state"] and message["status"] < 300:
                start = message
                return
            if start is None or message["type"] != "http.response.body":
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
    headers = Headers(scope["headers"])
    if_match = headers.getall("if-match", [])
    if scope["method"] in {"PUT", "PATCH", "DELETE"} and headers.get("if-none-match", "").strip() == "*":
        if_match = ['""']
    if not if_match:
        return scope
    others = [(name, value) for name, value in scope["headers"] if name.lower() != b"if-match"]
    return {**scope, "headers": [*others, (b"if-match", ", ".join(if_match).encode("latin-1"))]}


def _answer(scope: Scope, start: Any, body: bytes) -> tuple[Any, Any]:
    shown: _Shown = scope["state"][_SHOWN]
    digest = blake2b(body, digest_size=9).hexdigest()
    etag = digest if shown.version is None else f"{shown.version}-{digest}"
    headers = MutableScopeHeaders(start)
    headers["etag"] = f'"{etag}"'
    headers["cache-control"] = "no-cache"
    if start["status"] == 201:
        headers["location"] = f"{scope['path'].rstrip('/')}/{shown.id}"
    if scope["method"] == "GET" and _has_already(Headers(scope["headers"]).getall("if-none-match", []), etag):
        del headers["content-length"]
        del headers["content-type"]
        return {**start, "status": 304}, {"type": "http.response.body", "body": b"", "more_body": False}
    return start, {"type": "http.response.body", "body": body, "more_body": False}


def _has_already(if_none_match: Collection[str], etag: str) -> bool:
    header = ",".join(if_none_match).strip()
    return header == "*" or any(tag["opaque"] == etag for tag in _ETAG.finditer(header))
