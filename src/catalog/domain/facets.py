"""Facets: how the books of a list are spread over languages, decades and authors."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from attrs import frozen

from .books import Book
from .constraints import Doc

MOST_VALUES = 20
"""Values that are told of one facet."""

YEARS = 10_000
"""By which a number of `PartialDate.first` has to be divided to be a year."""


class Facet(StrEnum):
    """What books can be counted by."""

    LANGUAGE = "language"
    DECADE = "decade"
    AUTHOR = "author"


@frozen(kw_only=True, slots=False)
class FacetCount:
    """One value, and how many books of the list have it."""

    value: Annotated[str, Doc("the value; of an author, the id; of a decade, its first year", example="eng")]
    count: Annotated[int, Doc("how many books of the list have it", example=42)]
    label: Annotated[str | None, Doc("what people call the value, where that is something else")] = None


def facet_counts(facet: Facet, books: Iterable[Book], names: Callable[[UUID], str]) -> Sequence[FacetCount]:
    """Return the most frequent values, of two that are as frequent the lesser first; `names` tells those of authors."""
    counts = Counter(value for book in books for value in _VALUES[facet](book))
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:MOST_VALUES]
    return [counted(facet, value, count, names(value) if facet is Facet.AUTHOR else None) for value, count in ordered]


def counted(facet: Facet, value: Any, count: int, name: str | None) -> FacetCount:
    """Return what is told of one value."""
    return FacetCount(value=str(value), count=count, label=name if facet is Facet.AUTHOR else None)


_VALUES: Mapping[Facet, Callable[[Book], Iterable[Any]]] = {
    Facet.LANGUAGE: lambda book: map(str, book.languages),
    Facet.DECADE: lambda book: () if book.published is None else (book.published.year // 10 * 10,),
    Facet.AUTHOR: lambda book: () if book.author_id is None else (book.author_id,),
}
