"""`python -m benchmarks.serve PORT WHAT`: an application under the catalogue's own server program.

WHAT is `bare`, `recorded` or `probe` of benchmarks/apps.py, or the URL of a storage: the catalogue with 10,000 books.
A third argument, `without-log`, leaves the log out of whatever is written to SQLite: what it costs is the difference.
"""

import asyncio
import sys
from typing import Any

from dishka import AsyncContainer, Provider, Scope, provide

from catalog.adapters.sql.unit_of_work import SqlUnitOfWork
from catalog.domain.ports import Storage
from catalog.entrypoints import server
from catalog.entrypoints.container import http_container
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage

from . import apps, sample


class _Opened(Provider):
    """A storage that is open already."""

    scope = Scope.APP

    def __init__(self, storage: Storage) -> None:
        super().__init__()
        self._storage = storage

    @provide
    def storage(self) -> Storage:
        return self._storage


async def _filled(settings: Settings) -> Storage:
    async with open_storage(settings) as storage:
        await sample.fill(storage)
    return storage


def leave_out_log() -> None:
    """Write records, and no revisions."""

    async def finish(_unit: SqlUnitOfWork) -> None:
        pass

    SqlUnitOfWork.finish = finish  # type: ignore[method-assign]  # on purpose


def main(port: int, what: str) -> None:
    program: Any = server
    if "://" not in what:
        app = getattr(apps, what)()
        app.state.stopping = asyncio.Event()  # as create_app does
        program.build_app = lambda _settings, _container: app
        server.run(Settings(storage="memory://", port=port))
        return
    settings = Settings(storage=what, port=port)
    storage = asyncio.run(_filled(settings))
    if what.startswith("memory"):

        def filled_container(settings: Settings) -> AsyncContainer:
            return http_container(settings, _Opened(storage))

        program.http_container = filled_container
    server.run(settings)


if __name__ == "__main__":
    if "without-log" in sys.argv:
        leave_out_log()
    main(int(sys.argv[1]), sys.argv[2])
