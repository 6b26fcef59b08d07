"""`catalog demo`."""

from importlib.resources import as_file, files
from pathlib import Path

import click
from dishka import AsyncContainer

from catalog.domain.callers import Caller
from catalog.domain.imports import Status
from catalog.domain.ports import Clock, IdGenerator, Storage
from catalog.domain.use_cases.importing import Importing
from catalog.entrypoints.formats import Reading

from .import_ import How, imported
from .options import settings_from, settings_options
from .reading import Files
from .report import Report
from .serve import serve_with


@click.command()
@click.option(
    "--storage", metavar="URL", default="sqlite:///demo.db", show_default=True, help="Where the sample is kept."
)
@settings_options("host", "port")
def demo(config: Path | None, storage: str, host: str | None, port: str | None) -> None:
    """Serve a sample catalogue of a hundred classics."""
    serve_with(settings_from(config, storage=storage, host=host, port=port), import_sample)


async def import_sample(container: AsyncContainer) -> None:
    """Take the sample into the catalogue that is going to be served."""
    importing = Importing(
        storage=await container.get(Storage),
        caller=Caller(actor="demo"),
        clock=await container.get(Clock),
        ids=await container.get(IdGenerator),
    )
    with as_file(files("catalog") / "entrypoints/cli/classics.csv") as sample:
        opened = Files([sample], None, Reading(source="classics")).opened
        counts, _ = await imported(importing, opened, sample, importing.ids.new(), How(), Report())
    click.echo(f"catalog: the sample has {counts[Status.CREATED] + counts[Status.UNCHANGED]} books", err=True)
