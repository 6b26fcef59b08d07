"""Asking for imports, which are done later."""

from collections.abc import AsyncIterable, Sequence
from hashlib import sha256
from uuid import UUID

from attrs import evolve, frozen

from catalog.domain.callers import Caller, IdempotentRequest
from catalog.domain.errors import KeyReused, ReadOnlyReplica
from catalog.domain.imports import ImportFile, ImportJob, ImportOptions
from catalog.domain.ports import Clock, IdGenerator, ImportQueue, Storage, Upload


@frozen
class ImportOrdering:
    """Takes files that are to be imported."""

    storage: Storage
    queue: ImportQueue
    caller: Caller
    clock: Clock
    ids: IdGenerator

    async def order(self, options: ImportOptions, parts: AsyncIterable[ImportFile | bytes]) -> ImportJob:
        """Receive files, each followed by what it holds, piece by piece; return the import, which waits to be done.

        Raises StorageFull, ReadOnlyReplica; and KeyReused where the request's key asked for another import.
        """
        idempotent, now = self.caller.idempotent, self.clock.now()
        since = now if idempotent is None else now - idempotent.kept_for
        if idempotent is not None:
            before = await self.queue.asked_before(self.caller.actor, idempotent, since=since)
            if before is not None:
                return _replayed(before, await _received(parts), idempotent)
        await self._must_take_changes()
        id = self.ids.new()
        async with self.queue.receive(id) as upload:
            files = await _received(parts, upload)
            job = ImportJob(
                id=id,
                files=files,
                options=options,
                created_at=now,
                actor=self.caller.actor,
                request_id=self.caller.request_id,
            )
            kept = await upload.keep(job, idempotent, since=since)
        # It may have come twice at once: then the one that was whole first is the import.
        return kept if idempotent is None or kept.id == id else _replayed(kept, files, idempotent)

    async def stop(self, id: UUID) -> ImportJob:
        """Ask for the import to stop, if it has not ended; return it as it is now. Raises ImportNotFound."""
        await self.queue.ask_to_stop(id)
        return await self.queue.get(id)

    async def forget(self, id: UUID) -> None:
        """Drop what is known of an import that has ended; raise ImportNotFound, ImportRunning. Its books stay."""
        await self.queue.forget(id)

    async def _must_take_changes(self) -> None:
        async with self.storage.unit_of_work(evolve(self.caller, idempotent=None)) as unit:
            if (source := await unit.log.source()) is not None:
                raise ReadOnlyReplica(source)


def _replayed(before: ImportJob, files: Sequence[ImportFile], key: IdempotentRequest) -> ImportJob:
    """Return the import that the request asked for before; raise KeyReused where it came with other files then."""
    if files != before.files:
        raise KeyReused(key.key)
    key.replayed = True
    return before


async def _received(parts: AsyncIterable[ImportFile | bytes], upload: Upload | None = None) -> tuple[ImportFile, ...]:
    """Return which files come, and what they are; keep them where there is somewhere to."""
    files: list[ImportFile] = []
    digest = sha256()
    async for part in parts:
        if isinstance(part, ImportFile):
            files.append(part)
            digest = sha256()
            if upload is not None:
                await upload.begin(part.name)
        else:
            digest.update(part)
            files[-1] = evolve(files[-1], bytes=files[-1].bytes + len(part), sha256=digest.hexdigest())
            if upload is not None:
                await upload.write(part)
    return tuple(files)
