"""Short questions, answered on the event loop: a trip to a thread and back takes several times as long as they do.

With sixteen clients, the threads also wait for each other whenever SQLite hands Python a row. So a question is tried
here first, for two milliseconds at most, and never waits for a lock. What is not answered by then, or fails, is one for
a connection with a thread of its own.
"""

import sqlite3
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

from .compiled import fetched

SECONDS = 0.002
"""How long others may wait for one question; a hundred records take a third of it, and as long again as JSON."""

STEPS = 1000
"""After how many steps of its machine SQLite looks at the clock; they take some 50 microseconds."""

CACHE_KIB = 32 * 1024
"""How much of the file is kept in memory: with the 2 MiB that SQLite takes, finding one of 100,000 books takes twice
as long."""

LEFT_TO_THREADS = 32
"""How many questions of a shape go to threads at once, after one of them was late."""


class AtOnce:
    """A connection that only reads and never waits. It makes no file where there is none."""

    def __init__(self, path: str) -> None:
        uri = f"{Path(path).absolute().as_uri()}?mode=rw"
        self._connection = sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only=1")
        self._connection.execute(f"PRAGMA cache_size={-CACHE_KIB}")
        self._connection.set_progress_handler(self._is_late, STEPS)
        self._deadline = 0.0
        self._late: dict[str, int] = {}

    def version(self) -> int:
        """Return a number that every commit changes, for all others are made on other connections."""
        self._deadline = inf  # it is a number in shared memory; only who was put to sleep meanwhile could be late
        version: int
        ((version,),) = self._connection.execute("PRAGMA data_version")
        return version

    def fetch(self, text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]] | None:
        """Return all rows; None where that took too long or failed: a thread has the time, and tells the error."""
        if self._late and (left := self._late.pop(text, 0)):
            if left > 1:
                self._late[text] = left - 1
            return None
        self._deadline = time.perf_counter() + SECONDS
        try:
            return fetched(self._connection, text, values)
        except sqlite3.Error:
            self._late[text] = LEFT_TO_THREADS
            return None

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _is_late(self) -> bool:
        return time.perf_counter() > self._deadline
