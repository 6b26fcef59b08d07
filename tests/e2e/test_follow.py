"""`catalog follow`: a catalogue that is as another one is, whatever happens to either of them."""

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner

from catalog.entrypoints.cli import main

from .clients import problem_in
from .servers import PATIENCE, Server, run_catalog


@pytest.fixture
def source_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/source.db"


@pytest.fixture
def replica_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/replica.db"


@pytest.fixture
def source(serve: Callable[..., Server], source_url: str) -> Server:
    return serve("--storage", source_url)


@pytest.fixture
def follow(serve: Callable[..., Server]) -> Callable[..., Server]:
    """Start followers, by the options of `catalog follow`."""
    return partial(serve, what=("follow",))


def follows_once(address: str, storage: str) -> str:
    """Catch up, and return what the command says."""
    result = CliRunner().invoke(main, ["follow", address, "--once", "--storage", storage])
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(address: str, storage: str) -> str:
    """Return the one line with which `catalog follow --once` refuses."""
    result = CliRunner().invoke(main, ["follow", address, "--once", "--storage", storage])
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert isinstance(result.exception, SystemExit), result.exception
    (line,) = result.stderr.splitlines()
    assert line.startswith("catalog: ")
    return line


def added(client: httpx.Client, path: str, **fields: Any) -> dict[str, Any]:
    response = client.post(path, json=fields)
    assert response.status_code == 201, response.text
    record: dict[str, Any] = response.json()
    return record


def some_life(client: httpx.Client) -> list[str]:
    """Let all kinds of things happen; return the ids of records of every fate."""
    one, two, gone = [added(client, "/authors", name=name) for name in ("One", "Two", "Gone")]
    book = added(client, "/books", title="Emma 📚", author_id=one["id"], contributors=[{"author_id": two["id"]}])
    other = added(client, "/books", title="Emma", author_id=None, languages=["en"], published="-0700")
    third = added(client, "/books", title="Third", author_id=two["id"])
    for method, path, body in (
        ("PATCH", f"/books/{book['id']}", {"subtitle": "Ein Roman\u00a0– ünïcödé"}),
        ("POST", f"/books/{book['id']}/revert", {"to_version": 1}),
        ("POST", f"/books/{other['id']}/merge", {"into": book["id"]}),
        ("POST", f"/authors/{one['id']}/merge", {"into": two["id"]}),
        ("DELETE", f"/authors/{gone['id']}", None),
        ("DELETE", f"/books/{third['id']}", None),
        ("POST", f"/books/{third['id']}/restore", None),
        ("POST", f"/books/{other['id']}/unmerge", None),
    ):
        assert client.request(method, path, json=body).is_success, path
    return [f"/authors/{each['id']}" for each in (one, two, gone)] + [f"/books/{each['id']}" for each in (book, other)]


def seq_of(client: httpx.Client) -> int:
    return int(client.get("/authors").json()["as_of"]["seq"])


