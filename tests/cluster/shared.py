"""One server for all tests of a process."""

import atexit
import os
from functools import lru_cache
from typing import NoReturn

import pytest

from .postgres import PostgresServer


@lru_cache
def shared_server() -> PostgresServer:
    """Return a running server; without PostgreSQL, a test fails where CI runs it and is skipped elsewhere."""
    try:
        server = PostgresServer.found()
    except LookupError as error:
        unavailable(str(error))
    atexit.register(server.__exit__, None, None, None)
    return server.__enter__()


def unavailable(why: str) -> NoReturn:
    """Skip the test, but fail it in CI, where nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)
