"""The storages that everything is run over that concerns each of them."""

from contextlib import AbstractAsyncContextManager

from catalog.domain.ports import Storage
from catalog.testing import storages
from catalog.testing.storages import NewStorage, new_storages
from tests.cluster.shared import shared_server


def _new_in_postgresql() -> AbstractAsyncContextManager[str]:
    return new_storages(shared_server().url())()  # not before a test asks for it: a server takes a second


STORAGES: dict[str, NewStorage] = {
    "memory": new_storages("memory://"),
    "sqlite": new_storages("sqlite:///{folder}/catalog.db"),
    "postgresql": _new_in_postgresql,
}
"""From the name of a storage to what makes a new and empty one: an async context manager of its URL."""


def opened(name: str) -> AbstractAsyncContextManager[Storage]:
    """Open a new and empty storage of that name."""
    return storages.opened(STORAGES[name])
