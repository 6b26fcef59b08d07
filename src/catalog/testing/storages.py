"""New and empty storages, beside the one that a URL names."""

import atexit
import shutil
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import TypeAlias

from attrs import define, field

from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Storage
from catalog.entrypoints.settings import Settings

with warnings.catch_warnings():
    # What libraries of our own storages are warned of is no concern of whoever tests another one.
    warnings.simplefilter("ignore", DeprecationWarning)
    from catalog.entrypoints.storages import is_lasting, kind_of, open_storage, shown

__all__ = ["FOLDER", "NewStorage", "new_storages", "opened", "shown"]

FOLDER = "{folder}"
"""What stands in a URL for a folder of its own."""

NewStorage: TypeAlias = Callable[[], AbstractAsyncContextManager[str]]
"""Each call makes a new storage: the context manager gives its URL, and removes it at the end."""


def new_storages(url: str) -> NewStorage:
    """Return what makes new and empty storages like the one that the URL names, which itself is never touched.

    In a URL with `{folder}`, that is a new folder each time. Else the kind of storage makes one by its own `scratch`;
    and what does not outlast its process is new each time it is opened. Raises StorageUnavailable for any other URL.
    """
    settings = Settings(storage=url)
    if FOLDER in url:
        kind_of(settings)
        return _InFolders(url)
    if scratch := kind_of(settings).scratch:
        return lambda: scratch(settings)
    if not is_lasting(settings):
        return lambda: _as_it_is(url)
    raise StorageUnavailable(
        f"{shown(url)} may be somebody's catalogue, and the tests need empty ones: write {FOLDER} into the URL where a "
        "new folder shall be, or let the storage make new ones itself (scratch)"
    )


@asynccontextmanager
async def opened(new: NewStorage) -> AsyncGenerator[Storage]:
    """Open a new and empty storage."""
    async with new() as url, open_storage(Settings(storage=url)) as storage:
        yield storage


@define
class _InFolders:
    """Storages in new folders, each the copy of one that was opened once: some take long to be made."""

    url: str
    _empty: str | None = field(default=None, init=False)

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[str]:
        if self._empty is None:
            empty = mkdtemp(prefix="catalog-")
            atexit.register(shutil.rmtree, empty, ignore_errors=True)
            async with open_storage(Settings(storage=self._in(empty))):
                pass
            self._empty = empty
        with TemporaryDirectory(prefix="catalog-", ignore_cleanup_errors=True) as folder:
            shutil.copytree(self._empty, folder, dirs_exist_ok=True)
            yield self._in(folder)

    def _in(self, folder: str) -> str:
        return self.url.replace(FOLDER, Path(folder).as_posix())


@asynccontextmanager
async def _as_it_is(url: str) -> AsyncGenerator[str]:
    yield url
