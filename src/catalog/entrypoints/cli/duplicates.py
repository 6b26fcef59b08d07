"""`catalog duplicates`."""

import asyncio
from itertools import count
from pathlib import Path

import click

from catalog.domain.ports import CatalogReader
from catalog.domain.queries import PAGE_SIZE_LIMIT, BookQuery, PageRequest
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
    async with local(settings) as scope:
        reader = await scope.get(CatalogReader)
        for number in count(1):
            page = await reader.duplicates(PageRequest(number=number, size=PAGE_SIZE_LIMIT))
            for candidates in page.items:
                print(candidates.name)
                for author in candidates.authors:
                    books = (await reader.books(BookQuery(page=PageRequest(size=1), author_id=author.id))).total
                    dob = f", born {author.dob}" if author.dob else ""
                    print(f"  {author.id}  {author.name}{dob}, main entry of {counted(books, 'book')}")
            if number * PAGE_SIZE_LIMIT >= page.total:
                print(f"{counted(page.total, 'name')} that several authors have")
                return
