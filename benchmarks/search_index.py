"""What the index of words costs a writer, at 100,000 books. `python -m benchmarks.search_index` (60 s)."""

import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing

from .contenders import OFF, contenders
from .data import Data, made, remove_old_runs
from .load import Answers, generator, measure
from .running import Server, run_folder, running
from .tables import print_table, ratios, spread
from .workloads import POSTS, workloads

ROUNDS = 7
SECONDS = 1.0
WITH, WITHOUT = "with the index", "without"


def without_index(server: Server) -> Server:
    """Let the index of the server's file be forgotten: nothing tells it of new cards any more."""
    with closing(sqlite3.connect(server.file, timeout=10)) as connection:
        for event in ("insert", "update", "delete"):
            connection.execute(f"DROP TRIGGER card_words_{event}")
    return server


def measured(data: Data, writers: int, servers: Sequence[tuple[str, Server]]) -> dict[str, list[Answers]]:
    """Return what each server gave, round by round."""
    (workload,) = (each for each in workloads(data, data.words) if each.name == POSTS[writers])
    found: dict[str, list[Answers]] = {}
    for number in range(ROUNDS):
        for name, server in servers[:: -1 if number % 2 else 1]:
            load = workload.load(server.contender, server.port, SECONDS)
            found.setdefault(name, []).append(measure(server.port, load))
    return found


def main() -> None:
    """Print the table."""
    remove_old_runs()
    data = made(1, kinds=())
    (catalog,) = (contender for contender in contenders() if contender.name == OFF)
    rows = []
    with ExitStack() as stack:
        folders = [stack.enter_context(run_folder(name)) for name in ("with", "without")]
        with_index, other = (stack.enter_context(running(catalog, data, folder)) for folder in folders)
        servers = [(WITH, with_index), (WITHOUT, without_index(other))]
        for writers in (1, 16):
            found = measured(data, writers, servers)
            rates = {name: [answers.per_second for answers in found[name]] for name in found}
            ratio = spread(ratios(rates[WITH], rates[WITHOUT]))
            rows.append([POSTS[writers], ratio, spread(rates[WITH], 0), spread(rates[WITHOUT], 0)])
    print_table(["request", "writes/s with the index, as a ratio", WITH, WITHOUT], rows)
    print(f"One worker on SQLite, {data.books:,} books; {ROUNDS} rounds of {SECONDS:g} s; load by {generator()}.")


if __name__ == "__main__":
    main()
