"""Answers that are kept, and given again as long as the storage is as it was.

Routing, reading and writing JSON take twenty times as long as looking an answer up. So this stands in front of
everything else, and knows only what it can be certain of: plain questions for books and authors, whose answers depend
on nothing but the question and what the storage holds. All else goes on to the application. At each use the storage is
asked whether anything has changed; a client sees what it has just written, whichever process wrote it.
"""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence

from attrs import define, field, frozen
from uuid_utils import uuid4

from catalog.domain.errors import CatalogError
from catalog.domain.ports import Storage

from .asgi import ASGIApp, Message, Receive, Scope, Send
from .compression import coding_for, tag_known

Header = tuple[bytes, bytes]
Key = tuple[str, bytes, bytes, bytes, str | None, bytes | None]
"""Path, query, Host, Accept, coding: all of a question that its answer may depend on.

At last, where the answer is a 304, the If-None-Match that it is for.
"""

PATHS = ("/books", "/authors")

OF_NO_CONSEQUENCE = frozenset(
    {
        b"accept-language",
        b"cache-control",
        b"connection",
        b"dnt",
        b"forwarded",
        b"keep-alive",
        b"pragma",
        b"priority",
        b"referer",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"sec-fetch-user",
        b"sec-gpc",
        b"traceparent",
        b"tracestate",
        b"upgrade-insecure-requests",
        b"user-agent",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
    }
)
"""Headers that change no answer. A question with any other is one for the application."""

NEGOTIATED = frozenset({b"accept", b"accept-encoding"})
"""Headers that an answer may vary by, for they are in the key."""

OF_NOT_MODIFIED = frozenset({b"cache-control", b"etag", b"vary", b"x-content-type-options"})
"""What a 304 says of the answer that its client has."""

LARGEST_SHARE = 8
"""No answer takes more than one part in so many of the room."""

BYTES_BESIDES = 1200
"""What Python needs for one kept answer, besides the bytes that it says."""

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._\-]{1,64}")


@define
class _Question:
    """A question that can be answered without the application; `key` is that of the whole answer."""

    key: Key
    if_none_match: bytes | None = None
    request_id: bytes | None = None

    @property
    def key_of_not_modified(self) -> Key:
        """The key of the answer to a client who has it already."""
        return (*self.key[:-1], self.if_none_match)


