"""The log: whatever happens to a record is one revision, and the last one says how the record stands."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from attrs import evolve, fields_dict, frozen

from .authors import Author, AuthorDetails
from .books import Book
from .callers import Caller
from .constraints import Doc
from .errors import CatalogError, ContentWithheld, Merged, NotFound, Removed, VersionIsRemoval
from .kinds import Kind
from .records import told


class Operation(StrEnum):
    """What can happen to a record."""

    CREATE = "create"
    REVISE = "revise"
    REMOVE = "remove"
    RESTORE = "restore"
    MERGE = "merge"
    UNMERGE = "unmerge"
    REVERT = "revert"


class Withheld(StrEnum):
    """Why a content that there was is not told any more."""

    COMPACTED = "compacted"
    ERASED = "erased"


PROMOTED = "this storage follows another catalogue by now, or none; `catalog follow` makes it a replica again"


@frozen(kw_only=True)
class Change:
    """What a unit of work did to one record, as `Revision` says it."""

    kind: Kind
    id: UUID
    version: int
    operation: Operation
    at: datetime
    after: Author | Book | None = None
    into: UUID | None = None
    withheld: Withheld | None = None

    @classmethod
    def leading_to(cls, record: Author | Book, operation: Operation, at: datetime | None = None) -> "Change":
        """Return the change that left the record standing as it is; `at` is when, if not as the record says."""
        return cls(
            kind=record.KIND,
            id=record.id,
            version=record.version,
            operation=operation,
            at=at or record.updated_at,
            after=record,
        )

    @classmethod
    def taking(cls, record: Author | Book, operation: Operation, *, at: datetime, into: UUID | None = None) -> "Change":
        """Return the change that takes the record away; `into` names the record that stands for it from now on."""
        return cls(kind=record.KIND, id=record.id, version=record.version + 1, operation=operation, at=at, into=into)


def redirected(last: "Revision", operation: Operation, *, into: UUID | None, at: datetime) -> Change:
    """Return the change that leads a record that is gone to another one, or to none."""
    return Change(kind=last.kind, id=last.id, version=last.version + 1, operation=operation, into=into, at=at)


@frozen(kw_only=True, slots=False)
class Revision:
    """One entry of the log: what happened to one record, and how it stood afterwards."""

    seq: Annotated[int, Doc("its number in the log, from 1, without gaps, in the order of commits", example=1)]
    kind: Annotated[Kind, Doc("what the record is about")]
    id: Annotated[UUID, Doc("the id of the record")]
    version: Annotated[int, Doc("the version of the record after it", example=1)]
    operation: Annotated[Operation, Doc("what happened")]
    actor: Annotated[str, Doc("who did it", example="anonymous")]
    request_id: Annotated[str | None, Doc("the request that did it")]
    group: Annotated[UUID | None, Doc("the import run, merge or undo that it was part of")]
    into: Annotated[UUID | None, Doc("where the record was merged into another, the id of that")]
    after: Annotated[
        Author | Book | None,
        Doc("the record as it stood then, without the embedded author; null when it is gone"),
    ]
    withheld: Annotated[Withheld | None, Doc("why `after` is not told any more, although there was something to tell")]
    at: Annotated[datetime, Doc("when it happened (UTC)")]

    @classmethod
    def of(cls, change: Change, *, seq: int, caller: Caller, group: UUID | None) -> "Revision":
        """Return the entry that the log gets for a change."""
        return cls(seq=seq, actor=caller.actor, request_id=caller.request_id, group=group, **told(change))

    @property
    def change(self) -> Change:
        """What happened to the record."""
        return Change(**{name: getattr(self, name) for name in fields_dict(Change)})

    @property
    def stands(self) -> bool:
        """Whether the record was there afterwards."""
        return self.operation is not Operation.REMOVE and self.into is None

    def telling(self, after: Author | Book) -> Self:
        """Return the revision with that content."""
        return evolve(self, after=after)

    @property
    def version_before(self) -> int | None:
        """The version that this one followed; None where it was the first that the log knows."""
        return None if self.operation is Operation.CREATE else self.version - 1

    @property
    def content(self) -> Author | Book:
        """The record as it stood; raises ContentWithheld, or VersionIsRemoval where it was gone."""
        after = self.must_be_told().after
        if after is None:
            raise VersionIsRemoval(self.kind, self.id, self.version)
        return after

    def must_be_told(self) -> Self:
        """Return the revision, with all it had to say; raise ContentWithheld."""
        if self.withheld is not None:
            raise ContentWithheld(self.kind, self.id, self.version, self.withheld)
        return self


def absence(kind: Kind, id: UUID, last: Revision | None) -> CatalogError:
    """Return why there is no such record, by the last revision of its id."""
    if last is None or last.kind is not kind:
        return NotFound(kind, id)
    if last.into is not None:
        return Merged(kind, id, last.into)
    return Removed(kind, id, at=last.at, actor=last.actor, request_id=last.request_id)


@frozen(kw_only=True, slots=False)
class Difference:
    """One field that two versions of a record say differently."""

    field: Annotated[str, Doc("the name of the field", example="title")]
    before: Annotated[Any, Doc("what the earlier version says; null where it says nothing")]
    after: Annotated[Any, Doc("what the later version says; null where it says nothing")]


@frozen(kw_only=True, slots=False)
class Comparison:
    """What a version of a record says otherwise than an earlier one."""

    earlier: Annotated[int | None, Doc("the earlier version; null for before the record was made", example=1)]
    later: Annotated[int, Doc("the later version", example=2)]
    differences: Annotated[Sequence[Difference], Doc("the fields that differ")]

    @classmethod
    def of(cls, earlier: Revision | None, later: Revision) -> Self:
        """Compare two revisions of a record; raise ContentWithheld."""
        before = None if earlier is None else earlier.must_be_told().after
        return cls(
            earlier=None if earlier is None else earlier.version,
            later=later.version,
            differences=differences(before, later.must_be_told().after),
        )


def differences(before: Author | Book | None, after: Author | Book | None) -> list[Difference]:
    """Return what differs; nothing stands for a record that is gone, and says null everywhere."""
    earlier, later = _said(before), _said(after)
    return [
        Difference(field=name, before=earlier.get(name), after=later.get(name))
        for name in {**earlier, **later}
        if earlier.get(name) != later.get(name) and not {earlier.get(name), later.get(name)} <= {None, ()}
    ]


def edited_since(history: Sequence[Revision], since: datetime) -> AbstractSet[str]:
    """Return the fields of an author that somebody has edited after that time; `history` tells the newest first.

    What an import has brought is no edit. Where the log does not tell any more what an edit was, it may have been all.
    """
    everything = fields_dict(AuthorDetails).keys()
    edited: set[str] = set()
    before: Author | Book | None = None
    for revision in reversed(history):
        after, is_first = revision.after, revision.operation is Operation.CREATE
        is_imported = revision.operation is Operation.REVISE and revision.group is not None
        if is_first and revision.version > 1 and after is not None and after.updated_at > since:
            return everything  # it was edited in another catalogue
        if revision.at > since and not is_first and not is_imported:
            if revision.withheld is not None or (before is None and after is not None):
                return everything
            if after is not None:
                edited |= {difference.field for difference in differences(before, after)}
        before = after or (None if revision.withheld is not None else before)
    return edited


def _said(record: Author | Book | None) -> Mapping[str, Any]:
    """Return what a record says of its subject, and not of itself."""
    if record is None:
        return {}
    of_itself = {"id", "version", "created_at", "updated_at"}
    return {name: value for name, value in told(record).items() if name not in of_itself}
