"""What a database has to say about its index of words."""

from typing import Protocol

from sqlalchemy import Executable, FromClause

from catalog.domain.search import Condition

NUMBER_BITS = 53
"""The lower bits of a card's place: the seq of the book's first revision. The title's number of words is above them."""


class Words(Protocol):
    """The index of words on the cards."""

    def query(self, condition: Condition) -> str:
        """Return the condition in the words of the database."""
        ...

    @property
    def vocabulary(self) -> Executable:
        """The statement that finds the words there are from `first` on, and before `beyond`."""
        ...

    def matching(self, parameter: str) -> FromClause:
        """Return what selects the `place` of each card that fulfils the query which is bound to the parameter."""
        ...


def place_of(title_words: int, number: int) -> int:
    """Return the place of a card."""
    return title_words << NUMBER_BITS | number


def parts_of(place: int) -> tuple[int, int]:
    """Return the number of words and the number of the book."""
    return place >> NUMBER_BITS, place & ((1 << NUMBER_BITS) - 1)
