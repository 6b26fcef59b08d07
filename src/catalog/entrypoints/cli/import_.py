"""`catalog import`."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import click
from attrs import frozen
from dishka import AsyncContainer

from catalog.domain.errors import UnreadableFile
from catalog.domain.imports import OnDuplicate, Outcome, Status
from catalog.domain.ports import DryRun, DryRuns, IdGenerator
from catalog.domain.use_cases.importing import Importing
from catalog.entrypoints.formats import Reading
from catalog.entrypoints.settings import Settings

from .local import local, must_last
from .options import Failure, failures, settings_from, settings_options
from .progress import progress_over
from .reading import Files, Opening, reading_of
from .report import Report


@click.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
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
@click.option(
    "--on-duplicate",
    type=click.Choice([each.value for each in OnDuplicate]),
    default=OnDuplicate.FILL_EMPTY.value,
    show_default=True,
    help="What becomes of a book that the catalogue has already.",
)
@click.option("--dry-run", is_flag=True, help="Say what would become of each record, and write nothing.")
@click.option("--stop-on-error", is_flag=True, help="End with the first record that is refused.")
@click.option("--report", type=click.Path(path_type=Path), help="Write what became of each record to this CSV file.")
def import_command(
    files: tuple[Path, ...],
    config: Path | None,
    storage: str | None,
    format_name: str | None,
    mapping: str | None,
    separator: str,
    source: str | None,
    encoding: str,
    on_duplicate: str,
    dry_run: bool,
    stop_on_error: bool,
    report: Path | None,
) -> None:
    """Take the books of some files (gzipped or not) into the catalogue.

    They are MARC 21 (ISO 2709, XML or JSON), CSV, BibTeX, RIS, CSL-JSON, ONIX, a dump of Open Library, or our own
    records; a file is known by how it begins.

    Goodreads exports, Open Library's reading logs, goodbooks-10k and the catalogue of Project Gutenberg are known by
    their header. A record is told again by its key in its source, a book by its ISBN too; importing a file again
    creates nothing twice. Each run has an id, and `catalog undo` takes back what it did. The exit status is 1 if
    records were refused, 2 if a file could not be read.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        must_be_readable(files)
        reading = Reading(source=source or "", mapping=mapping, separator=separator, encoding=encoding)
        how = How(
            on_duplicate=OnDuplicate(on_duplicate),
            is_dry=dry_run,
            stops=stop_on_error,
        )
        try:
            with reading_of(Files(files, format_name, reading)) as opened:
                status = asyncio.run(import_files(settings, files, opened, how, report))
        except KeyboardInterrupt:
            raise Failure("stopped; what is in stays in. Run it again to go on") from None
    sys.exit(status)


@frozen(kw_only=True)
class How:
    """How somebody wants files to be imported."""

    on_duplicate: OnDuplicate = OnDuplicate.FILL_EMPTY
    is_dry: bool = False
    stops: bool = False


async def import_files(
    settings: Settings, files: Sequence[Path], opened: Opening, how: How, report_file: Path | None
) -> int:
    """Import files as one run into the storage that the settings name; return the exit status.

    After a file that can not be read, the others are.
    """
    refused, is_unread = 0, False
    async with local(settings) as scope, _begun(scope, how) as dry:
        run = (await scope.get(IdGenerator)).new()
        if not how.is_dry:
            print(f"catalog: this is run {run}; `catalog undo {run}` takes it back", file=sys.stderr)
        with Report.opened(report_file) as report:
            for file in files:
                counts, why_unread = await imported(await scope.get(Importing), opened, file, run, how, report, dry)
                if why_unread:
                    print(f"catalog: {file}: {why_unread}{_before(counts, how)}", file=sys.stderr)
                else:
                    print(summary(file, counts, is_dry=how.is_dry))
                refused += counts[Status.REFUSED]
                is_unread |= bool(why_unread)
                if how.stops and (refused or is_unread):
                    break
    return 2 if is_unread else 1 if refused else 0


@asynccontextmanager
async def _begun(scope: AsyncContainer, how: How) -> AsyncGenerator[DryRun | None]:
    """Begin one dry run for all files, where it is to be one."""
    if not how.is_dry:
        yield None
        return
    async with (await scope.get(DryRuns)).begin() as dry:
        yield dry


async def imported(
    importing: Importing, opened: Opening, file: Path, run: UUID, how: How, report: Report, dry: DryRun | None = None
) -> tuple[Counter[str], str]:
    """Import one file, showing progress; return how many records ended how, and why the file can not be read on."""
    counts: Counter[str] = Counter()
    try:
        with opened(file) as (entries, content), progress_over(file, content) as progress:
            async for outcome in importing.run(entries, run, on_duplicate=how.on_duplicate, dry=dry, stops=how.stops):
                _count(counts, outcome)
                report.write(file, outcome)
                progress.advance()
    except UnreadableFile as error:
        return counts, str(error)
    return counts, ""


def _before(counts: Counter[str], how: How) -> str:
    return f". The {counts['rows']:,} rows before that are in the catalogue" if counts and not how.is_dry else ""


def must_be_readable(files: Sequence[Path]) -> None:
    """Refuse to begin where the last file could not even be opened."""
    for file in files:
        try:
            if not file.is_fifo():  # whoever writes into it would write for nobody
                file.open("rb").close()
        except OSError as error:
            raise Failure(f"can not read {file}: {error.strerror}") from None


def _count(counts: Counter[str], outcome: Outcome) -> None:
    counts["rows"] += 1
    counts[outcome.status] += 1
    counts["with warnings"] += bool(outcome.warnings)
    counts["differing"] += bool(outcome.left)
    if outcome.status is Status.REFUSED:
        counts[f"refused: {outcome.reason}"] += 1


def summary(file: Path, counts: Counter[str], *, is_dry: bool = False) -> str:
    """Say what became of the rows, and the commonest reasons for refusals."""
    lines = [
        (
            f"{file.name}: {'a dry run, and nothing was written: ' if is_dry else ''}{counts['rows']:,} rows: "
            f"{counts[Status.CREATED]:,} created, "
            f"{f'{counts[Status.UPDATED]:,} updated, ' if counts[Status.UPDATED] else ''}"
            f"{counts[Status.UNCHANGED]:,} unchanged, {counts[Status.REFUSED]:,} refused; "
            f"{counts['with warnings']:,} with warnings"
        )
    ]
    if counts["differing"]:
        lines.append(f"  {counts['differing']:,} of which the catalogue says otherwise, and was left as it is")
    reasons = [
        (count, name.removeprefix("refused: ")) for name, count in counts.items() if name.startswith("refused: ")
    ]
    lines += [f"  {count:,} x {reason}" for count, reason in sorted(reasons, reverse=True)[:5]]
    if len(reasons) > 5:
        lines.append(f"  and {len(reasons) - 5} other reasons; --report FILE.csv tells of each row")
    return "\n".join(lines)
