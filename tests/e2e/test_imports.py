"""Imports over HTTP: files are received, kept, and imported while whoever sent them does something else."""

import asyncio
import csv
import io
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymarc import Field, Record, Subfield

from catalog.entrypoints.http.uploads import MOST_FILES

from .clients import Client, added_book, problem_in
from .servers import PATIENCE, Server, run_catalog

MAP = "key=key,title=title,authors=authors,isbn=isbn"
HEADING = "key,title,authors,isbn\n"


def rows(number: int, start: int = 0) -> str:
    return HEADING + "".join(f"{i},Book {i},Author {i % 7},\n" for i in range(start, start + number))


def marc(title: str) -> bytes:
    record = Record(force_utf8=True)
    record.add_field(Field(tag="001", data=title))
    record.add_field(Field(tag="245", indicators=("0", "0"), subfields=[Subfield("a", title)]))
    return bytes(record.as_marc())


async def ordered(client: httpx.AsyncClient, content: bytes | str, **parameters: str) -> dict[str, Any]:
    """Ask for an import of one file."""
    response = await client.post("/imports", params={"source": "here", **parameters}, content=content)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    return job


async def ended(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of an import."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        job = (await client.get(f"/imports/{job['id']}")).json()
        if job["ended_at"] is not None:
            return job
        await asyncio.sleep(0.02)
    raise AssertionError(f"still {job['state']}: {job}")


async def imported(client: httpx.AsyncClient, content: bytes | str, **parameters: str) -> dict[str, Any]:
    return await ended(client, await ordered(client, content, **parameters))


async def outcomes(client: httpx.AsyncClient, job: dict[str, Any], **asked: str) -> list[dict[str, Any]]:
    """Walk through what became of each record, a few at a time."""
    found: list[dict[str, Any]] = []
    path: str | None = str(httpx.URL(f"/imports/{job['id']}/outcomes", params={"limit": "3", **asked}))
    while path is not None:
        part = (await client.get(path)).json()
        found += part["items"]
        path = part["next"]
    return found


async def test_an_import_is_taken_in_at_once_and_done_later(client: Client) -> None:
    response = await client.post("/imports", params={"source": "shelf", "map": MAP}, content=rows(5))

    assert response.status_code == 202
    job = response.json()
    assert response.headers["location"] == f"/imports/{job['id']}"
    digest = sha256(rows(5).encode()).hexdigest()
    assert job["files"] == [{"name": "body", "format": "csv", "bytes": len(rows(5)), "sha256": digest}]
    done = await ended(client, job)
    assert (done["state"], done["records"], done["created"]) == ("done", 5, 5)
    assert done["bytes_read"] == len(rows(5))
    books = (await client.get("/books")).json()["items"]
    assert [book["title"] for book in books] == [f"Book {i}" for i in range(5)]
    assert books[0]["sources"] == [{"source": "shelf", "key": "0"}]


async def test_what_became_of_each_record_is_told_and_can_be_downloaded(client: Client) -> None:
    content = HEADING + "1,Emma,Jane Austen,9780141439587\n2,,,\n3,Persuasion,,12345\n4,=1+1,,\n"
    job = await imported(client, content, map=MAP)

    assert (job["created"], job["refused"], job["with_warnings"]) == (3, 1, 1)
    told = await outcomes(client, job)
    assert [(line["line"], line["key"], line["status"]) for line in told] == [
        (2, "1", "created"),
        (3, "2", "refused"),
        (4, "3", "created"),
        (5, "4", "created"),
    ]
    assert told[1]["reason"] == "has no title"
    assert (await client.get(f"/books/{told[0]['book_id']}")).json()["title"] == "Emma"
    assert [line["key"] for line in await outcomes(client, job, status="refused")] == ["2"]

    report = await client.get(f"/imports/{job['id']}/report")
    assert report.headers["content-type"] == "text/csv; charset=utf-8"
    assert job["id"] in report.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(report.text)))
    assert [(line["line"], line["status"], line["book_id"]) for line in lines] == [
        (str(line["line"]), line["status"], line["book_id"] or "") for line in told
    ]
    assert {line["file"] for line in lines} == {"body"}


async def test_importing_again_creates_nothing_twice(client: Client) -> None:
    first = await imported(client, rows(4), map=MAP)
    second = await imported(client, rows(5), map=MAP)

    assert (first["created"], second["created"], second["unchanged"]) == (4, 1, 4)


