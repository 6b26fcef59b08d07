"""The ceilings: answers that are there already, by bare Litestar (`litestar`) and by bare ASGI (`asgi`).

What they answer is in the file that PEER_ANSWERS names: a JSON object from paths to bodies. Lists have a path for each,
so that not even a query string has to be looked at.
"""

import json
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

from litestar import Litestar, MediaType, get
from litestar.handlers.http_handlers import HTTPRouteHandler
from litestar.params import FromPath

ANSWERS = {path: body.encode() for path, body in json.loads(Path(os.environ["PEER_ANSWERS"]).read_text()).items()}

Receive = Callable[[], Coroutine[Any, Any, dict[str, Any]]]
Send = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]


def _static(path: str, body: bytes) -> HTTPRouteHandler:
    @get(path, media_type=MediaType.JSON)
    async def answer() -> bytes:
        return body

    return answer


def litestar() -> Litestar:
    """Return a route for one book by its id, and one for each list."""
    books = {UUID(path.rpartition("/")[2]): body for path, body in ANSWERS.items() if path.startswith("/books/")}

    @get("/books/{id:uuid}", media_type=MediaType.JSON)
    async def one(id: FromPath[UUID]) -> bytes:
        return books[id]

    lists = [_static(path, body) for path, body in ANSWERS.items() if not path.startswith("/books/")]
    return Litestar(route_handlers=[one, *lists], openapi_config=None, logging_config=None, debug=False)


async def asgi(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer by path, and do nothing else."""
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    body = ANSWERS.get(scope["path"])
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body or b""))]
    await send({"type": "http.response.start", "status": 404 if body is None else 200, "headers": headers})
    await send({"type": "http.response.body", "body": body or b""})
