"""What can be asked of the catalogue, and how answers are paged."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from attrs import evolve, field, frozen, validators

from .authors import Author
from .books import BookDetails, BookRecord
from .constraints import Doc
from .cursors import Cursor
from .facets import Facet, FacetCount
from .filters import Filter, of_field
from .kinds import Kind
from .orders import AUTHOR_ORDERS, BOOK_ORDERS, RELEVANCE, Order, Place, Sort
from .search import Search

ItemT = TypeVar("ItemT")
OtherT = TypeVar("OtherT")

PAGE_NUMBER_LIMIT = 2_147_483_647
PAGE_SIZE_LIMIT = 100
CHANGES_LIMIT = 1000
SEQ_LIMIT = 2**53 - 1
"""What every JSON reader takes for a whole number (RFC 8259, section 6)."""


@frozen(kw_only=True)
class PageRequest:
    """One page of a list: the `number`-th (from 1) of pages that hold `size` items."""

    number: int = field(default=1, validator=[validators.ge(1), validators.le(PAGE_NUMBER_LIMIT)])
    size: int = field(default=10, validator=[validators.ge(1), validators.le(PAGE_SIZE_LIMIT)])

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.number - 1) * self.size


@frozen(kw_only=True, slots=False)
class ListQuery:
    """A part of a list of records: a page, or what follows a place in it.

    With `cursor`, the list is walked: "" begins, and the cursors of each answer lead on and back. The page then only
    says how many items to tell.
    """

    ORDERS: ClassVar[Mapping[str, Order]]
    RECORD: ClassVar[type[Any]]

    page: PageRequest = PageRequest()
    sort: Sort | None = None
    filters: tuple[Filter, ...] = ()
    cursor: str | None = None
    count: bool = True

    @property
    def usual_sort(self) -> Sort:
        """The order of the list unless another one is asked for."""
        return Sort(next(iter(self.ORDERS.values())))

    @property
    def sorted_by(self) -> Sort:
        """The order of the list."""
        return self.sort or self.usual_sort

    @cached_property
    def digest(self) -> str:
        """What tells the list from others: cursors of one are of no use in another."""
        return blake2b(repr((self.RECORD.__name__, *self._asked())).encode(), digest_size=6).hexdigest()

    def _asked(self) -> tuple[object, ...]:
        sort = self.sorted_by
        filters = sorted((f.field.name, f.operator.value, repr(f.value)) for f in self.filters)
        return sort.order.name, sort.is_descending, filters

    @property
    def start(self) -> Cursor | None:
        """Where to go on from; None for a page, and for the beginning of a walk. Raises InvalidValue."""
        return Cursor.read(self.cursor, self.digest, self.sorted_by.order) if self.cursor else None

    def at(self, place: Place, *, is_backwards: bool = False) -> str:
        """Return the cursor that goes on from the place, or back."""
        return Cursor(place, is_backwards).written(self.digest)


@frozen(kw_only=True, slots=False)
class AuthorQuery(ListQuery):
    """Authors, ordered by name unless told otherwise."""

    ORDERS = AUTHOR_ORDERS
    RECORD = Author


class Include(StrEnum):
    """What a list of books can bring along, which clients would have to ask for one by one."""

    CONTRIBUTORS = "contributors"


@frozen(kw_only=True, slots=False)
class BookQuery(ListQuery):
    """Books, ordered by title unless told otherwise; what a search finds, by relevance."""

    ORDERS = BOOK_ORDERS
    RECORD = BookRecord

    search: Search | None = None
    facets: tuple[Facet, ...] = ()
    includes: tuple[Include, ...] = ()

    @property
    def usual_sort(self) -> Sort:
        """The order of the list unless another one is asked for."""
        return Sort(RELEVANCE) if self.search is not None else super().usual_sort

    def finds_nothing(self, page: "Page[Any]") -> bool:
        """Whether the page, which is an answer to this, says that there is nothing at all."""
        is_first = self.page.number == 1 if self.cursor is None else self.cursor == ""
        return is_first and not page.items

    def _asked(self) -> tuple[object, ...]:
        return *super()._asked(), None if self.search is None else str(self.search)


def contributors_of(books: Iterable[BookDetails]) -> Sequence[UUID]:
    """Return the ids of all whom the books name as contributors, each once, in order."""
    return sorted({each.author_id for book in books for each in book.contributors}, key=lambda each: each.bytes)


def entered_under(author_id: UUID) -> Filter:
    """Return the condition that a book is entered under that author."""
    return of_field(BookRecord, "author_id", author_id)


@frozen(kw_only=True)
class RevisionQuery:
    """What happened to one record, newest first."""

    kind: Kind
    id: UUID
    page: PageRequest = PageRequest()


@frozen(kw_only=True)
class ChangeQuery:
    """What happened after the revision `since`, in order; with `kind`, to records of that kind."""

    since: int = field(default=0, validator=[validators.ge(0), validators.le(SEQ_LIMIT)])
    kind: Kind | None = None
    limit: int = field(default=100, validator=[validators.ge(1), validators.le(CHANGES_LIMIT)])


@frozen(kw_only=True, slots=False)
class Position:
    """How far the log has come. A list that is as of one seq is kept up to date by the changes since."""

    seq: Annotated[int, Doc("the seq of the last revision; 0 before the first", example=213)] = 0
    at: Annotated[datetime | None, Doc("when that was written (UTC); null before the first")] = None


@frozen(kw_only=True, slots=False)
class Candidates:
    """Authors whose names are the same once folded: perhaps one author, perhaps not."""

    name: Annotated[str, Doc("the name, folded (its first 250 characters)", example="jane austen")]
    authors: Annotated[Sequence[Author], Doc("who has it, in the order of their ids")]


@frozen(kw_only=True, slots=False)
class Page(Generic[ItemT]):
    """A part of a list."""

    items: Annotated[Sequence[ItemT], Doc("the records, in a stable order")]
    limit: Annotated[int, Doc("how many items a page holds at most", example=10)]
    offset: Annotated[int | None, Doc("how many items come before this page; null in a walk", example=0)]
    total: Annotated[int | None, Doc("how many items the whole list has; null where nobody counted", example=107)]
    as_of: Annotated[Position, Doc("the last change that the list knows of; /changes?since= goes on from there")]
    next: Annotated[str | None, Doc("where the list goes on; null at its end")] = None
    prev: Annotated[str | None, Doc("where what comes before is; null at the beginning")] = None
    facets: Annotated[
        Mapping[str, Sequence[FacetCount]] | None,
        Doc("how the books of the list are spread, where that was asked"),
    ] = None
    did_you_mean: Annotated[
        str | None, Doc("where a search finds nothing: one that finds something, of words that the catalogue has")
    ] = None
    highlights: Annotated[
        Sequence[Mapping[str, Sequence[tuple[int, int]]]] | None,
        Doc("item by item, where its fields show what was searched for: from one code point to before another"),
    ] = None
    included: Annotated[
        Mapping[str, Author] | None,
        Doc("the authors that the items name as contributors, by id, where that was asked"),
    ] = None

    @classmethod
    def of(cls, items: Sequence[ItemT], page: PageRequest, total: int, as_of: Position) -> "Page[ItemT]":
        """Return the items as that page of a list of `total` items."""
        return cls(items=items, limit=page.size, offset=page.offset, total=total, as_of=as_of)

    def map(self, function: Callable[[ItemT], OtherT]) -> "Page[OtherT]":
        """Return the page with the function applied to each item."""
        items: Any = [function(item) for item in self.items]
        return evolve(self, items=items)  # type: ignore[return-value]  # evolve knows one kind of item
