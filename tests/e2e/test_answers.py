"""Kept answers are those that the application would give now: nobody can tell, but by the time it takes."""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from tests.storages import opened

from catalog.domain.authors import AuthorDetails
from catalog.domain.ports import Storage
from catalog.domain.records import Amendment
from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY, Cataloguers

from .asking import Answer, Asked, answers_of, ask, over
from .clients import added_author, added_book, in_process, problem_in
from .servers import Server


@pytest.fixture
async def storage(storage_name: str) -> AsyncGenerator[Storage]:
    async with opened(storage_name) as storage:
        yield storage


async def written(app: Litestar, method: str, target: str, body: Any = None) -> dict[str, Any]:
    answer = await ask(app, Asked(target, (), method, b"" if body is None else json.dumps(body).encode()))
    assert answer.status < 300, (answer.status, answer.body)
    told: dict[str, Any] = json.loads(answer.body or b"{}")
    return told


async def given_again(app: Litestar, asked: Asked) -> Answer:
    """Ask until the answer is a kept one: other databases of a PostgreSQL server may change what it says of itself."""
    for _ in range(100):
        before = answers_of(app).given
        answer = await ask(app, asked)
        if answers_of(app).given > before:
            return answer
    raise AssertionError("it was never answered from memory")


# ---- that they are given


@pytest.mark.parametrize("headers", [(), ((b"accept-encoding", b"gzip"), (b"user-agent", b"x"))], ids=["plain", "gzip"])
async def test_records_and_lists_are_answered_from_memory(storage: Storage, headers: Any) -> None:
    async with over(storage) as app:
        author = await written(app, "POST", "/authors", {"name": "Jane Austen"})
        for number in range(20):
            await written(app, "POST", "/books", {"title": f"Book {number}", "author_id": author["id"]})
        for target in (
            "/authors",
            f"/authors/{author['id']}",
            "/books?pageSize=20",
            f"/books?author_id={author['id']}&currentPage=2",
            f"/authors/{author['id']}/revisions",
            "/authors/duplicates",
        ):
            first = await ask(app, Asked(target, headers))
            again = await given_again(app, Asked(target, headers))

            assert first.status == 200
            assert again.lasting == first.lasting


async def test_that_a_client_has_the_answer_is_told_from_memory(storage: Storage) -> None:
    async with over(storage) as app:
        author = await written(app, "POST", "/authors", {"name": "Jane Austen"})
        for target in ("/authors", f"/authors/{author['id']}"):
            known = Asked(target, [(b"if-none-match", (await ask(app, Asked(target)))["etag"].encode())])
            answers_of(app)._kept.clear()
            made, kept = await ask(app, known), await given_again(app, known)
            await given_again(app, Asked(target))
            of_the_whole = await given_again(app, known)

            assert made.status == 304
            assert made.lasting == kept.lasting == of_the_whole.lasting


async def test_they_are_kept_as_long_as_somebody_only_reads() -> None:
    for name in ("memory", "sqlite"):
        async with opened(name) as storage, over(storage) as app:
            author = await written(app, "POST", "/authors", {"name": "Jane Austen"})
            targets = ["/authors", f"/authors/{author['id']}", "/books", "/changes", "/livez", "/readyz", "/nothing"]

            for _ in range(10):
                for target in targets:
                    await ask(app, Asked(target))

            assert answers_of(app).given == 3 * 9


async def test_none_are_kept_where_the_setting_says_so() -> None:
    async with in_process(Settings(storage="memory://", answer_cache_bytes=0)) as client:
        await added_author(client)

        assert (await client.get("/authors")).json()["total"] == 1
        assert (await client.get("/authors")).json()["total"] == 1
        with pytest.raises(AssertionError):
            answers_of(client.app)


async def test_a_host_that_is_not_ours_gets_nothing_from_memory_either() -> None:
    async with in_process(Settings(storage="memory://")) as client:
        for _ in range(2):
            assert (await client.get("/authors")).status_code == 200

        problem_in(await client.get("/authors", headers={"Host": "evil.example"}), 421, "wrong-host")
        problem_in(await client.get("/authors?currentPage=0"), 400, "invalid-request")
        assert answers_of(client.app).given == 1


