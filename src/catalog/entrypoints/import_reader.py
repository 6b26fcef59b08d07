"""Reads the files of an import in a thread, so that whoever else is served meanwhile hardly notices."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import closing
from io import BufferedReader
from itertools import islice
from typing import BinaryIO, ParamSpec, TypeVar, cast

from attrs import evolve

from catalog.domain.errors import UnreadableFile
from catalog.domain.imports import Chunk, ImportJob, ImportOptions
from catalog.domain.sources import Entry
from catalog.domain.use_cases.importing import chunks_of

from .formats import BEGINNING, Reading, record_reader

P = ParamSpec("P")
T = TypeVar("T")

CHUNK = 200
"""Records that are taken at once: fewer than a command takes, for others wait for their turn to write."""


class FormatsReader:
    """Reads files in all formats that there are."""

    async def read(self, job: ImportJob, files: Sequence[BinaryIO], /, *, records: int) -> AsyncGenerator[Chunk]:
        """Yield the records of the files, some at a time, without the first ones; raise UnreadableFile."""
        reading = Reading(source="")
        left, bytes_before = records, 0
        for file, content in zip(job.files, files, strict=True):
            reading = reading_of(job.options, file.name, before=reading)
            beginning = cast("BufferedReader", content).peek(BEGINNING)
            with closing(record_reader(file.format, beginning, reading).read(content)) as entries:
                skipped = await _in_thread(_skip, entries, left)
                left -= skipped
                chunks = chunks_of(entries, CHUNK)
                while True:
                    try:
                        chunk = await _in_thread(next, chunks, ())
                    except UnreadableFile as error:
                        raise UnreadableFile(f"{file.name}: {error}") from None
                    if not chunk:
                        break
                    yield Chunk(file=file, entries=chunk, bytes_read=bytes_before + min(content.tell(), file.bytes))
            bytes_before += file.bytes


def reading_of(options: ImportOptions, file_name: str, *, before: Reading | None = None) -> Reading:
    """Return how a file of an import is to be read; it knows what those `before` have told."""
    reading = Reading(
        source=options.source or file_name,
        mapping=options.map,
        separator=options.separator,
        encoding=options.encoding,
    )
    return reading if before is None else evolve(reading, known=before.known)


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call the function in a thread; who is cancelled meanwhile waits for it: a file that is read can not be closed."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _skip(entries: Iterator[Entry], number: int) -> int:
    return sum(1 for _ in islice(entries, number))
