"""`catalog export`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import click

from catalog.domain.ports import CatalogReader, RecordWriter
from catalog.domain.queries import BookQuery
from catalog.domain.use_cases.exporting import Exporting
from catalog.entrypoints.formats import FORMATS, record_writer, written_formats
from catalog.entrypoints.http.lists import query_in
from catalog.entrypoints.http.problems import InvalidParameters
from catalog.entrypoints.settings import Settings

from .local import local, must_last
from .options import Failure, failures, settings_from, settings_options
from .telling import Telling
from .whole_file import whole_file


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@settings_options("storage")
@click.option(
    "--format", "format_name", metavar="NAME", help="The format of the file.  [default: as its name ends, or ndjson]"
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="PARAMETER=VALUE",
    help="Only some books: any parameter that GET /books takes, such as author_id=..., q=..., published[gte]=1990.",
)
@click.option("--since", type=click.IntRange(min=0), metavar="SEQ", help="Only what has changed since this seq.")
def export_command(
    file: Path | None,
    config: Path | None,
    storage: str | None,
    format_name: str | None,
    filters: tuple[str, ...],
    since: int | None,
) -> None:
    """Write the catalogue into FILE, or on standard output.

    In the format ndjson, whatever the catalogue knows is written: importing it into an empty storage makes the same
    catalogue. The other formats tell of books. The service may go on running. A FILE is there only when it is complete;
    it takes the place of one that was there, unless that is a database.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        must_last(settings)
        name = format_name or _named(file)
        writer = record_writer(name)
        if filters and since is not None:
            raise Failure("--filter and --since can not be combined; export what has changed, and filter that")
        try:
            asyncio.run(_export(settings, file, writer, _query(filters), since))
        except KeyboardInterrupt:
            raise Failure("stopped; no file was written") from None


def _named(file: Path | None) -> str:
    ending = "" if file is None else file.suffix.removeprefix(".")
    fitting = [name for name, each in FORMATS.items() if each.writer is not None and ending == each.extension]
    if file is not None and not fitting:
        raise Failure(f"say with --format what {file} is to be; there are {', '.join(written_formats())}")
    if len(fitting) > 1:
        raise Failure(f"say with --format what {file} is to be: {' or '.join(fitting)}")
    return fitting[0] if fitting else "ndjson"


_PAGES = {"currentPage", "pageSize", "cursor"}


def _query(filters: tuple[str, ...]) -> BookQuery | None:
    if not filters:
        return None
    if pages := _PAGES & {each.partition("=")[0] for each in filters}:
        raise Failure(f"--filter: {', '.join(sorted(pages))} asks for a page, and all pages are written; leave it out")
    try:
        return query_in(BookQuery, filters)
    except InvalidParameters as error:
        wrong = "; ".join(f"{each.parameter} {each.detail}" for each in error.violations)
        raise Failure(f"--filter: {wrong}") from None


async def _export(
    settings: Settings, file: Path | None, writer: RecordWriter, query: BookQuery | None, since: int | None
) -> None:
    async with local(settings, must_be_there=True) as scope:
        exporting = Exporting(await scope.get(CatalogReader))
        if since is not None:
            parts = exporting.since(since, writer)
        elif query is not None:
            parts = exporting.books(query, writer)
        else:
            parts = exporting.everything(writer)
        if file is None:
            with suppress(BrokenPipeError):
                await _written(parts, cast("BinaryIO", sys.stdout.buffer))
            return
        try:
            with whole_file(file) as stream:
                await _written(parts, stream)
        except OSError as error:
            raise Failure(f"can not write {file}: {error.strerror}") from None


async def _written(parts: AsyncIterator[bytes], stream: BinaryIO) -> None:
    telling, written = Telling(), 0
    async for part in parts:
        stream.write(part)
        written += len(part)
        telling(f"{written / 1_000_000:,.1f} MB written")
    stream.flush()
