"""What can be asked of the catalogue, and how answers are paged."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from attrs import field, frozen, validators

from .constraints import Doc

ItemT = TypeVar("ItemT")
OtherT = TypeVar("OtherT")

PAGE_NUMBER_LIMIT = 2_147_483_647
PAGE_SIZE_LIMIT = 100


@frozen(kw_only=True)
class PageRequest:
    """One page of a list: the `number`-th (from 1) of pages that hold `size` items."""

    number: int = field(default=1, validator=[validators.ge(1), validators.le(PAGE_NUMBER_LIMIT)])
    size: int = field(default=10, validator=[validators.ge(1), validators.le(PAGE_SIZE_LIMIT)])

    @property
    def offset(self) -> int:
        """How many items come before the page."""
        return (self.number - 1) * self.size


@frozen(kw_only=True)
class AuthorQuery:
    """Authors, ordered by sort key, then id."""

    page: PageRequest = PageRequest()


@frozen(kw_only=True)
class BookQuery:
    """Books, ordered by sort key, then id; with `author_id`, those entered under that author."""

    page: PageRequest = PageRequest()
    author_id: UUID | None = None


@frozen(kw_only=True)
class Page(Generic[ItemT]):
    """A part of a list."""

    items: Annotated[Sequence[ItemT], Doc("the records, in a stable order")]
    limit: Annotated[int, Doc("how many items a page holds at most", example=10)]
    offset: Annotated[int, Doc("how many items come before this page", example=0)]
    total: Annotated[int, Doc("how many items the whole list has", example=107)]

    @classmethod
    def of(cls, items: Sequence[ItemT], page: PageRequest, total: int) -> "Page[ItemT]":
        """Return the items as that page of a list of `total` items."""
        return cls(items=items, limit=page.size, offset=page.offset, total=total)

    def map(self, function: Callable[[ItemT], OtherT]) -> "Page[OtherT]":
        """Return the page with the function applied to each item."""
        return Page(items=[function(i) for i in self.items], limit=self.limit, offset=self.offset, total=self.total)
