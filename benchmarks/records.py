"""Records in and out, beside what merely reads them. `python -m benchmarks.records` (about three minutes).

Everything is measured in one run, in processes of their own, and interleaved; ratios are those of one round.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from pymarc import MARCReader, Record

DATA = Path(__file__).parents[2] / "shared/data/marc"
"""Real records; there is nothing to measure where they are not."""

GOODBOOKS = DATA.parent / "csv/goodbooks-10k/books.csv.gz"

ROUNDS = 3
ROWS = 10_000

ALONE = """
import sys, time
from pymarc import MARCReader
began = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    count = sum(1 for _ in MARCReader(file))
print(count / (time.perf_counter() - began))
"""
READ = """
import sys, time
from catalog.entrypoints.formats import Reading, record_reader
began = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    count = sum(1 for _ in record_reader("marc", b"", Reading(source="file")).read(file))
print(count / (time.perf_counter() - began))
"""
IMPORT = """
import resource, sys, time
from catalog.entrypoints.cli import main

began = time.perf_counter()
try:
    main(["import", sys.argv[1], "--storage", sys.argv[2]], prog_name="catalog")
except SystemExit as ended:
    assert ended.code == 0, ended
seconds = time.perf_counter() - began
print(int(sys.argv[3]) / seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
EXPORT = """
import asyncio, resource, sys, time
from catalog.domain.callers import Caller
from catalog.domain.ports import CatalogReader
from catalog.domain.use_cases.exporting import Exporting
from catalog.entrypoints.container import local_container
from catalog.entrypoints.formats import record_writer
from catalog.entrypoints.settings import Settings

async def main():
    container = local_container(Settings(storage=sys.argv[2]))
    async with container(context={Caller: Caller()}) as scope:
        exporting = Exporting(await scope.get(CatalogReader))
        await exporting.reader.position()
        began, size = time.perf_counter(), 0
        async for part in exporting.everything(record_writer(sys.argv[3])):
            size += len(part)
        rate = int(sys.argv[4]) / (time.perf_counter() - began)
        print(rate, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    await container.close()

asyncio.run(main())
"""


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--memory", type=int, metavar="ROWS", help="also the memory of an import of so many records")
    asked = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"there are no records to measure with: {DATA} is missing")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "records.mrc")
        _write(file, asked.rows)
        rates: dict[str, list[float]] = {}
        for number in range(asked.rounds):
            for name, values in _round(Path(folder), file, number, asked.rows).items():
                rates.setdefault(name, []).append(values[0])
        print(json.dumps({name: [round(value) for value in values] for name, values in rates.items()}, indent=1))
        alone = rates["pymarc alone"]
        for name, values in rates.items():
            ratio = median(value / base for value, base in zip(values, alone, strict=True))
            print(f"{name:24} {median(values):10,.0f} records/s {ratio:8.3f} of pymarc alone")
        if asked.memory:
            many = Path(folder, "many.mrc")
            _write(many, asked.memory)
            for rows, path in ((asked.rows, file), (asked.memory, many)):
                rate, memory = _run(IMPORT, str(path), f"sqlite:///{folder}/memory-{rows}.db", str(rows))
                print(f"{rows:,} records: {rate:,.0f} records/s, {memory:,.0f} MB")


def _round(folder: Path, file: Path, number: int, rows: int) -> dict[str, Sequence[float]]:
    storage = _new_storage(folder, f"{number}")
    return {
        "pymarc alone": _run(ALONE, str(file)),
        "read and mapped": _run(READ, str(file)),
        "imported": _run(IMPORT, str(file), storage, str(rows)),
        "exported as ndjson": _run(EXPORT, str(file), storage, "ndjson", str(rows)),
        "exported as marc": _run(EXPORT, str(file), storage, "marc", str(rows)),
        "goodbooks, imported": _run(IMPORT, str(GOODBOOKS), _new_storage(folder, f"goodbooks-{number}"), "10000"),
    }


def _new_storage(folder: Path, name: str) -> str:
    storage = f"sqlite:///{folder}/{name}.db"
    command = [sys.executable, "-m", "catalog", "database", "--storage", storage, "upgrade", "--no-prompt"]
    subprocess.run(command, check=True, capture_output=True)
    return storage


def _run(program: str, *arguments: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True)
    time.sleep(0.2)
    return [float(value) for value in done.stdout.splitlines()[-1].split()]


def _write(file: Path, rows: int) -> None:
    """Write that many records: those of the folder again and again, each with a key of its own."""
    records = list(_records())
    with file.open("wb") as content:
        for number, record in enumerate(islice(cycle(records), rows)):
            record["001"].data = f"{number:010d}"
            content.write(record.as_marc())


def _records() -> Iterator[Record]:
    for path in sorted(DATA.rglob("*.m*rc")):
        with path.open("rb") as content:
            for record in MARCReader(content):
                is_usable = record is not None and record.get("001") is not None and record.get("245") is not None
                if is_usable and len(record.as_marc()) < 99_999:
                    yield record


if __name__ == "__main__":
    main()
