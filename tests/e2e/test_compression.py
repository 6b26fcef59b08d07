"""Compression by negotiation (RFC 9110, section 12.5.3), and the ETags of what is compressed."""

import gzip
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

import brotli
import httpx
import pytest
from attrs import evolve

from catalog.entrypoints.settings import Settings

from .clients import BASE_URL, Client, added_author, added_book, in_parallel, in_process, problem_in
from .servers import Server
from .streams import streaming

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODERS: Mapping[str | None, Callable[[bytes], bytes]] = {
    None: bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}
CODINGS = ["zstd", "br", "gzip"]
LIST = "/books?pageSize=100"


async def raw(client: httpx.AsyncClient, path: str, method: str = "GET", **headers: str | None) -> httpx.Response:
    """Return the answer as it comes: its content is not decoded. Nothing is asked for but by these headers."""
    asked = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    request = client.build_request(method, path)
    request.headers = httpx.Headers({"host": request.headers["host"], **asked})
    response = await client.send(request, stream=True)
    content = b"".join([part async for part in response.aiter_raw()])
    headers_as_they_came = [(name, value) for name, value in response.headers.items() if name != "content-encoding"]
    coding = response.headers.get("content-encoding")
    return httpx.Response(
        response.status_code, headers=headers_as_they_came, content=content, extensions={"coding": coding}
    )


def coding_of(response: httpx.Response) -> str | None:
    coding: str | None = response.extensions["coding"]
    return coding


@pytest.fixture
async def filled() -> AsyncGenerator[httpx.AsyncClient]:
    """A client of a catalogue with a list that is worth it; whatever holds it, compression sees only its bytes."""
    async with in_process(Settings(storage="memory://")) as client:
        author = await added_author(client)
        for number in range(20):
            await added_book(client, f"The Left Hand of Darkness {number}", author["id"])
        yield client


@pytest.fixture
async def long_path(filled: httpx.AsyncClient) -> str:
    """Where a record is that is worth it."""
    book = await added_book(filled, "The Left Hand", subtitle="of Darkness " * 40, languages=["eng"])
    path = f"/books/{book['id']}"
    if len((await raw(filled, path)).content) < 1024:
        contributors = [(await added_author(filled, f"Ursula K. Le Guin {n}"))["id"] for n in range(20)]
        roles = [{"author_id": id, "role": "edt"} for id in contributors]
        changed = await filled.patch(path, json={"contributors": roles})
        assert changed.status_code == 200, changed.text
    return path


# ---- what a client accepts


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("zstd, br, gzip", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip, br;q=0.9, zstd;q=0.8", "gzip"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("GZIP", "gzip"),
        ("*", "zstd"),
        ("*;q=0.5, zstd;q=0", "br"),
        ("br;q=0, gzip", "gzip"),
        ("zstd ; q=0.1 ,gzip; q=0.25", "gzip"),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity, gzip;q=0.5", None),
        ("br;q=0", None),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("identity;q=0, *;q=0", None),
        ("deflate, compress", None),
        ("gzip;q=2", None),
        ("gzip;q=", None),
        (", ,", None),
        ("", None),
        (None, None),
    ],
)
async def test_an_answer_comes_in_the_coding_that_its_client_wants_most(
    filled: httpx.AsyncClient, accepted: str | None, coding: str | None
) -> None:
    plain = await raw(filled, LIST)

    response = await raw(filled, LIST, accept_encoding=accepted)

    assert (response.status_code, coding_of(response)) == (200, coding)
    assert DECODERS[coding](response.content) == plain.content
    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert (len(response.content) < len(plain.content) / 2) == (coding is not None)


async def test_short_answers_come_as_they_are_but_say_that_others_may_not(filled: httpx.AsyncClient) -> None:
    response = await raw(filled, "/books?pageSize=1&fields=title", accept_encoding="zstd, br, gzip")

    assert (response.status_code, coding_of(response)) == (200, None)
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    assert response.json()["total"] == 20


async def test_whatever_is_written_or_refused_at_length_is_compressed_too(filled: httpx.AsyncClient) -> None:
    wrong = {f"field_{number}": number for number in range(50)}

    refused = await filled.post("/books", json=wrong, headers={"Accept-Encoding": "gzip"})

    problem_in(refused, 400, "invalid-body")
    assert refused.headers["content-encoding"] == "gzip"
    assert len(refused.json()["errors"]) > 20


async def test_compression_can_be_switched_off(settings: Settings) -> None:
    async with in_parallel(evolve(settings, compress_answers=False)) as client:
        for number in range(20):
            await added_book(client, f"The Left Hand of Darkness {number}")

        response = await raw(client, LIST, accept_encoding="zstd, br, gzip")

    assert coding_of(response) is None
    assert len(response.json()["items"]) == 20
    assert response.headers["vary"] == "Accept"


# ---- ETags


@pytest.mark.parametrize("coding", CODINGS)
async def test_what_is_compressed_has_an_etag_of_its_own(
    filled: httpx.AsyncClient, long_path: str, coding: str
) -> None:
    for path in (LIST, long_path):
        plain, compressed = await raw(filled, path), await raw(filled, path, accept_encoding=coding)

        assert coding_of(compressed) == coding
        assert compressed.headers["etag"] != plain.headers["etag"]
        assert compressed.headers["etag"] == f'{plain.headers["etag"][:-1]}-{coding}"'


