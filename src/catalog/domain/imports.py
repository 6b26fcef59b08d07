"""Imports: what becomes of each record, and imports that are asked for and done later."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from attrs import evolve, frozen

from .callers import Caller
from .constraints import Doc
from .sources import Entry


class Status(StrEnum):
    """How a record of a file ended."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


class OnDuplicate(StrEnum):
    """What becomes of a record whose book the catalogue has already."""

    FILL_EMPTY = "fill-empty"
    """What the book leaves empty is filled; whatever it says stays, for somebody may have edited it."""
    UPDATE = "update"
    """Whatever the record says takes the place of what the book says; what it leaves empty stays."""
    SKIP = "skip"
    """The book is left as it is."""
    ADD = "add"
    """Another book is made, unless this very record was imported before."""


@frozen(kw_only=True)
class Outcome:
    """What became of one record of a file."""

    entry: Entry
    status: Status
    book_id: UUID | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    """The fields of which the book says something else than the record, and was left as it is."""


@frozen(kw_only=True, slots=False)
class ReportLine:
    """What became of one record of a file, as it is reported."""

    file: Annotated[str, Doc("the file that the record is in", example="books.mrc")]
    line: Annotated[int, Doc("where in the file it stands: a line, or which record it is", example=1)]
    key: Annotated[str, Doc("the key that its source gives it", example="ocm12345678")]
    status: Annotated[Status, Doc("how it ended")]
    book_id: Annotated[UUID | None, Doc("the book that it is now; null where there is none, or only would be")]
    reason: Annotated[str, Doc("why, or what of the book it changed", example="has no title")]
    warnings: Annotated[tuple[str, ...], Doc("what could not be taken over as it is")]

    @classmethod
    def of(cls, outcome: Outcome, file: str) -> "ReportLine":
        """Return what is reported of an outcome."""
        return cls(
            file=file,
            line=outcome.entry.line,
            key=outcome.entry.key.encode("utf-8", "replace").decode(),
            status=outcome.status,
            book_id=outcome.book_id,
            reason=outcome.reason,
            warnings=outcome.warnings,
        )


class ImportState(StrEnum):
    """How far an import has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """Somebody stopped it; what was in by then stays in."""
    FAILED = "failed"
    """It could not go on; what was in by then stays in."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self in (ImportState.DONE, ImportState.STOPPED, ImportState.FAILED)


@frozen(kw_only=True, slots=False)
class ImportFile:
    """One file of an import."""

    name: Annotated[str, Doc("what whoever sent it calls it", example="books.mrc")]
    format: Annotated[str, Doc("its format", example="marc")]
    bytes: Annotated[int, Doc("its size as it was sent", example=1_048_576)] = 0
    sha256: Annotated[str, Doc("the SHA-256 of what was sent, in hexadecimal digits")] = ""


@frozen(kw_only=True, slots=False)
class ImportOptions:
    """How somebody wants files to be imported."""

    format: Annotated[str | None, Doc("the format of the files; null where they tell it themselves")] = None
    source: Annotated[str | None, Doc("the name of their source; null where it is that of the file")] = None
    on_duplicate: Annotated[OnDuplicate, Doc("what becomes of a book that is there")] = OnDuplicate.FILL_EMPTY
    dry_run: Annotated[bool, Doc("whether it only says what a run would do")] = False
    stop_on_error: Annotated[bool, Doc("whether it ends with the first record that is refused")] = False
    map: Annotated[str | None, Doc("which column of a CSV file says what", example="title=Titel,authors=Von")] = None
    separator: Annotated[str, Doc("what stands between names or languages, with `map`")] = "; "
    encoding: Annotated[str, Doc("the encoding of CSV files")] = "utf-8"


@frozen(kw_only=True, slots=False)
class ImportJob:
    """An import that somebody asked for: what is to be done, and how far that is.

    What it does belongs to the group of its id, and `catalog undo` takes it back under it.
    """

    id: Annotated[UUID, Doc("tells the import; its changes have it as their `group`")]
    state: Annotated[ImportState, Doc("how far it has come")] = ImportState.WAITING
    files: Annotated[tuple[ImportFile, ...], Doc("its files, in the order in which they are read")]
    options: Annotated[ImportOptions, Doc("how they are imported")] = ImportOptions()
    created_at: Annotated[datetime, Doc("when it was asked for (UTC)")]
    started_at: Annotated[datetime | None, Doc("when its first record was read")] = None
    ended_at: Annotated[datetime | None, Doc("when it was done, stopped or failed")] = None
    bytes_read: Annotated[int, Doc("how much of the files was read; together they have the sum of their `bytes`")] = 0
    records: Annotated[int, Doc("how many records were read")] = 0
    created: Annotated[int, Doc("how many of them are new books")] = 0
    updated: Annotated[int, Doc("how many changed a book that was there")] = 0
    unchanged: Annotated[int, Doc("how many were there already")] = 0
    refused: Annotated[int, Doc("how many could not become books")] = 0
    with_warnings: Annotated[int, Doc("how many were not taken over as they are")] = 0
    seq: Annotated[int, Doc("how far the log had come with the last of them")] = 0
    error: Annotated[str | None, Doc("why it failed, and what to do")] = None
    actor: Annotated[str, Doc("who asked for it", example="anonymous")]
    request_id: Annotated[str | None, Doc("the request that asked for it")]

    @property
    def caller(self) -> Caller:
        """On whose behalf it is done."""
        return Caller(actor=self.actor, request_id=self.request_id)

    @property
    def bytes(self) -> int:
        """How large the files are together."""
        return sum(file.bytes for file in self.files)

    def from_the_beginning(self, seq: int) -> "ImportJob":
        """Return the job with nothing done; the log had come to seq."""
        return evolve(
            self, bytes_read=0, records=0, created=0, updated=0, unchanged=0, refused=0, with_warnings=0, seq=seq
        )

    def counting(self, lines: Iterable[ReportLine], *, bytes_read: int, seq: int) -> "ImportJob":
        """Return the job with these records done, too."""
        counts = {status: getattr(self, status.value) for status in Status}
        number = with_warnings = 0
        for line in lines:
            counts[line.status] += 1
            number += 1
            with_warnings += bool(line.warnings)
        return evolve(
            self,
            records=self.records + number,
            with_warnings=self.with_warnings + with_warnings,
            bytes_read=bytes_read,
            seq=seq,
            **{status.value: count for status, count in counts.items()},
        )


@frozen(kw_only=True, slots=False)
class ImportPage:
    """A page of the imports that were asked for."""

    items: Annotated[Sequence[ImportJob], Doc("the imports, newest first")]
    limit: Annotated[int, Doc("how many items a page holds at most", example=10)]
    offset: Annotated[int, Doc("how many items come before this page", example=0)]
    total: Annotated[int, Doc("how many imports there are", example=3)]


@frozen(kw_only=True)
class Chunk:
    """Some records of one file of an import, read one after the other."""

    file: ImportFile
    entries: Sequence[Entry]
    bytes_read: int
    """How many bytes of all files were read by then."""
    unreadable: str = ""
    """Why nothing more comes of this file, where it is damaged."""


@frozen(kw_only=True)
class ReportPart:
    """A part of the report of an import."""

    lines: Sequence[ReportLine]
    place: int
    """Where the report goes on."""
    is_end: bool
    """Whether that is all there is by now."""