async def test_a_dry_run_says_what_a_run_does_and_does_nothing(client: Client) -> None:
    await added_book(client, "Emma", isbn="9780141439587")
    content = HEADING + "1,Emma!,Jane Austen,9780141439587\n2,,,\n3,Persuasion,Jane Austen,\n"

    dry = await imported(client, content, map=MAP, dryRun="true")
    assert (await client.get("/books")).json()["total"] == 1
    real = await imported(client, content, map=MAP)

    counts = ("records", "created", "updated", "unchanged", "refused", "with_warnings")
    assert {name: dry[name] for name in counts} == {name: real[name] for name in counts}
    said = [(line["status"], line["reason"]) for line in await outcomes(client, dry)]
    assert said == [(line["status"], line["reason"]) for line in await outcomes(client, real)]


async def test_a_run_that_stops_on_errors_ends_with_the_first_record_that_is_refused(client: Client) -> None:
    job = await imported(client, HEADING + "1,Emma,,\n2,,,\n3,Persuasion,,\n", map=MAP, stopOnError="true")

    assert (job["state"], job["records"], job["error"]) == ("stopped", 2, "the last record was refused")
    assert [line["status"] for line in await outcomes(client, job)] == ["created", "refused"]


async def test_a_duplicate_becomes_what_was_asked_for(client: Client) -> None:
    book = await added_book(client, "Emma", isbn="9780141439587")
    await imported(client, HEADING + "1,Emma: A Novel,,9780141439587\n", map=MAP, onDuplicate="update")

    assert (await client.get(f"/books/{book['id']}")).json()["title"] == "Emma: A Novel"


async def test_files_come_as_the_parts_of_a_form_too_and_are_one_import(client: Client) -> None:
    files = [
        ("file", ("C:\\Users\\Jane\\one.mrc", marc("First") + marc("Second"), "application/octet-stream")),
        ("file", ("two.bib", b"@book{k, title={Third}, author={Austen, Jane}}", "application/x-bibtex")),
    ]
    response = await client.post("/imports", files=files)

    assert response.status_code == 202, response.text
    job = await ended(client, response.json())
    assert [(file["name"], file["format"]) for file in job["files"]] == [("one.mrc", "marc"), ("two.bib", "bibtex")]
    assert (job["state"], job["created"]) == ("done", 3), job
    assert [line["file"] for line in await outcomes(client, job)] == ["one.mrc", "one.mrc", "two.bib"]
    changes = (await client.get("/changes")).json()["items"]
    assert {change["group"] for change in changes} == {job["id"]}


async def test_the_content_type_says_the_format_where_it_is_one_of_ours(client: Client) -> None:
    response = await client.post(
        "/imports?source=x", content=b"TY  - BOOK\nTI  - Emma\nER  - \n", headers={"content-type": "text/csv"}
    )
    assert response.json()["files"][0]["format"] == "csv"
    job = await ended(client, response.json())
    assert job["state"] == "failed"
    assert job["error"].startswith("body: no known file has these columns")


@pytest.mark.parametrize(("options", "created"), [({}, 3), ({"stopOnError": "true"}, 1)])
async def test_after_a_file_that_can_not_be_read_the_others_are(
    client: Client, options: dict[str, str], created: int
) -> None:
    files = [
        ("file", ("one.mrc", marc("First"), "application/octet-stream")),
        ("file", ("two.csv", b"no,such,columns\n1,2,3\n", "text/csv")),
        ("file", ("three.mrc", marc("Second") + marc("Third"), "application/octet-stream")),
    ]
    response = await client.post("/imports", params=options, files=files)

    job = await ended(client, response.json())
    assert (job["state"], job["created"]) == ("failed", created), job
    assert job["error"].startswith("two.csv: no known file has these columns")


async def test_our_own_records_need_no_name_of_a_source(client: Client) -> None:
    await added_book(client, "Emma")
    everything = (await client.get("/books?format=ndjson")).content

    response = await client.post("/imports", content=everything)

    job = await ended(client, response.json())
    assert (job["files"][0]["format"], job["unchanged"]) == ("ndjson", 1)


