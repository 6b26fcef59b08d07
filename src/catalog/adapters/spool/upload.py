"""Files of an import, while they are received."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from catalog.domain.callers import IdempotentRequest
from catalog.domain.imports import ImportJob

from .files import sync, sync_folder, translated, write_durably
from .jobs import JOB, Kept, Key, encoded, key_name

AskedBefore = Callable[[str, IdempotentRequest, datetime], ImportJob | None]
"""Returns the import that an actor asked for with a key, if not before that time; raises KeyReused."""

MOST_UNSYNCED = 32 * 1024 * 1024
"""Bytes after which the disk gets them, so that the end of a large file does not wait for all of it."""


class FolderUpload:
    """Files that are received into a folder of their own, which gets its name when it is kept."""

    def __init__(self, folder: Path, receiving: Path, keys: Path, asked_before: AskedBefore) -> None:
        self._folder = folder
        self._receiving = receiving
        self._keys = keys
        self._asked_before = asked_before
        self._streams: list[BinaryIO] = []
        self._unsynced = 0

    async def begin(self, name: str) -> None:
        """Begin the next file."""
        with translated(self._folder):
            await asyncio.to_thread(self._end_file)
            self._streams.append((self._receiving / str(len(self._streams))).open("wb"))

    async def write(self, some: bytes) -> None:
        """Add some of what the file holds."""
        with translated(self._folder):
            await asyncio.to_thread(self._write, some)

    async def keep(self, job: ImportJob, key: IdempotentRequest | None, *, since: datetime) -> ImportJob:
        """Make the files and the job durable, unless the same request has come to its end meanwhile."""
        with translated(self._folder):
            await asyncio.to_thread(self._end_file)
            return await asyncio.to_thread(self._keep, job, key, since)

    def drop(self) -> None:
        """Forget what was not kept."""
        for stream in self._streams:
            stream.close()
        shutil.rmtree(self._receiving, ignore_errors=True)

    def _write(self, some: bytes) -> None:
        self._streams[-1].write(some)
        self._unsynced += len(some)
        if self._unsynced >= MOST_UNSYNCED:
            self._sync()

    def _sync(self) -> None:
        self._streams[-1].flush()
        sync(self._streams[-1].fileno())
        self._unsynced = 0

    def _end_file(self) -> None:
        if self._streams and not self._streams[-1].closed:
            self._sync()
            self._streams[-1].close()

    def _keep(self, job: ImportJob, key: IdempotentRequest | None, since: datetime) -> ImportJob:
        write_durably(self._receiving / JOB, encoded(Kept(job=job)))
        if key is None:
            self._name(job)
            return job
        # Whoever comes second finds the key and the import; after a kill in between, the key names none, and is free.
        with FileLock(self._folder / "keys.lock", thread_local=False, fallback_to_soft=False, preserve_lock_file=True):
            if (before := self._asked_before(job.actor, key, since)) is not None:
                return before
            told = Key(id=job.id, fingerprint=key.fingerprint)
            write_durably(self._keys / key_name(job.actor, key.key), encoded(told))
            self._name(job)
        return job

    def _name(self, job: ImportJob) -> None:
        self._receiving.rename(self._folder / str(job.id))
        sync_folder(self._folder)
