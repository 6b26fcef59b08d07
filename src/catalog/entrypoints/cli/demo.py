"""`catalog demo`."""

import asyncio
from importlib.resources import as_file, files
from pathlib import Path

import click

from catalog.domain.use_cases.importing import Status
from catalog.entrypoints.container import csv_reader

from .import_ import import_file
from .options import failures, settings_from, settings_options
from .serve import serve_with


@click.command()
@click.option(
    "--storage", metavar="URL", default="sqlite:///demo.db", show_default=True, help="Where the sample is kept."
)
@settings_options("host", "port")
def demo(config: Path | None, storage: str, host: str | None, port: str | None) -> None:
    """Serve a sample catalogue of a hundred classics."""
    settings = settings_from(config, storage=storage, host=host, port=port)
    with failures(), as_file(files("catalog") / "entrypoints/cli/classics.csv") as sample:
        reader = csv_reader(None, separator="; ", source="classics", encoding="utf-8")
        counts = asyncio.run(import_file(settings, sample, reader, None))
    click.echo(f"catalog: the sample has {counts[Status.CREATED] + counts[Status.UNCHANGED]} books", err=True)
    serve_with(settings)