@pytest.mark.parametrize(
    ("query", "content", "status", "slug", "told"),
    [
        ("source=x", b"", 400, "unreadable-file", "is empty"),
        ("", b"@book{k, title={Emma}}", 400, "invalid-request", "source"),
        ("source=x&format=docx", b"x", 400, "invalid-request", "format"),
        ("source=x&onDuplicate=guess", b"x", 400, "invalid-request", "onDuplicate"),
        ("source=x&dryRun=perhaps", b"x", 400, "invalid-request", "dryRun"),
        ("source=x&dryrun=true", b"x", 400, "invalid-request", "dryrun"),
        ("source=", b"x", 400, "invalid-request", "source"),
        ("source=x&source=y", b"x", 400, "invalid-request", "source"),
        ("source=x&format=csv&encoding=klingon", b"x", 400, "unreadable-file", "klingon"),
        ("source=x&format=bibtex&map=title%3DTitel", b"@book{k, title={Emma}}", 400, "unreadable-file", "CSV"),
    ],
)
async def test_what_can_not_be_an_import_is_refused_at_once_and_says_why(
    client: Client, query: str, content: bytes, status: int, slug: str, told: str
) -> None:
    problem = problem_in(await client.post(f"/imports?{query}", content=content), status, slug)

    assert told in problem["detail"], problem
    assert (await client.get("/imports")).json()["items"] == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'--b\r\nContent-Disposition: form-data; name="dryRun"\r\n\r\ntrue\r\n--b--\r\n', "'dryRun' has no filename"),
        (b"--b--\r\n", "no part"),
        (b"no form at all", "RFC 7578"),
        (b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.mrc"\r\n\r\ncut off', "RFC 7578"),
        (
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.csv"\r\n\r\ntitle\r\n' * (MOST_FILES + 1)
            + b"--b--\r\n",
            "more than 100 parts",
        ),
    ],
    ids=["a-field", "nothing", "no-form", "cut-off", "too-many"],
)
async def test_a_form_that_is_none_is_refused_and_leaves_nothing_behind(client: Client, body: bytes, told: str) -> None:
    response = await client.post("/imports", content=body, headers={"content-type": "multipart/form-data; boundary=b"})

    assert told in problem_in(response, 400, "malformed-upload")["detail"]
    assert (await client.get("/imports")).json()["total"] == 0


async def test_imports_are_listed_newest_first_page_by_page(client: Client) -> None:
    jobs = [await imported(client, rows(1, start), map=MAP) for start in range(3)]

    page = (await client.get("/imports?pageSize=2")).json()
    assert [job["id"] for job in page["items"]] == [jobs[2]["id"], jobs[1]["id"]]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 0)
    assert [job["id"] for job in (await client.get("/imports?pageSize=2&currentPage=2")).json()["items"]] == [
        jobs[0]["id"]
    ]
    assert (await client.get("/imports?currentPage=99")).json()["items"] == []


async def test_an_import_that_has_ended_can_be_forgotten_and_its_books_stay(client: Client) -> None:
    job = await imported(client, rows(2), map=MAP)

    assert (await client.delete(f"/imports/{job['id']}")).status_code == 204

    for path in ("", "/outcomes", "/report"):
        problem_in(await client.get(f"/imports/{job['id']}{path}"), 404, "not-found")
    problem_in(await client.delete(f"/imports/{job['id']}"), 404, "not-found")
    problem_in(await client.post(f"/imports/{job['id']}/stop"), 404, "not-found")
    assert (await client.get("/books")).json()["total"] == 2


async def test_a_place_that_no_part_has_told_is_refused(client: Client) -> None:
    job = await imported(client, rows(2), map=MAP)

    for place in (5, 10**9):
        answer = await client.get(f"/imports/{job['id']}/outcomes?after={place}")
        assert problem_in(answer, 400, "invalid-request")["errors"][0]["parameter"] == "after"


async def test_a_request_with_a_key_that_comes_again_is_one_import(client: Client) -> None:
    async def ask(key: str, number: int = 2, **parameters: str) -> httpx.Response:
        return await client.post(
            "/imports",
            params={"source": "x", "map": MAP, **parameters},
            content=rows(number),
            headers={"idempotency-key": key},
        )

    first, again, other = await ask("one"), await ask("one"), await ask("two")

    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"] != other.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"
    problem_in(await ask("one", dryRun="true"), 422, "key-reused")
    problem_in(await ask("one", number=3), 422, "key-reused")
    assert (await client.get("/imports")).json()["total"] == 2


