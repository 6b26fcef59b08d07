"""The changes of another catalogue: pages tell what happened, and its stream rings when more has."""

import ssl
from base64 import b64decode
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import httpx
import msgspec
from cattrs import Converter, ForbiddenExtraKeysError

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.errors import CanNotFollow, SourceUnreachable
from catalog.domain.kinds import Kind
from catalog.domain.revisions import Revision
from catalog.domain.values import TextValue

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 45.0
"""The source sends a ping every 15 seconds; after three have not come, it is gone."""

_UNREADABLE = (
    msgspec.DecodeError,
    ForbiddenExtraKeysError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)
"""What reading an answer raises that is not what this version of the catalogue would send."""

_RECORDS: dict[str, type[Any]] = {Kind.AUTHOR: Author, Kind.BOOK: Book}


class HttpChangeFeed:
    """GET /changes of a catalogue."""

    def __init__(self, url: str) -> None:
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL:
            address = httpx.URL("")
        if address.scheme not in {"http", "https"} or not address.host:
            raise CanNotFollow(f"{url!r} is no address of a catalogue; give one like http://127.0.0.1:8000")
        # Whoever reads the replica is told of its source, and not how to get in there.
        self.source = str(address.copy_with(userinfo=b"")).rstrip("/")
        self._auth = (address.username, address.password) if address.userinfo else None

    async def changes(self, since: int, limit: int = 1000) -> Sequence[Revision]:
        """Return what happened there since; raise SourceUnreachable, CanNotFollow."""
        async with self._client() as client:
            response = await client.get("/changes", params={"since": since, "limit": limit})
            _must_be_well(response, response.text)
        try:
            revisions = [_revision(item) for item in msgspec.json.decode(response.content)["items"]]
        except _UNREADABLE as error:
            raise CanNotFollow(
                f"{self.source} does not answer as this version of the catalogue does ({error!r}); use the same version"
            ) from error
        for expected, revision in enumerate(revisions, since + 1):
            if revision.seq != expected:
                raise CanNotFollow(f"the log of {self.source} has a gap: after seq {expected - 1}, {revision.seq} came")
        return revisions

    async def news(self, since: int) -> AsyncGenerator[int]:
        """Yield, as things happen there, how far the log has come; raise SourceUnreachable, CanNotFollow."""
        headers = {"accept": "text/event-stream", "last-event-id": str(since)}
        async with self._client() as client, client.stream("GET", "/changes", headers=headers) as response:
            _must_be_well(response, "" if response.is_success else (await response.aread()).decode("utf-8", "replace"))
            rest = b""
            async for chunk in response.aiter_bytes():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.startswith(b"id:"):
                        yield self._seq(line.removeprefix(b"id:"))
        raise SourceUnreachable(f"{self.source} has ended its stream")

    def _seq(self, text: bytes) -> int:
        try:
            return int(text)
        except ValueError:
            raise CanNotFollow(f"the stream of {self.source} has an event with the id {text[:50]!r}") from None

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[httpx.AsyncClient]:
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        try:
            async with httpx.AsyncClient(
                base_url=self.source, auth=self._auth, timeout=timeout, verify=_certificates()
            ) as client:
                yield client
        except httpx.HTTPError as error:
            raise SourceUnreachable(f"can not reach {self.source} ({error or type(error).__name__})") from error


@cache
def _certificates() -> ssl.SSLContext:
    """Return whom to trust; to read that from the disk takes longer than a request."""
    return httpx.create_ssl_context()


def _must_be_well(response: httpx.Response, text: str) -> None:
    """Raise what a refusal means: later it may be otherwise, or never."""
    if response.is_success:
        return
    address = response.url.copy_with(userinfo=b"")
    if response.status_code == 400 and ('"since"' in text or '"Last-Event-ID"' in text):
        raise CanNotFollow(
            f"{address} has not come as far as this storage: it is another catalogue, or was put back to an earlier "
            "state; follow it into an empty storage"
        )
    said = f"{address} answers {response.status_code}: {' '.join(text.split())[:200]}"
    may_change = response.status_code >= 500 or response.status_code in {408, 421, 425, 429}
    raise SourceUnreachable(said) if may_change else CanNotFollow(said)


def _revision(item: dict[str, Any]) -> Revision:
    record = _RECORDS[item["kind"]]
    after = item.pop("after")
    revision = _converter.structure({**item, "after": None}, Revision)
    if revision.at.tzinfo is None:
        raise ValueError("a time without a zone")
    if after is None:
        return revision
    content = _converter.structure(after, record)
    if (content.id, content.version) != (revision.id, revision.version):
        raise ValueError("the content of another record")
    return revision.telling(content)


def _make_converter() -> Converter:
    # A field that this version does not know would be lost in the copy: better no copy.
    converter = Converter(detailed_validation=False, forbid_extra_keys=True)
    converter.register_structure_hook(UUID, lambda value, _target: UUID(value))
    converter.register_structure_hook(bytes, lambda value, _target: b64decode(value, validate=True))
    converter.register_structure_hook(date, lambda value, _target: date.fromisoformat(value))
    converter.register_structure_hook(datetime, lambda value, _target: datetime.fromisoformat(value))
    converter.register_structure_hook(Author | Book | None, lambda value, _target: value)
    converter.register_structure_hook_func(
        lambda target: isinstance(target, type) and issubclass(target, TextValue), lambda value, target: target(value)
    )
    return converter


_converter = _make_converter()
