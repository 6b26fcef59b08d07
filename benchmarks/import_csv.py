"""Rows per second of an import, and the memory it takes. `python -m benchmarks.import_csv` (about three minutes)."""

import asyncio
import csv
import gzip
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import islice
from operator import itemgetter
from pathlib import Path
from statistics import median
from typing import Any, TextIO, cast
from uuid import uuid4

from catalog.domain.callers import Caller
from catalog.domain.imports import Status
from catalog.domain.use_cases.importing import CHUNK, Importing
from catalog.entrypoints.container import local_container
from catalog.entrypoints.formats import Reading, record_reader
from catalog.entrypoints.settings import Settings

from .sample import write_csv
from .tables import print_table, ratios, spread

ROUNDS = 3
ROWS = 10_000
MANY_ROWS = 50_000
GOODBOOKS = Path(__file__).parents[2] / "shared/data/csv/goodbooks-10k/books.csv.gz"
"""A real file; measured where it is there."""

READ_ONLY = "read only"
FLOOR = "csv + sqlite3"
"""What cannot be had for less: the rows, unchecked, from Python's csv module into two tables, as durable as ours."""
_FLOOR_COLUMNS = (
    ("authors", "key", "title", "isbn", "published", "languages"),
    ("authors", "book_id", "title", "isbn", "original_publication_year", "language_code"),
)
MEMORY = "memory"
SQLITE = "SQLite"


async def _import(file: Path, storage: str, times: int) -> list[float]:
    """Import the file that often into one storage; return the seconds of each."""
    container = local_container(Settings(storage=storage))
    seconds = []
    try:
        async with container(context={Caller: Caller()}) as scope:
            importing = await scope.get(Importing)
            for expected in (Status.CREATED, Status.UNCHANGED)[:times]:
                began = time.perf_counter()
                counts: Counter[Status] = Counter()
                with file.open("rb") as content:
                    async for outcome in importing.run(_reader(file).read(content), importing.ids.new()):
                        counts[outcome.status] += 1
                seconds.append(time.perf_counter() - began)
                if set(counts) != {expected}:
                    raise RuntimeError(f"all rows should be {expected}, and they are {counts}")
    finally:
        await container.close()
    return seconds


def _reader(file: Path) -> Any:
    return record_reader("csv", b"", Reading(source=file.name))


def _read(file: Path) -> list[float]:
    began = time.perf_counter()
    with file.open("rb") as content:
        for _ in _reader(file).read(content):
            pass
    return [time.perf_counter() - began]


def _floor(file: Path, database: Path) -> list[float]:
    began = time.perf_counter()
    with _text(file) as stream, closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE author(id TEXT PRIMARY KEY, name TEXT UNIQUE);"
            "CREATE TABLE book(id TEXT PRIMARY KEY, author_id TEXT, key TEXT UNIQUE, title TEXT, isbn TEXT,"
            "published TEXT, languages TEXT);"
            "CREATE INDEX book_title ON book(title); CREATE INDEX book_author ON book(author_id)"
        )
        rows = csv.reader(stream)
        header = next(rows)
        names = next(names for names in _FLOOR_COLUMNS if set(names) <= set(header))
        authors_of, *others = map(itemgetter, map(header.index, names))
        authors: dict[str, str] = {}
        while chunk := list(islice(rows, CHUNK)):
            new = {name: str(uuid4()) for name in map(authors_of, chunk) if name not in authors}
            authors |= new
            books = [(str(uuid4()), authors[authors_of(row)], *(cell(row) for cell in others)) for row in chunk]
            connection.executemany("INSERT INTO author(name, id) VALUES (?, ?)", new.items())
            connection.executemany("INSERT INTO book VALUES (?, ?, ?, ?, ?, ?, ?)", books)
            connection.commit()
    return [time.perf_counter() - began]


def _text(file: Path) -> TextIO:
    opened = gzip.open if file.suffix == ".gz" else open
    return cast("TextIO", opened(file, "rt", encoding="utf-8", newline=""))


def _peak_mib() -> float:
    """Return the most memory this process had, in MiB."""
    try:
        # Not ru_maxrss, which on Linux begins with what the parent had.
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def run_here(how: str, file: Path, times: int) -> dict[str, Any]:
    """Do one thing in this process; return its seconds and its memory."""
    with tempfile.TemporaryDirectory() as folder:
        match how:
            case "nothing":
                seconds = []
            case _ if how == READ_ONLY:
                seconds = _read(file)
            case _ if how == FLOOR:
                seconds = _floor(file, Path(folder) / "floor.db")
            case _:
                storage = "memory://" if how == MEMORY else f"sqlite:///{folder}/catalog.db"
                seconds = asyncio.run(_import(file, storage, times))
    return {"seconds": seconds, "peak": _peak_mib()}


def run(how: str, file: Path, times: int = 2) -> dict[str, Any]:
    """Do one thing in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.import_csv", "--child", how, str(file), str(times)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def speeds(label: str, file: Path) -> list[list[str]]:
    """Return a row for each way to take the file, first and again; the ways take turns."""
    with _text(file) as stream:
        rows = sum(1 for _ in csv.reader(stream)) - 1
    measured: dict[str, list[list[float]]] = {way: [] for way in (FLOOR, READ_ONLY, MEMORY, SQLITE)}
    for _ in range(ROUNDS):
        for way, rounds in measured.items():
            rounds.append(run(way, file)["seconds"])
    floor = [seconds[0] for seconds in measured[FLOOR]]
    table = []
    for way, rounds in measured.items():
        for what, seconds in zip(("", ", again"), zip(*rounds, strict=True), strict=False):
            ratio = "1" if way == FLOOR else spread(ratios(seconds, floor), 1)
            table.append([label, way + what, ratio, f"{rows / median(seconds):,.0f}", spread(seconds)])
    return table


def memory(files: Sequence[Path]) -> list[list[str]]:
    """Return a row for each way to take the files, with the memory that each file took."""
    return [
        [way, *(f"{run(way, file, times=1)['peak']:.0f}" for file in files)]
        for way in ("nothing", READ_ONLY, SQLITE, MEMORY)
    ]


def main() -> None:
    """Print rows per second, and the memory that few and many rows take."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few.csv", Path(folder) / "many.csv"
        write_csv(few, ROWS)
        write_csv(many, MANY_ROWS)
        table = speeds(f"{ROWS:,} generated rows", few)
        if GOODBOOKS.is_file():
            table += speeds("goodbooks-10k", GOODBOOKS)
        else:
            print(f"(goodbooks-10k is not at {GOODBOOKS}, and was left out)\n")
        print_table(["file", "taken into", f"time, as a ratio to {FLOOR}", "rows/s", "seconds"], table)
        print_table(["peak RSS, MiB", f"{ROWS:,} rows", f"{MANY_ROWS:,} rows"], memory([few, many]))
    print(f"Medians and spreads of {ROUNDS} rounds, taken in turn; a process for each; memory measured once.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        print(json.dumps(run_here(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
    else:
        main()
