"""The orders in which records are listed: by one key, then by id; what has no key comes last, in either direction."""

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from attrs import frozen

from .errors import InvalidValue

T = TypeVar("T")
Key = str | int | datetime | tuple[int, ...] | None
"""What records are ordered by; None where a record does not tell."""


@frozen
class Order:
    """One of the keys by which records can be ordered."""

    name: str
    kind: type[Any]
    key: Callable[[Any], Key]
    can_be_null: bool = False
    of_author: bool = False
    """Whether it is the author's key: the record has to come with the author."""


AUTHOR_ORDERS = {
    order.name: order
    for order in (
        Order("name", str, lambda author: author.sort_key),
        Order("created_at", datetime, lambda author: author.created_at),
        Order("updated_at", datetime, lambda author: author.updated_at),
    )
}
BOOK_ORDERS = {
    order.name: order
    for order in (
        Order("title", str, lambda book: book.sort_key),
        Order("author", str, lambda book: book.author and book.author.sort_key, can_be_null=True, of_author=True),
        Order("published", int, lambda book: book.published and book.published.first, can_be_null=True),
        Order("created_at", datetime, lambda book: book.created_at),
        Order("updated_at", datetime, lambda book: book.updated_at),
    )
}


RELEVANCE = Order("relevance", tuple, lambda _: None)
"""Best first; a search alone knows the key: the tier, the number of words of the title, and the number of the book."""


@frozen
class Sort:
    """An order and its direction."""

    order: Order
    is_descending: bool = False

    @property
    def is_by_relevance(self) -> bool:
        """Whether it is the order in which a search finds."""
        return self.order is RELEVANCE

    @classmethod
    def parse(cls, text: str, orders: Mapping[str, Order]) -> "Sort":
        """Return the order of that name, a minus before it for descending; raise InvalidValue."""
        name = text.removeprefix("-")
        if name not in orders:
            raise InvalidValue(f"must be one of {', '.join(orders)}, or one of these after a minus for descending")
        return cls(orders[name], text != name)

    def place_of(self, record: Any) -> "Place":
        """Return where the record stands."""
        return Place(self.order.key(record), record.id)

    def sorted(self, records: Sequence[T]) -> Sequence[T]:
        """Return the records in this order."""
        placed = [(self.place_of(record), record) for record in records]
        with_key = [each for each in placed if each[0].key is not None]
        without = [each for each in placed if each[0].key is None]
        return [
            record
            for part in (with_key, without)
            for _, record in sorted(part, key=lambda each: each[0].sortable, reverse=self.is_descending)
        ]

    def is_after(self, one: "Place", other: "Place") -> bool:
        """Whether one place comes after another."""
        if (one.key is None) != (other.key is None):
            return one.key is None
        return one.sortable < other.sortable if self.is_descending else one.sortable > other.sortable

    def index_from(self, listed: Sequence[Any], place: "Place") -> int:
        """Return the index of the first that does not come before the place."""
        return bisect_left(listed, True, key=lambda record: not self.is_after(place, self.place_of(record)))

    def index_after(self, listed: Sequence[Any], place: "Place") -> int:
        """Return the index of the first that comes after the place."""
        return bisect_left(listed, True, key=lambda record: self.is_after(self.place_of(record), place))


@frozen
class Place:
    """Where a record stands in a list: its key, and the id that settles ties."""

    key: Key
    id: UUID

    @property
    def sortable(self) -> tuple[Any, bytes]:
        """What places with keys are compared by, and places without."""
        return ("" if self.key is None else self.key), self.id.bytes
