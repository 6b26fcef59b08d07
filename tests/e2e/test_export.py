"""Books in other forms than JSON, over HTTP and from the command line."""

import io
import json
import os
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pymarc import MARCReader, parse_xml_to_array

from catalog.domain.use_cases.exporting import Exporting
from catalog.entrypoints.cli import main
from catalog.entrypoints.formats import FORMATS
from catalog.entrypoints.settings import Settings

from .clients import Client, added_author, added_book, in_process, problem_in

WRITTEN = {name: each for name, each in FORMATS.items() if each.writer is not None}
TITLES = [f"Volume {number}" for number in range(100, 223)]


@pytest.fixture
async def library(settings: Settings) -> AsyncGenerator[Client]:
    """A client of a catalogue with more books than a page holds, in each storage."""
    async with in_process(settings) as client:
        author = await added_author(client, "Ursula K. Le Guin")
        for title in TITLES:
            await added_book(client, title, author["id"], published="1969")
        yield client


def titles_in(content: bytes) -> list[str]:
    return [record["245"]["a"].rstrip(" ./") for record in MARCReader(io.BytesIO(content)) if record is not None]


async def test_a_list_is_answered_whole_in_the_form_that_is_accepted(library: Client) -> None:
    response = await library.get("/books", headers={"accept": "application/marc"})

    assert (response.status_code, response.headers["content-type"]) == (200, "application/marc")
    assert "Accept" in response.headers["vary"].split(", ")
    assert titles_in(response.content) == TITLES


async def test_a_form_can_be_named_in_the_address_which_goes_before_accept(library: Client) -> None:
    response = await library.get("/books?format=marcxml&sort=-title", headers={"accept": "application/marc"})

    records = parse_xml_to_array(io.BytesIO(response.content))
    assert [record["245"]["a"].rstrip(".") for record in records] == TITLES[::-1]
    assert (await library.get("/books?format=json")).json()["total"] == len(TITLES)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("pageSize=2", TITLES[:2]),
        ("pageSize=2&currentPage=2", TITLES[2:4]),
        ("currentPage=2", TITLES[10:20]),
        ("currentPage=99", []),
        ("title[startswith]=Volume 12", TITLES[20:30]),
        ("q=Volume 100", TITLES[:1]),
    ],
)
async def test_a_part_a_filter_and_a_search_are_what_they_are_in_json(
    library: Client, query: str, expected: list[str]
) -> None:
    response = await library.get(f"/books?{query}", headers={"accept": "application/marc"})

    assert titles_in(response.content) == expected


async def test_one_book_is_answered_in_each_form(library: Client) -> None:
    book = (await library.get("/books?pageSize=1")).json()["items"][0]
    for name, form in WRITTEN.items():
        by_accept = await library.get(f"/books/{book['id']}", headers={"accept": form.media_type})
        by_name = await library.get(f"/books/{book['id']}?format={name}")

        assert by_name.status_code == 200, by_name.text
        assert by_name.headers["content-type"].startswith(form.media_type)
        if form.is_negotiable:
            assert by_accept.headers["content-type"] == by_name.headers["content-type"]
        assert b"Volume" in by_name.content


async def test_who_accepts_nothing_that_there_is_is_told_what_there_is(library: Client) -> None:
    book = (await library.get("/books?pageSize=1")).json()["items"][0]
    for path in ("/books", f"/books/{book['id']}"):
        response = await library.get(path, headers={"accept": "image/png"})
        problem = problem_in(response, 406, "not-acceptable")
        assert all(form.media_type in problem["detail"] for form in WRITTEN.values() if form.is_negotiable)
        for unknown in ("bogus", ""):
            assert (await library.get(f"{path}?format={unknown}")).status_code == 400


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8",
        "application/*",
        "",
        "application/json;q=0.1",
    ],
)
async def test_json_is_what_everybody_else_gets(library: Client, accept: str) -> None:
    response = await library.get("/books?pageSize=1", headers={"accept": accept})

    assert response.headers["content-type"] == "application/json"
    assert len(response.json()["items"]) == 1


async def test_a_form_is_never_answered_out_of_what_was_kept_of_another(library: Client) -> None:
    for _ in range(2):
        types = [
            (await library.get("/books?pageSize=1", headers={"accept": accept})).headers["content-type"]
            for accept in ("application/json", "application/marc", "application/marcxml+xml")
        ]
        assert types == ["application/json", "application/marc", "application/marcxml+xml"]


