"""A client written for Advanced Alchemy's Litestar guide works unchanged, and what the guide got wrong is right."""

import sqlite3
import time
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from attrs import define, frozen

from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY

from .clients import Client, added_author, added_book, in_process, places_in, problem_in


@frozen
class GuideAuthor:
    """An author as the guide knows it."""

    id: UUID
    name: str
    dob: date | None


@frozen
class GuideBook:
    """A book as the guide knows it."""

    id: UUID
    title: str
    author_id: UUID
    author: GuideAuthor


@define
class GuideClient:
    """Knows the guide's paths, fields and parameters, and nothing else."""

    http: httpx.AsyncClient

    async def list(self, kind: str, **parameters: int) -> tuple[list[dict[str, Any]], int, int, int]:
        response = await self.http.get(f"/{kind}", params=parameters)
        assert response.status_code == 200
        page = response.json()
        return page["items"], page["limit"], page["offset"], page["total"]

    async def create(self, kind: str, **fields: Any) -> dict[str, Any]:
        response = await self.http.post(f"/{kind}", json=fields)
        assert response.status_code == 201
        return self._body(response)

    async def get(self, kind: str, id: UUID) -> dict[str, Any]:
        response = await self.http.get(f"/{kind}/{id}")
        assert response.status_code == 200
        return self._body(response)

    async def update(self, kind: str, id: UUID, **fields: Any) -> dict[str, Any]:
        response = await self.http.patch(f"/{kind}/{id}", json=fields)
        assert response.status_code == 200
        return self._body(response)

    async def delete(self, kind: str, id: UUID) -> None:
        response = await self.http.delete(f"/{kind}/{id}")
        assert (response.status_code, response.content) == (204, b"")

    @staticmethod
    def _body(response: httpx.Response) -> dict[str, Any]:
        assert response.headers["content-type"] == "application/json"
        body: dict[str, Any] = response.json()
        return body


def author_of(body: dict[str, Any]) -> GuideAuthor:
    dob = None if body["dob"] is None else date.fromisoformat(body["dob"])
    return GuideAuthor(id=UUID(body["id"]), name=body["name"], dob=dob)


def book_of(body: dict[str, Any]) -> GuideBook:
    return GuideBook(
        id=UUID(body["id"]),
        title=body["title"],
        author_id=UUID(body["author_id"]),
        author=author_of(body["author"]),
    )


@pytest.fixture
def guide(client: Client) -> GuideClient:
    return GuideClient(client)


async def test_an_author_is_created_read_changed_and_deleted(guide: GuideClient) -> None:
    created = author_of(await guide.create("authors", name="Ursula K. Le Guin", dob="1929-10-21"))
    read = author_of(await guide.get("authors", created.id))
    renamed = author_of(await guide.update("authors", created.id, name="U. K. Le Guin"))
    undated = author_of(await guide.update("authors", created.id, dob=None))
    await guide.delete("authors", created.id)

    assert created == GuideAuthor(created.id, "Ursula K. Le Guin", date(1929, 10, 21))
    assert read == created
    assert renamed == GuideAuthor(created.id, "U. K. Le Guin", date(1929, 10, 21))
    assert undated == GuideAuthor(created.id, "U. K. Le Guin", None)
    assert await guide.list("authors") == ([], 10, 0, 0)


async def test_an_author_needs_no_date_of_birth(guide: GuideClient) -> None:
    created = author_of(await guide.create("authors", name="Homer"))

    assert created == GuideAuthor(created.id, "Homer", None)


async def test_a_book_is_created_read_changed_and_deleted(guide: GuideClient) -> None:
    one = author_of(await guide.create("authors", name="Currer Bell"))
    two = author_of(await guide.create("authors", name="Ellis Bell"))

    created = book_of(await guide.create("books", title="Jane Eyre", author_id=str(one.id)))
    read = book_of(await guide.get("books", created.id))
    retitled = book_of(await guide.update("books", created.id, title="Wuthering Heights"))
    moved = book_of(await guide.update("books", created.id, author_id=str(two.id)))
    await guide.delete("books", created.id)

    assert created == GuideBook(created.id, "Jane Eyre", one.id, one)
    assert read == created
    assert retitled == GuideBook(created.id, "Wuthering Heights", one.id, one)
    assert moved == GuideBook(created.id, "Wuthering Heights", two.id, two)
    assert await guide.list("books") == ([], 10, 0, 0)


