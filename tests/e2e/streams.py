"""Streams of changes as clients read them."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from attrs import define, field

STREAM = "text/event-stream"


@define
class Stream:
    """One stream of changes, which remembers what came."""

    response: httpx.Response
    _events: AsyncIterator[dict[str, Any]]
    comments: list[str]
    came: list[dict[str, Any]] = field(factory=list)

    async def next(self) -> dict[str, Any]:
        """Wait for the next event, and return its revision."""
        revision = await anext(self._events)
        self.came.append(revision)
        return revision

    async def take(self, number: int) -> list[dict[str, Any]]:
        """Wait for so many events, and return their revisions."""
        return [await self.next() for _ in range(number)]

    async def rest(self) -> list[dict[str, Any]]:
        """Read to the end; an end without the terminating chunk raises httpx.RemoteProtocolError."""
        return [revision async for revision in self._events]


@asynccontextmanager
async def streaming(client: httpx.AsyncClient, path: str = "/changes", **headers: str) -> AsyncGenerator[Stream]:
    """Open a stream of changes."""
    async with client.stream("GET", path, headers={"accept": STREAM, **headers}) as response:
        assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, STREAM)
        comments: list[str] = []
        yield Stream(response, _revisions(response, comments), comments)


async def _revisions(response: httpx.Response, comments: list[str]) -> AsyncIterator[dict[str, Any]]:
    """Yield the revisions of the events, as the specification of EventSource reads them."""
    id, data = "", ""
    async for line in response.aiter_lines():
        name, _, value = line.partition(":")
        match name, value.removeprefix(" "):
            case "", "" if not line:
                if data:
                    revision = json.loads(data)
                    assert id == str(revision["seq"])
                    yield revision
                id, data = "", ""
            case "", comment:
                comments.append(comment)
            case "id", id:
                pass
            case "data", more:
                data += more
            case _:
                raise AssertionError(f"a line of no event: {line!r}")
