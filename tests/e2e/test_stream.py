"""GET /changes as a stream of events: live, complete, and no burden on anybody else."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn

from catalog.domain.queries import SEQ_LIMIT
from catalog.entrypoints.container import build_app
from catalog.entrypoints.http import changes
from catalog.entrypoints.settings import Settings

from .clients import Client, added_author, added_book, every_change, places_in, problem_in
from .servers import PATIENCE, Server, run_catalog
from .streams import STREAM, streaming

SOON = 1.0
"""Seconds after which live news is no news any more."""


@pytest.fixture(params=["memory", "sqlite"])
def server(request: pytest.FixtureRequest, serve: Callable[..., Server], tmp_path: Path) -> Server:
    return serve("--storage", "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/catalog.db")


@pytest.fixture
def sqlite_server(serve: Callable[..., Server], tmp_path: Path) -> Server:
    return serve("--storage", f"sqlite:///{tmp_path}/catalog.db")


@asynccontextmanager
async def connected(server: Server) -> AsyncGenerator[httpx.AsyncClient]:
    """A client that may have as many connections as it likes."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with (
        httpx.AsyncClient(base_url=server.address, timeout=PATIENCE, trust_env=False, limits=limits) as client,
        asyncio.timeout(PATIENCE),
    ):
        yield client


# ---- what comes


async def test_a_stream_tells_what_happened_and_then_what_happens(server: Server) -> None:
    async with connected(server) as client:
        author = await added_author(client)
        await added_book(client, "Emma", author["id"])

        async with streaming(client) as stream:
            before = await stream.take(2)
            took = []
            for name in ("Second", "Third", "Fourth"):
                asked = time.monotonic()
                await client.patch(f"/authors/{author['id']}", json={"name": name})
                await stream.next()
                took.append(time.monotonic() - asked)

        assert before + stream.came[2:] == await every_change(client)
        assert stream.response.headers["content-type"].partition(";")[0] == STREAM
        assert stream.response.headers.get("cache-control") in {"no-cache", "no-store"}
        assert "etag" not in stream.response.headers
        assert min(took) < SOON


async def test_a_stream_begins_after_since_or_after_the_last_event_that_came(sqlite_server: Server) -> None:
    async with connected(sqlite_server) as client:
        for n in range(1, 6):
            await added_author(client, f"Author {n}")
        await added_book(client)

        async def first(path: str, **headers: str) -> int:
            async with streaming(client, path, **headers) as stream:
                return int((await stream.next())["seq"])

        assert await first("/changes") == 1
        assert await first("/changes?since=3") == 4
        assert await first("/changes", **{"last-event-id": "3"}) == 4
        assert await first("/changes?since=1", **{"last-event-id": "4"}) == 5
        assert await first("/changes?since=5", **{"last-event-id": "0"}) == 1
        assert await first("/changes?kind=book") == 6
        assert await first("/changes?since=5&kind=book&limit=1") == 6


async def test_the_stream_of_one_kind_tells_of_no_other_before_or_after_it_was_opened(sqlite_server: Server) -> None:
    async with connected(sqlite_server) as client:
        await added_book(client, "Emma")
        author = await added_author(client)

        async with streaming(client, "/changes?kind=author") as stream:
            await stream.next()
            for n in range(3):
                await added_book(client, f"Book {n}")
                await client.patch(f"/authors/{author['id']}", json={"name": f"Author {n}"})
            await stream.take(3)

        assert stream.came == [each for each in await every_change(client) if each["kind"] == "author"]


async def test_a_stream_tells_what_other_processes_write(
    sqlite_server: Server, serve: Callable[..., Server], tmp_path: Path
) -> None:
    books = tmp_path / "books.csv"
    books.write_text("key,title,authors\n1,Emma,Jane Austen\n2,Persuasion,Jane Austen\n", "utf-8")
    storage = f"sqlite:///{tmp_path}/catalog.db"
    second = serve("--storage", storage)
    async with connected(sqlite_server) as client, connected(second) as other, streaming(client) as stream:
        took = []
        for n in range(3):
            await added_author(other, f"Author {n}")
            answered = time.monotonic()
            await stream.next()
            took.append(time.monotonic() - answered)
        assert min(took) < SOON

        imported = await asyncio.to_thread(run_catalog, "import", str(books), "--storage", storage, folder=tmp_path)
        async with asyncio.timeout(5):
            await stream.take(3)

        assert imported.returncode == 0, imported.stderr
        assert stream.came == await every_change(other)