async def test_an_unknown_book_and_a_wrong_question_are_refused_as_in_json(library: Client) -> None:
    headers = {"accept": "application/marc"}

    problem_in(await library.get("/books/01a20a00-0000-7000-8000-000000000000", headers=headers), 404, "not-found")
    assert (await library.get("/books?nonsense=1", headers=headers)).status_code == 400


@pytest.mark.parametrize("form", ["marcxml", "csv", "ndjson"])
async def test_a_walk_through_the_list_in_another_form_is_led_by_links(library: Client, form: str) -> None:
    lengths, path = [], f"/books?pageSize=50&format={form}&cursor="
    while path:
        response = await library.get(path)
        in_json = (await library.get(path.replace(form, "json"))).json()
        lengths.append(len(in_json["items"]))
        assert response.links.get("next", {}).get("url", "").replace(form, "json") == (in_json["next"] or "")
        assert all(item["title"] in response.text for item in in_json["items"])
        path = response.links.get("next", {}).get("url", "")

    assert lengths == [50, 50, 23]


@pytest.mark.parametrize("query", ["", "?pageSize=5", "?q=Volume"])
async def test_who_has_the_file_already_is_told_so_until_something_changes(library: Client, query: str) -> None:
    headers = {"accept": "application/marc"}
    first = await library.get(f"/books{query}", headers=headers)
    known = {"if-none-match": first.headers["etag"]}
    again = await library.get(f"/books{query}", headers=headers | known)
    other = await library.get(f"/books{query}", headers={"accept": "application/x-ndjson"} | known)
    as_json = await library.get(f"/books{query}", headers=known)
    book = (await library.get("/books?pageSize=1")).json()["items"][0]
    await library.patch(f"/books/{book['id']}", json={"title": "Volume 1"})
    later = await library.get(f"/books{query}", headers=headers | known)

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert [each.status_code for each in (first, other, as_json, later)] == [200] * 4
    for answer in (first, again, later):
        assert answer.headers["cache-control"] == "no-cache"
        assert "Accept" in answer.headers["vary"].split(", ")
    assert "Volume 1" in titles_in(later.content)


async def test_one_book_in_another_form_has_a_tag_that_is_good_for_a_write(library: Client) -> None:
    book = (await library.get("/books?pageSize=1")).json()["items"][0]
    address = f"/books/{book['id']}"
    first = await library.get(f"{address}?format=marcxml")

    again = await library.get(f"{address}?format=marcxml", headers={"if-none-match": first.headers["etag"]})
    written = await library.patch(address, json={"edition": "2nd"}, headers={"if-match": first.headers["etag"]})
    stale = await library.patch(address, json={"edition": "3rd"}, headers={"if-match": first.headers["etag"]})

    assert (again.status_code, written.status_code, stale.status_code) == (304, 200, 412)