@pytest.mark.parametrize("kind", ["authors", "books"])
async def test_lists_come_in_pages_of_ten_unless_asked_otherwise(guide: GuideClient, kind: str) -> None:
    fields: dict[str, Any] = {"author_id": None} if kind == "books" else {}
    name = "title" if kind == "books" else "name"
    for n in range(12):
        await guide.create(kind, **{name: f"Number {n:02d}"}, **fields)

    first, *first_envelope = await guide.list(kind)
    second, *second_envelope = await guide.list(kind, currentPage=2)
    fourth, *fourth_envelope = await guide.list(kind, currentPage=4, pageSize=3)

    assert ([item[name][-2:] for item in first], first_envelope) == ([f"{n:02d}" for n in range(10)], [10, 0, 12])
    assert ([item[name][-2:] for item in second], second_envelope) == (["10", "11"], [10, 10, 12])
    assert ([item[name][-2:] for item in fourth], fourth_envelope) == (["09", "10", "11"], [3, 9, 12])


@pytest.mark.parametrize("kind", ["authors", "books"])
async def test_the_total_is_right_past_the_end(guide: GuideClient, kind: str) -> None:
    author = await guide.create("authors", name="Homer")
    await guide.create("books", title="Iliad", author_id=author["id"])

    assert await guide.list(kind, currentPage=1000) == ([], 10, 9990, 1)


async def test_lists_are_ordered_whatever_the_order_of_creation(guide: GuideClient) -> None:
    for name in ("Zola", "émile", "Austen", "Émile", "Brontë"):
        await guide.create("authors", name=name)

    items, *_ = await guide.list("authors")

    assert [item["name"] for item in items] == ["Austen", "Brontë", "émile", "Émile", "Zola"]


@pytest.mark.parametrize("kind", ["authors", "books"])
async def test_a_created_record_is_found_where_location_says(client: Client, kind: str) -> None:
    body = {"name": "Homer"} if kind == "authors" else {"title": "Iliad", "author_id": None}

    created = await client.post(f"/{kind}", json=body)
    found = await client.get(created.headers["location"])

    assert created.headers["location"] == f"/{kind}/{created.json()['id']}"
    assert found.json() == created.json()


async def test_books_are_filtered_by_author(client: Client) -> None:
    one, two = await added_author(client, "One"), await added_author(client, "Two")
    await added_book(client, "First", one["id"])
    second = await added_book(client, "Second", two["id"])

    response = await client.get("/books", params={"author_id": two["id"]})

    as_of = {"seq": 4, "at": second["updated_at"]}
    assert response.json() == {
        "items": [second],
        "limit": 10,
        "offset": 0,
        "total": 1,
        "as_of": as_of,
        "next": None,
        "prev": None,
        "facets": None,
        "did_you_mean": None,
        "highlights": None,
        "included": None,
    }


@pytest.mark.parametrize(
    "text",
    ["", "   ", "\u3000", "\u200b", "a\0b", "a\nb", "a\x85b", "x" * 1001],
    ids=["empty", "spaces", "wide space", "zero width", "NUL", "line break", "C1", "too long"],
)
@pytest.mark.parametrize("kind", ["authors", "books"])
async def test_names_and_titles_that_nobody_can_read_are_refused(shared_client: Client, kind: str, text: str) -> None:
    name, body = ("name", {}) if kind == "authors" else ("title", {"author_id": None})

    response = await shared_client.post(f"/{kind}", json={name: text, **body})

    assert places_in(problem_in(response, 400, "invalid-body")) == [f"/{name}"]
    assert (await shared_client.get(f"/{kind}")).json()["total"] == 0


async def test_a_title_of_nine_megabytes_is_refused(shared_client: Client) -> None:
    response = await shared_client.post("/books", json={"title": "x" * 9_000_000, "author_id": None})

    problem_in(response, 413, "body-too-large")


@pytest.mark.parametrize("prefix", ["", '{"name": ', '{"name": "Homer", "unknown": '], ids=["bare", "name", "unknown"])
async def test_a_hundred_thousand_nested_lists_are_refused(shared_client: Client, prefix: str) -> None:
    response = await shared_client.post(
        "/authors", content=prefix.encode() + b"[" * 100_000, headers={"Content-Type": "application/json"}
    )

    problem_in(response, 400, "invalid-body")


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_an_unknown_author_is_refused(client: Client, method: str) -> None:
    book = await added_book(client)
    path = "/books" if method == "POST" else f"/books/{book['id']}"

    response = await client.request(method, path, json={"title": "Iliad", "author_id": str(NOBODY)})

    problem = problem_in(response, 422, "unknown-reference")
    assert places_in(problem) == ["/author_id"]
    assert str(NOBODY) in problem["errors"][0]["detail"]
    assert (await client.get("/books")).json()["items"] == [book]


