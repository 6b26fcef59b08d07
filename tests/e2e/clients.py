"""Clients of the application in this process, and what they expect of every problem."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
from dishka import Provider
from litestar import Litestar
from litestar.testing import AsyncTestClient

from catalog.entrypoints.container import build_app, http_container
from catalog.entrypoints.settings import Settings

BASE_URL = "http://localhost"

Client: TypeAlias = AsyncTestClient[Litestar]


@asynccontextmanager
async def in_process(settings: Settings, *overrides: Provider) -> AsyncGenerator[Client]:
    """Start the application, with parts of it exchanged; its requests are answered one after the other."""
    app = build_app(settings, http_container(settings, *overrides))
    async with AsyncTestClient(app, base_url=BASE_URL) as client:
        yield client


@asynccontextmanager
async def in_parallel(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """Start the application in the event loop of the test, where requests that are gathered run at once.

    Litestar's client blocks that loop until it has an answer, so its requests never meet.
    """
    app = build_app(settings)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # typed in other words for the same interface
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url=BASE_URL, timeout=60) as client:
        yield client


async def added_author(client: httpx.AsyncClient, name: str = "Jane Austen", **fields: Any) -> dict[str, Any]:
    """Add an author."""
    response = await client.post("/authors", json={"name": name, **fields})
    assert response.status_code == 201, response.text
    author: dict[str, Any] = response.json()
    return author


async def added_book(
    client: httpx.AsyncClient, title: str = "Emma", author_id: str | None = None, **fields: Any
) -> dict[str, Any]:
    """Add a book."""
    response = await client.post("/books", json={"title": title, "author_id": author_id, **fields})
    assert response.status_code == 201, response.text
    book: dict[str, Any] = response.json()
    return book


def problem_in(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    """Return the problem that a response is; it must be this one, and have all that every problem has."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem: dict[str, Any] = response.json()
    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", status)
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == quote(response.request.url.path)
    assert problem["request_id"] == response.headers["x-request-id"]
    return problem


def places_in(problem: dict[str, Any]) -> list[str]:
    """Return where a problem finds something wrong: JSON Pointers and names of parameters, in order."""
    return sorted(error.get("pointer", error.get("parameter")) for error in problem["errors"])


async def added(client: httpx.AsyncClient, kind: str, text: str, **fields: Any) -> dict[str, Any]:
    """Add a record of that kind (`authors`, `books`), called like that."""
    if kind == "authors":
        return await added_author(client, text, **fields)
    return await added_book(client, text, **fields)


async def every_change(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Return the whole log: if it is the same, nothing has changed."""
    path: str | None = "/changes?limit=1000"
    changes: list[dict[str, Any]] = []
    while path is not None:
        part = (await client.get(path)).json()
        changes += part["items"]
        path = part["next"]
    return changes
