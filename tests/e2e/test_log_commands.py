"""`catalog import`, `undo`, `duplicates` and `log`, over real SQLite files."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from attrs import frozen
from click.testing import CliRunner, Result

from catalog.entrypoints.cli import main
from catalog.entrypoints.cli.local import user
from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import NOBODY

from .clients import added_author, added_book, every_change, in_process
from .servers import Server

HEADER = "key,title,authors,published\n"
RUN = re.compile(r"this is run ([0-9a-f-]{36}); `catalog undo \1`")


@frozen
class Catalogue:
    """A SQLite file, what the commands say about it, and what the service would."""

    file: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def does(self, *arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(main, [*arguments, "--storage", self.url], input=answer)

    def imports(self, text: str) -> str:
        """Import a text; return the id of the run."""
        file = self.file.with_name("books.csv")
        file.write_text(HEADER + text, "utf-8")
        result = self.does("import", str(file))
        assert result.exit_code == 0, result.output
        found = RUN.search(result.stderr)
        assert found, result.stderr
        return found[1]

    def serving(self, work: Callable[[httpx.AsyncClient], Any]) -> Any:
        """Do something over HTTP."""

        async def do() -> Any:
            async with in_process(Settings(storage=self.url)) as client:
                return await work(client)

        return asyncio.run(do())

    def changes(self) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = self.serving(every_change)
        return changes

    def standing(self) -> dict[str, dict[str, Any]]:
        """All records, by their title or name."""

        async def read(client: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
            found = {}
            for kind, name in (("authors", "name"), ("books", "title")):
                page = (await client.get(f"/{kind}?pageSize=100")).json()
                assert page["total"] == len(page["items"])
                found |= {record[name]: record for record in page["items"]}
            return found

        found: dict[str, dict[str, Any]] = self.serving(read)
        return found

    def amended(self, path: str, **fields: object) -> None:
        async def amend(client: httpx.AsyncClient) -> None:
            assert (await client.patch(path, json=fields)).status_code == 200

        self.serving(amend)

    def bytes(self) -> bytes:
        """All that stands in the file and in what SQLite keeps beside it."""
        return b"".join(file.read_bytes() for file in sorted(self.file.parent.glob(f"{self.file.name}*")))


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalog.db")


# ---- import and undo


def test_an_import_says_which_run_it_is_and_the_log_tells_that_of_all_it_did(catalogue: Catalogue) -> None:
    first = catalogue.imports("1,Emma,Jane Austen,\n2,Persuasion,Jane Austen,\n")
    second = catalogue.imports("3,Odyssey,Homer,\n1,Emma,Jane Austen,\n")

    changes = catalogue.changes()

    assert first != second
    assert [(change["group"], change["kind"]) for change in changes] == [
        (first, "author"),
        (first, "book"),
        (first, "book"),
        (second, "author"),
        (second, "book"),
    ]
    assert {(change["actor"], change["request_id"], change["operation"]) for change in changes} == {
        (user(), None, "create")
    }


def test_an_undo_takes_back_all_that_a_run_did_and_can_be_undone(catalogue: Catalogue) -> None:
    catalogue.imports("1,Emma,Jane Austen,\n")
    before = catalogue.standing()
    run = catalogue.imports("2,Persuasion,Jane Austen,\n3,Odyssey,Homer; Samuel Butler [trl],\n4,Beowulf,,\n")
    imported = catalogue.standing()

    undone = catalogue.does("undo", run)

    assert (undone.exit_code, counts_in(undone)) == (0, (5, 0)), undone.output
    assert catalogue.standing() == before
    taken_back = catalogue.changes()[-5:]
    (undo,) = {change["group"] for change in taken_back}
    assert undo not in {None, run}
    assert f"`catalog undo {undo}`" in undone.stdout
    assert {(change["operation"], change["actor"]) for change in taken_back} == {("remove", user())}

    redone = catalogue.does("undo", undo)

    assert (redone.exit_code, counts_in(redone)) == (0, (5, 0)), redone.output
    contents = {name: _content(record) for name, record in catalogue.standing().items()}
    assert contents == {name: _content(record) for name, record in imported.items()}


def counts_in(result: Result) -> tuple[int, int]:
    """How many records an undo says it took back, and how many it left alone."""
    found = re.search(r"^([0-9,]+) records? taken back, ([0-9,]+) left alone$", result.stdout, re.MULTILINE)
    assert found, result.output
    return int(found[1].replace(",", "")), int(found[2].replace(",", ""))


def _content(record: dict[str, Any]) -> dict[str, Any]:
    author = {"author": _content(record["author"])} if record.get("author") else {}
    return {k: v for k, v in record.items() if k not in {"version", "updated_at"}} | author


def test_an_undo_of_more_than_one_unit_of_work_leaves_nothing_behind(catalogue: Catalogue) -> None:
    run = catalogue.imports("".join(f"{n},Book {n},Author {n % 700},\n" for n in range(1200)))

    undone = catalogue.does("undo", run)

    assert (undone.exit_code, counts_in(undone)) == (0, (1900, 0)), undone.output
    assert catalogue.standing() == {}


def test_an_undo_leaves_alone_what_somebody_has_changed_since_and_lists_it(catalogue: Catalogue) -> None:
    run = catalogue.imports("1,Emma,Jane Austen,\n2,Odyssey,Homer,\n3,Beowulf,,\n")
    standing = catalogue.standing()
    catalogue.amended(f"/books/{standing['Emma']['id']}", published="1815")

    undone = catalogue.does("undo", run)

    lines = [line for line in undone.stdout.splitlines() if line.startswith("left alone: ")]
    assert (undone.exit_code, counts_in(undone)) == (1, (3, 2)), undone.output
    book, author = standing["Emma"]["id"], standing["Jane Austen"]["id"]
    reasons = {line.split(": ", 2)[1]: line.split(": ", 2)[2] for line in lines}
    assert reasons.keys() == {f"book {book}", f"author {author}"}
    assert "anonymous has changed it since" in reasons[f"book {book}"]
    assert reasons[f"author {author}"] == "1 book still names this author"
    assert catalogue.standing().keys() == {"Emma", "Jane Austen"}


def test_an_undo_that_is_repeated_finds_nothing_left_to_do(catalogue: Catalogue) -> None:
    run = catalogue.imports("1,Emma,Jane Austen,\n")
    catalogue.does("undo", run)
    before = catalogue.changes()

    again = catalogue.does("undo", run)

    assert (again.exit_code, again.stdout) == (0, "0 records taken back, 0 left alone\n"), again.output
    assert catalogue.changes() == before


def test_what_was_undone_can_be_imported_again(catalogue: Catalogue) -> None:
    text = "1,Emma,Jane Austen,\n"
    catalogue.does("undo", catalogue.imports(text))

    catalogue.imports(text)

    assert catalogue.standing().keys() == {"Emma", "Jane Austen"}


def test_a_merge_is_undone_by_its_group(catalogue: Catalogue) -> None:
    catalogue.imports("1,Emma,J. Austen,\n2,Persuasion,Jane Austen,\n")
    before = {name: _content(record) for name, record in catalogue.standing().items()}

    async def merge(client: httpx.AsyncClient) -> None:
        authors = {each["name"]: each["id"] for each in (await client.get("/authors")).json()["items"]}
        await client.post(f"/authors/{authors['J. Austen']}/merge", json={"into": authors["Jane Austen"]})

    catalogue.serving(merge)
    group = catalogue.changes()[-1]["group"]

    undone = catalogue.does("undo", group)

    assert undone.exit_code == 0, undone.output
    assert {name: _content(record) for name, record in catalogue.standing().items()} == before


@pytest.mark.parametrize("of", ["an empty catalogue", "a catalogue"])
def test_an_unknown_run_is_refused_in_one_line(catalogue: Catalogue, of: str) -> None:
    catalogue.imports("1,Emma,Jane Austen,\n" if of == "a catalogue" else "")
    run = str(uuid4())

    result = catalogue.does("undo", run)

    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"catalog: nothing in the log belongs to {run};")


@pytest.mark.parametrize("command", [("undo",), ("log", "erase", "--yes")])
def test_what_is_no_id_is_refused_without_a_traceback(catalogue: Catalogue, command: tuple[str, ...]) -> None:
    for wrong in ("x", "", "123", f"{NOBODY}0", "../catalog.db"):
        result = catalogue.does(*command, wrong)

        assert result.exit_code == 2
        assert "is not a valid UUID" in result.stderr
    assert not catalogue.file.exists()


@pytest.mark.parametrize(
    "command",
    [
        ("undo", str(NOBODY)),
        ("log", "erase", "--yes", str(NOBODY)),
        ("log", "compact", "--before", "2026-01-01"),
        ("promote",),
        ("follow", "http://127.0.0.1:9", "--once"),
    ],
)
def test_what_would_end_with_the_command_is_refused(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*command, "--storage", "memory://"])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "name a file, sqlite:///FILE" in result.stderr
    assert len(result.stderr.splitlines()) == 1


# ---- duplicates


def test_duplicates_lists_authors_who_may_be_one_with_what_tells_them_apart(catalogue: Catalogue) -> None:
    async def fill(client: httpx.AsyncClient) -> list[str]:
        one = await added_author(client, "Emily Brontë", dob="1818-07-30")
        two = await added_author(client, "EMILY BRONTE")
        await added_author(client, "Somebody else")
        for title in ("Wuthering Heights", "Poems"):
            await added_book(client, title, one["id"])
        await added_book(client, "With", contributors=[{"author_id": two["id"]}])
        return [one["id"], two["id"]]

    one, two = catalogue.serving(fill)
    before = catalogue.changes()

    result = catalogue.does("duplicates")

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "emily bronte",
        f"  {one}  Emily Brontë, born 1818-07-30, main entry of 2 books",
        f"  {two}  EMILY BRONTE, main entry of 0 books",
        "1 name that several authors have",
    ]
    assert catalogue.changes() == before


def test_duplicates_lists_more_than_a_page_of_them(catalogue: Catalogue) -> None:
    catalogue.imports("".join(f"{n},Book {n},Author {n:03d},\n" for n in range(105)))
    file = catalogue.file

    async def double(client: httpx.AsyncClient) -> None:
        for n in range(105):
            await added_author(client, f"AUTHOR {n:03d}")

    catalogue.serving(double)

    lines = catalogue.does("duplicates").stdout.splitlines()

    assert file.exists()
    assert [line for line in lines if line.startswith("author")] == [f"author {n:03d}" for n in range(105)]
    assert lines[-1] == "105 names that several authors have"


def test_a_catalogue_without_duplicates_says_so(catalogue: Catalogue) -> None:
    catalogue.imports("")

    result = catalogue.does("duplicates")

    assert (result.exit_code, result.stdout) == (0, "0 names that several authors have\n")


# ---- compact


def test_a_compaction_drops_what_was_succeeded_and_keeps_how_everything_stands(catalogue: Catalogue) -> None:
    async def live(client: httpx.AsyncClient) -> dict[str, Any]:
        author = await added_author(client, "First name")
        path = f"/authors/{author['id']}"
        await client.patch(path, json={"name": "Second name"})
        await client.patch(path, json={"name": "Third name"})
        gone = await added_author(client, "Gone")
        await client.delete(f"/authors/{gone['id']}")
        return author

    author = catalogue.serving(live)
    before, standing = catalogue.changes(), catalogue.standing()

    result = catalogue.does("log", "compact", "--before", "2999-01-01", "--yes")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("3 contents dropped")
    after = catalogue.changes()
    assert catalogue.standing() == standing
    assert [change["withheld"] for change in after] == ["compacted", "compacted", None, "compacted", None]
    assert [{**b, "after": a["after"], "withheld": a["withheld"]} for a, b in zip(after, before, strict=True)] == after
    assert (after[2], after[4]) == (before[2], before[4])

    async def ask(client: httpx.AsyncClient) -> list[tuple[int, str]]:
        path = f"/authors/{author['id']}"
        answers = [
            await client.get(f"{path}/revisions/1"),
            await client.get(f"{path}/revisions/3/differences"),
            await client.post(f"{path}/revert", json={"to_version": 1}),
            await client.post(f"/authors/{after[3]['id']}/restore"),
            await client.get(f"{path}/revisions"),
            await client.get(f"{path}/revisions/3"),
        ]
        return [(answer.status_code, answer.json().get("type", "")) for answer in answers]

    gone = (410, "/problems/content-withheld")
    assert catalogue.serving(ask) == [gone] * 4 + [(200, "")] * 2
    assert catalogue.does("log", "compact", "--before", "2999-01-01", "--yes").stdout.startswith("0 contents dropped")


def test_a_compaction_before_a_time_keeps_what_stood_then(catalogue: Catalogue) -> None:
    run = catalogue.imports("1,Emma,Jane Austen,\n")
    before = catalogue.changes()

    for date in ("2000-01-01", "2000-01-01T12:00:00"):
        result = catalogue.does("log", "compact", "--before", date)
        assert (result.exit_code, result.stdout.split(";")[0]) == (0, "0 contents dropped"), result.output

    assert catalogue.changes() == before
    assert catalogue.does("undo", run).exit_code == 0


def test_what_an_undo_would_need_and_a_compaction_dropped_is_left_alone(catalogue: Catalogue) -> None:
    async def live(client: httpx.AsyncClient) -> str:
        one, two = await added_author(client, "One", dob="1800-01-01"), await added_author(client, "Two")
        await client.post(f"/authors/{one['id']}/merge", json={"into": two["id"]})
        return str(two["id"])

    survivor = catalogue.serving(live)
    group = catalogue.changes()[-1]["group"]
    catalogue.does("log", "compact", "--before", "2999-01-01", "--yes")

    undone = catalogue.does("undo", group)

    assert undone.exit_code == 1, undone.output
    assert f"left alone: author {survivor}: what it said before was compacted" in undone.stdout


def test_a_compaction_asks_whether_a_time_that_is_still_to_come_is_meant(catalogue: Catalogue) -> None:
    async def revised(client: httpx.AsyncClient) -> None:
        author = await added_author(client, "One")
        await client.patch(f"/authors/{author['id']}", json={"name": "Two"})

    catalogue.serving(revised)
    before = catalogue.changes()

    refused = catalogue.does("log", "compact", "--before", "2206-01-01", answer="n\n")
    assert (refused.exit_code, "still to come" in refused.output) == (1, True)
    assert catalogue.changes() == before

    done = catalogue.does("log", "compact", "--before", "2206-01-01", answer="y\n")
    assert "1 content dropped" in done.output


@pytest.mark.parametrize("date", ["", "yesterday", "2026-13-01", "01.02.2026", "2026-01-01T25:00:00"])
def test_a_compaction_needs_a_date(catalogue: Catalogue, date: str) -> None:
    result = catalogue.does("log", "compact", "--before", date)

    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert catalogue.does("log", "compact").exit_code == 2


# ---- erase

SECRET = "Xenophilia Unforgettable-Lovegood"
FOLDED = "xenophilia unforgettable"


def with_secrets(catalogue: Catalogue) -> tuple[str, str]:
    """Have a name and a title in as many places as there can be; return the ids of the author and a book."""

    async def live(client: httpx.AsyncClient) -> tuple[str, str]:
        for n in range(30):
            await added_author(client, f"Neighbour {n}")
        author = await added_author(client, SECRET)
        path = f"/authors/{author['id']}"
        book = await added_book(client, f"The Life of {SECRET}", author["id"], subtitle=SECRET * 20)
        await client.patch(path, json={"name": f"{SECRET} II"}, headers={"Idempotency-Key": "k"})
        await client.patch(path, json={"name": SECRET})
        twin = await added_author(client, f"{SECRET} the Other")
        await client.post(f"/authors/{twin['id']}/merge", json={"into": author["id"]})
        await client.post(f"/authors/{twin['id']}/unmerge")
        await client.patch(f"/authors/{twin['id']}", json={"name": "Somebody else"})
        await client.delete(f"/authors/{twin['id']}")
        await client.patch(f"/books/{book['id']}", json={"author_id": None})
        return author["id"], book["id"]

    author, book = catalogue.serving(live)
    return author, book


def twin_in(changes: list[dict[str, Any]]) -> str:
    """The id of the author who was called like the other one."""
    return next(str(change["id"]) for change in changes if "the Other" in str(change["after"]))


def occurrences(catalogue: Catalogue) -> list[str]:
    """Which of the secrets stand in any byte of the files."""
    content = catalogue.bytes().lower()
    return [text for text in (SECRET.lower(), FOLDED, "lovegood", "unforgettable") if text.encode() in content]


def test_an_erased_record_stands_in_no_byte_of_the_files(catalogue: Catalogue) -> None:
    author, book = with_secrets(catalogue)
    twin = twin_in(catalogue.changes())
    assert len(occurrences(catalogue)) == 4

    for id in (author, book, twin):
        result = catalogue.does("log", "erase", id, "--yes")
        assert (result.exit_code, result.stdout) == (0, f"{id} is erased\n"), result.output

    assert occurrences(catalogue) == []
    assert b"Neighbour 7" in catalogue.bytes()
    for change in catalogue.changes():
        if change["id"] in {author, book, twin}:
            assert change["after"] is None
            assert change["withheld"] == "erased" or change["operation"] in {"merge", "remove"}


def test_the_log_tells_that_a_record_was_erased_and_nothing_of_what_it_said(catalogue: Catalogue) -> None:
    author, _ = with_secrets(catalogue)
    catalogue.does("log", "erase", author, "--yes")

    async def ask(client: httpx.AsyncClient) -> None:
        gone = (await client.get(f"/authors/{author}")).json()
        assert (gone["status"], gone["removed_by"]) == (410, user())
        for path in ("revisions/1", "revisions/2/differences"):
            withheld = (await client.get(f"/authors/{author}/{path}")).json()
            assert withheld["type"] == "/problems/content-withheld"
            assert "erased" in withheld["detail"]
        restored = await client.post(f"/authors/{author}/restore")
        assert restored.json()["type"] == "/problems/content-withheld"
        replayed = await client.patch(
            f"/authors/{author}", json={"name": f"{SECRET} II"}, headers={"Idempotency-Key": "k"}
        )
        assert (replayed.status_code, replayed.json()["type"]) == (410, "/problems/content-withheld")

    catalogue.serving(ask)
    assert catalogue.changes()[-1]["withheld"] == "erased"


def test_erasing_again_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.imports("1,Emma,Jane Austen,\n")
    book = catalogue.standing()["Emma"]["id"]
    catalogue.does("log", "erase", book, "--yes")
    before = catalogue.changes()

    again = catalogue.does("log", "erase", book, "--yes")

    assert (again.exit_code, again.stdout) == (0, f"{book} was erased before\n")
    assert catalogue.changes() == before


def test_an_erasure_asks_before_and_only_yes_is_yes(catalogue: Catalogue) -> None:
    catalogue.imports("1,Emma,Jane Austen,\n")
    book = catalogue.standing()["Emma"]["id"]
    before = catalogue.changes()

    for answer in ("n\n", "\n", ""):
        result = catalogue.does("log", "erase", book, answer=answer)
        assert (result.exit_code, result.stdout) == (1, "")
        assert book in result.stderr
    assert catalogue.changes() == before

    assert catalogue.does("log", "erase", book, answer="y\n").stdout == f"{book} is erased\n"
    assert "Emma" not in catalogue.standing()


def test_an_author_whom_books_name_and_what_never_was_are_not_erased(catalogue: Catalogue) -> None:
    catalogue.imports("1,Emma,Jane Austen,\n")
    author = catalogue.standing()["Jane Austen"]["id"]
    before = catalogue.changes()

    for id in (author, str(NOBODY)):
        result = catalogue.does("log", "erase", id, "--yes")

        assert (result.exit_code, result.stdout) == (2, "")
        (line,) = result.stderr.splitlines()
        assert line.startswith("catalog: ")
        assert id in line
        assert "refused:" not in line  # which is how an error looks that nobody has found words for
    assert catalogue.changes() == before


def test_a_merged_record_is_erased_and_leads_nowhere_any_more(catalogue: Catalogue) -> None:
    async def live(client: httpx.AsyncClient) -> str:
        one, two = await added_author(client, SECRET), await added_author(client, "Two")
        await client.post(f"/authors/{one['id']}/merge", json={"into": two["id"]})
        return str(one["id"])

    loser = catalogue.serving(live)

    result = catalogue.does("log", "erase", loser, "--yes")

    assert result.exit_code == 0, result.output
    assert occurrences(catalogue) == []


def test_an_erasure_while_the_service_runs_is_complete_when_the_service_has_stopped(
    catalogue: Catalogue, serve: Callable[..., Server]
) -> None:
    author, book = with_secrets(catalogue)
    server = serve("--storage", catalogue.url)
    with server.client() as client:
        assert SECRET in client.get(f"/authors/{author}").text
        twin = twin_in(client.get("/changes?limit=1000").json()["items"])

        for id in (author, book, twin):
            assert catalogue.does("log", "erase", id, "--yes").exit_code == 0

        assert client.get(f"/authors/{author}").status_code == 410
        assert "lovegood" not in client.get("/changes?limit=1000").text.lower()
        assert server.stop() == 0

    assert occurrences(catalogue) == []
