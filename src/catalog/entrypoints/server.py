"""The server process: uvicorn, with an end that open streams can hear of (why uvicorn: ADR 0007)."""

import asyncio
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType

import uvicorn
from dishka import AsyncContainer
from litestar import Litestar
from uvicorn.loops.auto import auto_loop_factory

from catalog.domain.errors import CatalogError
from catalog.domain.ports import Storage

from .container import build_app, http_container
from .one_write import OneWriteProtocol
from .settings import Settings
from .storages import shown

BACKLOG = 2048


class Server(uvicorn.Server):
    """uvicorn, which sets `app.state.stopping` before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, app: Litestar) -> None:
        super().__init__(config)
        self._stopping: asyncio.Event = app.state.stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal to stop; the second Ctrl-C stops at once.

        uvicorn's own would raise the signal again after all is done, and the exit status would tell of a crash.
        """
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.stop()

    def stop(self) -> None:
        """Let streams end, answer what has been asked, and stop."""
        self.should_exit = True
        self._stopping.set()


Preparation = Callable[[AsyncContainer], Awaitable[None]]
"""What is to be done before the first request."""


async def nothing(_container: AsyncContainer) -> None:
    """Prepare nothing."""


def run(settings: Settings, prepare: Preparation = nothing, alongside: Preparation | None = None) -> None:
    """Serve until a signal says stop; raise OSError where it can not listen, StorageUnavailable without storage.

    `prepare` is awaited with the storage open, before the first request; `alongside` runs as long as the service,
    which ends with what that raises.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG) as listener:
        # Head and body of an answer are two writes; without this, the second waits 40 ms for the first's receipt.
        # Event loops set it themselves only on sockets they have made.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(_serve(settings, listener, prepare, alongside))


async def _serve(
    settings: Settings, listener: socket.socket, prepare: Preparation, alongside: Preparation | None
) -> None:
    container = http_container(settings)
    app = build_app(settings, container)
    try:
        await container.get(Storage)
        await prepare(container)
    except CatalogError:
        await container.close()
        raise
    config = uvicorn.Config(
        app,
        lifespan="on",
        http=OneWriteProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(settings.shutdown_seconds)),
    )
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(
        f"catalog: serving {shown(settings.storage)} at {address} (documentation at {address}/schema)", file=sys.stderr
    )
    server = Server(config, app)
    companion = None if alongside is None else asyncio.ensure_future(alongside(container))
    if companion is not None:
        companion.add_done_callback(lambda _: server.stop())
    try:
        await server.serve(sockets=[listener])
    finally:
        if companion is not None and not companion.done():
            companion.cancel()
    if companion is not None:
        with suppress(asyncio.CancelledError):
            await companion
