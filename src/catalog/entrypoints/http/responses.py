"""Answers whose bytes are made already, on their way to the server without what those of other kinds need."""

from collections.abc import Mapping
from typing import Any

from litestar import MediaType, Response

from .asgi import Receive, Scope, Send


class Answer(Response[Any]):
    """What a handler returns. JSON without headers of its own, which is most, takes a short way."""

    def to_asgi_response(self, app: Any, request: Any, *, headers: Any = None, **others: Any) -> Any:
        """Return what writes it."""
        is_plain = not (self.headers or headers or self.cookies or self.background)
        if is_plain and type(self.content) is bytes and self.media_type in (None, MediaType.JSON):
            return _Written(self.status_code or 200, self.content)
        return super().to_asgi_response(app, request, headers=headers, **others)


class _Written:
    def __init__(self, status: int, body: bytes) -> None:
        self._start: Mapping[str, Any] = {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send(self._start)
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
