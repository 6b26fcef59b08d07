"""Everything the catalogue can refuse, as data: who speaks to people finds the words."""

from collections.abc import Sequence
from uuid import UUID

from attrs import define

from .kinds import Kind


class CatalogError(Exception):
    """Any refusal of the catalogue."""


@define(eq=False)
class InvalidValue(CatalogError, ValueError):
    """A value that can not be written; `rule` completes the sentence "The value …"."""

    rule: str

    def __str__(self) -> str:
        return self.rule


@define(eq=False)
class NotFound(CatalogError):
    """No record of this kind has this id."""

    kind: Kind
    id: UUID


@define(eq=False)
class AuthorNotYetBorn(CatalogError):
    """A date of birth in the future."""


@define(eq=False)
class UnknownAuthors(CatalogError):
    """A book refers to authors that the catalogue does not hold.

    `references` gives the place in the book (`("contributors", 1, "author_id")`) and the id, each.
    """

    references: Sequence[tuple[tuple[str | int, ...], UUID]]


@define(eq=False)
class AuthorHasBooks(CatalogError):
    """An author who is named by books, as main entry or contributor, can not be removed."""

    id: UUID
    books: int


@define(eq=False)
class StaleVersion(CatalogError):
    """The caller knows another version of the record than the one that stands."""

    kind: Kind
    id: UUID
    current: int


@define(eq=False)
class UnreadableFile(CatalogError):
    """A file that can not be read as records; `reason` says what to do about it."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@define(eq=False)
class Interrupted(CatalogError):
    """Somebody else's write came between; the whole unit of work may be run again."""


@define(eq=False)
class StorageBusy(CatalogError):
    """The storage could not be had in time; nothing was written. Try again in `retry_after` seconds."""

    retry_after: int = 1


@define(eq=False)
class StorageFull(CatalogError):
    """The storage takes no more data; nothing was written."""

    def __str__(self) -> str:
        return "the storage is full; make room, and try again"


@define(eq=False)
class StorageFailed(CatalogError):
    """The storage failed in a way that nobody foresaw: a bug, or a damage; the cause is its `__cause__`."""

    def __str__(self) -> str:
        return f"the storage failed: {self.__cause__}"


@define(eq=False)
class StorageUnavailable(CatalogError):
    """The storage can not be used at all, for a reason that its operator can mend."""

    reason: str

    def __str__(self) -> str:
        return self.reason
