"""The storages that every contract is run over."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from catalog.domain.ports import Storage
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage

STORAGE_URLS: dict[str, Callable[[Path], str]] = {
    "memory": lambda _folder: "memory://",
    "sqlite": lambda folder: f"sqlite:///{folder}/catalog.db",
}
"""From the name of a storage to the URL of an empty one."""


def opened(name: str, folder: Path) -> AbstractAsyncContextManager[Storage]:
    """Open an empty storage of that name."""
    return open_storage(Settings(storage=STORAGE_URLS[name](folder)))