def wait_for_seq(client: httpx.Client, seq: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (reached := seq_of(client)) != seq:
        assert reached < seq
        assert time.monotonic() < deadline, f"the replica stays at seq {reached}, and should come to {seq}"
        time.sleep(0.02)


def everything(client: httpx.Client) -> list[dict[str, Any]]:
    """The whole log."""
    changes: list[dict[str, Any]] = []
    path: str | None = "/changes?limit=1000"
    while path:
        part = client.get(path).json()
        changes += part["items"]
        path = part["next"]
    return changes


def must_be_alike(source: httpx.Client, replica: httpx.Client, *paths: str) -> None:
    """Compare what both answer, with the headers that tell what it is."""
    lists = ("/authors", "/books?pageSize=100", "/authors?pageSize=1&currentPage=2", "/authors/duplicates")
    log = [f"/changes?since={seq}&limit=1000" for seq in range(0, seq_of(source), 1000)]
    for path in (*lists, *log, *paths, *(f"{each}/revisions" for each in paths)):
        there, here = source.get(path), replica.get(path)
        names = ("etag", "location", "content-type", "cache-control")
        assert (here.status_code, [here.headers.get(n) for n in names]) == (
            there.status_code,
            [there.headers.get(n) for n in names],
        ), path
        if there.is_success:
            assert here.content == there.content, path
        else:
            assert {**here.json(), "request_id": ""} == {**there.json(), "request_id": ""}, path


# ---- the same catalogue


def test_once_makes_a_copy_that_answers_as_the_source_does(
    source: Server, serve: Callable[..., Server], replica_url: str
) -> None:
    with source.client() as there:
        paths = some_life(there)
        seq = seq_of(there)

        said = follows_once(source.address, replica_url)

        assert f"{replica_url} is as {source.address} at seq {seq}" in said
        with serve("--storage", replica_url).client() as here:
            must_be_alike(there, here, *paths)


def test_a_replica_is_live_answers_as_the_source_does_and_refuses_writes(
    source: Server, follow: Callable[..., Server], replica_url: str
) -> None:
    replica = follow(source.address, "--storage", replica_url)
    with source.client() as there, replica.client() as here:
        paths = some_life(there)
        took = []
        for n in range(3):
            author = added(there, "/authors", name=f"Author {n}")
            written = time.monotonic()
            wait_for_seq(here, seq_of(there))
            took.append(time.monotonic() - written)

        must_be_alike(there, here, *paths)
        assert min(took) < 1

        before = everything(here)
        path, book = f"/authors/{author['id']}", {"title": "x", "author_id": None}
        for method, where, body in (
            ("POST", "/authors", {"name": "x"}),
            ("POST", "/books", book),
            ("PATCH", path, {"name": "x"}),
            ("PUT", path, {"name": "x"}),
            ("DELETE", path, None),
            ("POST", f"{paths[2]}/restore", None),
            ("POST", f"{paths[3]}/revert", {"to_version": 2}),
            ("POST", f"{path}/merge", {"into": paths[1].rpartition("/")[2]}),
            ("POST", f"{paths[0]}/unmerge", None),
        ):
            problem = problem_in(here.request(method, where, json=body), 403, "read-only-replica")
            assert source.address in problem["detail"]
        file = here.post("/imports?source=x", content=b"@book{k, title={Emma}}")
        assert source.address in problem_in(file, 403, "read-only-replica")["detail"]
        assert here.get("/imports").json()["total"] == 0
        assert everything(here) == before == everything(there)
    assert "ERROR" not in replica.output
    assert replica.stop() == 0


def test_a_replica_in_memory_serves_too(source: Server, follow: Callable[..., Server]) -> None:
    with source.client() as there:
        paths = some_life(there)
        with follow(source.address, "--storage", "memory://").client() as here:
            wait_for_seq(here, seq_of(there))

            must_be_alike(there, here, *paths)
            refused = here.post("/authors", json={"name": "x"})
            assert source.address in problem_in(refused, 403, "read-only-replica")["detail"]


def test_a_replica_of_an_empty_catalogue_takes_no_writes_either(
    source: Server, follow: Callable[..., Server], replica_url: str
) -> None:
    replica = follow(source.address, "--storage", replica_url)
    with replica.client() as here:
        time.sleep(0.5)  # to have begun to follow

        problem_in(here.post("/authors", json={"name": "x"}), 403, "read-only-replica")


def test_a_replica_can_be_followed_itself(
    source: Server, follow: Callable[..., Server], replica_url: str, tmp_path: Path
) -> None:
    first = follow(source.address, "--storage", replica_url)
    second = follow(first.address, "--storage", f"sqlite:///{tmp_path}/second.db")
    with source.client() as there, second.client() as here:
        paths = some_life(there)
        wait_for_seq(here, seq_of(there))

        must_be_alike(there, here, *paths)
        refused = here.post("/authors", json={"name": "x"})
        assert first.address in problem_in(refused, 403, "read-only-replica")["detail"]


def test_what_was_compacted_at_the_source_is_followed_all_the_same(
    source: Server, serve: Callable[..., Server], source_url: str, replica_url: str
) -> None:
    with source.client() as there:
        paths = some_life(there)
        done = CliRunner().invoke(main, ["log", "compact", "--before", "2999-01-01", "--yes", "--storage", source_url])
        assert done.exit_code == 0, done.output

        follows_once(source.address, replica_url)

        with serve("--storage", replica_url).client() as here:
            must_be_alike(there, here, *paths)


# ---- ends, and coming back


@pytest.mark.slow
def test_a_replica_survives_the_restart_of_its_source(
    source: Server, serve: Callable[..., Server], follow: Callable[..., Server], source_url: str, replica_url: str
) -> None:
    port = str(urlsplit(source.address).port)
    replica = follow(source.address, "--storage", replica_url)
    with replica.client() as here:
        for how in ("stop", "kill"):
            with source.client() as there:
                added(there, "/authors", name=f"Before the {how}")
                wait_for_seq(here, seq_of(there))
            getattr(source, how)()
            assert f"Before the {how}" in here.get("/authors").text
            replica.wait_for(r"catalog: .*; trying again in \d+ s")

            source = serve("--storage", source_url, "--port", port)
            with source.client() as there:
                added(there, "/authors", name=f"After the {how}")
                wait_for_seq(here, seq_of(there))
                must_be_alike(there, here)
    assert "Traceback" not in replica.output
    assert replica.stop() == 0


@pytest.mark.slow
def test_a_replica_that_is_killed_while_it_catches_up_goes_on_where_it_was(
    source: Server, follow: Callable[..., Server], source_url: str, replica_url: str, tmp_path: Path
) -> None:
    books = tmp_path / "books.csv"
    books.write_text("key,title,authors\n" + "".join(f"{n},Book {n},Author {n % 1000}\n" for n in range(3000)), "utf-8")
    imported = run_catalog("import", str(books), "--storage", source_url, folder=tmp_path)
    assert imported.returncode == 0, imported.stderr
    file = tmp_path / "replica.db"
    with source.client() as there:
        total = seq_of(there)
        replica = follow(source.address, "--storage", replica_url)
        deadline = time.monotonic() + PATIENCE
        while not seq_in(file):
            assert time.monotonic() < deadline
        replica.kill()
        killed_at = seq_in(file)

        with follow(source.address, "--storage", replica_url).client() as here:
            wait_for_seq(here, total)
            assert everything(here) == everything(there)
            must_be_alike(there, here)
    assert 0 < killed_at < total


def seq_in(file: Path) -> int:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT seq FROM log").fetchone()[0])
    except (sqlite3.OperationalError, TypeError):
        return 0  # not made yet


def test_a_replica_serves_while_its_source_can_not_be_reached(
    source: Server, follow: Callable[..., Server], replica_url: str
) -> None:
    with source.client() as there:
        some_life(there)
    follows_once(source.address, replica_url)
    source.stop()

    replica = follow(source.address, "--storage", replica_url)

    with replica.client() as here:
        replica.wait_for(rf"catalog: can not reach {source.address} .*; trying again in 1 s")
        assert here.get("/authors").json()["total"] == 1
        problem_in(here.post("/authors", json={"name": "x"}), 403, "read-only-replica")
    assert replica.stop() == 0


# ---- another catalogue


def test_a_catalogue_of_its_own_does_not_become_a_replica(
    source: Server, serve: Callable[..., Server], replica_url: str
) -> None:
    own = serve("--storage", replica_url)
    with own.client() as here:
        added(here, "/authors", name="Mine")
        before = everything(here)
        with source.client() as there:
            for name in ("Theirs", "Theirs, too"):
                added(there, "/authors", name=name)

        line = refusal(source.address, replica_url)

        assert "another catalogue" in line
        assert everything(here) == before
        added(here, "/authors", name="Still mine")


@pytest.mark.slow
def test_a_source_that_was_put_back_is_not_followed_any_more_even_when_it_has_gone_on(
    source: Server,
    serve: Callable[..., Server],
    follow: Callable[..., Server],
    replica_url: str,
    tmp_path: Path,
) -> None:
    with source.client() as there:
        added(there, "/authors", name="First")
        with (
            closing(sqlite3.connect(tmp_path / "source.db")) as file,
            closing(sqlite3.connect(tmp_path / "backup.db")) as backup,
        ):
            file.backup(backup)
        for name in ("Second", "Third"):
            added(there, "/authors", name=name)
        follows_once(source.address, replica_url)
    put_back = serve("--storage", f"sqlite:///{tmp_path}/backup.db")

    behind = refusal(put_back.address, replica_url)
    with put_back.client() as there:
        for name in ("Another second", "Another third", "Fourth"):
            added(there, "/authors", name=name)
    gone_on = refusal(put_back.address, replica_url)

    for line in (behind, gone_on):
        assert "put back to an earlier state" in line
        assert "{" not in line  # words, and not the source's JSON
    live = follow(put_back.address, "--storage", replica_url)
    assert live.wait() == 2
    assert "put back to an earlier state" in live.output
    assert "Traceback" not in live.output


@pytest.mark.slow
def test_a_replica_that_sees_its_source_put_back_ends_and_says_why(
    source: Server, serve: Callable[..., Server], follow: Callable[..., Server], replica_url: str
) -> None:
    port = str(urlsplit(source.address).port)
    replica = follow(source.address, "--storage", replica_url)
    with source.client() as there, replica.client() as here:
        added(there, "/authors", name="First")
        wait_for_seq(here, 1)
    source.kill()

    another = serve("--storage", "memory://", "--port", port)
    with another.client() as there:
        added(there, "/authors", name="Another first")

    assert replica.wait() == 2
    assert replica.lines[-1].startswith("catalog: ")
    assert "another catalogue" in replica.lines[-1]
    assert "Traceback" not in replica.output


# ---- promote


def test_a_promoted_replica_is_a_catalogue_that_goes_on_from_there(
    source: Server, serve: Callable[..., Server], replica_url: str
) -> None:
    with source.client() as there:
        paths = some_life(there)
        follows_once(source.address, replica_url)
        here_too = serve("--storage", replica_url)
        with here_too.client() as here:
            problem_in(here.post("/authors", json={"name": "x"}), 403, "read-only-replica")

            promoted = CliRunner().invoke(main, ["promote", "--storage", replica_url])

            assert promoted.exit_code == 0, promoted.output
            before = everything(here)
            added(here, "/authors", name="Mine")
            assert here.post(f"{paths[2]}/restore").status_code == 200
            assert [change["seq"] for change in everything(here)[len(before) :]] == [
                len(before) + 1,
                len(before) + 2,
            ]
            assert "put back to an earlier state" in refusal(source.address, replica_url)
            assert CliRunner().invoke(main, ["promote", "--storage", replica_url]).exit_code == 0


def test_a_promoted_replica_that_wrote_nothing_can_follow_again(source: Server, replica_url: str) -> None:
    with source.client() as there:
        added(there, "/authors", name="First")
        follows_once(source.address, replica_url)
        CliRunner().invoke(main, ["promote", "--storage", replica_url])
        added(there, "/authors", name="Second")

        assert "at seq 2" in follows_once(source.address, replica_url)


def test_no_command_writes_to_a_replica(source: Server, replica_url: str, tmp_path: Path) -> None:
    books = tmp_path / "books.csv"
    books.write_text("key,title\n1,Emma\n", "utf-8")
    with source.client() as there:
        id = added(there, "/authors", name="First")["id"]
    follows_once(source.address, replica_url)

    for command in (("log", "erase", "--yes", id), ("import", str(books))):
        result = CliRunner().invoke(main, [*command, "--storage", replica_url])

        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert f"this is a replica of {source.address}" in result.stderr
        assert "Traceback" not in result.output
    assert seq_in(tmp_path / "replica.db") == 1


# ---- erasure

SECRET = "Xenophilia Unforgettable-Lovegood"


def test_an_erasure_reaches_the_followers_and_leaves_no_byte_there(
    source: Server, follow: Callable[..., Server], source_url: str, replica_url: str, tmp_path: Path
) -> None:
    replica = follow(source.address, "--storage", replica_url)
    with source.client() as there, replica.client() as here:
        for n in range(20):
            added(there, "/authors", name=f"Neighbour {n}")
        author = added(there, "/authors", name=SECRET)
        book = added(there, "/books", title=f"The Life of {SECRET}", author_id=author["id"], subtitle=SECRET * 20)
        there.patch(f"/authors/{author['id']}", json={"name": f"{SECRET} II"})
        there.patch(f"/books/{book['id']}", json={"author_id": None})
        wait_for_seq(here, seq_of(there))
        assert SECRET in here.get(f"/authors/{author['id']}").text

        for id in (author["id"], book["id"]):
            done = CliRunner().invoke(main, ["log", "erase", id, "--yes", "--storage", source_url])
            assert done.exit_code == 0, done.output
        wait_for_seq(here, seq_of(there))

        must_be_alike(there, here, f"/authors/{author['id']}", f"/books/{book['id']}")
        assert "lovegood" not in here.get("/changes?limit=1000").text.lower()
    assert replica.stop() == 0
    assert source.stop() == 0
    for name in ("source", "replica"):
        content = b"".join(file.read_bytes() for file in tmp_path.glob(f"{name}.db*")).lower()
        assert b"neighbour 7" in content
        assert b"lovegood" not in content, name
        assert b"unforgettable" not in content, name


# ---- what is no catalogue


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "localhost:8000",
        "ftp://localhost",
        "http://",
        "http:///x",
        "file:///etc/passwd",
        "http://[::1",
        "http://h:x",
    ],
)
def test_what_is_no_address_is_refused_in_one_line(replica_url: str, tmp_path: Path, url: str) -> None:
    line = refusal(url, replica_url)

    assert "give one like http://127.0.0.1:8000" in line
    assert not (tmp_path / "replica.db").exists()


