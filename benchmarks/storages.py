"""The storages side by side: writes by 1, 16 and 64 writers, reads, and sizes. `python -m benchmarks.storages` (4 min).

Over the use cases, in one process without a server; and over HTTP. PostgreSQL is a server of our own, set up as it
comes, on the same disk and the same processors as everything else.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import asyncpg
from tests.cluster.postgres import PostgresServer

from catalog.adapters.sql.postgresql.scratch import scratch

from . import sample
from .load import Answers, Load, generator, measure
from .processes import free_port, own_server, started
from .requests import reads
from .tables import print_table, ratios, spread

ROUNDS = 3
SECONDS = 2.0
WRITERS = (1, 16, 64)
WITHOUT_DISK = "SQLite, no disk"


def over_use_cases(url: str, writers: int, *options: str) -> Answers:
    """Return what one process does."""
    command = [sys.executable, "-m", "benchmarks.use_cases", url, str(writers), str(SECONDS), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return Answers(*json.loads(done.stdout))


def writes(writers: int) -> Load:
    """Return the load of some writers."""
    bodies = [
        json.dumps({"title": f"Zzz {number}", "author_id": id, "published": "2026", "languages": ["eng"]})
        for number, id in enumerate(sample.author_ids(100))
    ]
    return Load(method="POST", paths=["/books"], bodies=bodies, connections=writers, seconds=SECONDS)


def bytes_of(file: Path) -> int:
    """Return the size of a file."""
    return file.stat().st_size


def print_figures(title: str, figures: Mapping[str, Mapping[str, list[Answers]]]) -> None:
    """Print a table: a row for each case, and per storage the answers a second, p99, and the ratio to SQLite."""
    rows = []
    for case, by_storage in figures.items():
        for storage, answers in by_storage.items():
            speeds = [answer.per_second for answer in answers]
            others = [answer.per_second for answer in by_storage["SQLite"]]
            p99 = spread([answer.p99 for answer in answers], 0)
            rows.append([case, storage, spread(speeds, 0), p99, spread(ratios(speeds, others))])
    print(f"{title}\n")
    print_table(["", "storage", "a second", "p99, ms", "ratio to SQLite"], rows)


async def main() -> None:
    """Print the tables."""
    print(f"{ROUNDS} rounds of {SECONDS} s each, load by {generator()}; median (least to greatest)\n", flush=True)
    with tempfile.TemporaryDirectory() as folder, PostgresServer.found(fsync=True) as server, ExitStack() as running:
        async with scratch(server.url()) as for_use_cases, scratch(server.url()) as for_http:
            urls = {
                "memory": "memory://",
                "SQLite": f"sqlite:///{folder}/use-cases.db",
                WITHOUT_DISK: f"sqlite:///{folder}/without.db",
                "PostgreSQL": for_use_cases,
            }
            figures: dict[str, dict[str, list[Answers]]] = {}
            for _ in range(ROUNDS):
                for writers in WRITERS:
                    by_storage = figures.setdefault(f"{writers} writer{'s' * (writers > 1)}", {})
                    for name, url in urls.items():
                        options = ["without-disk"] if name == WITHOUT_DISK else []
                        by_storage.setdefault(name, []).append(over_use_cases(url, writers, *options))
            print_figures("Writes over the use cases", figures)

            served = {"memory": "memory://", "SQLite": f"sqlite:///{folder}/http.db", "PostgreSQL": for_http}
            ports = {name: free_port() for name in served}
            for name, port in ports.items():
                running.enter_context(started(own_server(port, served[name]), port, "/livez"))
            sizes = {"SQLite": bytes_of(Path(folder, "http.db"))}

            connection = await asyncpg.connect(for_http)
            sizes["PostgreSQL"] = await connection.fetchval("SELECT pg_database_size(current_database())")
            await connection.close()
            figures = {}
            for _ in range(ROUNDS):
                loads = {case.name: case.load for case in reads()}
                loads |= {f"POST, {writers} writer{'s' * (writers > 1)}": writes(writers) for writers in WRITERS}
                for case, load in loads.items():
                    for name, port in ports.items():
                        figures.setdefault(case, {}).setdefault(name, []).append(measure(port, load))
            print_figures("Over HTTP, one process", figures)
            print(f"Size with {sample.BOOKS:,} books, {sample.AUTHORS:,} authors and their log\n")
            print_table(["storage", "MB"], [[name, f"{size / 1e6:.1f}"] for name, size in sizes.items()])


if __name__ == "__main__":
    asyncio.run(main())
