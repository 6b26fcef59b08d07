"""The processes that the simulated power cuts happen to; run by powerloss, which watches all they do.

    python -m tests.faults.writing store URL SEED WRITES    use cases, straight on the storage
    python -m tests.faults.writing serve …                  `catalog serve`

Where the environment has FAULTS_SYNCHRONOUS, connections to SQLite get that instead of what the service sets. It is how
the simulation shows that it can see a loss.
"""

import asyncio
import json
import os
import random
import sys
from typing import Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.pool import Pool

from catalog.adapters.system import SystemClock
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, SourceRecord
from catalog.domain.callers import Caller
from catalog.domain.ports import Storage
from catalog.domain.records import Amendment
from catalog.domain.sources import Entry
from catalog.entrypoints.cli import main
from catalog.entrypoints.container import open_storage
from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import Cataloguers, drafted

PROMISE = b"PROMISE "
AT_ONCE = 4
"""How many tasks write."""


def keep_less_safely(synchronous: str) -> None:
    """Let every connection to SQLite sync as little as that."""

    def on_checkout(dbapi_connection: Any, _record: object, _proxy: object) -> None:
        # At each checkout and not at connect, where the service sets its own afterwards.
        cursor = dbapi_connection.cursor()
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.close()

    event.listen(Pool, "checkout", on_checkout)


def promise(*revisions: dict[str, Any]) -> None:
    """Tell those who watch that these revisions are kept."""
    os.write(1, PROMISE + json.dumps(revisions).encode() + b"\n")


async def write(storage: Storage, chance: random.Random, writes: int) -> None:
    """Add, revise, remove and import, and promise each."""
    cataloguers = Cataloguers(storage, clock=SystemClock(), caller=Caller(actor="writing"))  # type: ignore[arg-type]
    books: dict[Any, int] = {}
    for number in range(writes):
        text = f"{number} {'x' * chance.choice([10, 100, 900])}"
        match chance.choices(["add", "author", "revise", "remove", "import"], [10, 6, 10, 4, 1])[0]:
            case "author":
                author = await cataloguers.authors.add(AuthorDetails(name=text[:500]))
                promise({"id": str(author.id), "version": 1, "name": author.name})
            case "revise" if books:
                id = chance.choice([*books])
                book = await cataloguers.books.revise(id, Amendment({"title": text}))
                books[id] = book.version
                promise({"id": str(id), "version": book.version, "title": text})
            case "remove" if books:
                id = chance.choice([*books])
                await cataloguers.books.remove(id)
                promise({"id": str(id), "version": books.pop(id) + 1, "is_removed": True})
            case "import":
                entries = [
                    Entry(line=line, draft=drafted(SourceRecord(text[:200], str(line)), text)) for line in range(40)
                ]
                taken = await cataloguers.importing.take(entries, uuid4())
                promise(*({"id": str(each.book_id), "version": 1, "title": text} for each in taken))
            case _:
                book = await cataloguers.books.add(BookDetails(title=text, author_id=None))
                books[book.id] = 1
                promise({"id": str(book.id), "version": 1, "title": text})


async def store(url: str, seed: int, writes: int) -> None:
    """Write in several tasks at once, and open the storage twice, for a clean end leaves other files than a use."""
    for half in range(2):
        async with open_storage(Settings(storage=url)) as storage:
            each = writes // 2 // AT_ONCE
            seeds = [random.Random(f"{seed} {half} {task}") for task in range(AT_ONCE)]
            await asyncio.gather(*(write(storage, chance, each) for chance in seeds))


if __name__ == "__main__":
    if "FAULTS_SYNCHRONOUS" in os.environ:
        keep_less_safely(os.environ["FAULTS_SYNCHRONOUS"])
    match sys.argv[1:]:
        case ["store", url, seed, writes]:
            asyncio.run(store(url, int(seed), int(writes)))
        case ["serve", *_]:
            main(sys.argv[1:])
        case _:
            sys.exit(__doc__)