def test_a_source_that_can_not_be_reached_is_named(replica_url: str) -> None:
    assert "can not reach http://127.0.0.1:9" in refusal("http://127.0.0.1:9", replica_url)


@contextmanager
def http_server(handler: Callable[..., BaseHTTPRequestHandler]) -> Generator[str]:
    """Serve something else than a catalogue; yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and logs nothing."""

    def log_message(self, *_arguments: object) -> None:
        pass


def test_a_server_that_is_no_catalogue_is_refused_in_one_line(
    follow: Callable[..., Server], replica_url: str, tmp_path: Path
) -> None:
    (tmp_path / "www").mkdir()
    with http_server(partial(Quiet, directory=str(tmp_path / "www"))) as address:
        line = refusal(address, replica_url)

        assert address in line
        assert "404" in line
        live = follow(address, "--storage", replica_url)
        assert live.wait() == 2
        assert "Traceback" not in live.output


RECORD = {
    "id": "01a2055e-432c-7251-a25f-5e9ff41a7048",
    "name": "Homer",
    "dob": None,
    "version": 1,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}
REVISION = {
    "seq": 1,
    "kind": "author",
    "id": RECORD["id"],
    "version": 1,
    "operation": "create",
    "actor": "anonymous",
    "request_id": None,
    "group": None,
    "into": None,
    "after": RECORD,
    "withheld": None,
    "at": "2026-01-01T00:00:00Z",
}
"""What a catalogue of this version says."""


