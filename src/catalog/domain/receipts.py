"""What was written for a request that may come again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from attrs import frozen

from .constraints import Doc
from .kinds import Kind

ShownT = TypeVar("ShownT")


@frozen(kw_only=True)
class LeftAlone:
    """A record that an undo did not touch, or not in every respect."""

    kind: Annotated[Kind, Doc("what the record is about")]
    id: Annotated[UUID, Doc("the id of the record")]
    reason: Annotated[str, Doc("why", example="somebody has changed it since")]


@frozen(kw_only=True, slots=False)
class Unmerged(Generic[ShownT]):
    """What came of taking a merge back."""

    record: Annotated[ShownT, Doc("the record that had been merged, restored")]
    left_alone: Annotated[Sequence[LeftAlone], Doc("what no longer stands as the merge left it, and was not touched")]


@frozen(kw_only=True)
class Receipt:
    """Tells an idempotent request that comes again: its key and fingerprint, and which version of what it wrote.

    No content: what is shown again is rendered from the log. `seq` is how far that had come before the request, which
    tells how the author of a book was shown that the request left as it was.
    """

    actor: str
    key: str
    fingerprint: str
    kind: Kind
    id: UUID
    version: int
    seq: int
    status: int
    left_alone: tuple[LeftAlone, ...] = ()
    is_unmerge: bool = False
    at: datetime
