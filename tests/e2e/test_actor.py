"""X-Actor: counted only where it may be trusted, and then only if it is a name."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from attrs import evolve

from catalog.entrypoints.settings import Settings

from .clients import Client, added_author, every_change, in_parallel, in_process, places_in, problem_in
from .servers import Server


@pytest.fixture
async def trusting(settings: Settings) -> AsyncGenerator[Client]:
    """A client of a catalogue behind a proxy that names the actor."""
    async with in_process(evolve(settings, trust_actor_header=True)) as client:
        yield client


async def test_anybody_could_say_who_he_is_so_it_is_ignored_by_default(client: Client) -> None:
    for name in (b"ann", b"", b"x" * 1000, b"\x01", "Zoë".encode()):
        assert (await client.post("/authors", json={"name": "Homer"}, headers={"X-Actor": name})).status_code == 201

    assert {change["actor"] for change in await every_change(client)} == {"anonymous"}


async def test_where_it_is_trusted_it_stands_in_the_log_and_in_the_problem_of_a_removal(trusting: Client) -> None:
    author = (await trusting.post("/authors", json={"name": "Homer"}, headers={"X-Actor": "ann"})).json()
    path = f"/authors/{author['id']}"
    await trusting.patch(path, json={"name": "Vergil"}, headers={"X-Actor": "bob"})
    await trusting.delete(path, headers={"X-Actor": "cid"})
    await trusting.post(f"{path}/restore")
    await trusting.delete(path, headers={"X-Actor": "cid"})

    assert [change["actor"] for change in await every_change(trusting)] == ["ann", "bob", "cid", "anonymous", "cid"]
    assert problem_in(await trusting.get(path), 410, "removed")["removed_by"] == "cid"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("Zoë Ödegård".encode(), "Zoë Ödegård"),
        ("山田太郎".encode(), "山田太郎"),
        ("Zoe\u0308".encode(), "Zoë"),
        (b"  ann  ", "ann"),
        (b"ann@example.org", "ann@example.org"),
        (b"x" * 200, "x" * 200),
        ("山".encode() * 200, "山" * 200),
    ],
)
async def test_names_are_read_as_utf_8(trusting: Client, given: bytes, written: str) -> None:
    response = await trusting.post("/authors", json={"name": "Homer"}, headers={"X-Actor": given})

    assert response.status_code == 201, response.text
    assert [change["actor"] for change in await every_change(trusting)] == [written]


async def test_what_is_no_name_is_refused_and_nothing_is_written(trusting: Client) -> None:
    author = await added_author(trusting)
    before = await every_change(trusting)
    for wrong in (b"", b"   ", "\u3000".encode(), b"a\tb", b"a\x7fb", "a\u0085b".encode(), b"x" * 201):
        for method, path, body in (
            ("POST", "/authors", {"name": "Homer"}),
            ("PATCH", f"/authors/{author['id']}", {"name": "Homer"}),
            ("DELETE", f"/authors/{author['id']}", None),
            ("POST", f"/authors/{author['id']}/revert", {"to_version": 1}),
        ):
            response = await trusting.request(method, path, json=body, headers={"X-Actor": wrong})

            assert places_in(problem_in(response, 400, "invalid-request")) == ["X-Actor"], wrong
    assert await every_change(trusting) == before


async def test_a_name_given_twice_is_refused(settings: Settings) -> None:
    async with in_parallel(evolve(settings, trust_actor_header=True)) as client:  # Litestar's own makes one of them
        headers = [("X-Actor", "ann"), ("X-Actor", "bob")]

        response = await client.post("/authors", json={"name": "Homer"}, headers=headers)

        assert places_in(problem_in(response, 400, "invalid-request")) == ["X-Actor"]
        assert await every_change(client) == []


async def test_the_environment_can_say_that_it_is_trusted(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve("--storage", f"sqlite:///{tmp_path}/catalog.db", settings={"trust_actor_header": "true"})
    async with server.parallel_client() as client:
        name = "Zoë".encode()
        assert (await client.post("/authors", json={"name": "Homer"}, headers={"X-Actor": name})).status_code == 201

        assert [change["actor"] for change in await every_change(client)] == ["Zoë"]
