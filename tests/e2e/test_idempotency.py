"""Requests that are sent again under one Idempotency-Key are done once, and answered the same each time."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from attrs import evolve
from dishka import Provider, Scope, provide

from catalog.domain.ports import Clock
from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY, StillClock

from .clients import Client, added_author, added_book, every_change, in_parallel, in_process, places_in, problem_in
from .servers import PATIENCE, Server

REPLAYED = "idempotency-replayed"


def key(text: str | None = None) -> dict[str, str]:
    return {"Idempotency-Key": text or str(uuid4())}


def told(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that an answer says, but for what is said of the request itself."""
    own = {"x-request-id", "date", REPLAYED}
    return response.status_code, response.content, {k: v for k, v in response.headers.items() if k not in own}


def must_be_replays(first: httpx.Response, *others: httpx.Response) -> None:
    assert first.is_success, first.text
    assert REPLAYED not in first.headers
    for other in others:
        assert told(other) == told(first)
        assert other.headers[REPLAYED] == "true"
        assert other.headers["x-request-id"] != first.headers["x-request-id"]


# ---- replays


async def test_an_addition_sent_again_is_answered_the_same_and_adds_nothing(client: Client) -> None:
    author = await added_author(client)
    for path, body in (
        ("/authors", {"name": "Homer", "dob": None}),
        ("/books", {"title": "Emma", "author_id": author["id"], "languages": ["en"]}),
    ):
        headers = key()

        first, *others = [await client.post(path, json=body, headers=headers) for _ in range(3)]

        must_be_replays(first, *others)
        assert first.status_code == 201
        assert others[0].headers["location"] == f"{path}/{first.json()['id']}"
        assert others[0].headers["etag"].startswith('"1-')
    assert len(await every_change(client)) == 3


async def test_a_change_sent_again_is_answered_the_same_and_changes_nothing(client: Client) -> None:
    book = await added_book(client)
    path, headers = f"/books/{book['id']}", key()

    first, *others = [await client.patch(path, json={"title": "Persuasion"}, headers=headers) for _ in range(3)]

    must_be_replays(first, *others)
    assert first.json()["version"] == 2
    assert len(await every_change(client)) == 2


@pytest.mark.parametrize("fate", ["changed", "removed", "merged", "its author renamed", "its author changed"])
async def test_an_answer_is_the_same_whatever_has_become_of_the_record_since(client: Client, fate: str) -> None:
    author, second = await added_author(client, "First name"), await added_author(client, "Second")
    create, amend = key(), key()

    async def ask() -> list[httpx.Response]:
        details = {"title": "Emma", "author_id": author["id"]}
        added = await client.post("/books", json=details, headers=create)
        path = f"/books/{added.json()['id']}"
        return [added, await client.patch(path, json={"subtitle": "a novel"}, headers=amend)]

    firsts = await ask()
    path = f"/books/{firsts[0].json()['id']}"
    match fate:
        case "changed":
            await client.patch(path, json={"title": "Changed"})
        case "removed":
            await client.delete(path)
        case "merged":
            other = await added_book(client, "Other")
            await client.post(f"{path}/merge", json={"into": other["id"]})
        case "its author renamed":
            await client.patch(f"/authors/{author['id']}", json={"name": "Second name"})
        case "its author changed":
            await client.patch(path, json={"author_id": second["id"]})
            await client.delete(f"/authors/{author['id']}")
    before = await every_change(client)

    for first, again in zip(firsts, await ask(), strict=True):
        must_be_replays(first, again)
    assert await every_change(client) == before


async def test_an_amendment_that_changed_nothing_is_answered_the_same_too(client: Client) -> None:
    author = await added_author(client, "First name")
    book = await added_book(client, "Emma", author["id"])
    await client.patch(f"/authors/{author['id']}", json={"name": "Second name"})
    headers = key()

    first, again = [
        await client.patch(f"/books/{book['id']}", json={"title": "Emma"}, headers=headers) for _ in range(2)
    ]

    assert first.json()["author"]["name"] == "Second name"
    must_be_replays(first, again)


async def test_revert_restore_merge_and_unmerge_are_done_once_too(client: Client) -> None:
    author, other = await added_author(client, "First"), await added_author(client, "Other")
    path = f"/authors/{author['id']}"
    book = await added_book(client, "Emma", author["id"])
    await client.patch(path, json={"name": "Second"})

    async def twice(what: str, body: object = None) -> httpx.Response:
        headers = key()
        first, again = [await client.post(f"{path}/{what}", json=body, headers=headers) for _ in range(2)]
        must_be_replays(first, again)
        return again

    await twice("revert", {"to_version": 1})
    await twice("merge", {"into": other["id"]})
    await client.patch(f"/books/{book['id']}", json={"author_id": None})
    unmerged = await twice("unmerge")
    assert [left["id"] for left in unmerged.json()["left_alone"]] == [book["id"]]
    await client.delete(path)
    await twice("restore")
    operations = [change["operation"] for change in await every_change(client) if change["id"] == author["id"]]
    assert operations == ["create", "revise", "revert", "merge", "unmerge", "remove", "restore"]