@pytest.mark.parametrize("kind", ["authors", "books"])
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        *(("pageSize", value) for value in ("0", "101", "1000000000", "9" * 30, "ten")),
        *(("currentPage", value) for value in ("0", "-1", "2147483648", "1.5", "")),
    ],
)
async def test_a_page_out_of_bounds_is_refused(shared_client: Client, kind: str, parameter: str, value: str) -> None:
    response = await shared_client.get(f"/{kind}", params={parameter: value})

    assert places_in(problem_in(response, 400, "invalid-request")) == [parameter]


@pytest.mark.parametrize("parameters", [{"pageSize": 1}, {"pageSize": 100}, {"currentPage": 2_147_483_647}])
async def test_pages_are_bounded_and_the_bounds_belong_to_them(guide: GuideClient, parameters: dict[str, int]) -> None:
    _, limit, offset, total = await guide.list("books", **parameters)

    assert limit == parameters.get("pageSize", 10)
    assert offset == 10 * (parameters.get("currentPage", 1) - 1)
    assert total == 0


async def test_a_name_can_not_be_patched_away(client: Client) -> None:
    author = await added_author(client)

    response = await client.patch(f"/authors/{author['id']}", json={"name": None})

    assert places_in(problem_in(response, 400, "invalid-body")) == ["/name"]
    assert (await client.get(f"/authors/{author['id']}")).json() == author


@pytest.mark.parametrize("field", ["id", "version", "dateOfBirth"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_fields_that_a_client_can_not_write_are_refused(client: Client, method: str, field: str) -> None:
    author = await added_author(client)
    path = "/authors" if method == "POST" else f"/authors/{author['id']}"

    response = await client.request(method, path, json={"name": "Homer", field: author.get(field, 1)})

    assert places_in(problem_in(response, 400, "invalid-body")) == [f"/{field}"]
    assert (await client.get("/authors")).json()["items"] == [author]


@pytest.mark.parametrize("dob", [86400, "86400", "1929-10-21T00:00:00", "1929-02-30", ""])
async def test_a_date_of_birth_that_is_no_day_is_refused(shared_client: Client, dob: object) -> None:
    response = await shared_client.post("/authors", json={"name": "Homer", "dob": dob})

    assert places_in(problem_in(response, 400, "invalid-body")) == ["/dob"]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
async def test_a_body_that_is_not_declared_as_json_is_refused(shared_client: Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    response = await shared_client.post("/authors", content=b'{"name": "Homer"}', headers=headers)

    problem_in(response, 415, "not-json")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "application/merge-patch+json"])
async def test_a_body_that_is_declared_as_json_in_other_words_is_read(client: Client, content_type: str) -> None:
    author = await added_author(client)

    response = await client.patch(
        f"/authors/{author['id']}", content=b'{"name": "Homer"}', headers={"Content-Type": content_type}
    )

    assert (response.status_code, response.json()["name"]) == (200, "Homer")


async def test_a_book_is_added_quickly_to_an_author_of_twenty_thousand(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    async with in_process(Settings(storage=f"sqlite:///{file}")) as client:
        author = await added_author(client, "Barbara Cartland")
        await added_book(client, "First", author["id"])
        _multiply_books(file, 20_000)

        took: list[float] = []
        for title in ("One more", "Another", "The last"):
            started = time.perf_counter()
            await added_book(client, title, author["id"])
            took.append(time.perf_counter() - started)

        total = (await client.get("/books", params={"author_id": author["id"]})).json()["total"]
        assert total == 20_003
        assert min(took) < 0.5, "the guide took 2 s: it loaded all of them"


def _multiply_books(file: Path, count: int) -> None:
    """Make of the one book that many, alike in everything but the id."""
    connection = sqlite3.connect(file)
    columns = [column for _, column, *_ in connection.execute("PRAGMA table_info(book)")]
    values = ["randomblob(16)" if column == "id" else column for column in columns]
    numbers = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    select = f"SELECT {', '.join(values)} FROM book, n"
    with connection:
        connection.execute(f"{numbers} INSERT INTO book ({', '.join(columns)}) {select}", (count,))
    connection.close()


async def test_null_empties_a_list_as_it_clears_any_other_field(client: Client) -> None:
    book = await added_book(client, "Emma", tags=["novel"], edition="2nd", languages=["eng"])
    address = f"/books/{book['id']}"

    patched = await client.patch(address, json={"tags": None, "edition": None})

    assert patched.status_code == 200, patched.text
    assert patched.json() | {"version": 1, "updated_at": ""} == book | {"tags": [], "edition": None, "updated_at": ""}
    problem_in(await client.put(address, json={"title": "Emma", "author_id": None, "tags": None}), 400, "invalid-body")


async def test_a_patch_of_another_kind_is_no_record(client: Client) -> None:
    book = await added_book(client, "Emma")
    headers = {"content-type": "application/json-patch+json"}

    response = await client.patch(f"/books/{book['id']}", content=b"[]", headers=headers)

    problem_in(response, 415, "not-json")
