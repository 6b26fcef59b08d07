"""Answers are kept within bounds, and only where they are certain to be those that the application would give."""

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from attrs import define, field

from catalog.adapters.memory import MemoryStorage
from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Storage
from catalog.entrypoints.http.answers import KeptAnswers
from catalog.testing.doubles import Cataloguers

ROOM = 1_000_000
Header = tuple[bytes, bytes]


@define
class Application:
    """Answers each path with a body of its own, and counts how often it was asked."""

    size: int = 100
    status: int = 200
    headers: Sequence[Header] = ()
    parts: int = 1
    meanwhile: Callable[[], Awaitable[object]] | None = None
    asked: list[str] = field(factory=list)

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        self.asked.append(scope["path"])
        if self.meanwhile is not None:
            await self.meanwhile()
        etag = (b"etag", b'"%d-%b"' % (len(self.asked), scope["path"].encode()))
        headers = [etag, (b"x-request-id", b"of the first"), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for number in range(1, self.parts + 1):
            body = scope["path"].encode().ljust(self.size // self.parts, b".")
            await send({"type": "http.response.body", "body": body, "more_body": number < self.parts})


@define
class Answer:
    """What came back."""

    status: int = 0
    headers: list[Header] = field(factory=list)
    body: bytes = b""

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
        else:
            self.body += message["body"]


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


async def change(storage: Storage) -> None:
    """Commit something."""
    await Cataloguers(storage).authors.add(AuthorDetails(name="Somebody"))


def kept(application: Application, storage: Storage, most_bytes: int = ROOM) -> KeptAnswers:
    async def opened() -> Storage:
        return storage

    return KeptAnswers(application, opened, most_bytes)


async def ask(app: Any, path: str = "/books", *headers: Header, method: str = "GET") -> Answer:
    answer = Answer()
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, answer)
    return answer


# ---- when they are given again


async def test_an_answer_is_given_again_as_long_as_nothing_changes(storage: MemoryStorage) -> None:
    application = Application()
    app = kept(application, storage)

    first, second = await ask(app), await ask(app)
    await change(storage)
    third = await ask(app)

    assert application.asked == ["/books", "/books"]
    assert (first.status, first.body, first.headers[0]) == (second.status, second.body, second.headers[0])
    assert third.headers[0] != first.headers[0]
    assert app.given == 1


async def test_an_answer_that_was_made_while_something_changed_is_not_kept(storage: MemoryStorage) -> None:
    application = Application(meanwhile=lambda: change(storage))
    app = kept(application, storage)

    await ask(app)
    application.meanwhile = None
    await ask(app)

    assert (len(application.asked), app.given) == (2, 0)


async def test_nothing_is_given_from_memory_where_the_storage_can_not_tell_its_version() -> None:
    class Unavailable(MemoryStorage):
        can_tell = True

        async def data_version(self) -> object:
            if not self.can_tell:
                raise StorageUnavailable("it is gone")
            return await super().data_version()

    storage = Unavailable()
    application = Application()
    app = kept(application, storage)
    await ask(app)
    assert (await ask(app), app.given)[1] == 1

    storage.can_tell = False
    await ask(app)
    storage.can_tell = True
    await ask(app)

    assert (len(application.asked), app.given) == (2, 2)


@pytest.mark.parametrize(
    "header",
    [
        (b"authorization", b"Bearer x"),
        (b"cookie", b"a=b"),
        (b"range", b"bytes=0-1"),
        (b"prefer", b"x"),
        (b"expect", b"100-continue"),
        (b"content-length", b"2"),
        (b"transfer-encoding", b"chunked"),
        (b"origin", b"http://localhost"),
        (b"host", b"other"),
        (b"accept", b"text/plain"),
        (b"x-actor", b"somebody"),
        (b"if-match", b'"1"'),
        (b"if-modified-since", b"Sat, 01 Jan 2000 00:00:00 GMT"),
    ],
)
async def test_a_question_with_more_to_it_is_one_for_the_application(storage: MemoryStorage, header: Header) -> None:
    app = kept(Application(), storage)
    for _ in range(2):
        await ask(app, "/books", (b"accept", b"*/*"))

    for _ in range(2):
        await ask(app, "/books", (b"accept", b"*/*"), header)

    assert app.given == 1


@pytest.mark.parametrize("header", [(b"host", b"other"), (b"accept", b"text/html"), (b"accept-encoding", b"gzip")])
async def test_a_question_that_says_it_otherwise_has_an_answer_of_its_own(
    storage: MemoryStorage, header: Header
) -> None:
    app = kept(Application(), storage)
    own = Answer()
    scope = {"type": "http", "method": "GET", "path": "/books", "query_string": b""}
    await ask(app)

    others = [(b"host", b"localhost")] if header[0] != b"host" else []
    for _ in range(2):
        own = Answer()
        await app({**scope, "headers": [*others, header]}, None, own)  # type: ignore[arg-type]  # nothing is received

    assert (app.given, len(app)) == (1, 2)
    assert own.headers[0] == (b"etag", b'"2-/books"')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_only_reading_is_answered_from_memory(storage: MemoryStorage, method: str) -> None:
    app = kept(Application(), storage)
    await ask(app)

    for _ in range(2):
        await ask(app, method=method)

    assert app.given == 0


@pytest.mark.parametrize("path", ["/changes", "/livez", "/readyz", "/schema", "/"])
async def test_other_paths_are_not_answered_from_memory(storage: MemoryStorage, path: str) -> None:
    app = kept(Application(), storage)

    for _ in range(2):
        await ask(app, path)

    assert (app.given, len(app)) == (0, 0)


@pytest.mark.parametrize(
    "application",
    [
        Application(status=201),
        Application(status=404),
        Application(status=500),
        Application(headers=[(b"set-cookie", b"a=b")]),
        Application(headers=[(b"vary", b"Accept, Origin")]),
        Application(headers=[(b"vary", b"*")]),
        Application(size=ROOM // 8 + 1),
        Application(size=ROOM // 8 + 4, parts=4),
    ],
    ids=["201", "404", "500", "cookie", "vary by Origin", "vary by all", "too large", "too large in parts"],
)
async def test_an_answer_that_may_not_be_kept_is_made_anew(application: Application, storage: MemoryStorage) -> None:
    app = kept(application, storage)
    for _ in range(2):
        await ask(app)

    assert (app.given, len(app), app.size) == (0, 0, 0)


async def test_an_answer_in_parts_is_kept_as_a_whole(storage: MemoryStorage) -> None:
    app = kept(Application(parts=4), storage)

    first, second = await ask(app), await ask(app)

    assert app.given == 1
    assert len(first.body) == 100
    assert second.body == first.body


async def test_head_is_answered_from_what_get_was_told(storage: MemoryStorage) -> None:
    app = kept(Application(), storage)
    got = await ask(app)

    headed = await ask(app, method="HEAD")

    assert (headed.status, headed.body, headed.headers[0]) == (200, b"", got.headers[0])
    assert app.given == 1


async def test_what_head_was_told_is_no_answer_to_get(storage: MemoryStorage) -> None:
    app = kept(Application(), storage)
    await ask(app, method="HEAD")

    assert (await ask(app)).body
    assert app.given == 0


# ---- If-None-Match, X-Request-Id


@pytest.mark.parametrize("tags", [b"{}", b"W/{}", b'"other", {}', b'"x",W/{}', b"*", b'W/"0-x" , {} '])
async def test_who_has_the_answer_is_told_so_from_memory(storage: MemoryStorage, tags: bytes) -> None:
    application = Application(headers=[(b"cache-control", b"no-cache"), (b"content-type", b"x"), (b"link", b"<x>")])
    app = kept(application, storage)
    etag = dict((await ask(app)).headers)[b"etag"]

    answer = await ask(app, "/books", (b"if-none-match", tags.replace(b"{}", etag)))

    assert (answer.status, answer.body, app.given) == (304, b"", 1)
    told = dict(answer.headers)
    del told[b"x-request-id"]
    assert told == {b"etag": etag, b"cache-control": b"no-cache"}


@pytest.mark.parametrize("tags", [b'"other"', b"", b"1", b'W/"1", "2"'])
async def test_who_has_another_answer_gets_this_one_from_memory(storage: MemoryStorage, tags: bytes) -> None:
    app = kept(Application(), storage)
    first = await ask(app)

    answer = await ask(app, "/books", (b"if-none-match", tags))

    assert (answer.status, answer.body, app.given) == (200, first.body, 1)


async def test_that_a_client_has_the_answer_is_kept_for_those_with_the_same_tag_only(storage: MemoryStorage) -> None:
    application = Application(status=304, size=0)
    app = kept(application, storage)
    known = (b"if-none-match", b'"1-/books"')

    assert [(await ask(app, "/books", known)).status for _ in range(3)] == [304] * 3
    application.status = 200
    others = [(await ask(app, "/books", *more)).status for more in ([], [(b"if-none-match", b'"2"')])]

    assert others == [200, 200]
    assert app.given == 3


async def test_every_answer_has_an_id_of_its_own(storage: MemoryStorage) -> None:
    app = kept(Application(), storage)
    await ask(app)

    ids = [dict((await ask(app)).headers)[b"x-request-id"].decode() for _ in range(3)]

    assert len(set(ids)) == 3
    assert all(len(id) == 32 for id in ids)
    assert app.given == 3


@pytest.mark.parametrize(("given", "is_taken"), [(b"a.B-1_", True), (b"", False), (b"a b", False), (b"x" * 65, False)])
async def test_a_plain_id_of_the_client_is_taken(storage: MemoryStorage, given: bytes, is_taken: bool) -> None:
    app = kept(Application(), storage)
    await ask(app)

    answer = await ask(app, "/books", (b"x-request-id", given))

    assert app.given == 1
    assert (dict(answer.headers)[b"x-request-id"] == given) is is_taken


# ---- bounds


async def test_answers_take_no_more_room_than_they_are_given(storage: MemoryStorage) -> None:
    application = Application(size=2_000)
    app = kept(application, storage, most_bytes=100_000)

    for number in range(500):
        await ask(app, f"/books/{number}")
        assert app.size <= 100_000

    assert len(app) > 20
    application.asked.clear()
    for number in reversed(range(500)):
        await ask(app, f"/books/{number}")
    assert len(application.asked) < 500


async def test_what_was_asked_for_least_recently_goes_first(storage: MemoryStorage) -> None:
    application = Application(size=2_000)
    app = kept(application, storage, most_bytes=100_000)

    for number in range(200):
        await ask(app, f"/books/{number}")
        await ask(app, "/books")

    assert application.asked.count("/books") == 1


@pytest.mark.parametrize("size", [100, 600, 5_000])
async def test_the_room_that_is_counted_is_what_memory_is_taken(storage: MemoryStorage, size: int) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % size),
        (b"cache-control", b"no-cache"),
        (b"vary", b"Accept-Encoding"),
        (b"x-content-type-options", b"nosniff"),
    ]
    room = 4_000_000
    app = kept(Application(size=size, headers=headers), storage, most_bytes=room)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        number = 0
        while app.size < room * 0.95:
            number += 1
            fresh = [(bytes(bytearray(name)), bytes(bytearray(value))) for name, value in headers]
            app.app = Application(size=size, headers=fresh)
            await ask(app, f"/books/{number:036}")
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

    assert 0.5 < taken / app.size < 1.05


async def test_a_change_frees_the_room(storage: MemoryStorage) -> None:
    app = kept(Application(), storage)
    for number in range(100):
        await ask(app, f"/books/{number}")
    full = app.size

    await change(storage)
    await ask(app)

    assert len(app) == 1
    assert app.size < full / 50


# ---- failures


async def test_an_error_of_the_application_leaves_nothing_behind(storage: MemoryStorage) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    application = Application(meanwhile=fail)
    app = kept(application, storage)
    with pytest.raises(ZeroDivisionError):
        await ask(app)
    application.meanwhile = None

    assert [(await ask(app)).status for _ in range(2)] == [200, 200]
    assert (len(application.asked), app.given) == (2, 1)


async def test_a_client_that_leaves_half_way_poisons_nothing(storage: MemoryStorage) -> None:
    app = kept(Application(parts=4), storage)

    async def leave(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    scope = {"type": "http", "method": "GET", "path": "/books", "query_string": b"", "headers": []}
    with pytest.raises(ConnectionResetError):
        await app(scope, None, leave)  # type: ignore[arg-type]  # nothing is received

    assert len(app) == 0
    assert len((await ask(app)).body) == 100


async def test_a_request_that_is_cancelled_holds_up_nobody(storage: MemoryStorage) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    application = Application(meanwhile=wait)
    app = kept(application, storage)
    task = asyncio.create_task(ask(app))
    await begun.wait()
    application.meanwhile = None

    others = [await ask(app), await ask(app)]
    task.cancel()
    await asyncio.wait([task])

    assert [len(other.body) for other in others] == [100, 100]
    assert app.given == 1
