"""The composition root: the only place that knows which adapter stands behind which port."""

from collections.abc import AsyncGenerator, Generator, Sequence

import click
from advanced_alchemy.extensions.litestar import SQLAlchemyInitPlugin
from dishka import AsyncContainer, Provider, Scope, from_context, make_async_container, provide
from dishka.integrations.litestar import LitestarProvider
from litestar import Litestar, Request
from litestar.plugins import CLIPlugin, PluginProtocol

from catalog.adapters.http import HttpChangeFeed
from catalog.adapters.sql import commands
from catalog.adapters.sql.sqlite.dry_runs import SqliteDryRuns
from catalog.adapters.system import SystemClock, Uuid7Generator
from catalog.domain.callers import Caller
from catalog.domain.ports import (
    CatalogReader,
    ChangeFeed,
    Clock,
    DryRuns,
    IdGenerator,
    ImportQueue,
    ImportReader,
    Storage,
)
from catalog.domain.use_cases.authors import AuthorCataloguing
from catalog.domain.use_cases.books import BookCataloguing
from catalog.domain.use_cases.exporting import Exporting
from catalog.domain.use_cases.import_orders import ImportOrdering
from catalog.domain.use_cases.import_work import ImportWork
from catalog.domain.use_cases.importing import Importing
from catalog.domain.use_cases.log_keeping import LogKeeping
from catalog.domain.use_cases.merging import Merging
from catalog.domain.use_cases.undoing import Undoing

from .http.app import create_app
from .http.callers import caller_of
from .http.import_worker import ImportWorker
from .http.news import News
from .import_reader import FormatsReader
from .settings import Settings
from .storages import import_queue, kind_of, migration_config, open_storage


class StorageProvider(Provider):
    """The storage, open as long as the container."""

    scope = Scope.APP

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide
    async def storage(self) -> AsyncGenerator[Storage]:
        """Open it once, on first use."""
        async with open_storage(self._settings) as storage:
            yield storage

    @provide
    def reader(self, storage: Storage) -> CatalogReader:
        """The storage's query side."""
        return storage.reader


class CoreProvider(Provider):
    """The use cases, for one caller each, and the machine's clock, ids and room for dry runs."""

    clock = provide(SystemClock, provides=Clock, scope=Scope.APP)
    ids = provide(Uuid7Generator, provides=IdGenerator, scope=Scope.APP)
    dry_runs = provide(SqliteDryRuns, provides=DryRuns, scope=Scope.APP)
    authors = provide(AuthorCataloguing, scope=Scope.REQUEST)
    books = provide(BookCataloguing, scope=Scope.REQUEST)
    importing = provide(Importing, scope=Scope.REQUEST)
    exporting = provide(Exporting, scope=Scope.REQUEST)
    undoing = provide(Undoing, scope=Scope.REQUEST)
    merging = provide(Merging, scope=Scope.REQUEST)
    log_keeping = provide(LogKeeping, scope=Scope.REQUEST)


class HttpProvider(Provider):
    """Who asks over HTTP, and what streams wait for."""

    scope = Scope.REQUEST
    news = provide(News, scope=Scope.APP)
    import_reader = provide(FormatsReader, provides=ImportReader, scope=Scope.APP)
    import_work = provide(ImportWork, scope=Scope.APP)
    import_worker = provide(ImportWorker, scope=Scope.APP)
    import_ordering = provide(ImportOrdering)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    @provide(scope=Scope.APP)
    def import_queue(self) -> Generator[ImportQueue]:
        """Keep the imports that were asked for."""
        with import_queue(self._settings) as queue:
            yield queue

    @provide
    async def caller(self, request: Request) -> Caller:  # type: ignore[type-arg]  # the type that Dishka knows
        """Take the request's id and key along."""
        return await caller_of(request, self._settings)


class LocalCallerProvider(Provider):
    """Who asks on this machine; the command says it."""

    caller = from_context(Caller, scope=Scope.REQUEST)


def http_container(settings: Settings, *overrides: Provider) -> AsyncContainer:
    """Compose the catalogue for requests; later providers override earlier ones."""
    return make_async_container(
        StorageProvider(settings), CoreProvider(), HttpProvider(settings), LitestarProvider(), *overrides
    )


def local_container(settings: Settings, *overrides: Provider) -> AsyncContainer:
    """Compose the catalogue for commands; enter it with `context={Caller: …}`."""
    return make_async_container(StorageProvider(settings), CoreProvider(), LocalCallerProvider(), *overrides)


def build_app(settings: Settings, container: AsyncContainer | None = None) -> Litestar:
    """Return the application."""
    return create_app(container or http_container(settings), settings)


def build_app_for_litestar(settings: Settings) -> Litestar:
    """Return the application with the `litestar database` commands, where its storage has migrations."""
    plugins: Sequence[PluginProtocol] = ()
    if kind_of(settings).migrations is not None:
        plugins = [SQLAlchemyInitPlugin(migration_config(settings)), _GuideCommandNames()]
    return create_app(http_container(settings), settings, plugins)


def change_feed(url: str) -> ChangeFeed:
    """Return the changes of the catalogue at that address; raise CanNotFollow if it is none."""
    return HttpChangeFeed(url)


def add_database_commands(group: click.Group) -> None:
    """Add the database commands to a group whose context object is `{"configs": [migration_config(…)]}`."""
    commands.add_database_commands(group)


class _GuideCommandNames(CLIPlugin):
    """Lets `litestar database` know the names its guide uses."""

    def on_cli_init(self, cli: click.Group) -> None:
        """Add them, once the plugin before has added the group."""
        if isinstance(group := cli.commands.get("database"), click.Group):
            commands.add_guide_names(group)