async def test_requests_with_one_key_that_come_at_once_are_one_import(serve: Callable[..., Server]) -> None:
    async with serve().parallel_client() as client:

        async def ask(last: str, seconds: float) -> httpx.Response:
            pieces = [rows(1)[:20].encode(), rows(1)[20:].encode() + f"x,{last},A,\n".encode()]
            parameters, headers = {"source": "x", "map": MAP}, {"idempotency-key": "one"}
            return await client.post("/imports", params=parameters, content=slowly(pieces, seconds), headers=headers)

        answers = await asyncio.gather(*(ask("Last", 0.05 * (number % 3)) for number in range(9)))

        assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
        assert (await client.get("/imports")).json()["total"] == 1
        problem_in(await ask("Another", 0), 422, "key-reused")


@pytest.mark.parametrize(
    ("media_type", "parameters", "told"),
    [
        ("text/csv; charset=iso-8859-1", {}, "encoding"),
        ("text/csv; charset=nonsense", {}, "encoding"),
        ("text/csv; charset=iso-8859-1", {"encoding": "latin-1"}, None),
        ("text/csv; charset=UTF-8", {}, None),
        ("text/csv; charset=us-ascii", {}, None),
    ],
)
async def test_an_encoding_that_is_declared_is_the_one_that_is_read(
    client: Client, media_type: str, parameters: dict[str, str], told: str | None
) -> None:
    encoding = parameters.get("encoding", "utf-8")
    content = f"{HEADING}1,Caf\N{LATIN SMALL LETTER E WITH ACUTE},A,\n".encode(encoding)

    response = await client.post(
        "/imports",
        params={"source": "x", "map": MAP, **parameters},
        content=content,
        headers={"content-type": media_type},
    )

    if told is None:
        assert (await ended(client, response.json()))["created"] == 1, response.text
    else:
        assert problem_in(response, 400, "invalid-request")["errors"][0]["parameter"] == told


async def test_a_body_in_a_coding_that_is_not_read_is_refused_and_told_which_is(client: Client) -> None:
    async def sent(coding: str) -> httpx.Response:
        parameters = {"source": "x", "map": MAP}
        return await client.post("/imports", params=parameters, content=rows(1), headers={"content-encoding": coding})

    refused = await sent("br")
    problem_in(refused, 415, "unknown-coding")
    assert refused.headers["accept-encoding"] == "gzip"
    assert (await sent("identity")).status_code == 202


