"""`catalog import`."""

import asyncio
import os
import sys
from collections import Counter
from contextlib import closing
from io import BufferedReader
from pathlib import Path
from uuid import UUID

import click

from catalog.domain.errors import UnreadableFile
from catalog.domain.ports import IdGenerator
from catalog.domain.use_cases.importing import Importing, Outcome, Status
from catalog.entrypoints.formats import BEGINNING, Reading, record_reader
from catalog.entrypoints.settings import Settings

from .local import local, must_last
from .options import Failure, failures, settings_from, settings_options
from .progress import progress_over
from .report import Report


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@settings_options("storage")
@click.option("--format", "format_name", metavar="NAME", help="The format of the file.  [default: as it begins]")
@click.option(
    "--map", "mapping", metavar="FIELD=COLUMN,…", help="Which column says what, for files of an unknown kind."
)
@click.option(
    "--separator", default="; ", show_default=True, help="What stands between names or languages, with --map."
)
@click.option(
    "--source", help="The name of the source, which with a record's key tells it again.  [default: the file's]"
)
@click.option("--encoding", default="utf-8-sig", help="The encoding of the file.  [default: utf-8]")
@click.option("--report", type=click.Path(path_type=Path), help="Write what became of each row to this CSV file.")
def import_command(
    file: Path,
    config: Path | None,
    storage: str | None,
    format_name: str | None,
    mapping: str | None,
    separator: str,
    source: str | None,
    encoding: str,
    report: Path | None,
) -> None:
    """Take the books of a file (gzipped or not) into the catalogue: MARC 21, or CSV.

    Goodreads exports, goodbooks-10k and the catalogue of Project Gutenberg are known by their header. Importing a
    file again creates nothing twice. Each run has an id, and `catalog undo` takes back what it did. The exit status
    is 1 if rows were refused, 2 if the file could not be read.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        reading = Reading(
            source=source or os.fsencode(file.name).decode("utf-8", "replace"),
            mapping=mapping,
            separator=separator,
            encoding=encoding,
        )
        try:
            counts = asyncio.run(import_file(settings, file, reading, report, format_name))
        except KeyboardInterrupt:
            raise Failure("stopped; what is in stays in. Run it again to go on") from None
    print(summary(file, counts))
    sys.exit(1 if counts[Status.REFUSED] else 0)


async def import_file(
    settings: Settings, file: Path, reading: Reading, report_file: Path | None, format_name: str | None
) -> Counter[str]:
    """Import one file into the storage that the settings name; return how many rows ended how."""
    async with local(settings) as scope:
        run = (await scope.get(IdGenerator)).new()
        return await imported(await scope.get(Importing), reading, file, run, report_file, format_name)


async def imported(
    importing: Importing,
    reading: Reading,
    file: Path,
    run: UUID,
    report_file: Path | None = None,
    format_name: str | None = None,
) -> Counter[str]:
    """Import one file as one run, showing progress; return how many rows ended how."""
    counts: Counter[str] = Counter()
    try:
        with (
            _opened(file) as content,
            Report.opened(report_file) as report,
            progress_over(file, content) as progress,
            closing(record_reader(format_name, content.peek(BEGINNING), reading).read(content)) as entries,
        ):
            print(f"catalog: this is run {run}; `catalog undo {run}` takes it back", file=sys.stderr)
            async for outcome in importing.run(entries, run):
                _count(counts, outcome)
                report.write(outcome)
                progress.advance()
    except UnreadableFile as error:
        before = f". The {counts['rows']:,} rows before that are in the catalogue" if counts else ""
        raise Failure(f"{error}{before}") from None
    return counts


def _opened(file: Path) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise Failure(f"can not read {file}: {error.strerror}") from None


def _count(counts: Counter[str], outcome: Outcome) -> None:
    counts["rows"] += 1
    counts[outcome.status] += 1
    counts["with warnings"] += bool(outcome.warnings)
    counts["differing"] += outcome.status is Status.UNCHANGED and bool(outcome.reason)
    if outcome.status is Status.REFUSED:
        counts[f"refused: {outcome.reason}"] += 1


def summary(file: Path, counts: Counter[str]) -> str:
    """Say what became of the rows, and the commonest reasons for refusals."""
    lines = [
        (
            f"{file.name}: {counts['rows']:,} rows: {counts[Status.CREATED]:,} created, "
            f"{counts[Status.UNCHANGED]:,} unchanged, {counts[Status.REFUSED]:,} refused; "
            f"{counts['with warnings']:,} with warnings"
        )
    ]
    if counts["differing"]:
        lines.append(f"  {counts['differing']:,} unchanged although the file says otherwise by now")
    reasons = [
        (count, name.removeprefix("refused: ")) for name, count in counts.items() if name.startswith("refused: ")
    ]
    lines += [f"  {count:,} x {reason}" for count, reason in sorted(reasons, reverse=True)[:5]]
    if len(reasons) > 5:
        lines.append(f"  and {len(reasons) - 5} other reasons; --report FILE.csv tells of each row")
    return "\n".join(lines)