async def test_more_than_the_stream_reads_at_once_comes_whole_and_in_order(
    sqlite_server: Server, tmp_path: Path
) -> None:
    number = 2 * changes.BATCH + 7
    books = tmp_path / "books.csv"
    books.write_text("key,title\n" + "".join(f"{n},Book {n}\n" for n in range(number)), "utf-8")
    async with connected(sqlite_server) as client:
        await asyncio.to_thread(
            run_catalog, "import", str(books), "--storage", f"sqlite:///{tmp_path}/catalog.db", folder=tmp_path
        )

        async with streaming(client) as stream:
            seqs = [revision["seq"] for revision in await stream.take(number)]

        assert seqs == list(range(1, number + 1))


# ---- coming back


@pytest.mark.slow
async def test_who_comes_back_again_and_again_misses_nothing_and_gets_nothing_twice(server: Server) -> None:
    writes, chance = 240, random.Random(1)

    async def write(client: httpx.AsyncClient, writer: int) -> None:
        author = await added_author(client, f"Writer {writer}")
        for n in range(writes // 4 - 1):
            await client.patch(f"/authors/{author['id']}", json={"name": f"Writer {writer}, {n}"})

    async def read(client: httpx.AsyncClient) -> list[int]:
        seqs: list[int] = []
        while len(seqs) < writes:
            async with streaming(client, **{"last-event-id": str(seqs[-1] if seqs else 0)}) as stream:
                seqs += [each["seq"] for each in await stream.take(min(chance.randint(0, 25), writes - len(seqs)))]
                # More may have been sent by now, which is lost with the connection.
                await asyncio.sleep(chance.random() / 50)
        return seqs

    async with connected(server) as client:
        *_, one, two = await asyncio.gather(*(write(client, n) for n in range(4)), read(client), read(client))

        assert one == two == list(range(1, writes + 1))
    assert "ERROR" not in server.output


async def test_an_event_that_never_was_is_refused_before_the_stream_begins(shared_client: Client) -> None:
    for value in ("x", "", "-1", "1.0", "0x1", "1 2", "1,2", "9" * 19, "9" * 5000, str(SEQ_LIMIT + 1), "٣".encode()):
        response = await shared_client.get("/changes", headers={"accept": STREAM, "last-event-id": value})

        assert places_in(problem_in(response, 400, "invalid-request")) == ["Last-Event-ID"], value


async def test_an_event_beyond_the_end_is_refused_and_the_problem_names_what_was_sent(shared_client: Client) -> None:
    for path, headers, place in (
        ("/changes", {"last-event-id": "1000"}, "Last-Event-ID"),
        ("/changes?since=1000", {}, "since"),
    ):
        response = await shared_client.get(path, headers={"accept": STREAM, **headers})

        problem = problem_in(response, 400, "invalid-request")
        assert "put back" in problem["detail"]
        assert places_in(problem) == [place]


async def test_who_does_not_ask_for_a_stream_gets_pages(shared_client: Client) -> None:
    for accept in ("application/json", "*/*", "", "text/html", "application/*, text/event-stream;q=0.1"):
        response = await shared_client.get("/changes", headers={"accept": accept, "last-event-id": "x"})

        assert response.json() == {"items": [], "next": None}


# ---- nobody is in the way of anybody


def raw(server: Server, request: str, receive_buffer: int | None = None) -> socket.socket:
    """Connect, and send the head of a request."""
    address = urlsplit(server.address)
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(PATIENCE)
    connection.connect((address.hostname, address.port))
    connection.sendall(f"{request} HTTP/1.1\r\nHost: localhost\r\nAccept: {STREAM}\r\n\r\n".encode())
    return connection


async def test_a_reader_who_does_not_read_stops_nobody_else(sqlite_server: Server, tmp_path: Path) -> None:
    number = 1000
    books = tmp_path / "books.csv"
    text = "".join(f"{n},{n}{'x' * 900},{'y' * 999}\n" for n in range(number))
    books.write_text(f"key,title,subtitle\n{text}", "utf-8")
    storage = f"sqlite:///{tmp_path}/catalog.db"
    async with connected(sqlite_server) as client:
        await asyncio.to_thread(run_catalog, "import", str(books), "--storage", storage, folder=tmp_path)
        lazy = [raw(sqlite_server, "GET /changes", receive_buffer=4096) for _ in range(3)]
        await asyncio.sleep(0.3)

        async with streaming(client, f"/changes?since={number}") as stream:
            for n in range(5):
                asked = time.monotonic()
                await added_author(client, f"Author {n}")
                await stream.next()
                assert time.monotonic() - asked < PATIENCE / 10

    for connection in lazy:
        connection.close()
    assert "ERROR" not in sqlite_server.output


async def test_a_hundred_idle_streams_are_no_burden_and_all_hear_the_news(sqlite_server: Server) -> None:
    async with connected(sqlite_server) as client, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(streaming(client)) for _ in range(100)]
        took = []
        for _ in range(3):
            asked = time.monotonic()
            assert (await client.get("/books")).status_code == 200
            took.append(time.monotonic() - asked)

        asked = time.monotonic()
        author = await added_author(client)
        heard = await asyncio.gather(*(stream.next() for stream in streams))
        until_all_had_heard = time.monotonic() - asked

        assert min(took) < 0.2
        assert {revision["id"] for revision in heard} == {author["id"]}
        assert until_all_had_heard < 5 * SOON


