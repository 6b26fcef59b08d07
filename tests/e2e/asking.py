"""Requests put to the application itself, for answers as they go to the server: not decoded, their headers in order."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field, frozen
from dishka import Provider, Scope, provide
from litestar import Litestar

from catalog.domain.ports import Storage
from catalog.entrypoints.container import build_app, http_container
from catalog.entrypoints.http.answers import KeptAnswers
from catalog.entrypoints.settings import Settings

Header = tuple[bytes, bytes]


class Opened(Provider):
    """A storage that is open already, and stays so."""

    scope = Scope.APP

    def __init__(self, storage: Storage) -> None:
        super().__init__()
        self._storage = storage

    @provide
    def storage(self) -> Storage:
        return self._storage


@frozen
class Asked:
    """A request that can be put again."""

    target: str
    headers: Sequence[Header] = ()
    method: str = "GET"
    body: bytes = b""


@define
class Answer:
    """What came back."""

    status: int = 0
    headers: list[Header] = field(factory=list)
    body: bytes = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        else:
            self.body += message["body"]

    def __getitem__(self, name: str) -> str:
        """The value of a header; KeyError unless it stands there once."""
        values = [value.decode() for key, value in self.headers if key == name.encode()]
        if len(values) != 1:
            raise KeyError(f"{name}: {values}")
        return values[0]

    @property
    def lasting(self) -> tuple[int, list[Header], bytes]:
        """All of it but the id, headers in any order."""
        headers = sorted(header for header in self.headers if header[0] != b"x-request-id")
        return self.status, headers, self.body.replace(self["x-request-id"].encode(), b"")  # problems say it, too


async def ask(app: Litestar, asked: Asked) -> Answer:
    """Put a request to the application."""
    path, _, query = asked.target.partition("?")
    headers = [(b"host", b"localhost"), *asked.headers]
    if asked.body:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(asked.body)).encode())]
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "scheme": "http",
        "root_path": "",
        "method": asked.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers,
        "state": {},
    }
    answer = Answer()

    async def receive() -> Any:
        return {"type": "http.request", "body": asked.body, "more_body": False}

    await app(scope, receive, answer)
    return answer


@asynccontextmanager
async def over(storage: Storage, **settings: Any) -> AsyncGenerator[Litestar]:
    """Start the application over a storage that is open."""
    chosen = Settings(storage="memory://", **settings)
    app = build_app(chosen, http_container(chosen, Opened(storage)))
    async with app.lifespan():
        yield app


def answers_of(app: Litestar) -> KeptAnswers:
    """Return what keeps the answers of the application."""
    handler: Any = app.asgi_handler
    assert isinstance(handler, KeptAnswers)
    return handler
