"""Records that were read lately, by the parts of lists they stand in and by their versions.

A version of a record never changes; that is what the log and every ETag stand on. So whoever asks for the same part
again is told which versions stand in it, which takes a fifth of the time, and the records are those of last time.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

MOST_RECORDS = 10_000
"""How many are kept; a book takes some two kilobytes."""


class Known:
    """Remembers parts of lists, and forgets first what was not asked for longest."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._most = most
        self._count = 0
        self._parts: OrderedDict[Hashable, Mapping[Hashable, Any]] = OrderedDict()

    def of(self, part: Hashable) -> Mapping[Hashable, Any] | None:
        """Return the records of the part, by what tells their versions."""
        records = self._parts.get(part)
        if records is not None:
            self._parts.move_to_end(part)
        return records

    def keep(self, part: Hashable, records: Mapping[Hashable, Any]) -> None:
        """Remember the records of the part."""
        self._count += len(records) - len(self._parts.pop(part, ()))
        self._parts[part] = records
        while self._count > self._most:
            _, dropped = self._parts.popitem(last=False)
            self._count -= len(dropped)