async def test_the_head_of_a_whole_list_is_that_of_get_and_reads_no_more_of_it(
    library: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, exported = 0, Exporting._exported

    async def counted(self: Exporting, *others: Any) -> Any:
        nonlocal parts
        parts += 1
        return await exported(self, *others)

    monkeypatch.setattr(Exporting, "_exported", counted)
    headed = await library.head("/books?format=marc")
    of_head, parts = parts, 0
    got = await library.get("/books?format=marc")

    ours = ("content-type", "content-disposition", "etag", "cache-control", "vary")
    assert (headed.status_code, headed.content) == (200, b"")
    assert [headed.headers[name] for name in ours] == [got.headers[name] for name in ours]
    assert "content-length" not in headed.headers
    assert (of_head, parts) == (1, 2)


async def test_a_merged_book_leads_to_the_form_that_was_asked_for(library: Client) -> None:
    one, other = (await library.get("/books?pageSize=2")).json()["items"]
    merged = await library.post(f"/books/{other['id']}/merge", json={"into": one["id"]})
    assert merged.status_code == 200, merged.text

    response = await library.get(f"/books/{other['id']}?format=marcxml", follow_redirects=False)

    assert (response.status_code, response.headers["location"]) == (308, f"/books/{one['id']}?format=marcxml")


async def test_what_accepts_excludes_is_not_answered_and_all_its_lines_count(library: Client) -> None:
    book = (await library.get("/books?pageSize=1")).json()["items"][0]
    address = f"/books/{book['id']}"

    excluded = await library.get(address, headers={"accept": "application/marc;q=0"})
    lines = await library.get(address, headers=[("accept", "image/png"), ("accept", "application/marc")])

    problem_in(excluded, 406, "not-acceptable")
    assert "Accept" in excluded.headers["vary"].split(", ")
    assert lines.headers["content-type"] == "application/marc"


# ---- the command


def catalog(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def filled(folder: Path) -> str:
    url = f"sqlite:///{folder}/a.db"
    file = folder / "books.csv"
    file.write_text("key,title,authors,isbn\n1,Emma,Jane Austen,9780141439587\n2,Iliad,Homer; Me [trl],\n", "utf-8")
    assert catalog("import", str(file), "--storage", url).exit_code == 0
    return url


def test_what_is_exported_and_imported_elsewhere_is_the_same_file_again(tmp_path: Path) -> None:
    url, other = filled(tmp_path), f"sqlite:///{tmp_path}/b.db"
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"

    for arguments in (
        ("export", str(first), "--storage", url),
        ("import", str(first), "--storage", other),
        ("export", str(second), "--storage", other),
    ):
        done = catalog(*arguments)
        assert done.exit_code == 0, done.output

    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_text("utf-8").splitlines()) == 5
    assert catalog("doctor", "--storage", other).exit_code == 0


def test_an_export_goes_to_standard_output_and_can_be_filtered(tmp_path: Path) -> None:
    url = filled(tmp_path)

    done = catalog("export", "--storage", url, "--filter", "q=emma")

    assert done.exit_code == 0
    assert [json.loads(line).get("title") for line in done.stdout.splitlines()] == [None, "Emma"]


def test_only_what_has_changed_since_is_exported(tmp_path: Path) -> None:
    url = filled(tmp_path)

    assert catalog("export", "--storage", url, "--since", "5").stdout == ""
    assert len(catalog("export", "--storage", url, "--since", "4").stdout.splitlines()) >= 1
    assert "log" in catalog("export", "--storage", url, "--since", "6").output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("out.word",), "say with --format"),
        (("out.json",), "marcjson or csl"),
        (("out", "--format", "word"), "no format 'word'"),
        (("--filter", "langage=fre"), "there is no such parameter"),
        (("--filter", "q=a", "--since", "1"), "can not be combined"),
        (("--filter", "q=a", "--filter", "pageSize=2"), "pageSize asks for a page"),
        (("missing/out.mrc",), "can not write"),
    ],
)
def test_an_export_that_can_not_be_says_what_to_do(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    url = filled(tmp_path)
    first = [str(tmp_path / arguments[0])] if not arguments[0].startswith("--") else [arguments[0]]

    done = catalog("export", *first, *arguments[1:], "--storage", url)

    assert done.exit_code == 2
    assert told in done.output
    assert not list(tmp_path.glob("*.part"))


def test_an_export_never_takes_the_place_of_a_catalogue(tmp_path: Path) -> None:
    url = filled(tmp_path)
    before = catalog("export", "--storage", url).stdout

    for name in ("a.db", "other.db"):
        if not (tmp_path / name).exists():
            assert catalog("copy", url, f"sqlite:///{tmp_path / name}").exit_code == 0
        done = catalog("export", str(tmp_path / name), "--format", "csv", "--storage", url)
        assert done.exit_code == 2
        assert "is a database" in done.output

    assert catalog("export", "--storage", url).stdout == before
    assert catalog("export", "--storage", f"sqlite:///{tmp_path}/other.db").stdout == before


def test_what_a_link_leads_to_is_written_and_who_may_read_it_stays(tmp_path: Path) -> None:
    url = filled(tmp_path)
    target, link, part = tmp_path / "target.csv", tmp_path / "link.csv", tmp_path / "target.csv.part"
    target.write_text("older")
    target.chmod(0o640)
    link.symlink_to(target)
    part.write_text("of somebody else")

    assert catalog("export", str(link), "--storage", url, "--format", "csv").exit_code == 0

    assert link.is_symlink()
    assert "Emma" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert part.read_text() == "of somebody else"


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    url = filled(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reading:
        read = reading.submit(pipe.read_text)
        done = catalog("export", str(pipe), "--storage", url, "--format", "csv")

        assert (done.exit_code, pipe.is_fifo()) == (0, True)
        assert "Emma" in read.result(timeout=60)


@pytest.mark.parametrize(
    "arguments",
    [("export",), ("undo", "01a20a00-0000-7000-8000-000000000000"), ("duplicates",),
     ("log", "compact", "--before", "2020-01-01"), ("log", "erase", "--yes", "01a20a00-0000-7000-8000-000000000000")],
    ids=["export", "undo", "duplicates", "compact", "erase"],
)  # fmt: skip
def test_a_catalogue_that_is_not_there_is_not_made_by_whoever_only_asks_of_it(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = catalog(*arguments, "--storage", f"sqlite:///{tmp_path}/nope.db")

    assert done.exit_code == 2
    assert "there is no file" in done.output
    assert list(tmp_path.iterdir()) == []
