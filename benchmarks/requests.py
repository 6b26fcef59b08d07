"""Requests per second, as a ratio to bare Litestar. `python -m benchmarks.requests` (80 s)."""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

from attrs import frozen

from . import sample
from .apps import RECORDED
from .load import Answers, Load, generator, measure
from .processes import free_port, get, own_server, started
from .tables import print_table, ratios, spread

ROUNDS = 5
SECONDS = 0.6
SAMPLE = 1_000
"""Books that are asked for, at random, out of all."""

BARE = "bare Litestar"
CATALOGUES = ("memory", "SQLite")


@frozen
class Case:
    """Something to ask for."""

    name: str
    load: Load


def reads() -> list[Case]:
    """Return what readers do."""
    return [
        Case("GET one, by random id", Load(paths=sample.book_paths(SAMPLE), seconds=SECONDS)),
        Case("list 10, first page", Load(paths=["/books"], seconds=SECONDS)),
    ]


def writes() -> list[Case]:
    """Return what writers do."""
    bodies = [
        json.dumps({"title": f"Zzz {number}", "author_id": id, "published": "2026", "languages": ["eng"]})
        for number, id in enumerate(sample.author_ids(100))
    ]
    return [
        Case(
            f"POST, {writers} writer{'s' * (writers > 1)}",
            Load(method="POST", paths=["/books"], bodies=bodies, connections=writers, seconds=SECONDS),
        )
        for writers in (1, 16)
    ]


def record(ports: dict[str, int], file: Path) -> None:
    """Keep what the catalogue answers, for the bare application; all storages must say the same."""
    paths = ["/books", *sample.book_paths(SAMPLE)]
    first, *others = ({path: get(port, path).decode() for path in paths} for port in ports.values())
    if any(other != first for other in others):
        raise RuntimeError("the storages do not answer alike, so there is nothing to compare")
    file.write_text(json.dumps(first), encoding="utf-8")


def measure_all(folder: Path) -> dict[str, dict[str, list[Answers]]]:
    """Return what each server gave for each case, round by round; in each round the servers take turns."""
    with ExitStack() as running:
        urls = {"memory": "memory://", "SQLite": f"sqlite:///{folder / 'catalog.db'}"}
        ports = {name: free_port() for name in CATALOGUES}
        for name, port in ports.items():
            running.enter_context(started(own_server(port, urls[name]), port, "/livez"))
        recorded = folder / "recorded.json"
        record(ports, recorded)
        ports[BARE] = free_port()
        running.enter_context(
            started(own_server(ports[BARE], "recorded"), ports[BARE], "/books", {RECORDED: str(recorded)})
        )
        names = list(ports)
        measured: dict[str, dict[str, list[Answers]]] = {}
        for cases in (reads(), writes()):  # writes last, for they change what lists have to count
            for number in range(ROUNDS):
                for case in cases:
                    for name in names[number % 3 :] + names[: number % 3]:
                        answers = measured.setdefault(case.name, {}).setdefault(name, [])
                        answers.append(measure(ports[name], case.load))
    return measured


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        measured = measure_all(Path(folder))
    rows = []
    for case, by_server in measured.items():
        bare = [answers.per_second for answers in by_server[BARE]]
        for name in (BARE, *CATALOGUES):
            answers = by_server[name]
            rates = [a.per_second for a in answers]
            p99 = spread([a.p99 for a in answers], 1)
            rows.append([case, name, spread(ratios(rates, bare), 3) if name != BARE else "1", spread(rates, 0), p99])
    print_table(["request", "server", "ratio to bare Litestar", "answers/s", "99 % within, ms"], rows)
    print(
        f"{sample.BOOKS:,} books, {sample.AUTHORS:,} authors; one worker; 16 keep-alive connections; medians and "
        f"spreads of {ROUNDS} rounds of {SECONDS} s, taken in turn; load by {generator()}."
    )


if __name__ == "__main__":
    main()
