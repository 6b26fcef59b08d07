"""Taking the turn among writers: the one row that counts the log is changed, and nobody else's until the commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from attrs import frozen
from sqlalchemy import Table, bindparam, update

from .rows import LogRow, RevisionRow

LOG = cast("Table", LogRow.__table__)
REVISION = cast("Table", RevisionRow.__table__)

COUNT = update(LOG).values(
    seq=LOG.c.seq + bindparam("more", type_=LOG.c.seq.type),
    at=bindparam("now", type_=LOG.c.at.type),
    authors=LOG.c.authors + bindparam("more_authors", type_=LOG.c.authors.type),
    books=LOG.c.books + bindparam("more_books", type_=LOG.c.books.type),
)
"""Counts what is appended; takes `Turn.counts`."""

TAKE_TURN = COUNT.where(LOG.c.follows.is_(None))
"""Counts nothing where the storage follows another catalogue."""


@frozen(kw_only=True)
class Turn:
    """What one unit of work appends to the log."""

    now: datetime
    more_authors: int
    more_books: int
    entries: Sequence[Mapping[str, Any]]
    """Rows of the log, whatever seq they have."""

    @property
    def counts(self) -> dict[str, Any]:
        """The values of `COUNT`."""
        return {
            "more": len(self.entries),
            "now": self.now,
            "more_authors": self.more_authors,
            "more_books": self.more_books,
        }

    @property
    def left(self) -> Sequence[int]:
        """How many entries come after each: its seq is so much before the one that is counted."""
        return range(len(self.entries) - 1, -1, -1)
