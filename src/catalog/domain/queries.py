"""What can be asked of the catalogue, and how answers are paged."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from attrs import field, frozen, validators

from .authors import Author
from .constraints import Doc
from .kinds import Kind

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
    offset: Annotated[int, Doc("how many items come before this page", example=0)]
    total: Annotated[int, Doc("how many items the whole list has", example=107)]
    as_of: Annotated[Position, Doc("the last change that the list knows of; /changes?since= goes on from there")]

    @classmethod
    def of(cls, items: Sequence[ItemT], page: PageRequest, total: int, as_of: Position) -> "Page[ItemT]":
        """Return the items as that page of a list of `total` items."""
        return cls(items=items, limit=page.size, offset=page.offset, total=total, as_of=as_of)

    def map(self, function: Callable[[ItemT], OtherT]) -> "Page[OtherT]":
        """Return the page with the function applied to each item."""
        items = [function(item) for item in self.items]
        return Page(items=items, limit=self.limit, offset=self.offset, total=self.total, as_of=self.as_of)
