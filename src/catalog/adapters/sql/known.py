"""Records that were read lately, alone or as parts of lists, by their versions.

A version of a record never changes; that is what the log and every ETag stand on. So whoever asks for the same again
costs a question for the versions that stand there now, which takes a fifth of the time; the records are those of last
time.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

MOST_RECORDS = 8_192
"""How many are kept; a book takes some two kilobytes."""


class Known:
    """Remembers what was asked for, and forgets first what was not asked for longest."""

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._most = most
        self._count = 0
        self._parts: OrderedDict[Hashable, Mapping[Hashable, Any]] = OrderedDict()

    def of(self, part: Hashable) -> Mapping[Hashable, Any] | None:
        """Return the records of the part, or the one with that id, by what tells their versions."""
        records = self._parts.get(part)
        if records is not None:
            self._parts.move_to_end(part)
        return records

    def keep(self, part: Hashable, records: Mapping[Hashable, Any]) -> None:
        """Remember the records of the part, or the one with that id."""
        self._count += len(records) - len(self._parts.pop(part, ()))
        self._parts[part] = records
        while self._count > self._most:
            _, dropped = self._parts.popitem(last=False)
            self._count -= len(dropped)
