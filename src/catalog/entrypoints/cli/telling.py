"""How far long work has come: now and then a line on stderr."""

import sys
import time

from attrs import define, field

SECONDS_BETWEEN_LINES = 2.0


@define
class Telling:
    """Prints what it is told, unless it printed a moment ago."""

    _next: float = field(factory=lambda: time.monotonic() + SECONDS_BETWEEN_LINES)

    def __call__(self, line: str) -> None:
        """Print the line, or not."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS_BETWEEN_LINES
            print(line, file=sys.stderr)
