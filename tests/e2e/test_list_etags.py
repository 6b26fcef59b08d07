"""The ETags of /authors and /books come from the log: the same as long as nothing changes, whoever changes it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx

from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY

from .clients import Client, added_author, added_book, in_process
from .servers import Server, run_catalog


async def etag_of(client: httpx.AsyncClient, path: str) -> str:
    response = await client.get(path)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-cache")
    return str(response.headers["etag"])


async def is_kept(client: httpx.AsyncClient, path: str, etag: str) -> bool:
    """Whether who has the list under that tag is told that he has it already; asks with GET and with HEAD."""
    headers = {"If-None-Match": etag}
    got, headed = await client.get(path, headers=headers), await client.head(path, headers=headers)
    assert got.status_code == headed.status_code
    if got.status_code == 304:
        assert (got.content, got.headers["etag"], got.headers["cache-control"]) == (b"", etag, "no-cache")
        assert "content-type" not in got.headers
        return True
    assert got.status_code == 200
    return False


def lists(author_id: str) -> list[str]:
    return [
        "/authors",
        "/authors?pageSize=1",
        "/authors?pageSize=1&currentPage=2",
        "/authors?currentPage=1000",
        "/books",
        "/books?pageSize=1",
        f"/books?author_id={author_id}",
        f"/books?author_id={author_id}&pageSize=1&currentPage=2",
    ]


async def test_who_has_a_list_is_told_so_as_long_as_nothing_changes(client: Client) -> None:
    author = await added_author(client)
    await added_book(client, "Emma", author["id"])
    await added_book(client, "Beowulf")
    etags = {path: await etag_of(client, path) for path in lists(author["id"])}

    await client.get(f"/authors/{author['id']}")
    await client.patch(f"/authors/{author['id']}", json={"name": author["name"]})  # says nothing new
    await client.post("/authors", json={"name": " "})  # is refused
    await client.delete(f"/authors/{author['id']}")  # is refused

    assert [path for path, etag in etags.items() if not await is_kept(client, path, etag)] == []
    assert {path: await etag_of(client, path) for path in etags} == etags


async def test_no_two_questions_have_an_etag_in_common(client: Client) -> None:
    author = await added_author(client)
    others = ["/authors?currentPage=1", "/books?pageSize=10", f"/books?author_id={NOBODY}"]
    paths = [*lists(author["id"]), *others]

    etags = {await etag_of(client, path) for path in paths}

    assert len(etags) == len(paths)


async def test_the_etag_of_another_question_keeps_nobody_from_the_answer(client: Client) -> None:
    author = await added_author(client)
    paths = lists(author["id"])
    etags = [await etag_of(client, path) for path in paths]

    for path, own in zip(paths, etags, strict=True):
        for foreign in set(etags) - {own}:
            assert not await is_kept(client, path, foreign)
        every = ", ".join(etags)
        assert (await client.get(path, headers={"If-None-Match": every})).headers["etag"] == own


async def test_after_any_change_whoever_had_a_list_gets_it_anew(client: Client) -> None:
    one, two = await added_author(client, "One"), await added_author(client, "Two")
    book = await added_book(client, "Emma", one["id"])
    author, path = f"/authors/{one['id']}", f"/books/{book['id']}"

    for method, where, body in (
        ("POST", "/authors", {"name": "Three"}),
        ("POST", "/books", {"title": "Beowulf", "author_id": None}),
        ("PATCH", author, {"name": "Uno"}),
        ("PUT", author, {"name": "Eins"}),
        ("PATCH", path, {"title": "Emma!"}),
        ("POST", f"{path}/revert", {"to_version": 1}),
        ("DELETE", path, None),
        ("POST", f"{path}/restore", None),
        ("POST", f"{author}/merge", {"into": two["id"]}),
        ("POST", f"{author}/unmerge", None),
    ):
        etags = {each: await etag_of(client, each) for each in lists(one["id"])}

        assert (await client.request(method, where, json=body)).is_success, where

        kept = [each for each, etag in etags.items() if await is_kept(client, each, etag)]
        assert kept == [], f"{method} {where}"


async def test_a_list_that_is_not_there_any_more_is_not_kept_for_its_etag(client: Client) -> None:
    await added_author(client)
    etag = await etag_of(client, "/authors")

    response = await client.get("/authors?pageSize=0", headers={"If-None-Match": etag})

    assert response.status_code == 400


async def test_what_another_process_writes_ends_a_list_too(serve: Callable[..., Server], tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/catalog.db"
    one, two = serve("--storage", storage), serve("--storage", storage)
    books = tmp_path / "books.csv"
    books.write_text("key,title\n1,Emma\n", "utf-8")
    async with one.parallel_client() as first, two.parallel_client() as second:
        await added_author(first)
        etag = await etag_of(first, "/authors")
        assert await is_kept(second, "/authors", etag)

        await added_author(second)

        assert not await is_kept(first, "/authors", etag)
        etag = await etag_of(first, "/books")
        done = await asyncio.to_thread(run_catalog, "import", str(books), "--storage", storage, folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert not await is_kept(first, "/books", etag)
        assert (await first.get("/books", headers={"If-None-Match": etag})).json()["total"] == 1


async def test_an_etag_of_a_catalogue_that_ended_is_none_of_the_next_at_the_same_seq() -> None:
    etags = []
    for _ in range(2):
        async with in_process(Settings(storage="memory://")) as client:
            for path in etags[:1]:
                assert not await is_kept(client, "/authors", path)
            await added_author(client, "Somebody")
            for path in etags[:1]:
                assert not await is_kept(client, "/authors", path)
            etags.append(await etag_of(client, "/authors"))

    assert etags[0] != etags[1]


async def test_an_etag_outlasts_the_process_where_the_storage_does(tmp_path: Path) -> None:
    settings = Settings(storage=f"sqlite:///{tmp_path}/catalog.db")
    async with in_process(settings) as client:
        await added_author(client)
        etag = await etag_of(client, "/authors")

    async with in_process(settings) as client:
        assert await is_kept(client, "/authors", etag)


async def test_two_catalogues_that_were_copied_and_went_apart_do_not_share_etags(tmp_path: Path) -> None:
    etags = []
    for name in ("one", "two"):
        async with in_process(Settings(storage=f"sqlite:///{tmp_path}/{name}.db")) as client:
            await added_author(client, name)
            etags.append(await etag_of(client, "/authors"))

    assert etags[0] != etags[1]