def answering(body: str) -> type[Quiet]:
    """Answer the same to every question."""

    class Answering(Quiet):
        def do_GET(self) -> None:
            content = body.encode("utf-8", "surrogateescape") if "since=0" in self.path else b'{"items":[]}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Answering


def saying(**others: object) -> str:
    """Return a part with one revision that says something otherwise."""
    return json.dumps({"items": [REVISION | others], "next": None})


def without(name: str, whole: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in whole.items() if key != name}


def refusals_of(bodies: Sequence[str], replica_url: str) -> dict[str, str]:
    """Follow a server that gives each of these answers; return what is wrong with how that is refused."""
    wrong = {}
    for body in bodies:
        with http_server(answering(body)) as address:
            result = CliRunner().invoke(main, ["follow", address, "--once", "--storage", replica_url])
        if (result.exit_code, result.stdout, len(result.stderr.splitlines())) != (2, "", 1):
            wrong[body] = f"exit status {result.exit_code}, {result.exception!r}"
        elif address not in result.stderr:
            wrong[body] = result.stderr
    return wrong


def test_what_the_answers_of_other_programs_are_tested_with_is_right_itself(replica_url: str, tmp_path: Path) -> None:
    with http_server(answering(saying())) as address:
        assert "at seq 1" in follows_once(address, replica_url)
    assert seq_in(tmp_path / "replica.db") == 1


