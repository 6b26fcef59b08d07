"""How long writers wait while a backup is made. `python -m benchmarks.backup` (70 s)."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path

from . import sample
from .processes import HOST, free_port, started
from .tables import print_table, spread

ROWS = 80_000
"""Of a CSV file whose import makes a file of some 100 MB."""

WRITERS = 4
ROUNDS = 5

WITHOUT, WITH = "without a backup", "with a backup"


def catalog(*arguments: str) -> list[str]:
    """Return a command line of `catalog`."""
    return [sys.executable, "-m", "catalog", *arguments]


def slowest(port: int, author: str, meanwhile: Callable[[], object]) -> tuple[float, int]:
    """Let writers write while something else is done; return the milliseconds that a write took at most, and how many.

    A write that had begun before the end counts to its end.
    """
    ended, times = threading.Event(), list[float]()

    def write() -> None:
        connection = HTTPConnection(HOST, port, timeout=60)
        body = json.dumps({"title": "Zzz", "author_id": author})
        while not ended.is_set():
            began = time.perf_counter()
            connection.request("POST", "/books", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 201:
                raise RuntimeError(f"status {answer.status}")
            times.append(1000 * (time.perf_counter() - began))
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    meanwhile()
    ended.set()
    for writer in writers:
        writer.join()
    return max(times), len(times)


def measure(folder: Path) -> tuple[int, dict[str, list[float]], Sequence[float], int]:
    """Return the size of the file, the slowest writes of each round, the seconds of each backup, and all writes."""
    file, books = folder / "catalog.db", folder / "books.csv"
    sample.write_csv(books, ROWS)
    storage = ["--storage", f"sqlite:///{file}"]
    subprocess.run(catalog("import", str(books), *storage), check=True, capture_output=True)
    found: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    seconds: list[float] = []
    count = 0

    def backup() -> None:
        began = time.perf_counter()
        command = catalog("backup", str(folder / "copy.db"), "--force", *storage)
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)

    port = free_port()
    with started(catalog("serve", "--port", str(port), *storage), port, "/readyz"):
        connection = HTTPConnection(HOST, port)
        connection.request("POST", "/authors", json.dumps({"name": "Zzz"}), {"Content-Type": "application/json"})
        author = json.load(connection.getresponse())["id"]
        for _ in range(ROUNDS):
            most, writes = slowest(port, author, backup)
            found[WITH].append(most)
            count += writes
            most, writes = slowest(port, author, lambda: time.sleep(seconds[-1]))
            found[WITHOUT].append(most)
            count += writes
    return file.stat().st_size, found, seconds, count


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        size, found, seconds, count = measure(Path(folder))
    print(
        f"A file of {size / 1e6:,.0f} MB, {WRITERS} writers, {count:,} writes in {2 * ROUNDS} rounds. A round is as "
        f"long as a backup takes: {spread(seconds, 1)} s\n"
    )
    rows = [[name, spread(values, 0), f"{max(values):,.0f}"] for name, values in found.items()]
    print_table(["", "slowest write of a round, ms", "slowest of all, ms"], rows)


if __name__ == "__main__":
    main()