async def test_kept_answers_have_an_id_of_their_own_and_what_a_browser_must_know() -> None:
    async with in_process(Settings(storage="memory://")) as client:
        made = await client.get("/authors")
        kept = [await client.get("/authors") for _ in range(2)]
        named = await client.get("/authors", headers={"X-Request-Id": "mine"})

        assert answers_of(client.app).given == 3
        assert len({response.headers["x-request-id"] for response in (made, *kept)}) == 3
        assert named.headers["x-request-id"] == "mine"
        assert {response.headers["x-content-type-options"] for response in (made, *kept, named)} == {"nosniff"}


# ---- that they are right


async def test_what_the_log_does_not_tell_of_ends_answers_too(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    author = await catalogue.authors.add(AuthorDetails(name="Secret"))
    await catalogue.authors.revise(author.id, Amendment({"name": "Public"}))
    target = f"/authors/{author.id}/revisions"
    async with over(storage) as app:
        await given_again(app, Asked(target))
        assert b"Secret" in (await ask(app, Asked(target))).body

        catalogue.clock.move(1)
        async for _ in catalogue.log_keeping.compact(catalogue.clock.now()):
            pass

        assert b"Secret" not in (await ask(app, Asked(target))).body
        await catalogue.authors.remove(author.id)
        await given_again(app, Asked(target))
        await catalogue.log_keeping.erase(author.id)
        assert b"Public" not in (await ask(app, Asked(target))).body


class Chance:
    """Requests drawn at random, of what there is, was or might be."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.ids: dict[str, list[str]] = {"authors": [str(NOBODY)], "books": [str(NOBODY)]}
        self.etags = ["*", '"other"', 'W/"1-0"', ""]

    def some(self, things: Any) -> Any:
        return self.random.choice(things)

    def read(self) -> Asked:
        kind = self.some(["authors", "books"])
        id = self.some(self.ids[kind])
        sub = self.some(["", "", "", "/revisions", "/revisions/1", "/nothing"])
        pages = ["", "?pageSize=3", "?pageSize=3&currentPage=2", "?pageSize=0", "?x=1", "?sort=-id&pageSize=100"]
        target = self.some([f"/{kind}{self.some(pages)}", f"/{kind}/{id}{sub}", "/authors/duplicates", f"/{kind}/"])
        headers = [
            (name, value)
            for name, values, chance in (
                (b"accept-encoding", [b"gzip", b"br", b"zstd", b"gzip;q=0.5, br;q=0", b"identity", b"*;q=0"], 0.5),
                (b"accept", [b"*/*", b"application/json", b"text/html"], 0.5),
                (b"if-none-match", [tag.encode() for tag in self.etags], 0.4),
                (b"user-agent", [b"x", b"y"], 0.3),
                (b"x-request-id", [b"mine", b"not plain"], 0.1),
                (b"range", [b"bytes=0-10"], 0.05),
                (b"cookie", [b"a=b"], 0.05),
            )
            if self.random.random() < chance
            for value in [self.some(values)]
        ]
        return Asked(target, headers, self.some(["GET", "GET", "GET", "HEAD"]))

    def note(self, answer: Answer) -> None:
        etags = [value.decode() for name, value in answer.headers if name == b"etag"]
        self.etags += [form for etag in etags for form in (etag, f"W/{etag}", f'"x", {etag}')]
        self.etags = self.etags[-60:]

    async def write(self, app: Litestar) -> None:
        kind = self.some(["authors", "books"])
        text = self.some(["Emma", "Éмма", "x" * 900]) + str(self.random.random())
        author = self.some([None, *self.ids["authors"][1:]])
        body = {"name": text} if kind == "authors" else {"title": text, "author_id": author}
        id = self.some(self.ids[kind])
        method, target = self.some(
            [("POST", f"/{kind}"), ("POST", f"/{kind}"), ("PATCH", f"/{kind}/{id}"), ("DELETE", f"/{kind}/{id}")]
        )
        answer = await ask(app, Asked(target, (), method, b"" if method == "DELETE" else json.dumps(body).encode()))
        if answer.status == 201:
            self.ids[kind].append(json.loads(answer.body)["id"])


@pytest.mark.parametrize("seed", range(6))
async def test_every_answer_is_the_one_without_keeping_any(storage: Storage, seed: int) -> None:
    """Byte for byte, headers too, whatever is asked, and whoever writes meanwhile."""
    chance = Chance(seed)
    async with over(storage) as keeping, over(storage, answer_cache_bytes=0) as forgetful:
        for _ in range(12):
            for _ in range(chance.random.randrange(3)):
                await chance.write(chance.some([keeping, forgetful]))
            for asked in [chance.read() for _ in range(10)]:
                expected = await ask(forgetful, asked)
                for _ in range(3):
                    got = await ask(keeping, asked)
                    assert got.lasting == expected.lasting, asked
                chance.note(expected)
        assert answers_of(keeping).given > 0


# ---- that nobody misses his own write


class Connection:
    """Keeps a connection to a server, and asks with as little effort as can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def to(cls, server: Server) -> "Connection":
        address = httpx.URL(server.address)
        return cls(*await asyncio.open_connection(address.host, address.port))

    async def __call__(self, asked: Asked) -> Answer:
        lines = [f"{asked.method} {asked.target} HTTP/1.1", "Host: localhost", f"Content-Length: {len(asked.body)}"]
        if not asked.body:
            lines.pop()
        lines += ["Content-Type: application/json"] * bool(asked.body)
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + asked.body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:-2])
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split(" ")[1]), [(k.encode(), v.encode()) for k, v in headers.items()], body)

    def close(self) -> None:
        self._writer.close()


