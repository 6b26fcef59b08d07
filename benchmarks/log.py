"""What the log costs, and how fast it is read. `python -m benchmarks.log` (60 s)."""

import json
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from . import sample
from .load import Answers, Load, generator, measure
from .processes import free_port, own_server, started
from .tables import print_table, ratios, spread

ROUNDS = 7
SECONDS = 1.0
PAGE = 1_000
"""Changes that a follower reads at once."""

WITH, WITHOUT = "with the log", "without"


def bodies() -> Sequence[str]:
    """Return what writers say: books with all that people usually know of one."""
    return [
        json.dumps({"title": f"Zzz {number}", "author_id": id, "published": "2026", "languages": ["eng"]})
        for number, id in enumerate(sample.author_ids(100))
    ]


def writes(writers: int) -> Load:
    """Return the load of some writers."""
    return Load(method="POST", paths=["/books"], bodies=bodies(), connections=writers, seconds=SECONDS)


def reads(kind: str) -> Load:
    """Return the load of a follower that reads page after page."""
    pages = [f"/changes?since={since}&limit={PAGE}{kind}" for since in range(0, sample.BOOKS - PAGE, PAGE)]
    return Load(paths=pages, connections=1, seconds=SECONDS)


def measure_all(folder: Path) -> tuple[Mapping[str, Mapping[str, Sequence[Answers]]], Sequence[Answers]]:
    """Return what writing gave with and without the log, in turn, and what reading the log gave."""
    with ExitStack() as running:
        ports = {name: free_port() for name in (WITH, WITHOUT)}
        for (name, port), options in zip(ports.items(), ([], ["without-log"]), strict=True):
            url = f"sqlite:///{folder / name.replace(' ', '-')}.db"
            running.enter_context(started(own_server(port, url, *options), port, "/livez"))
        feed = [measure(ports[WITH], reads("")) for _ in range(ROUNDS)]
        measured: dict[str, dict[str, list[Answers]]] = {}
        for number in range(ROUNDS):
            for writers in (1, 16):
                by_server = measured.setdefault(f"POST, {writers} writer{'s' * (writers > 1)}", {})
                for name in sorted(ports, reverse=bool(number % 2)):
                    by_server.setdefault(name, []).append(measure(ports[name], writes(writers)))
    return measured, feed


def bytes_of(file: Path) -> Mapping[str, int]:
    """Return how many bytes each table takes with its indexes, by SQLite's own count."""
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(
            "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat AS s JOIN sqlite_master AS m ON m.name = s.name GROUP BY 1"
        )
        return dict(rows.fetchall())


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        measured, feed = measure_all(Path(folder))
        file = Path(folder) / "with-the-log.db"
        try:
            sizes = bytes_of(file)
        except sqlite3.OperationalError:  # this SQLite was built without dbstat
            sizes = {}
        with closing(sqlite3.connect(file)) as connection:
            (revisions,) = connection.execute("SELECT count(*) FROM revision").fetchone()
    rows = []
    for case, by_server in measured.items():
        rates = {name: [answers.per_second for answers in by_server[name]] for name in by_server}
        ratio = spread(ratios(rates[WITH], rates[WITHOUT]))
        rows.append([case, ratio, spread(rates[WITH], 0), spread(rates[WITHOUT], 0)])
    print_table(["request", "writes/s with the log, as a ratio", WITH, WITHOUT], rows)
    print(f"The feed: {spread([answers.per_second * PAGE for answers in feed], 0)} changes/s, in pages of {PAGE:,}.")
    if sizes:
        print(f"The log: {sizes['revision'] / revisions:,.0f} bytes for each of {revisions:,} revisions, with indexes.")
    print(f"One worker on SQLite; medians and spreads of {ROUNDS} rounds of {SECONDS} s; load by {generator()}.")


if __name__ == "__main__":
    main()
