"""What clients say besides the details of records."""

from typing import Annotated
from uuid import UUID

from attrs import frozen

from catalog.domain.constraints import Doc


@frozen(kw_only=True)
class Reversion:
    """Where to go back to."""

    to_version: Annotated[int, Doc("the version whose content the record is to have again", example=1)]


@frozen(kw_only=True)
class Merge:
    """What to merge into."""

    into: Annotated[UUID, Doc("the record that is to stand for both")]
