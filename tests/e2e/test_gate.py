"""What every request passes before it is looked at: its id, its host, its origin, the time its body may take."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.entrypoints.container import build_app
from catalog.entrypoints.settings import Settings

from .clients import Client, added_author, in_process, problem_in
from .servers import HalfSentAuthor, Server, run_serve

# ---- the host


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "LocalHost", "books.localhost", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:80"],
)
async def test_hosts_that_can_not_be_rebound_are_answered(shared_client: Client, host: str) -> None:
    response = await shared_client.get("/authors", headers={"Host": host})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil",
        "[",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/authors", "/schema", "/nothing"])
async def test_other_hosts_are_refused_whatever_they_ask(shared_client: Client, path: str, host: str) -> None:
    response = await shared_client.get(path, headers={"Host": host})

    problem_in(response, 421, "wrong-host")


@pytest.mark.parametrize(
    ("allowed", "host"),
    [
        ("shop.example", "shop.example"),
        ("shop.example", "Shop.Example:8000"),
        ("shop.example", "shop.example."),
        ("Shop.Example", "shop.example"),
        ("*", "anything.example"),
    ],
)
async def test_allowed_hosts_are_answered(allowed: str, host: str) -> None:
    async with in_process(Settings(storage="memory://", allowed_hosts=("other.example", allowed))) as client:
        response = await client.get("/authors", headers={"Host": host})

    assert response.status_code == 200


async def test_an_allowed_host_allows_no_other() -> None:
    async with in_process(Settings(storage="memory://", allowed_hosts=("shop.example",))) as client:
        response = await client.get("/authors", headers={"Host": "evil.shop.example"})

    problem_in(response, 421, "wrong-host")


# ---- the origin


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:3000", "http://localhost.evil", "null", ""]
)
async def test_pages_of_other_origins_may_not_write(shared_client: Client, origin: str) -> None:
    response = await shared_client.post("/authors", json={"name": "Homer"}, headers={"Origin": origin})

    problem_in(response, 403, "foreign-origin")
    assert (await shared_client.get("/authors")).json()["total"] == 0


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_pages_of_other_origins_may_not_write_by_any_method(client: Client, method: str) -> None:
    author = await added_author(client)
    body = None if method == "DELETE" else {"name": "Changed"}

    response = await client.request(
        method, f"/authors/{author['id']}", json=body, headers={"Origin": "https://evil.example"}
    )

    problem_in(response, 403, "foreign-origin")
    assert (await client.get("/authors")).json()["items"] == [author]


async def test_pages_of_other_origins_may_read(shared_client: Client) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        response = await shared_client.request(method, "/authors", headers={"Origin": "https://evil.example"})

        assert response.is_success


async def test_our_own_pages_may_write(client: Client) -> None:
    headers = {"Host": "localhost:8000", "Origin": "http://localhost:8000"}

    response = await client.post("/authors", json={"name": "Homer"}, headers=headers)

    assert response.status_code == 201


async def test_pages_of_allowed_origins_may_write() -> None:
    settings = Settings(storage="memory://", allowed_origins=("https://shop.example",))
    async with in_process(settings) as client:
        allowed, other = [
            await client.post("/authors", json={"name": "Homer"}, headers={"Origin": origin})
            for origin in ("https://shop.example", "https://shop.example:8443")
        ]

    assert allowed.status_code == 201
    problem_in(other, 403, "foreign-origin")


# ---- the request's id


@pytest.mark.parametrize("given", ["abc", "A-1_b.c", "0" * 64])
@pytest.mark.parametrize("path", ["/authors", "/nothing"])
async def test_a_plain_request_id_is_kept(shared_client: Client, path: str, given: str) -> None:
    response = await shared_client.get(path, headers={"X-Request-Id": given})

    assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "<script>", "0" * 65, 'a"b', "a,b"])
async def test_any_other_request_id_is_replaced(shared_client: Client, given: str) -> None:
    response = await shared_client.get("/nothing", headers={"X-Request-Id": given})

    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])
    problem_in(response, 404, "not-found")


async def test_requests_without_an_id_get_one_each(shared_client: Client) -> None:
    ids = {(await shared_client.get("/livez")).headers["x-request-id"] for _ in range(10)}

    assert len(ids) == 10


# ---- the body's time


def test_a_slow_body_times_out_while_others_are_served(serve: Callable[..., Server], tmp_path: Path) -> None:
    config = tmp_path / "slow.toml"
    config.write_text('storage = "memory://"\nbody_timeout_seconds = 0.5\n')
    server = serve("--config", str(config))

    with HalfSentAuthor(server, "Slow") as slow, server.client() as other:
        meanwhile = other.post("/authors", json={"name": "Quick"})
        status, headers, problem = slow.answer()
        afterwards = other.get("/authors")

        assert meanwhile.status_code == 201
        assert (status, headers["content-type"]) == (408, "application/problem+json")
        assert problem["type"] == "/problems/body-timeout"
        assert problem["request_id"] == headers["x-request-id"]
        assert slow.is_closed_by_the_server()
        assert [author["name"] for author in afterwards.json()["items"]] == ["Quick"]


# ---- the address


@pytest.mark.parametrize("host", ["0.0.0.0", "catalog.example"])
def test_an_address_that_others_can_reach_is_refused(tmp_path: Path, host: str) -> None:
    result = run_serve("--storage", "memory://", "--port", "0", "--host", host, folder=tmp_path)

    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("catalog: ")
    assert "--allow-remote" in line


def test_an_address_that_others_can_reach_is_taken_when_that_is_wanted(serve: Callable[..., Server]) -> None:
    server = serve("--storage", "memory://", "--host", "0.0.0.0", "--allow-remote")

    assert server.address.startswith("http://0.0.0.0:")


@pytest.mark.parametrize("hosts", [["localhost", "evil.example"], ["user@localhost"], ["localhost:abc"], []])
async def test_a_request_has_one_host_and_that_is_well_formed(hosts: list[str]) -> None:
    answers: list[Any] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/livez",
        "query_string": b"",
        "headers": [(b"host", host.encode()) for host in hosts],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    app = build_app(Settings(storage="memory://"))
    async with app.lifespan():
        await app(scope, receive, send)  # type: ignore[arg-type]  # a request as a server would hand it over

    assert answers[0]["status"] == 421