async def test_a_stop_ends_at_once_what_has_not_begun(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    async with server.parallel_client() as client:
        first = await ordered(client, rows(20_000), map=MAP)
        waiting = await ordered(client, rows(10, 30_000), map=MAP)
        assert (await client.get(f"/imports/{waiting['id']}")).json()["state"] == "waiting"

        stopped = (await client.post(f"/imports/{waiting['id']}/stop")).json()

        assert (stopped["state"], stopped["records"]) == ("stopped", 0)
        assert stopped["ended_at"] is not None
        assert (await client.delete(f"/imports/{waiting['id']}")).status_code == 204
        assert not (tmp_path / "catalog.db-imports" / waiting["id"]).exists()
        await client.post(f"/imports/{first['id']}/stop")
        assert (await ended(client, first))["state"] == "stopped"


def large_file(number: int) -> Iterator[bytes]:
    yield HEADING.encode()
    for i in range(number):
        yield f"{i},Book {i} {'of a long title ' * 50},Author {i % 7},\n".encode()


def test_a_file_much_larger_than_any_other_body_is_taken_in_while_memory_stays_as_it_is(
    serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve()
    with server.client() as client:
        before = resident(server)
        answer = client.post("/imports", params={"source": "x", "map": MAP}, content=large_file(100_000))
        assert answer.status_code == 202, answer.text
        assert answer.json()["files"][0]["bytes"] > 80_000_000
        assert resident(server) - before < 60_000_000
        job = answer.json()
        client.post(f"/imports/{job['id']}/stop")
        job = waited(client, job)
        assert job["state"] == "stopped"
        assert 0 <= job["records"] < 100_000
        end = time.monotonic() + PATIENCE
        while list(tmp_path.glob("catalog.db-imports/*/0")):
            assert time.monotonic() < end, "what it was sent is still there"
            time.sleep(0.02)


@pytest.mark.parametrize("ending", ["kill", "stop"])
def test_a_service_that_ends_goes_on_with_its_import_when_it_begins_again(
    serve: Callable[..., Server], tmp_path: Path, ending: str
) -> None:
    number = 6000
    server = serve()
    with server.client() as client:
        job = client.post("/imports", params={"source": "x", "map": MAP}, content=rows(number)).json()
        while client.get(f"/imports/{job['id']}").json()["records"] < 600:
            time.sleep(0.01)
    server.kill() if ending == "kill" else server.stop()
    told = json.loads((tmp_path / "catalog.db-imports" / job["id"] / "job.json").read_text())["job"]
    assert 600 <= told["records"] < number

    again = serve()
    with again.client() as client:
        job = waited(client, job)
        assert (job["state"], job["records"], job["created"]) == ("done", number, number)
        report = list(csv.DictReader(io.StringIO(client.get(f"/imports/{job['id']}/report").text)))
        assert [row["key"] for row in report] == [str(i) for i in range(number)]
        assert len({row["book_id"] for row in report}) == number
        assert client.get("/books?pageSize=1").json()["total"] == number


def test_each_process_of_one_storage_sees_the_imports_of_the_others_and_one_does_them(
    serve: Callable[..., Server],
) -> None:
    one = serve()
    assert one.address  # it has made the file
    other = serve()
    with one.client() as first, other.client() as second:
        jobs = [
            client.post("/imports", params={"source": "x", "map": MAP}, content=rows(700)).json()
            for client in (first, second, first)
        ]
        for job in jobs:
            for client in (first, second):
                assert waited(client, job)["state"] == "done"
        created = [first.get(f"/imports/{job['id']}").json()["created"] for job in jobs]
        assert created == [700, 0, 0]


def test_an_import_is_one_group_that_can_be_undone(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    with server.client() as client:
        job = waited(client, client.post("/imports", params={"source": "x", "map": MAP}, content=rows(30)).json())
        undone = run_catalog("undo", job["id"], folder=tmp_path)
        assert undone.returncode == 0, undone.stderr
        assert client.get("/books").json()["total"] == 0


def test_others_are_served_while_an_import_runs(serve: Callable[..., Server]) -> None:
    server = serve()
    with server.client() as client:
        job = client.post("/imports", params={"source": "x", "map": MAP}, content=rows(3000)).json()
        answered = 0
        while client.get(f"/imports/{job['id']}").json()["ended_at"] is None:
            assert client.post("/books", json={"title": f"Between {answered}", "author_id": None}).status_code == 201
            answered += 1
        assert answered > 3
        assert client.get("/books?pageSize=1").json()["total"] == 3000 + answered


async def slowly(pieces: list[bytes], seconds: float) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(seconds)


@pytest.mark.parametrize("path", ["/imports", "/imports/"])
async def test_a_file_may_come_slowly_as_long_as_it_comes(serve: Callable[..., Server], path: str) -> None:
    server = serve(settings={"body_timeout_seconds": "0.6"})
    async with server.parallel_client() as client:
        pieces = [line.encode() + b"\n" for line in rows(4).splitlines()]
        slow = await client.post(path, params={"source": "x", "map": MAP}, content=slowly(pieces, 0.3))
        assert slow.status_code == 202, slow.text
        with suppress(httpx.TransportError):  # it may still be sending when it is refused
            stuck = await client.post("/imports", params={"source": "x", "map": MAP}, content=slowly(pieces, 1.5))
            problem_in(stuck, 408, "body-timeout")
        assert (await client.get("/imports")).json()["total"] == 1


async def test_who_still_sends_when_the_service_stops_is_told_so(serve: Callable[..., Server]) -> None:
    server = serve(settings={"shutdown_seconds": "1"})
    host, _, port = server.address.removeprefix("http://").partition(":")
    reading, writing = await asyncio.open_connection(host, int(port))
    writing.write(
        f"POST /imports?source=x HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\nkey,title\n".encode()
    )
    await writing.drain()
    async with server.parallel_client() as client:
        await client.get("/livez")  # so that the other request has been begun

    server.process.terminate()
    answer = await asyncio.wait_for(reading.read(), PATIENCE)
    writing.close()

    assert answer.startswith(b"HTTP/1.1 503")
    assert b"/problems/outcome-unknown" in answer
    assert server.process.wait(PATIENCE) == 0
    assert "Traceback" not in server.output


def resident(server: Server) -> int:
    """Return how much memory the process has now, in bytes."""
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def waited(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of an import."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found: dict[str, Any] = client.get(f"/imports/{job['id']}").json()
        if found["ended_at"] is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not done in time: {job}")
