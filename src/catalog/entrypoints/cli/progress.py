"""How far an import has come: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from .reading import Telling

SECONDS_BETWEEN_LINES = 2.0


class Advancing(Protocol):
    """Whatever is told of each record."""

    def advance(self) -> None:
        """One more record is done."""
        ...


@contextmanager
def progress_over(file: Path, content: Telling) -> Generator[Advancing]:
    """Show progress while the content of the file is read; what is left is judged by the bytes read."""
    size = max(1, file.stat().st_size)
    if sys.stderr.isatty():
        with _bar() as bar:
            yield _Bar(bar, content, size)
    else:
        yield _Lines(content, size)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.fields[count]:,} records"),
        BarColumn(),
        TextColumn("{task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


class _Counting:
    """Counts records and time."""

    def __init__(self, content: Telling, size: int) -> None:
        self._content = content
        self._size = size
        self._began = time.monotonic()
        self.count = 0

    @property
    def seconds(self) -> float:
        return max(0.001, time.monotonic() - self._began)

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def done(self) -> int:
        return min(self._size, self._content.tell())


class _Bar(_Counting):
    def __init__(self, bar: Progress, content: Telling, size: int) -> None:
        super().__init__(content, size)
        self._progress = bar
        self._task = bar.add_task("", total=size, count=0, rate=0.0)

    def advance(self) -> None:
        self.count += 1
        if self.count % 100 == 0:
            self._progress.update(self._task, completed=self.done, count=self.count, rate=self.rate)


class _Lines(_Counting):
    def __init__(self, content: Telling, size: int) -> None:
        super().__init__(content, size)
        self._next = SECONDS_BETWEEN_LINES

    def advance(self) -> None:
        self.count += 1
        if self.count % 100 == 0 and self.seconds >= self._next:
            self._next = self.seconds + SECONDS_BETWEEN_LINES
            left = self.seconds * (self._size - self.done) / max(1, self.done)
            print(f"{self.count:,} records, {self.rate:,.0f}/s, about {left:.0f} s left", file=sys.stderr)
