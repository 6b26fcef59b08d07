"""Small applications to hold against the catalogue, or to put a server to the test with."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

from litestar import Litestar, MediaType, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import ServerSentEvent
from litestar.types import ASGIApp

from catalog.entrypoints.http.gate import with_body_deadline

MARKER = "BENCHMARK_MARKER"
"""The variable that names the file which the shutdown hook of `probe` writes."""
RECORDED = "BENCHMARK_RECORDED"
"""The variable that names the file with what `recorded` answers."""
SLOW_SECONDS = 1.5
BODY_SECONDS = 1.0


def bare() -> Litestar:
    """Return one route that answers a small JSON object."""
    book = {"id": str(UUID(int=7 << 76)), "title": "The Left Hand of Darkness", "author": {"name": "Ursula K. Le Guin"}}

    @get("/")
    async def one() -> dict[str, Any]:
        return book

    return _app(one)


def recorded() -> Litestar:
    """Return routes that answer what the catalogue answered, byte for byte, and do nothing else."""
    answers = {path: body.encode() for path, body in json.loads(Path(os.environ[RECORDED]).read_text()).items()}
    books = {UUID(path.rpartition("/")[2]): body for path, body in answers.items() if path.count("/") == 2}

    @get("/books/{id:uuid}", media_type=MediaType.JSON)
    async def one(id: FromPath[UUID]) -> bytes:
        return books[id]

    @get("/books", media_type=MediaType.JSON)
    async def page() -> bytes:
        return answers["/books"]

    @post("/books", media_type=MediaType.JSON)
    async def add(data: JSONBody[dict[str, Any]]) -> bytes:
        return next(iter(books.values())) if data else b""

    return _app(one, page, add)


def probe() -> Litestar:
    """Return what shows how a server stops: a stream, a slow answer, a body that is waited for, a shutdown hook."""

    @get("/")
    async def slow_requests() -> int:
        return int(app.state.slow_requests)

    @get("/loop")
    async def loop() -> dict[str, str]:
        return {"loop": type(asyncio.get_running_loop()).__module__.partition(".")[0]}

    @get("/events")
    async def events() -> ServerSentEvent:
        async def wait() -> AsyncGenerator[str]:
            yield "first"
            await app.state.stopping.wait()
            yield "last"

        return ServerSentEvent(wait())

    @get("/slow")
    async def slow() -> str:
        app.state.slow_requests += 1
        await asyncio.sleep(SLOW_SECONDS)
        return "done"

    @post("/body")
    async def body(data: JSONBody[dict[str, Any]]) -> int:
        return len(data)

    def shut_down() -> None:
        # The one sign that a server gives which does not tell beforehand that it is about to stop.
        app.state.stopping.set()
        Path(os.environ[MARKER]).write_text("the shutdown hook ran")

    app = _app(slow_requests, loop, events, slow, body, on_shutdown=[shut_down])
    app.state.slow_requests = 0
    app.state.stopping = asyncio.Event()
    handler: ASGIApp = with_body_deadline(app.asgi_handler, BODY_SECONDS)
    app.asgi_handler = handler
    return app


def _app(*handlers: Any, **options: Any) -> Litestar:
    return Litestar(route_handlers=handlers, openapi_config=None, logging_config=None, **options)