async def test_a_reader_who_leaves_is_let_go(sqlite_server: Server) -> None:
    async with connected(sqlite_server) as client:
        for n in range(10):
            async with streaming(client) as stream:
                await added_author(client, f"Author {n}")
                await stream.take(n + 1)

    asked = time.monotonic()
    assert await asyncio.to_thread(sqlite_server.stop) == 0
    assert time.monotonic() - asked < 5
    assert "Traceback" not in sqlite_server.output
    assert "was never retrieved" not in sqlite_server.output


def test_the_head_of_a_stream_keeps_nobody_waiting(serve: Callable[..., Server]) -> None:
    with raw(serve("--storage", "memory://"), "HEAD /changes") as connection:
        connection.settimeout(5)
        with HTTPResponse(connection, method="HEAD") as head:
            head.begin()
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with HTTPResponse(connection, method="GET") as answer:
            answer.begin()

    assert (head.status, answer.status) == (200, 200)


# ---- pings and the end


@asynccontextmanager
async def served_here(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """Serve with uvicorn in the event loop of the test, where the interval between pings can be set."""
    app = build_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, timeout_graceful_shutdown=5))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server._serve(sockets=[listener]))
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, trust_env=False) as client:
                yield client
        finally:
            app.state.stopping.set()
            server.should_exit = True
            await serving


async def test_a_stream_without_news_is_kept_alive_by_pings_that_are_no_events(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "SECONDS_BETWEEN_PINGS", 0.05)
    async with served_here(settings) as client, streaming(client) as stream:
        waiting = asyncio.create_task(stream.next())
        await asyncio.sleep(1)
        assert not waiting.done()
        assert len(stream.comments) > 2

        author = await added_author(client)

        assert (await waiting)["id"] == author["id"]
        assert set(stream.comments) == {"ping"}


def test_pings_come_more_often_than_followers_lose_patience() -> None:
    from catalog.adapters.http.feed import SILENCE_SECONDS

    assert 2 * changes.SECONDS_BETWEEN_PINGS < SILENCE_SECONDS


async def test_all_streams_end_cleanly_within_a_second_of_sigterm(serve: Callable[..., Server]) -> None:
    took: list[float] = []
    while len(took) < 3 and not any(seconds < SOON for seconds in took):  # the machine may be busy, but not thrice
        server = serve("--storage", "memory://")
        async with connected(server) as client, AsyncExitStack() as stack:
            await added_author(client)
            streams = [await stack.enter_async_context(streaming(client)) for _ in range(20)]
            for stream in streams:
                await stream.next()

            asked = time.monotonic()
            status, *rests = await asyncio.gather(
                asyncio.to_thread(server.stop), *(stream.rest() for stream in streams)
            )
            took.append(time.monotonic() - asked)

        assert status == 0
        assert rests == [[]] * 20
        assert "Traceback" not in server.output
    assert min(took) < SOON


async def test_what_was_written_before_the_end_is_told_before_the_end_or_after_coming_back(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    storage = f"sqlite:///{tmp_path}/catalog.db"
    first = serve("--storage", storage)
    async with connected(first) as client, streaming(client) as stream:
        for n in range(10):
            await added_author(client, f"Author {n}")
        _, before = await asyncio.gather(asyncio.to_thread(first.stop), stream.rest())

    async with connected(serve("--storage", storage)) as client:
        last = before[-1]["seq"] if before else 0
        after: list[Any] = []
        if last < 10:
            async with streaming(client, **{"last-event-id": str(last)}) as stream:
                after = await stream.take(10 - last)
        assert before + after == await every_change(client)