@pytest.mark.parametrize("accepted", [None, *CODINGS])
@pytest.mark.parametrize("known", [None, *CODINGS])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}'])
async def test_who_has_the_answer_in_any_coding_is_told_so(
    filled: httpx.AsyncClient, long_path: str, known: str | None, accepted: str | None, form: str
) -> None:
    for path in (LIST, long_path):
        etag = (await raw(filled, path, accept_encoding=known)).headers["etag"]

        response = await raw(filled, path, accept_encoding=accepted, if_none_match=form.format(etag))

        assert (response.status_code, response.content, coding_of(response)) == (304, b"", None)
        assert response.headers["etag"] == etag, "the one that the client has"
        assert (response.headers["vary"], response.headers["cache-control"]) == (
            "Accept, Accept-Encoding",
            "no-cache",
        )


@pytest.mark.parametrize("coding", CODINGS)
async def test_who_had_the_answer_compressed_gets_the_new_one_after_a_change(
    filled: httpx.AsyncClient, long_path: str, coding: str
) -> None:
    for path in (LIST, long_path):
        etag = (await raw(filled, path, accept_encoding=coding)).headers["etag"]
        await filled.patch(long_path, json={"title": f"Changed after {path}"[:100]})

        response = await raw(filled, path, accept_encoding=coding, if_none_match=etag)

        assert (response.status_code, coding_of(response)) == (200, coding)
        assert b"Changed after" in DECODERS[coding](response.content)


@pytest.mark.parametrize("coding", CODINGS)
async def test_the_etag_of_a_compressed_record_is_good_for_a_write(
    filled: httpx.AsyncClient, long_path: str, coding: str
) -> None:
    etag = (await raw(filled, long_path, accept_encoding=coding)).headers["etag"]

    changed = await filled.patch(long_path, json={"title": "Second"}, headers={"If-Match": etag})
    stale = await filled.patch(long_path, json={"title": "Third"}, headers={"If-Match": etag})

    assert (changed.status_code, changed.json()["title"]) == (200, "Second")
    problem_in(stale, 412, "stale-version")


@pytest.mark.parametrize("accepted", [None, *CODINGS])
async def test_head_tells_the_headers_of_get_whatever_the_coding(
    filled: httpx.AsyncClient, long_path: str, accepted: str | None
) -> None:
    for path in (LIST, long_path, "/books?pageSize=1", "/schema/openapi.json"):
        headed = await raw(filled, path, "HEAD", accept_encoding=accepted)
        got = await raw(filled, path, accept_encoding=accepted)

        assert (headed.status_code, headed.content, coding_of(headed)) == (200, b"", coding_of(got))
        assert _lasting(headed) == _lasting(got)


def _lasting(response: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in response.headers.items() if name not in {"x-request-id", "date"}}


# ---- what is not for it


async def test_a_stream_of_changes_is_never_compressed(serve: Callable[..., Server]) -> None:
    server = serve("--storage", "memory://")
    async with httpx.AsyncClient(base_url=server.address, timeout=60, trust_env=False) as client:
        for number in range(30):
            await added_author(client, f"Author {number}")
        headers = {"accept-encoding": "zstd, br, gzip"}

        async with streaming(client, **headers) as stream:
            assert "content-encoding" not in stream.response.headers
            assert len(await stream.take(30)) == 30
            await added_author(client, "News")

            assert (await stream.next())["after"]["name"] == "News"


@pytest.mark.parametrize("coding", CODINGS)
async def test_over_a_socket_the_documentation_comes_compressed_and_whole(
    serve: Callable[..., Server], coding: str
) -> None:
    server = serve("--storage", "memory://")
    async with httpx.AsyncClient(base_url=server.address, timeout=60, trust_env=False) as client:
        page = await raw(client, "/schema")
        scripts = [part.split('"')[0] for part in page.text.split('src="')[1:]]
        for path in ("/schema", "/schema/openapi.json", *scripts):
            plain, compressed = await raw(client, path), await raw(client, path, accept_encoding=coding)

            assert (plain.status_code, coding_of(plain), coding_of(compressed)) == (200, None, coding), path
            assert DECODERS[coding](compressed.content) == plain.content
    assert scripts


async def test_a_client_that_decodes_by_itself_notices_nothing(client: Client) -> None:
    author = await added_author(client)
    for number in range(20):
        await added_book(client, f"The Left Hand of Darkness {number}", author["id"])

    plain = await client.get(LIST, headers={"Accept-Encoding": "identity"})
    compressed = await client.get(f"{BASE_URL}{LIST}")  # httpx accepts what it can decode

    assert "content-encoding" in compressed.headers
    assert compressed.json() == plain.json()


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("form", ["marcxml", "csv", "ndjson", "marc"])
@pytest.mark.parametrize("query", ["", "&pageSize=100"])
async def test_files_of_books_are_compressed_in_whole_and_in_parts(
    filled: httpx.AsyncClient, coding: str, form: str, query: str
) -> None:
    plain = await raw(filled, f"/books?format={form}{query}")

    response = await raw(filled, f"/books?format={form}{query}", accept_encoding=coding)

    assert (response.status_code, coding_of(response)) == (200, coding)
    assert DECODERS[coding](response.content) == plain.content
    assert len(response.content) < len(plain.content) / 2
    assert response.headers["etag"] == f'{plain.headers["etag"][:-1]}-{coding}"'
    known = await raw(
        filled, f"/books?format={form}{query}", accept_encoding=coding, if_none_match=response.headers["etag"]
    )
    assert (known.status_code, known.content) == (304, b"")
