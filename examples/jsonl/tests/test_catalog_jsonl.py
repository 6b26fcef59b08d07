"""What the file promises beside what every storage does; that is `from catalog.testing.suite import *`."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import StorageFull, StorageUnavailable
from catalog.testing.doubles import Cataloguers, log_of
from catalog.testing.wholeness import must_be_whole
from catalog_jsonl import JsonlStorage, open_jsonl

Open = Callable[[], AbstractAsyncContextManager[JsonlStorage]]

FOREVER = """
import asyncio, itertools
from catalog.domain.authors import AuthorDetails
from catalog.testing.doubles import Cataloguers
from catalog_jsonl import open_jsonl

async def write():
    async with open_jsonl("jsonl:///books.jsonl") as storage:
        for n in itertools.count():
            author = await Cataloguers(storage).authors.add(AuthorDetails(name=f"Author {n}"))
            print(author.id, flush=True)

asyncio.run(write())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.jsonl"


@pytest.fixture
def open_it(path: Path) -> Open:
    return partial(open_jsonl, f"jsonl:///{path}")


async def written(open_it: Open, *names: str) -> None:
    async with open_it() as storage:
        for name in names:
            await Cataloguers(storage).authors.add(AuthorDetails(name=name))


async def names_in(open_it: Open) -> list[str]:
    async with open_it() as storage:
        return [revision.content.name for revision in await must_be_whole(storage)]


async def test_a_line_is_a_unit_of_work_that_people_can_read(open_it: Open, path: Path) -> None:
    await written(open_it, "Émile", "Jane")

    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]

    assert [line["revisions"][0]["after"]["name"] for line in lines] == ["Émile", "Jane"]


@pytest.mark.parametrize("left", [1, 20, -2])
async def test_what_a_crash_left_of_the_last_line_is_cut_off_and_told(
    open_it: Open, path: Path, left: int, caplog: pytest.LogCaptureFixture
) -> None:
    await written(open_it, "One", "Two")
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + second[:left])

    with caplog.at_level(logging.WARNING):
        assert await names_in(open_it) == ["One"]

    assert "cut off" in caplog.text
    await written(open_it, "Three")
    assert await names_in(open_it) == ["One", "Three"]


async def test_a_line_that_is_damaged_is_named_and_nothing_is_cut_off(open_it: Open, path: Path) -> None:
    await written(open_it, "One", "Two", "Three")
    damaged = path.read_bytes().replace(b'"Two"', b'"Two')
    path.write_bytes(damaged)

    with pytest.raises(StorageUnavailable, match="line 2"):
        await names_in(open_it)

    assert path.read_bytes() == damaged


async def test_who_comes_second_is_refused(open_it: Open) -> None:
    async with open_it():
        with pytest.raises(StorageUnavailable, match="another process"):
            await names_in(open_it)

    assert await names_in(open_it) == []


async def test_what_is_erased_is_not_in_the_file_any_more(open_it: Open, path: Path) -> None:
    async with open_it() as storage:
        catalogue = Cataloguers(storage)
        author = await catalogue.authors.add(AuthorDetails(name="Secret"))
        await catalogue.log_keeping.erase(author.id)
        log = await log_of(storage.reader)

        assert b"Secret" not in path.read_bytes()

    async with open_it() as storage:
        assert await log_of(storage.reader) == log


async def test_a_full_disk_is_told_and_nothing_of_the_unit_is_kept(
    open_it: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    async with open_it() as storage:
        catalogue = Cataloguers(storage)
        await catalogue.authors.add(AuthorDetails(name="One"))
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (400, before[1]))
            with pytest.raises(StorageFull):
                await catalogue.authors.add(AuthorDetails(name="Two"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
        await catalogue.authors.add(AuthorDetails(name="Three"))

    assert await names_in(open_it) == ["One", "Three"]


@pytest.mark.parametrize("url", ["jsonl://", "jsonl:///", "jsonl://books.jsonl", "jsonl:////nowhere/at/all"])
async def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(StorageUnavailable):
        async with open_jsonl(url):
            pass


async def test_what_was_acknowledged_outlasts_a_kill(open_it: Open, tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", FOREVER], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    acknowledged = [writer.stdout.readline().strip() for _ in range(20)]
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged += writer.stdout.read().split("\n")[:-1]
    writer.wait()
    writer.stdout.close()

    async with open_it() as storage:
        assert {str(revision.id) for revision in await must_be_whole(storage)} >= set(acknowledged)
