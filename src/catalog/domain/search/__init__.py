"""Search: what is found, in which order, and what was perhaps meant. Every storage answers from what is said here.

A storage keeps `Indexed` and translates `Search.condition` and `Search.tiers`, or evaluates them.
"""

from .conditions import AllOf, AndNot, AnyOf, Condition, Phrase, any_of
from .corrections import Count, Slice, corrected
from .fields import Indexed, SearchField
from .highlights import highlights, marked
from .query import LONGEST_QUERY, MOST_BEGINNINGS, MOST_TERMS, Search
from .ranking import rank

__all__ = [
    "LONGEST_QUERY",
    "MOST_BEGINNINGS",
    "MOST_TERMS",
    "AllOf",
    "AndNot",
    "AnyOf",
    "Condition",
    "Count",
    "Indexed",
    "Phrase",
    "Search",
    "SearchField",
    "Slice",
    "any_of",
    "corrected",
    "highlights",
    "marked",
    "rank",
]
