"""The order in which found books are listed."""

from .fields import Indexed
from .query import Search


def rank(search: Search, indexed: Indexed, number: int) -> tuple[int, int, int] | None:
    """Return the place of a book among those found, the least first; None where it is not found.

    The best tier comes first (from 0), then the shortest title, so that an exact title leads, then the book that was
    catalogued first: `number` is its place in that order.
    """
    if not search.condition.holds(indexed):
        return None
    *better, _ = search.tiers
    tier = next((place for place, condition in enumerate(better) if condition.holds(indexed)), len(better))
    return tier, indexed.title_words, number