Put = Callable[[Asked], Any]


async def write_and_read(write: Put, read: Put, times: int) -> int:
    """Write through one, read through both at once, the record and a list; return how many answers were stale."""
    stale = 0
    author = json.loads((await write(Asked("/authors", (), "POST", b'{"name": "0"}'))).body)
    record, listed = Asked(f"/authors/{author['id']}"), Asked("/authors?pageSize=100&count=none")
    for number in range(1, times + 1):
        body = json.dumps({"name": str(number)}).encode()
        answer = await write(Asked(record.target, (), "PATCH", body))
        assert answer.status == 200, answer.body
        for put in (read, write):
            stale += json.loads((await put(record)).body)["name"] != str(number)
        items = json.loads((await read(listed)).body)["items"]
        (own,) = [item for item in items if item["id"] == author["id"]]
        stale += own["name"] != str(number)
        etag = (await read(record))["etag"]
        stale += etag != (await write(record))["etag"]
    return stale


@pytest.mark.slow
async def test_whoever_writes_through_one_process_reads_it_through_another_at_once(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    """10,000 requests of eight clients to two servers over one file."""
    url = f"sqlite:///{tmp_path}/catalog.db"
    servers = [serve("--storage", url) for _ in range(2)]
    connections = [[await Connection.to(server) for server in servers] for _ in range(8)]
    try:
        stale = await asyncio.gather(
            *(
                write_and_read(pair[number % 2], pair[1 - number % 2], times=209)
                for number, pair in enumerate(connections)
            )
        )
    finally:
        for connection in (connection for pair in connections for connection in pair):
            connection.close()

    assert sum(stale) == 0


async def test_whoever_writes_reads_it_at_once(storage: Storage) -> None:
    async with over(storage) as app, over(storage) as other:

        async def put(asked: Asked) -> Answer:
            return await ask(app, asked)

        async def put_to_other(asked: Asked) -> Answer:
            return await ask(other, asked)

        stale = await asyncio.gather(
            *(write_and_read(*(put, put_to_other)[:: 1 if n % 2 else -1], times=20) for n in range(8))
        )

        assert sum(stale) == 0
        assert answers_of(app).given + answers_of(other).given > 0


async def test_a_file_that_was_replaced_is_not_answered_from_memory(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    async with in_process(Settings(storage=f"sqlite:///{file}")) as client:
        await added_book(client)
        for _ in range(2):
            await client.get("/books")
        assert answers_of(client.app).given == 1

        file.rename(tmp_path / "other.db")
        await client.get("/books")
        assert answers_of(client.app).given == 1

        (tmp_path / "other.db").rename(file)
        await client.get("/books")
        assert answers_of(client.app).given == 2
