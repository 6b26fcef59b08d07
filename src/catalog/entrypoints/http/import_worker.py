"""Does the imports that were asked for, while the service runs; of several processes, one at a time."""

import asyncio
import logging
from contextlib import suppress

from catalog.domain.errors import CatalogError, ImportNotFound, StorageBusy, StorageFull, StorageUnavailable
from catalog.domain.imports import ImportJob
from catalog.domain.ports import ImportQueue
from catalog.domain.use_cases.import_work import ImportWork

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 5.0
"""How soon an import is begun, or gone on with, that another process took in and can not do."""

SECONDS_BETWEEN_CANCELLATIONS = 1.0


class ImportWorker:
    """One task that looks for imports, and does them in the order in which they were asked for."""

    def __init__(self, queue: ImportQueue, work: ImportWork) -> None:
        self._queue = queue
        self._work = work
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = False

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    def look(self) -> None:
        """Look at once: there is something to do."""
        self._asked.set()

    async def stop(self) -> None:
        """Do no more; who begins anew goes on with what is not done."""
        self._is_stopping = True
        while self._task is not None and not self._task.done():
            # Again and again: whoever turned the cancellation into an error of its own would go on for ever.
            self._task.cancel()
            await asyncio.wait([self._task], timeout=SECONDS_BETWEEN_CANCELLATIONS)

    async def _run(self) -> None:
        while not self._is_stopping:
            self._asked.clear()
            try:
                async with self._queue.alone() as is_mine:
                    while is_mine and not self._is_stopping and (job := await self._queue.next()) is not None:
                        await self._do(job)
            except CatalogError as error:
                logger.warning("imports have to wait: %s", error)
            except Exception:
                logger.exception("imports have to wait")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), SECONDS_BETWEEN_LOOKS)

    async def _do(self, job: ImportJob) -> None:
        try:
            done = await self._work.do(job)
        except ImportNotFound:
            return
        except (StorageBusy, StorageFull, StorageUnavailable):
            raise  # it can be gone on with
        except Exception:
            if self._is_stopping:
                return  # it was left in the middle, and is gone on with
            logger.exception("the import %s has failed", job.id)
            done = await self._work.fail(job, "a mistake of the service, which has written it into its log")
        why = f": {done.error}" if done.error else ""
        logger.info("import %s: %s, %d records%s", job.id, done.state, done.records, why)