async def test_a_client_that_follows_the_redirect_of_a_merged_record_may_send_its_change_again(
    settings: Settings,
) -> None:
    async with in_parallel(settings) as client:
        loser, survivor = await added_author(client, "Loser"), await added_author(client, "Survivor")
        await client.post(f"/authors/{loser['id']}/merge", json={"into": survivor["id"]})
        headers = key()

        first, again = [
            await client.patch(f"/authors/{loser['id']}", json={"name": "New"}, headers=headers, follow_redirects=True)
            for _ in range(2)
        ]

        must_be_replays(first, again)


async def test_a_receipt_outlasts_the_process(tmp_path: Path) -> None:
    settings, headers = Settings(storage=f"sqlite:///{tmp_path}/catalog.db"), key()
    async with in_process(settings) as client:
        first = await client.post("/authors", json={"name": "Homer"}, headers=headers)

    async with in_process(settings) as client:
        must_be_replays(first, await client.post("/authors", json={"name": "Homer"}, headers=headers))
        assert len(await every_change(client)) == 1


async def test_twenty_at_once_with_one_key_make_one_record_and_are_answered_alike(settings: Settings) -> None:
    async with in_parallel(settings) as client:
        headers = key()

        answers = await asyncio.gather(
            *(client.post("/authors", json={"name": "Homer"}, headers=headers) for _ in range(20))
        )

        (first,) = (answer for answer in answers if REPLAYED not in answer.headers)
        must_be_replays(first, *(answer for answer in answers if answer is not first))
        assert len(await every_change(client)) == 1


async def test_twenty_at_once_in_two_processes_make_one_record(serve: Callable[..., Server], tmp_path: Path) -> None:
    one, two = [serve("--storage", f"sqlite:///{tmp_path}/catalog.db") for _ in range(2)]
    async with one.parallel_client() as first, two.parallel_client() as second:
        headers = key()

        answers = await asyncio.gather(
            *((first, second)[n % 2].post("/authors", json={"name": "Homer"}, headers=headers) for n in range(20))
        )

        assert Counter(answer.status_code for answer in answers) == {201: 20}
        assert len({answer.content for answer in answers}) == 1
        assert Counter(answer.headers.get(REPLAYED) for answer in answers) == {None: 1, "true": 19}
        assert len(await every_change(first)) == 1


