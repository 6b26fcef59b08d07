"""Statements take only so many parameters."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

MOST_PARAMETERS = 10_000


def slices(values: Iterable[T], size: int = MOST_PARAMETERS) -> Iterator[list[T]]:
    """Yield the values in lists that one statement can take."""
    remaining = iter(values)
    while some := list(islice(remaining, size)):
        yield some
