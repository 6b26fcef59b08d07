"""Dry runs on the disk: bounded in memory, nothing left, and honest about a disk that is full."""

import asyncio
import gc
import os
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

from catalog.adapters.memory import MemoryStorage
from catalog.adapters.sql.sqlite import dry_runs
from catalog.adapters.sql.sqlite.dry_runs import SqliteDryRun, SqliteDryRuns
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, SourceRecord
from catalog.domain.errors import StorageFull, StorageUnavailable
from catalog.domain.sources import Entry
from catalog.testing.doubles import Cataloguers, SortedIds, StillClock, drafted, named

CHUNK, CHUNKS = 50, 5


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files are made."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def chunk_of(number: int) -> list[Entry]:
    """Records of books and people of their own, and of some who were there before."""
    lines = range(number * CHUNK, (number + 1) * CHUNK)
    drafts = [
        drafted(SourceRecord("test", str(n)), f"Book {n}", f"Author {n}", named(f"Author {n % 9}")) for n in lines
    ]
    return [Entry(line=1, draft=draft) for draft in drafts]


def held() -> int:
    """How many records there are in memory."""
    gc.collect()
    return sum(type(thing) in {Author, Book} for thing in gc.get_objects())


async def test_what_a_dry_run_holds_in_memory_does_not_grow_with_the_file() -> None:
    catalogue, run = Cataloguers(MemoryStorage()), SortedIds().new()
    before, counts = held(), list[int]()

    class Counting(SqliteDryRun):
        async def keep(self, *records: Author | Book) -> None:
            counts.append(held() - before)
            await super().keep(*records)

    with closing(Counting()) as dry:
        for number in range(CHUNKS):
            await catalogue.importing.take(chunk_of(number), run, dry=dry)
        left = held() - before

    assert counts == [2 * CHUNK] * CHUNKS  # a book and an author for each record
    assert left == 0


OPEN = Path("/proc/self/fd")


def sizes_of_open_files() -> list[int]:
    """How long the files of dry runs are that this process has open."""
    sizes: list[int] = []
    for file in OPEN.iterdir():
        with suppress(FileNotFoundError):  # what lists them is among them
            if "catalog-dry-run-" in str(file.readlink()):
                sizes.append(file.stat().st_size)
    return sizes


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def an_author() -> Author:
    return Author.recorded(AuthorDetails(name="Homer"), id=SortedIds().new(), at=StillClock().now())


@pytest.mark.skipif(os.name == "nt", reason="the names of open files stay")
async def test_the_file_of_a_dry_run_has_no_name_so_that_a_kill_leaves_nothing(folder: Path) -> None:
    authors = [an_author() for _ in range(1000)]

    async with SqliteDryRuns().begin() as dry:
        for author in authors:
            await dry.keep(author)
        left = names_in(folder)

        assert len(await dry.get_many([author.id for author in authors])) == len(authors)
    assert left == []


@pytest.mark.skipif(not OPEN.is_dir(), reason="this system does not tell of open files")
async def test_what_does_not_fit_into_memory_is_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dry_runs, "CACHE", 64)

    async with SqliteDryRuns().begin() as dry:
        await dry.keep(*(an_author() for _ in range(5000)))

        (size,) = sizes_of_open_files()
    assert size > 500_000
    assert sizes_of_open_files() == []


async def test_records_that_find_no_room_are_not_kept_in_part() -> None:
    author = an_author()

    async with SqliteDryRuns().begin() as dry:
        await dry.keep(author)
        dry._connection.execute("PRAGMA max_page_count = 20").close()
        others = [an_author() for _ in range(2000)]
        with pytest.raises(StorageFull):
            await dry.keep(*others)

        assert await dry.get_many([author.id, *(each.id for each in others)]) == {author.id: author}
        assert list(await dry.find_by_folded_names({author.folded_name})) == [author]
        await dry.keep(others[0])
        assert len(await dry.find_by_folded_names({author.folded_name})) == 2


async def test_who_is_cancelled_ends_the_dry_run_when_the_disk_is_done(folder: Path) -> None:
    begun = asyncio.Event()

    async def keep() -> None:
        async with SqliteDryRuns().begin() as dry:
            begun.set()
            while True:
                await dry.keep(*(an_author() for _ in range(200)))

    task = asyncio.create_task(keep())
    await begun.wait()
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert names_in(folder) == []


async def test_a_dry_run_that_finds_no_place_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder / "absent"))

    with pytest.raises(StorageUnavailable, match="no temporary file can be made for the dry run: No such file"):
        async with SqliteDryRuns().begin():
            pass