async def test_a_kill_between_the_write_and_its_answer_loses_no_receipt(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    storage = f"sqlite:///{tmp_path}/catalog.db"
    first, second = serve("--storage", storage), serve("--storage", storage)
    address, body, headers = urlsplit(first.address), json.dumps({"name": "Homer"}), key()
    async with second.parallel_client() as client:
        with socket.create_connection((address.hostname, address.port)) as connection:
            connection.sendall(
                (
                    f"POST /authors HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\nIdempotency-Key: {headers['Idempotency-Key']}\r\n\r\n{body}"
                ).encode()
            )
            deadline = time.monotonic() + PATIENCE
            while not (await client.get("/changes")).json()["items"]:
                assert time.monotonic() < deadline
            first.kill()  # nobody has read the answer
    second.kill()

    async with serve("--storage", storage).parallel_client() as client:
        again = await client.post("/authors", content=body, headers={**headers, "Content-Type": "application/json"})

        (change,) = await every_change(client)
        assert (again.status_code, again.json()["id"], again.headers[REPLAYED]) == (201, change["id"], "true")


# ---- other requests with the same key


async def test_a_key_that_was_used_for_another_request_is_refused(client: Client) -> None:
    author, other = await added_author(client, "One"), await added_author(client, "Other")
    headers = key()
    path, body = f"/authors/{author['id']}", {"name": "New"}
    assert (await client.patch(path, json=body, headers=headers)).status_code == 200
    before = await every_change(client)

    for method, where, what, more in (
        ("PATCH", path, {"name": "Newer"}, {}),
        ("PATCH", f"/authors/{other['id']}", body, {}),
        ("POST", "/authors", body, {}),
        ("PATCH", path, body, {"If-Match": "*"}),
        ("POST", f"{path}/revert", {"to_version": 1}, {}),
    ):
        response = await client.request(method, where, json=what, headers={**headers, **more})

        problem_in(response, 422, "key-reused")
        assert REPLAYED not in response.headers
    assert await every_change(client) == before
    assert (await client.patch(path, json=body, headers=headers)).headers[REPLAYED] == "true"


async def test_another_query_is_another_request_or_refused_for_itself(client: Client) -> None:
    headers = key()
    await client.post("/authors", json={"name": "Homer"}, headers=headers)

    response = await client.post("/authors?x=1", json={"name": "Homer"}, headers=headers)

    assert response.status_code in {400, 422}
    assert (await client.get("/authors")).json()["total"] == 1


async def test_keys_are_the_callers_own_where_callers_are_told_apart(tmp_path: Path) -> None:
    for storage in ("memory://", f"sqlite:///{tmp_path}/catalog.db"):
        async with in_process(Settings(storage=storage, trust_actor_header=True)) as client:
            headers = key()
            ann, bob = [
                await client.post("/authors", json={"name": "Homer"}, headers={**headers, "X-Actor": name})
                for name in ("ann", "bob")
            ]
            again = await client.post("/authors", json={"name": "Homer"}, headers={**headers, "X-Actor": "ann"})

            assert ann.json()["id"] != bob.json()["id"]
            must_be_replays(ann, again)


# ---- what is not stored


async def test_a_refusal_is_not_stored_and_the_key_can_be_used_again(client: Client) -> None:
    author = await added_author(client)
    path = f"/authors/{author['id']}"
    await client.patch(path, json={"name": "Second"})
    headers = key("again-and-again")

    for method, where, body, more, status in (
        ("POST", "/authors", {"name": " "}, {}, 400),
        ("POST", "/books", {"title": "Emma", "author_id": str(NOBODY)}, {}, 422),
        ("PATCH", f"/authors/{NOBODY}", {"name": "x"}, {}, 404),
        ("PATCH", path, {"name": "x"}, {"If-Match": '"1-0"'}, 412),
        ("POST", f"{path}/merge", {"into": author["id"]}, {}, 409),
        ("POST", f"{path}/revert", {"to_version": 7}, {}, 404),
    ):
        for _ in range(2):
            response = await client.request(method, where, json=body, headers={**headers, **more})

            assert (response.status_code, response.headers.get(REPLAYED)) == (status, None)

    first, again = [await client.post("/authors", json={"name": "Homer"}, headers=headers) for _ in range(2)]
    must_be_replays(first, again)


async def test_put_and_delete_need_no_key_and_ignore_one(client: Client) -> None:
    author = await added_author(client)
    path, headers = f"/authors/{author['id']}", key()

    for name, given in (("Second", headers), ("Third", headers), ("Fourth", key("k" * 300))):
        response = await client.put(path, json={"name": name}, headers=given)
        assert (response.json()["name"], response.headers.get(REPLAYED)) == (name, None)
    assert (await client.delete(path, headers=headers)).status_code == 204
    problem_in(await client.delete(path, headers=headers), 410, "removed")


async def test_questions_ignore_a_key(client: Client) -> None:
    author = await added_author(client)
    headers = key()

    for path in ("/authors", f"/authors/{author['id']}", "/changes"):
        assert REPLAYED not in (await client.get(path, headers=headers)).headers
    assert (await client.post("/authors", json={"name": "Homer"}, headers=headers)).status_code == 201


# ---- keys


async def test_a_key_that_is_none_is_refused_and_nothing_is_written(client: Client) -> None:
    author = await added_author(client)
    before = await every_change(client)
    for wrong in (b"", b"k" * 256, "schlüssel".encode(), "schlüssel".encode("latin-1"), b"a\tb", b"a\x7fb"):
        for method, path, body in (
            ("POST", "/authors", {"name": "Homer"}),
            ("PATCH", f"/authors/{author['id']}", {"name": "Homer"}),
        ):
            response = await client.request(method, path, json=body, headers={"Idempotency-Key": wrong})

            assert places_in(problem_in(response, 400, "invalid-request")) == ["Idempotency-Key"], wrong
    assert await every_change(client) == before


async def test_the_longest_and_the_strangest_keys_that_can_be_are_keys(client: Client) -> None:
    for each in (
        "k" * 255,
        "!",
        '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
        "a b",
        "~" * 10,
        "'; DROP TABLE receipt; --",
    ):
        first, again = [await client.post("/authors", json={"name": each}, headers=key(each)) for _ in range(2)]

        must_be_replays(first, again)


async def test_a_key_given_twice_is_refused(settings: Settings) -> None:
    async with in_parallel(settings) as client:  # Litestar's own client makes one of them
        headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]

        response = await client.post("/authors", json={"name": "Homer"}, headers=headers)

        assert places_in(problem_in(response, 400, "invalid-request")) == ["Idempotency-Key"]
        assert await every_change(client) == []


# ---- how long


class MovableClock(Provider):
    """Puts a clock that the test moves in the place of the machine's."""

    scope = Scope.APP

    def __init__(self, clock: StillClock) -> None:
        super().__init__()
        self._clock = clock

    @provide
    def clock(self) -> Clock:
        return self._clock


@pytest.mark.parametrize("hours", [24.0, 0.5])
async def test_a_key_is_forgotten_after_the_hours_that_are_set(settings: Settings, hours: float) -> None:
    clock = StillClock()
    async with in_process(evolve(settings, idempotency_hours=hours), MovableClock(clock)) as client:

        async def post() -> httpx.Response:
            return await client.post("/authors", json={"name": "Homer"}, headers=key("k"))

        first = await post()
        clock.move(hours * 3600 - 1)
        again = await post()
        clock.move(2)
        anew = await post()
        anew_again = await post()

        must_be_replays(first, again)
        assert anew.json()["id"] != first.json()["id"]
        must_be_replays(anew, anew_again)
