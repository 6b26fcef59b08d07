"""Taking the turn among writers: the one row that counts the log is changed, and nobody else's until the commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, cast

from attrs import frozen
from sqlalchemy import Table, bindparam, insert, select, update

from .rows import BIG, CardRow, LogRow, RevisionRow
from .words import place_of

LOG = cast("Table", LogRow.__table__)
REVISION = cast("Table", RevisionRow.__table__)
CARD = cast("Table", CardRow.__table__)

Inserts: TypeAlias = Sequence[tuple[Table, Sequence[Mapping[str, Any]]]]
"""New rows, table by table, parents first."""

COUNT = update(LOG).values(
    seq=LOG.c.seq + bindparam("more", type_=LOG.c.seq.type),
    at=bindparam("now", type_=LOG.c.at.type),
    authors=LOG.c.authors + bindparam("more_authors", type_=LOG.c.authors.type),
    books=LOG.c.books + bindparam("more_books", type_=LOG.c.books.type),
)
"""Counts what is appended; takes `Turn.counts`."""

TAKE_TURN = COUNT.where(LOG.c.follows.is_(None))
"""Counts nothing where the storage follows another catalogue."""


MANY = 100
"""Changes of one unit of work that are no everyday ones: those of an import, a copy, an undo of either."""


NEW_PLACE = bindparam("base", type_=BIG) + select(LOG.c.seq).scalar_subquery() - bindparam("left", type_=BIG)
"""The place of a card of a book whose first revision this turn counted; takes `NewCard.bound`."""

ADD_CARD = insert(CARD).values(
    {column.key: bindparam(column.key, type_=column.type) for column in CARD.columns} | {"place": NEW_PLACE}
)
"""Writes a card of a book whose first revision this turn counted; takes `NewCard.bound`."""

ADD_NUMBERED_CARD = insert(CARD)
"""Writes a card of a book that has its number already; takes `NewCard.bound`."""


@frozen(kw_only=True)
class NewCard:
    """A card that is to be written."""

    values: Mapping[str, Any]
    """All but its place."""
    title_words: int
    number: int | None
    """The number of its book; None for a book whose first revision this turn counts."""
    left: int
    """How many entries of this turn come after that first revision."""

    @property
    def bound(self) -> dict[str, Any]:
        """The values of the statement that writes it."""
        if self.number is None:
            return {**self.values, "base": place_of(self.title_words, 0), "left": self.left}
        return {**self.values, "place": place_of(self.title_words, self.number)}


@frozen(kw_only=True)
class Turn:
    """What one unit of work appends to the log."""

    now: datetime
    more_authors: int
    more_books: int
    entries: Sequence[Mapping[str, Any]]
    """Rows of the log, whatever seq they have."""
    cards: Sequence[NewCard] = ()

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