@frozen
class _Answer:
    """An answer as it was given, but for the id of its request."""

    status: int
    headers: Sequence[Header]
    body: bytes
    etag: bytes

    @property
    def size(self) -> int:
        """How many bytes it says."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers)

    def not_modified(self, tag: bytes) -> "_Answer":
        """Return what a client is told who has it already, under that tag."""
        told = [header for header in self.headers if header[0] in OF_NOT_MODIFIED and header[0] != b"etag"]
        return _Answer(304, [*told, (b"etag", tag)], b"", tag)


@define(eq=False)
class KeptAnswers:
    """The application, with the answers of its lists and records kept in front of it.

    They take `most_bytes` of memory at most; those that were asked for least recently go first.
    """

    app: ASGIApp
    open_storage: Callable[[], Awaitable[Storage]]
    most_bytes: int
    size: int = field(init=False, default=0)
    """How many bytes they take."""
    given: int = field(init=False, default=0)
    """How many requests were answered from here."""
    _kept: OrderedDict[Key, tuple[_Answer, int]] = field(init=False, factory=OrderedDict[Key, tuple[_Answer, int]])
    _version: Hashable = field(init=False, default=None)
    _storage: Storage | None = field(init=False, default=None)

    def __len__(self) -> int:
        return len(self._kept)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from memory, or let the application answer and remember what it says."""
        question = _question(scope)
        version = None if question is None else await self._version_now()
        if question is None or version is None:
            await self.app(scope, receive, send)
        elif (answer := self._find(question, version)) is not None:
            self.given += 1
            await _give(answer, question, send, with_body=scope["method"] == "GET")
        elif scope["method"] == "GET":
            await self._pass_on(question, version, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _version_now(self) -> Hashable:
        """Return the version of the data; None where the storage can not tell, as the application will notice, too."""
        try:
            if self._storage is None:
                self._storage = await self.open_storage()
            return await self._storage.data_version()
        except CatalogError:
            return None

    def _find(self, question: _Question, version: Hashable) -> _Answer | None:
        if version != self._version:
            return None
        if (found := self._kept.get(question.key)) is not None:
            self._kept.move_to_end(question.key)
            answer, known = found[0], question.if_none_match
            tag = None if known is None else tag_known(known, answer.etag)
            return answer if tag is None else answer.not_modified(tag)
        if question.if_none_match is not None and (found := self._kept.get(question.key_of_not_modified)) is not None:
            self._kept.move_to_end(question.key_of_not_modified)
            return found[0]
        return None

    async def _pass_on(
        self, question: _Question, version: Hashable, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application answer; keep what it says if nothing has changed from before to after."""
        heard = _Hearing(self.most_bytes // LARGEST_SHARE)

        async def send_heard(message: Message) -> None:
            heard.note(message)
            await send(message)

        await self.app(scope, receive, send_heard)
        answer = heard.answer()
        if answer is not None and await self._version_now() == version:
            self._keep(question.key if answer.status == 200 else question.key_of_not_modified, version, answer)

    def _keep(self, key: Key, version: Hashable, answer: _Answer) -> None:
        if version != self._version:
            self._kept.clear()
            self.size, self._version = 0, version
        size = BYTES_BESIDES + answer.size + sum(len(part) for part in key if part is not None)
        if size > self.most_bytes // LARGEST_SHARE:
            return
        if (before := self._kept.pop(key, None)) is not None:
            self.size -= before[1]
        self._kept[key] = answer, size
        self.size += size
        while self.size > self.most_bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self.size -= freed


def _question(scope: Scope) -> _Question | None:
    """Return the question that a request is; None where it is more than one for a list or a record."""
    path: str = scope["path"]
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not path.startswith(PATHS):
        return None
    host = accept = accept_encoding = b""
    if_none_match = request_id = None
    for name, value in scope["headers"]:
        if name in OF_NO_CONSEQUENCE:
            continue
        if name == b"host" and not host:
            host = value
        elif name == b"accept" and not accept:
            accept = value
        elif name == b"accept-encoding":
            accept_encoding = value if not accept_encoding else b"%b,%b" % (accept_encoding, value)
        elif name == b"if-none-match":
            if_none_match = value if if_none_match is None else b"%b,%b" % (if_none_match, value)
        elif name == b"x-request-id" and request_id is None:
            request_id = value
        else:
            return None
    key = path, scope["query_string"], host, accept, coding_for(accept_encoding), None
    return _Question(key, if_none_match, request_id)


class _Hearing:
    """What the application says to one question, as long as it can be kept."""

    def __init__(self, most_bytes: int) -> None:
        self._room = most_bytes
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._is_whole = False

    def note(self, message: Message) -> None:
        """Listen to one part of the answer."""
        if message["type"] == "http.response.start":
            self._start = message if message["status"] in (200, 304) else None
        elif self._start is not None and message["type"] == "http.response.body":
            part: bytes = message.get("body", b"")
            self._parts.append(part)
            self._is_whole = not message.get("more_body")
            self._room -= len(part)
            if self._room < 0:
                self._start, self._parts = None, []

    def answer(self) -> _Answer | None:
        """Return the answer; None where it can not be kept."""
        if self._start is None or not self._is_whole:
            return None
        said = dict(self._start["headers"])
        varies_by = {name.strip().lower() for name in said.get(b"vary", b"").split(b",")} - {b""}
        if b"etag" not in said or b"set-cookie" in said or not varies_by <= NEGOTIATED:
            return None
        lasting = [header for header in self._start["headers"] if header[0] != b"x-request-id"]
        return _Answer(self._start["status"], lasting, b"".join(self._parts), said[b"etag"])


async def _give(answer: _Answer, question: _Question, send: Send, *, with_body: bool) -> None:
    given = question.request_id
    request_id = given if given is not None and _REQUEST_ID.fullmatch(given) else uuid4().hex.encode()
    headers = [*answer.headers, (b"x-request-id", request_id)]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b"", "more_body": False})