def test_an_answer_of_another_program_is_refused_in_one_line(replica_url: str, tmp_path: Path) -> None:
    shapes = ["hello", "", "[]", "{}", "null", "\udcff"]
    items = [f'{{"items":{items},"next":null}}' for items in ("null", "1", "[1]", "[{}]", "[[]]", "[null]")]

    assert refusals_of(shapes + items, replica_url) == {}
    assert seq_in(tmp_path / "replica.db") == 0


def test_an_answer_with_values_that_this_version_can_not_know_is_refused_in_one_line(
    replica_url: str, tmp_path: Path
) -> None:
    values = [
        saying(kind="shelf"),
        saying(operation="shelve"),
        saying(withheld="perhaps"),
        saying(id="x"),
        saying(at="then"),
        saying(after=RECORD | {"name": ""}),
        saying(after=RECORD | {"dob": "x"}),
    ]

    assert refusals_of(values, replica_url) == {}
    assert seq_in(tmp_path / "replica.db") == 0


def test_an_answer_with_fields_that_this_version_does_not_know_or_misses_is_refused_in_one_line(
    replica_url: str, tmp_path: Path
) -> None:
    fields = [
        saying(colour="red"),
        saying(after=RECORD | {"shelfmark": "A 1"}),
        json.dumps({"items": [without("group", REVISION)], "next": None}),
        saying(after=without("dob", RECORD) | {"shelfmark": "A 1"}),
        saying(after=without("created_at", RECORD)),
    ]

    assert refusals_of(fields, replica_url) == {}
    assert seq_in(tmp_path / "replica.db") == 0


def test_a_log_with_gaps_is_refused_in_one_line_that_names_the_source(replica_url: str, tmp_path: Path) -> None:
    gaps = [saying(seq=7), json.dumps({"items": [REVISION, REVISION | {"seq": 3, "version": 2}], "next": None})]

    assert refusals_of(gaps, replica_url) == {}
    assert seq_in(tmp_path / "replica.db") == 0


def test_a_password_in_the_address_is_shown_to_nobody(
    source: Server, follow: Callable[..., Server], replica_url: str
) -> None:
    with source.client() as there:
        added(there, "/authors", name="First")
    address = source.address.replace("http://", "http://reader:hunter2@")
    replica = follow(address, "--storage", replica_url)
    with replica.client() as here:
        wait_for_seq(here, 1)

        refused = here.post("/authors", json={"name": "x"})

        problem_in(refused, 403, "read-only-replica")
        assert "hunter2" not in refused.text
    replica.stop()
    assert not re.search("hunter2", replica.output)
