"""`catalog import`, from the file to the catalogue, over real SQLite files."""

import csv
import gzip
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from click.testing import CliRunner, Result
from tests.shared_data import shared_file

from catalog.domain.errors import UnreadableFile
from catalog.entrypoints.cli import main
from catalog.entrypoints.formats import Reading, record_reader

CATALOG = (sys.executable, "-m", "catalog")
HEADER = "key,title,subtitle,authors,isbn,published,languages\n"


@frozen
class Catalogue:
    """A SQLite file, and what `catalog import` says about it."""

    file: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"

    def imports(self, file: Path, *options: str) -> Result:
        return CliRunner().invoke(main, ["import", str(file), "--storage", self.url, *options])

    def imported_text(self, text: str, *options: str) -> Result:
        file = self.file.with_name("books.csv")
        file.write_text(text, "utf-8")
        return self.imports(file, *options)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.file)) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalog.db")


def report_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_plain_file_becomes_books_with_their_people(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(
        HEADER
        + "1,Emma,,Jane Austen,,1815-12-23,eng\n"
        + "2,The Odyssey,rendered into English prose,Homer; Samuel Butler [trl],,1900,eng\n"
        + "3,Persuasion,,JANE AUSTEN,0-14-143960-2,1817,en; fr\n"
    )

    assert result.exit_code == 0, result.output
    assert "3 rows: 3 created, 0 unchanged, 0 refused" in result.output
    assert catalogue.rows("SELECT count(*) FROM author") == [(3,)]
    assert catalogue.rows(
        "SELECT title, name, isbn, published, languages FROM book JOIN author ON author.id = author_id ORDER BY 1"
    ) == [
        ("Emma", "Jane Austen", None, "1815-12-23", '["eng"]'),
        ("Persuasion", "Jane Austen", "9780141439600", "1817", '["eng","fre"]'),
        ("The Odyssey", "Homer", None, "1900", '["eng"]'),
    ]
    assert catalogue.rows("SELECT name, role FROM contributor JOIN author ON author.id = author_id") == [
        ("Samuel Butler", "trl")
    ]


def test_importing_the_same_file_again_creates_and_changes_nothing(catalogue: Catalogue) -> None:
    text = HEADER + "1,Emma,,Jane Austen,,1815,eng\n,No key,,Jane Austen,,,\n"
    catalogue.imported_text(text)
    before = catalogue.rows("SELECT * FROM book"), catalogue.rows("SELECT * FROM author")

    result = catalogue.imported_text(text)

    assert "2 rows: 0 created, 2 unchanged, 0 refused" in result.output
    assert (catalogue.rows("SELECT * FROM book"), catalogue.rows("SELECT * FROM author")) == before


def test_a_record_that_says_otherwise_by_now_is_left_as_it_is_and_reported(catalogue: Catalogue) -> None:
    catalogue.imported_text(HEADER + "1,Emma,,Jane Austen,,1815,eng\n")
    report = catalogue.file.with_name("report.csv")

    result = catalogue.imported_text(HEADER + "1,Emma,,Jane Austen,,1816,eng\n", "--report", str(report))

    assert "1 updated, 0 unchanged" in result.output
    assert "1 of which the catalogue says otherwise" in result.output
    assert "published" in report_of(report)[0]["reason"]
    assert catalogue.rows("SELECT published FROM book") == [("1815",)]


def test_the_same_key_twice_in_one_file_makes_one_book(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(HEADER + "1,Emma,,Jane Austen,,,\n1,Emma,,Jane Austen,,,\n")

    assert "1 created, 1 unchanged" in result.output
    assert catalogue.rows("SELECT count(*) FROM book") == [(1,)]


def test_the_same_key_of_another_source_is_another_book(catalogue: Catalogue) -> None:
    catalogue.imported_text(HEADER + "1,Emma,,Jane Austen,,,\n", "--source", "one")
    catalogue.imported_text(HEADER + "1,Sanditon,,Jane Austen,,,\n", "--source", "two")

    assert catalogue.rows("SELECT title FROM book ORDER BY 1") == [("Emma",), ("Sanditon",)]


def test_an_author_of_whom_there_are_two_is_not_guessed(catalogue: Catalogue) -> None:
    catalogue.imported_text(HEADER + "1,Poems,,John Smith,,,\n")
    with sqlite3.connect(catalogue.file) as connection:
        connection.execute(
            "INSERT INTO author (id, version, created_at, updated_at, sort_key, name_key, name) "
            "SELECT randomblob(16), 1, created_at, updated_at, sort_key, name_key, name FROM author"
        )
    connection.close()

    result = catalogue.imported_text(HEADER + "2,More Poems,,JOHN SMITH; Jane New,,,\n")

    assert result.exit_code == 1
    assert "2 authors called 'JOHN SMITH'" in result.output
    assert catalogue.rows("SELECT count(*) FROM book") == [(1,)]
    assert catalogue.rows("SELECT count(*) FROM author WHERE name = 'Jane New'") == [(0,)]


def test_a_broken_row_takes_no_other_along_and_the_report_names_its_line(catalogue: Catalogue) -> None:
    report = catalogue.file.with_name("report.csv")

    result = catalogue.imported_text(
        HEADER
        + "1,Emma,,Jane Austen,,,\n"
        + '2,"never closed,,Jane Austen,,,\n'
        + "3,Persuasion,,Jane Austen,,,\n"
        + "4,too,few\n"
        + "5,,,Jane Austen,,,\n"
        + '6,"Two\nlines",,Jane Austen,123,notayear,xx\n'
        + "7,Mansfield Park,,Jane Austen,,,\n",
        "--report",
        str(report),
    )

    assert result.exit_code == 1
    assert "4 created, 0 unchanged, 3 refused" in result.output
    lines = {row["line"]: (row["status"], row["reason"]) for row in report_of(report)}
    assert [(line, status) for line, (status, _) in lines.items()] == [
        ("2", "created"),
        ("3", "refused"),
        ("4", "created"),
        ("5", "refused"),
        ("6", "refused"),
        ("7", "created"),
        ("9", "created"),
    ]
    assert "cells" in lines["5"][1]
    assert lines["6"][1] == "has no title"
    warnings = report_of(report)[5]["warnings"]
    assert all(part in warnings for part in ("2 lines", "ISBN '123'", "'notayear'", "'xx'"))


def test_control_characters_and_over_long_titles_are_refused_by_name(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(HEADER + f"1,nul\x00,,A,,,\n2,{'x' * 1001},,A,,,\n3,fine,,{'y' * 501},,,\n")

    assert "3 refused" in result.output
    assert "title must not hold control characters" in result.output
    assert "title must have at most 1000 characters" in result.output
    assert "must have at most 500 characters" in result.output


def test_a_file_in_latin_1_is_refused_row_by_row_until_its_encoding_is_named(catalogue: Catalogue) -> None:
    file = catalogue.file.with_name("latin.csv")
    file.write_bytes((HEADER + "1,Émile,,Rousseau,,1762,fre\n2,Plain,,Rousseau,,,\n").encode("latin-1"))

    first = catalogue.imports(file)
    second = catalogue.imports(file, "--encoding", "latin-1")

    assert "1 created, 0 unchanged, 1 refused" in first.output
    assert "--encoding" in first.output
    assert "1 created, 1 unchanged, 0 refused" in second.output
    assert catalogue.rows("SELECT title FROM book ORDER BY 1") == [("Plain",), ("Émile",)]


def test_further_columns_are_mapped_by_hand(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(
        "Titel;Nr,Verfasser\nFaust,Goethe / Retzsch [ill]\n",
        "--map",
        "title=Titel;Nr,authors=Verfasser",
        "--separator",
        " / ",
    )

    assert "1 created" in result.output, result.output
    assert catalogue.rows("SELECT name FROM author ORDER BY 1") == [("Goethe",), ("Retzsch",)]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", (), "is empty"),
        (b"a,b\n1,2\n", (), "--map title=COLUMN"),
        (b"title,authors,shelf\n1,2,3\n", (), "--map title=title,authors=authors."),
        (b"title,authors\n", ("--map", "titel=title"), "titel is not a field"),
        (b"title,authors\n", ("--map", "title=Titel"), "no column Titel"),
        (b"title,authors\n", ("--map", "authors=authors"), "title=COLUMN"),
        (b"title,title\n", (), "names title twice"),
        ("title\né\n".encode("utf-16"), (), "--encoding utf-16"),
        (b"title\n", ("--encoding", "klingon"), "no encoding 'klingon'"),
        (b"\x00" * 1_100_000, (), "should name the columns"),
        (gzip.compress(HEADER.encode() + b"1,a,,b,,,\n" * 10_000)[:-20], (), "not complete"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line_that_says_what_to_do(
    catalogue: Catalogue, content: bytes, options: tuple[str, ...], message: str
) -> None:
    file = catalogue.file.with_name("file.csv")
    file.write_bytes(content)

    result = catalogue.imports(file, *options)

    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("options", "books"), [((), 2), (("--stop-on-error",), 1)])
@pytest.mark.parametrize("more", [0, 1_200_000], ids=["small", "large"])
def test_after_a_file_that_can_not_be_read_the_others_are(
    catalogue: Catalogue, options: tuple[str, ...], books: int, more: int
) -> None:
    first, second, third = (catalogue.file.with_name(f"{name}.csv") for name in ("first", "second", "third"))
    first.write_text(HEADER + "1,Emma,,Jane Austen,,,\n")
    second.write_text("no,such,columns\n1,2,3\n")
    third.write_text(HEADER + "2,Persuasion,,Jane Austen,,,\n" + " " * more + "\n")

    done = subprocess.run(
        [*CATALOG, "import", *map(str, (first, second, third)), "--storage", catalogue.url, *options],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "second.csv: no known file has these columns: no, such, columns" in done.stderr
    assert catalogue.rows("SELECT count(*) FROM book") == [(books,)]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in the file system")
def test_what_comes_through_a_pipe_is_read(catalogue: Catalogue) -> None:
    pipe = catalogue.file.with_name("pipe")
    os.mkfifo(pipe)
    process = start_import(catalogue, pipe)

    pipe.write_text(HEADER + "1,Emma,,Jane Austen,,,\n")
    process.communicate(timeout=60)

    assert process.returncode == 0
    assert catalogue.rows("SELECT title FROM book") == [("Emma",)]


def test_a_folder_and_a_missing_file_are_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "missing.csv"):
        result = catalogue.imports(file)

        assert result.exit_code == 2
        assert f"can not read {file}" in result.output


def test_a_report_is_safe_to_open_in_a_spreadsheet(catalogue: Catalogue) -> None:
    report = catalogue.file.with_name("report.csv")

    catalogue.imported_text(HEADER + "=1+1,Emma,,Jane Austen,,,\n", "--report", str(report))

    assert report_of(report)[0]["key"] == "'=1+1"


def start_import(catalogue: Catalogue, file: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "catalog", "import", str(file), "--storage", catalogue.url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_killed_import_is_completed_by_a_second_run(catalogue: Catalogue) -> None:
    total = 20_000
    file = catalogue.file.with_name("many.csv")
    with file.open("w", encoding="utf-8") as stream:
        stream.write(HEADER)
        stream.writelines(f"{n},Title {n},,Author {n % 700},,,eng\n" for n in range(total))
    process = start_import(catalogue, file)
    try:
        wait_for_books(catalogue, process)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.communicate()
    (first,) = catalogue.rows("SELECT count(*) FROM book")[0]

    result = catalogue.imports(file)

    assert isinstance(first, int)
    assert 0 < first < total
    assert f"{total - first:,} created, {first:,} unchanged, 0 refused" in result.output
    assert catalogue.rows("SELECT count(*), count(DISTINCT title) FROM book") == [(total, total)]
    assert catalogue.rows("SELECT count(*), count(DISTINCT name) FROM author") == [(700, 700)]


def wait_for_books(catalogue: Catalogue, process: "subprocess.Popen[Any]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if catalogue.rows("SELECT 1 FROM book LIMIT 1"):
                return
        except sqlite3.OperationalError:
            pass  # not made yet
        time.sleep(0.02)
    pytest.fail("the import wrote nothing")


LARGE = HEADER + "".join(f"{i},Book {i},{'on and on ' * 40},Author {i % 50},,1999,eng\n" for i in range(4000))
"""A file that is worth a process of its own."""


def test_a_large_file_is_read_ahead_and_comes_in_as_a_small_one_does(catalogue: Catalogue) -> None:
    folder = catalogue.file.parent
    (folder / "large.csv").write_text(LARGE)
    (folder / "small.csv").write_text(HEADER + "x,,,,,,\n")

    done = subprocess.run(
        [*CATALOG, "import", "large.csv", "small.csv", "--storage", catalogue.url, "--report", "report.csv"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert "large.csv: 4,000 rows: 4,000 created, 0 unchanged, 0 refused" in done.stdout
    assert "small.csv: 1 rows: 0 created, 0 unchanged, 1 refused" in done.stdout
    assert [row["key"] for row in report_of(folder / "report.csv")] == [*map(str, range(4000)), "x"]
    assert catalogue.rows("SELECT source, key FROM source WHERE key = '7'") == [("large.csv", "7")]


def test_a_large_file_that_is_damaged_says_so_and_what_came_before_is_in(catalogue: Catalogue) -> None:
    file = catalogue.file.with_name("large.csv.gz")
    noise = "".join(f"{i},Book {i},{os.urandom(200).hex()},Author {i % 50},,1999,eng\n" for i in range(8000))
    file.write_bytes(gzip.compress((HEADER + noise).encode())[:-200_000])

    done = subprocess.run(
        [*CATALOG, "import", str(file), "--storage", catalogue.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    readable = 0
    with file.open("rb") as content, suppress(UnreadableFile):
        for _ in record_reader("csv", b"", Reading(source="file")).read(content):
            readable += 1
    assert done.returncode == 2
    assert re.search(rf"large.csv.gz: .*The {readable:,} rows before that are in the catalogue", done.stderr)
    assert catalogue.rows("SELECT count(*) FROM book") == [(readable,)]


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_an_import_whose_reading_process_is_killed_says_so(catalogue: Catalogue) -> None:
    file = catalogue.file.with_name("large.csv")
    file.write_text(LARGE + LARGE.removeprefix(HEADER) * 20)
    process = subprocess.Popen(
        [*CATALOG, "import", str(file), "--storage", catalogue.url],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for_books(catalogue, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), signal.SIGKILL)

    _, told = process.communicate(timeout=60)

    assert process.returncode == 2
    assert re.search(r"the process that read .*large.csv has ended \(status -9\)", told), told


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
def test_an_import_that_is_killed_leaves_no_process_behind(catalogue: Catalogue) -> None:
    file = catalogue.file.with_name("large.csv")
    file.write_text(LARGE + LARGE.removeprefix(HEADER) * 20)
    process = start_import(catalogue, file)
    wait_for_books(catalogue, process)
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    deadline = time.monotonic() + 30
    while is_alive(int(child)):
        assert time.monotonic() < deadline, "the process that reads goes on"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether the process does anything; nobody may have looked after one that has ended."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
def test_goodbooks_10k_comes_in_whole(catalogue: Catalogue) -> None:
    file = shared_file("csv/goodbooks-10k/books.csv.gz")
    report = catalogue.file.with_name("report.csv")

    result = catalogue.imports(file, "--report", str(report))
    again = catalogue.imports(file)

    assert result.exit_code == 0, result.output
    assert "10,000 rows: 10,000 created, 0 unchanged, 0 refused" in result.output
    assert "0 created, 10,000 unchanged, 0 refused" in again.output
    warnings = Counter(
        kind
        for row in report_of(report)
        for kind in re.findall("invalid ISBN|contributor\\(s\\) named twice", row["warnings"])
    )
    assert warnings == {"invalid ISBN": 8482, "contributor(s) named twice": 2}
    assert catalogue.rows(
        "SELECT count(*), count(author_id), count(isbn), count(published), min(CAST(published AS int)), "
        "max(CAST(published AS int)), sum(languages <> '[]') FROM book"
    ) == [(10_000, 10_000, 9292, 9979, -1750, 2017, 8916)]
    # 3,216 entries stand in the file, two of them twice in their record.
    assert catalogue.rows("SELECT count(DISTINCT book_id), count(*) FROM contributor") == [(2079, 3214)]
    assert catalogue.rows(
        "SELECT isbn FROM book JOIN source ON book_id = book.id WHERE source = 'goodbooks' AND key = '1'"
    ) == [("9780439023481",)]


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        ("Baum, L. Frank (Lyman Frank), 1856-1919", ("L. Frank Baum", "Baum, L. Frank", "1856", "1919")),
        ("Alger, Horatio, Jr., 1832-1899", ("Horatio Alger, Jr.", "Alger, Horatio, Jr.", "1832", "1899")),
        ("Caesar, Julius, 100 BCE-44 BCE", ("Julius Caesar", "Caesar, Julius", "-0099", "-0043")),
        ("Camões, Luís de, 1524?-1580", ("Luís de Camões", "Camões, Luís de", None, "1580")),
        ("Teresa, of Avila, Saint, 1515-1582", ("Teresa, of Avila, Saint", None, "1515", "1582")),
        ("Clinton, Bill, 1946-", ("Bill Clinton", "Clinton, Bill", "1946", None)),
        ("Nobody, Known, 1900-1800", ("Known Nobody", "Nobody, Known", None, None)),
        ("Smith, Elder & Co.", ("Smith, Elder & Co.", None, None, None)),
    ],
)
def test_people_of_project_gutenberg_are_told_as_people_say_them(
    catalogue: Catalogue, heading: str, told: tuple[str | None, ...]
) -> None:
    result = catalogue.imported_text(f'Text#,Title,Authors,Issued,Language\n1,A,"{heading}",1900-01-01,en\n')

    assert result.exit_code == 0, result.output
    assert catalogue.rows("SELECT name, sort_name, birth, death FROM author") == [told]


@pytest.mark.slow
def test_the_catalogue_of_project_gutenberg_comes_in_whole(catalogue: Catalogue) -> None:
    file = shared_file("csv/gutenberg/pg_catalog.csv.gz")
    report = catalogue.file.with_name("report.csv")

    result = catalogue.imports(file, "--report", str(report))

    assert "7,660 rows: 7,660 created, 0 unchanged, 0 refused" in result.output
    assert sum("joined into one" in row["warnings"] for row in report_of(report)) == 344
    assert catalogue.rows("SELECT count(*) FROM book WHERE instr(title, char(10))") == [(0,)]
    assert catalogue.rows("SELECT count(*) - count(author_id), sum(languages <> '[]') FROM book") == [(21, 7660)]
    assert catalogue.rows("SELECT count(DISTINCT book_id), count(*) FROM contributor") == [(1506, 2048)]
    assert catalogue.rows(
        "SELECT author.name, sort_name, birth, death, role FROM contributor JOIN author "
        "ON author.id = contributor.author_id JOIN source USING (book_id) WHERE key = '21'"
    ) == [("George Fyler Townsend", "Townsend, George Fyler", "1814", "1900", "trl")]


@pytest.mark.parametrize(
    ("name", "rows", "isbns", "contributors"),
    [
        ("goodreads-duplicate-events.csv", 6, 5, 7),
        ("goodreads1.csv", 10, 10, 5),
        ("goodreads_library_export-2022.csv", 10, 10, 5),
        ("goodreads_library_export_one_line.csv", 1, 1, 0),
        ("goodreads_library_export_one_line_modified_review.csv", 5, 4, 2),
    ],
)
def test_goodreads_exports_of_every_age_come_in_whole(
    catalogue: Catalogue, name: str, rows: int, isbns: int, contributors: int
) -> None:
    result = catalogue.imports(shared_file(f"csv/goodreads/{name}"))

    assert f"{rows} rows: {rows} created, 0 unchanged, 0 refused" in result.output
    assert catalogue.rows("SELECT count(isbn), count(published) FROM book") == [(isbns, rows)]
    assert catalogue.rows("SELECT count(*) FROM contributor") == [(contributors,)]


def test_a_reading_log_of_open_library_comes_in_with_its_people_and_what_it_is_about(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(
        "Work ID,Title,Authors,First Publish Year,Edition ID,Edition Count,Bookshelf,My Ratings,Ratings Average,"
        "Ratings Count,Has Ebook,Subjects,Subject People,Subject Places,Subject Times\n"
        'OL59800W,"The Left Hand of Darkness","Ursula K. Le Guin",1969,OL24238391M,96,Already Read,5,4.1,120,True,'
        '"Science fiction | Winter","Genly Ai","Gethen",""\n'
        'OL27448W,"Good Omens","Terry Pratchett | Neil Gaiman",1990,,80,Want to Read,,,,True,"","","",""\n'
    )

    assert "2 rows: 2 created, 0 unchanged, 0 refused; 0 with warnings" in result.output
    assert catalogue.rows(
        "SELECT source.key, title, author.name, published, subjects ->> '$[#-1].term', tags FROM book "
        "JOIN source ON book_id = book.id JOIN author ON author.id = author_id ORDER BY title"
    ) == [
        ("OL27448W", "Good Omens", "Terry Pratchett", "1990", None, '["Want to Read"]'),
        ("OL59800W", "The Left Hand of Darkness", "Ursula K. Le Guin", "1969", "Gethen", '["Already Read"]'),
    ]
    assert catalogue.rows("SELECT author.name FROM contributor JOIN author ON author.id = author_id") == [
        ("Neil Gaiman",)
    ]


def test_a_goodreads_record_that_was_edited_since_is_left_alone(catalogue: Catalogue) -> None:
    catalogue.imports(shared_file("csv/goodreads/goodreads_library_export_one_line.csv"))

    result = catalogue.imports(shared_file("csv/goodreads/goodreads_library_export_one_line_modified.csv"))

    assert "0 created, 1 updated, 0 unchanged" in result.output
    assert catalogue.rows("SELECT published FROM book") == [("2018",)]


def test_the_sample_of_the_demo_is_clean_and_bundled(catalogue: Catalogue) -> None:
    sample = Path(sys.modules["catalog.entrypoints.cli"].__file__ or "").with_name("classics.csv")
    report = catalogue.file.with_name("report.csv")

    result = catalogue.imports(sample, "--report", str(report))

    assert result.exit_code == 0, result.output
    assert not [row for row in report_of(report) if row["warnings"] or row["status"] != "created"]
    assert len(report_of(report)) >= 100


@pytest.mark.parametrize(
    ("separator", "cell"), [("|", "Ann|Bob"), ("; ", "Ann;  Bob; "), (" and ", "Ann and Bob"), (",", "Ann,Bob,")]
)
def test_lists_are_split_at_the_separator_as_given(catalogue: Catalogue, separator: str, cell: str) -> None:
    catalogue.imported_text(f'T,A\nX,"{cell}"\n', "--map", "title=T,authors=A", "--separator", separator)

    assert catalogue.rows("SELECT name FROM author ORDER BY 1") == [("Ann",), ("Bob",)]


def test_a_separator_of_nothing_is_refused(catalogue: Catalogue) -> None:
    result = catalogue.imported_text("T\nX\n", "--map", "title=T", "--separator", " ")

    assert result.exit_code == 2
    assert "--separator" in result.output


def test_a_report_never_overwrites_the_file_it_is_about(catalogue: Catalogue) -> None:
    file = catalogue.file.with_name("books.csv")

    result = catalogue.imported_text(HEADER + "1,Emma,,Jane Austen,,,\n", "--report", str(file))

    assert result.exit_code == 2
    assert file.read_text("utf-8").startswith(HEADER)


def test_what_would_end_with_the_command_is_not_imported(catalogue: Catalogue) -> None:
    file = catalogue.file.with_name("books.csv")
    file.write_text(HEADER, "utf-8")

    result = CliRunner().invoke(main, ["import", str(file), "--storage", "memory://"])

    assert result.exit_code == 2
    assert "sqlite:///FILE" in result.output


def test_the_rows_before_a_damage_come_in(catalogue: Catalogue) -> None:
    file = catalogue.file.with_name("books.csv.gz")
    packed = gzip.compress(HEADER.encode() + b"".join(b"%d,T%d,,A,,,\n" % (n, n) for n in range(2_750)))
    file.write_bytes(packed[: len(packed) // 2])

    result = catalogue.imports(file)

    ((count,),) = catalogue.rows("SELECT count(*) FROM book")
    assert isinstance(count, int)
    assert count % 500 != 0
    assert f"The {count:,} rows before that are in the catalogue" in result.output


def test_a_line_that_never_ends_is_one_refused_row(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(HEADER + f"1,A,,,,,\n2,{'x' * 1_200_000},,,,,\n3,B,,,,,\n")

    assert "2 created, 0 unchanged, 1 refused" in result.output
    assert catalogue.rows("SELECT title FROM book ORDER BY 1") == [("A",), ("B",)]


def test_long_keys_are_told_apart_to_their_end(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(HEADER + f"{'k' * 250}1,A,,,,,\n{'k' * 250}2,B,,,,,\n")

    assert "2 created" in result.output


def test_an_encoding_that_is_not_of_text_is_refused(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(HEADER, "--encoding", "hex")

    assert result.exit_code == 2
    assert "no encoding 'hex'" in result.output


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_files_of_spreadsheets_with_a_decimal_comma_are_read_too(catalogue: Catalogue, delimiter: str) -> None:
    rows = [("key", "title", "authors"), ("1", '"Emma, a novel"', "Jane Austen")]

    result = catalogue.imported_text("".join(delimiter.join(row) + "\r\n" for row in rows))

    assert "1 created" in result.output, result.output
    assert catalogue.rows("SELECT title FROM book") == [("Emma, a novel",)]


def test_a_report_overwrites_only_a_report(catalogue: Catalogue) -> None:
    text = HEADER + "1,Emma,,Jane Austen,,,\n"
    precious, report = catalogue.file.with_name("precious.txt"), catalogue.file.with_name("report.csv")
    precious.write_text("precious")
    catalogue.imported_text(text)

    refused = [catalogue.imported_text(text, "--report", str(file)) for file in (precious, catalogue.file)]
    twice = [catalogue.imported_text(text, "--report", str(report)) for _ in range(2)]

    assert [result.exit_code for result in refused] == [2, 2]
    assert [result.exit_code for result in twice] == [0, 0]
    assert precious.read_text() == "precious"
    assert catalogue.rows("SELECT count(*) FROM book") == [(1,)]


def test_a_report_that_can_not_be_written_ends_in_one_line(catalogue: Catalogue) -> None:
    result = catalogue.imported_text(HEADER + "1,Emma,,Jane Austen,,,\n", "--report", "/dev/full")

    assert result.exit_code == 2
    assert "can not write the report /dev/full" in result.output
    assert catalogue.rows("SELECT count(*) FROM book") == [(1,)]


def test_a_dry_run_of_several_files_says_what_a_run_of_them_says(catalogue: Catalogue) -> None:
    one, other = (catalogue.file.with_name(f"{name}.csv") for name in ("one", "other"))
    one.write_text(f"{HEADER}1,Emma,,Jane Austen,9780141439587,,\n", "utf-8")
    other.write_text(f"{HEADER}1,Emma,A Novel,Jane Austen,9780141439587,,\n", "utf-8")

    told = [catalogue.imports(one, str(other), *options).stdout for options in (["--dry-run"], [])]

    assert "other.csv: 1 rows: 0 created, 1 updated, 0 unchanged, 0 refused" in told[1]
    assert told[0].replace("a dry run, and nothing was written: ", "") == told[1]
    assert catalogue.rows("SELECT title FROM book") == [("Emma",)]
