"""The Litestar application."""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import msgspec
from dishka import AsyncContainer
from dishka.integrations.litestar import setup_dishka
from litestar import Litestar, Router
from litestar.plugins import PluginProtocol
from litestar.static_files import create_static_files_router

from catalog.domain.ports import Storage
from catalog.entrypoints.settings import Settings

from .answers import KeptAnswers
from .authors import AuthorController
from .bodies import AttrsBodyPlugin
from .books import BookController
from .changes import list_changes
from .compression import with_compression
from .conditions import NotModified, not_modified, with_conditions
from .gate import with_body_deadline, with_known_hosts, with_own_origins, with_refusals, with_request_id
from .health import explain_problem, livez, readyz, root
from .history import AuthorHistoryController, BookHistoryController
from .import_worker import ImportWorker
from .imports import ImportController
from .methods import with_all_methods
from .openapi import ASSETS_PATH, AttrsSchemas, finished, openapi_config
from .parameters import refuse_unknown_parameters
from .problems import handle
from .responses import Answer


def create_app(container: AsyncContainer, settings: Settings, plugins: Sequence[PluginProtocol] = ()) -> Litestar:
    """Return the application over whatever the container composes; it closes the container when it stops."""

    async def open_storage() -> None:
        await container.get(Storage)  # a service that can not keep anything should not start
        (await container.get(ImportWorker)).start()

    async def stop_importing() -> None:
        await (await container.get(ImportWorker)).stop()

    app = Litestar(
        route_handlers=[
            AuthorController,
            BookController,
            AuthorHistoryController,
            BookHistoryController,
            list_changes,
            ImportController,
            livez,
            readyz,
            explain_problem,
            root,
            _docs_assets(),
        ],
        plugins=[AttrsBodyPlugin(), AttrsSchemas(), *plugins],
        before_request=refuse_unknown_parameters,
        exception_handlers={Exception: handle, NotModified: not_modified},
        openapi_config=openapi_config(),
        response_class=Answer,
        request_max_body_size=settings.max_body_bytes,
        on_startup=[open_storage],
        on_shutdown=[stop_importing, container.close],
        logging_config=None,
    )
    document = finished(app.openapi_schema)
    # Set when the server is about to stop: a stream that waits for news waits for this, too.
    app.state.stopping = asyncio.Event()
    setup_dishka(container, app)
    # As it was drawn: to put it in the words of OpenAPI takes a third of a start.
    representation = blake2b(msgspec.json.encode(document)).hexdigest()
    handler = with_conditions(app.asgi_handler, representation)
    if settings.compress_answers:
        handler = with_compression(handler)
    handler = with_body_deadline(handler, settings.body_timeout_seconds, of_any_size={"/imports"})
    handler = with_all_methods(handler, app)
    handler = with_own_origins(handler, settings.allowed_origins)
    handler = with_known_hosts(handler, settings.allowed_hosts)
    handler = with_request_id(with_refusals(handler))
    if settings.answer_cache_bytes:
        handler = KeptAnswers(handler, lambda: container.get(Storage), settings.answer_cache_bytes)
    app.asgi_handler = handler
    return app


def _docs_assets() -> Router:
    assets = Path(str(files("swagger_ui"))) / "static"
    return create_static_files_router(ASSETS_PATH, directories=[assets], include_in_schema=False)
