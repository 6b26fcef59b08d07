"""Everything the catalogue can refuse, as data: who speaks to people finds the words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from attrs import define, field

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
class DoesNotFit(InvalidValue):
    """Values that can be written, but do not go with the others of their record."""


@define(eq=False)
class NotFound(CatalogError):
    """No record of this kind has this id."""

    kind: Kind
    id: UUID


@define(eq=False)
class NeverRecorded(CatalogError):
    """No record of any kind has, or ever had, this id."""

    id: UUID

    def __str__(self) -> str:
        return f"no record has, or ever had, the id {self.id}"


@define(eq=False)
class Removed(CatalogError):
    """The record was there and was removed; it can be restored."""

    kind: Kind
    id: UUID
    at: datetime
    actor: str
    request_id: str | None


@define(eq=False)
class Merged(CatalogError):
    """The record was merged into another one, which stands for it."""

    kind: Kind
    id: UUID
    into: UUID


@define(eq=False)
class NotMerged(CatalogError):
    """A record that was not merged into another can not be unmerged."""

    kind: Kind
    id: UUID


@define(eq=False)
class VersionNotFound(CatalogError):
    """The log has no such version of the record; `newest` is the last it has."""

    kind: Kind
    id: UUID
    version: int
    newest: int


@define(eq=False)
class VersionIsRemoval(CatalogError):
    """At this version the record was gone, so it has no content to go back to."""

    kind: Kind
    id: UUID
    version: int


@define(eq=False)
class ContentWithheld(CatalogError):
    """The content of this version was dropped for good; `why` is `compacted` or `erased`."""

    kind: Kind
    id: UUID
    version: int
    why: str


@define(eq=False)
class UnmergeFirst(CatalogError):
    """A record that was merged into another one has no life of its own until the merge is taken back."""

    kind: Kind
    id: UUID
    into: UUID


class Obstacle(StrEnum):
    """Why one record can not be merged into another."""

    ITSELF = "itself"
    UNKNOWN = "unknown"
    OTHER_KIND = "other kind"
    REMOVED = "removed"
    MERGED = "merged"
    ELSEWHERE = "merged elsewhere"


@define(eq=False)
class NotMergeable(CatalogError):
    """One record can not be merged into another; `other` is the record that has to do with it, where there is one."""

    kind: Kind
    id: UUID
    into: UUID
    obstacle: Obstacle
    other: UUID | None = None


@define(eq=False)
class GroupNotFound(CatalogError):
    """The log knows no import run, merge or undo of that id."""

    group: UUID

    def __str__(self) -> str:
        return f"nothing in the log belongs to {self.group}; `catalog import` prints the id of each run"


@define(eq=False)
class SeqNotReached(CatalogError):
    """The log has not come that far."""

    seq: int
    last: int


@define(eq=False)
class KeyReused(CatalogError):
    """An idempotency key that was used for another request."""

    key: str


@define(eq=False)
class ReadOnlyReplica(CatalogError):
    """The storage follows another catalogue, and takes nothing but what that one sends."""

    source: str

    def __str__(self) -> str:
        return f"this is a replica of {self.source}; write there, and it comes here by itself"


@define(eq=False)
class CanNotFollow(CatalogError):
    """This storage can not follow that catalogue; `reason` says what to do."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@define(eq=False)
class SourceUnreachable(CatalogError):
    """The catalogue that is followed could not be reached, or did not answer as one; it may later."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@define(eq=False)
class AuthorNotYetBorn(CatalogError):
    """A date of birth in the future; `field` is where it says so."""

    field: str


@define(eq=False)
class UnknownAuthors(CatalogError):
    """A book refers to authors that the catalogue does not hold.

    `references` gives the place in the book (`("contributors", 1, "author_id")`) and the id, each; `merged` says
    into whom those were merged that were.
    """

    references: Sequence[tuple[tuple[str | int, ...], UUID]]
    merged: Mapping[UUID, UUID] = field(factory=dict[UUID, UUID])


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
class UnknownFormat(CatalogError):
    """A format that nothing here writes."""

    format: str
    known: Sequence[str]

    def __str__(self) -> str:
        return f"there is no format {self.format!r} to write; there are {', '.join(self.known)}"


@define(eq=False)
class UnreadableFile(CatalogError):
    """A file that can not be read as records; `reason` says what to do about it."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@define(eq=False)
class ImportNotFound(CatalogError):
    """No import has this id."""

    id: UUID

    def __str__(self) -> str:
        return f"there is no import with the id {self.id}"


@define(eq=False)
class ImportRunning(CatalogError):
    """An import that is not done yet can not be forgotten."""

    id: UUID

    def __str__(self) -> str:
        return f"the import {self.id} is not done yet; stop it first"


@define(eq=False)
class Interrupted(CatalogError):
    """Somebody else's write came between; the whole unit of work may be run again."""


@define(eq=False)
class StorageBusy(CatalogError):
    """The storage could not be had in time; nothing was written. Try again in `retry_after` seconds."""

    retry_after: int = 1

    def __str__(self) -> str:
        return "the storage could not be had in time; nothing was written"


@define(eq=False)
class OutcomeUnknown(CatalogError):
    """The storage was lost while it committed, so nobody knows whether the work was done.

    The same request with an idempotency key can be sent again, and is done once.
    """

    def __str__(self) -> str:
        return "the storage was lost at the last moment; the work may have been done, or not: look before trying again"


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
