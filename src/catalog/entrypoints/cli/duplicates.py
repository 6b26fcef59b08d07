"""`catalog duplicates`."""

import asyncio
from itertools import count
from pathlib import Path

import click

from catalog.domain.ports import CatalogReader
from catalog.domain.queries import PAGE_SIZE_LIMIT, BookQuery, PageRequest, entered_under
from catalog.entrypoints.settings import Settings

from .local import local
from .options import counted, failures, settings_from, settings_options


@click.command()
@settings_options("storage")
def duplicates(config: Path | None, storage: str | None) -> None:
    """List authors who may be one: their names differ in case, accents and punctuation only.

    Nothing is merged by itself: POST /authors/{id}/merge does it.
    """
    settings = settings_from(config, storage=storage)
    with failures():
        asyncio.run(_list(settings))


async def _list(settings: Settings) -> None:
    async with local(settings, must_be_there=True) as scope:
        reader = await scope.get(CatalogReader)
        for number in count(1):
            page = await reader.duplicates(PageRequest(number=number, size=PAGE_SIZE_LIMIT))
            for candidates in page.items:
                print(candidates.name)
                for author in candidates.authors:
                    query = BookQuery(page=PageRequest(size=1), filters=(entered_under(author.id),))
                    books = (await reader.books(query)).total or 0
                    dob = f", born {author.dob}" if author.dob else ""
                    print(f"  {author.id}  {author.name}{dob}, main entry of {counted(books, 'book')}")
            names = page.total or 0
            if number * PAGE_SIZE_LIMIT >= names:
                print(f"{counted(names, 'name')} that several authors have")
                return
