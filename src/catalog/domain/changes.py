"""What a unit of work did, in order."""

from enum import StrEnum

from attrs import frozen

from .authors import Author
from .books import Book


class Operation(StrEnum):
    """What can happen to a record."""

    CREATE = "create"
    REVISE = "revise"
    REMOVE = "remove"


@frozen
class Change:
    """One thing that happened to one record; for a removal, `record` is what it was."""

    operation: Operation
    record: Author | Book
