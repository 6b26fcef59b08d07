"""Reads the files of an import in a thread, so that whoever else is served meanwhile hardly notices."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from io import BufferedReader
from typing import BinaryIO, ParamSpec, TypeVar, cast

from attrs import define, evolve

from catalog.domain.errors import UnreadableFile
from catalog.domain.imports import Chunk, ImportFile, ImportJob, ImportOptions
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
        """Yield the records of the files, some at a time, without the first ones; of a damaged file, say so at last."""
        reading = Reading(source="")
        unread, bytes_before = _Unread(records), 0
        for file, content in zip(job.files, files, strict=True):
            reading = reading_of(job.options, file.name, before=reading)
            unreadable = ""
            try:
                async with aclosing(_chunks(file, content, reading, unread)) as chunks:
                    async for entries in chunks:
                        bytes_read = bytes_before + min(content.tell(), file.bytes)
                        yield Chunk(file=file, entries=entries, bytes_read=bytes_read)
            except UnreadableFile as error:
                unreadable = str(error)
            bytes_before += file.bytes
            if unreadable:
                yield Chunk(file=file, entries=(), bytes_read=bytes_before, unreadable=unreadable)


async def _chunks(
    file: ImportFile, content: BinaryIO, reading: Reading, unread: "_Unread"
) -> AsyncGenerator[Sequence[Entry]]:
    beginning = cast("BufferedReader", content).peek(BEGINNING)
    with closing(record_reader(file.format, beginning, reading).read(content)) as entries:
        chunks = chunks_of(unread.among(entries), CHUNK)
        while chunk := await _in_thread(next, chunks, ()):
            yield chunk


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


@define
class _Unread:
    """Leaves out the records that come first, which were done before, in whichever of the files they are."""

    to_leave_out: int

    def among(self, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Yield the entries, but for those that are to be left out."""
        for entry in entries:
            if self.to_leave_out:
                self.to_leave_out -= 1
            else:
                yield entry
