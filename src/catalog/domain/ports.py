"""What the core needs from outside, in its own terms.

Whoever implements them promises what `catalog.testing.suite` checks.
"""

from collections.abc import AsyncGenerator, Collection, Generator, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, Protocol, TypeVar, runtime_checkable
from uuid import UUID

from attrs import frozen

from .authors import Author
from .books import Book, BookRecord, SourceKey, SourceRecord
from .callers import Caller, IdempotentRequest
from .exports import Exported
from .identifiers import Number
from .imports import Chunk, ImportJob, ImportPage, ReportLine, ReportPart, Status
from .kinds import Kind
from .queries import AuthorQuery, BookQuery, Candidates, ChangeQuery, Page, PageRequest, Position, RevisionQuery
from .receipts import Receipt
from .revisions import Change, Operation, Revision
from .sources import Entry
from .values import Isbn

RecordT = TypeVar("RecordT", Author, Book)


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the time in UTC, with its zone."""
        ...


class IdGenerator(Protocol):
    """Makes ids."""

    def new(self) -> UUID:
        """Return an id never returned before: UUID version 7 (RFC 9562), so that later ones sort later."""
        ...


class Repository(Protocol[RecordT]):
    """Records of one kind, for writing. Whatever is written here is a change that the log gets at commit."""

    async def get(self, id: UUID) -> RecordT:
        """Return the record; raise NotFound, Removed or Merged."""
        ...

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, RecordT]:
        """Return those of the records that there are, by id."""
        ...

    async def add(self, *records: RecordT, operation: Operation = Operation.CREATE, at: datetime | None = None) -> None:
        """Add records that are not there; `at` is when, if not when their content last changed."""
        ...

    async def replace(self, *records: RecordT, operation: Operation = Operation.REVISE) -> None:
        """Put each record in the place of its version before; raise Interrupted if that does not stand."""
        ...

    async def remove(
        self, *records: RecordT, at: datetime, operation: Operation = Operation.REMOVE, into: UUID | None = None
    ) -> None:
        """Take the records away; raise Interrupted if one does not stand at this version.

        `into` is the record into which they are merged. The log counts the removal as their next version.
        """
        ...


class AuthorRepository(Repository[Author], Protocol):
    """Authors, for writing."""

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        """Return all authors whose folded name is among the names."""
        ...

    async def find_by_numbers(self, numbers: Collection[Number]) -> Sequence[Author]:
        """Return all authors of whom one of these is a valid identifier."""
        ...


class BookRepository(Repository[Book], Protocol):
    """Books, for writing. The authors they name must be there, and no two may have a source in common."""

    async def find_by_sources(self, sources: Collection[SourceKey]) -> Mapping[SourceKey, Book]:
        """Return the books that came from these records, for those that did."""
        ...

    async def find_by_isbns(self, isbns: Collection[tuple[Isbn, str | None]]) -> Sequence[Book]:
        """Return all books of which one of these is a valid ISBN.

        Beside each stands the name of a source, or None: books that have a record of that source are not meant by it.
        """
        ...

    async def find_naming(self, author_id: UUID) -> Sequence[Book]:
        """Return the books that name the author, as main entry or contributor, in the order of their ids."""
        ...

    async def count_naming(self, author_id: UUID) -> int:
        """Return how many books name the author, as main entry or contributor."""
        ...


class RevisionLog(Protocol):
    """The log, inside a unit of work: it knows what was committed before, not what this unit did."""

    async def position(self) -> int:
        """Return the seq of the last revision; 0 before the first."""
        ...

    async def source(self) -> str | None:
        """Return whom the storage follows, if anybody."""
        ...

    async def last(self, kind: Kind, ids: Collection[UUID]) -> Mapping[UUID, Revision]:
        """Return the last revision of each record that there is or was."""
        ...

    async def versions(self, kind: Kind, versions: Mapping[UUID, int]) -> Mapping[UUID, Revision]:
        """Return what made that version of each record, for those that are known."""
        ...

    async def as_of(self, kind: Kind, id: UUID, seq: int) -> Revision | None:
        """Return the last revision of the record that is not after seq."""
        ...

    async def of_group(self, group: UUID, *, before: int | None = None, limit: int = 1000) -> Sequence[Revision]:
        """Return what belongs to the group, newest first; with `before`, only what has a smaller seq."""
        ...

    async def merged_into(self, kind: Kind, id: UUID) -> Sequence[Revision]:
        """Return the last revisions of the records that redirect to this one, in order."""
        ...

    async def append(self, *changes: Change) -> None:
        """Note changes of records that are gone, and stay so; the commit writes them and gives them their seq."""
        ...

    async def replay(self, *revisions: Revision, source: str) -> None:
        """Write revisions of another catalogue as they are, seq included; they stand for all changes of this unit.

        Without any, the storage takes changes from that source only, from now on. With some, the first must follow the
        last that the log has; raises Interrupted if not, and CanNotFollow where the storage follows another source, or
        nobody any more.
        """
        ...

    async def erase(self, kind: Kind, id: UUID) -> None:
        """Empty all contents of the record, for good."""
        ...

    async def compact(self, *, before: datetime, after_seq: int, limit: int) -> tuple[int, int | None]:
        """Drop contents that had been succeeded before that time, looking at `limit` revisions after a seq.

        Returns how many were dropped, and the seq to go on from; None when the end is reached.
        """
        ...


class ReceiptRepository(Protocol):
    """What was written for requests that may come again."""

    async def find(self, actor: str, key: str, *, since: datetime) -> Receipt | None:
        """Return the receipt for the key, unless it is older."""
        ...

    async def add(self, receipt: Receipt, /, *, forget_before: datetime) -> None:
        """Keep the receipt, and forget older ones."""
        ...


class RecordReader(Protocol):
    """Reads one file format."""

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each record says, in order and one by one; raise UnreadableFile where there are no records.

        A record that can not be understood is yielded as refused, and the next one is read.
        """
        ...


class RecordWriter(Protocol):
    """Writes one file of one format, piece by piece; the pieces, put together, are the file."""

    @property
    def tells_authors(self) -> bool:
        """Whether authors have records of their own; else they are told with their books, and `author` is not asked."""
        ...

    @property
    def wants_sources(self) -> bool:
        """Whether it has use for the records that books came from."""
        ...

    def head(self) -> bytes:
        """Return how the file begins."""
        ...

    def author(self, author: Author, /) -> bytes:
        """Return the record of an author."""
        ...

    def book(self, exported: Exported, /) -> bytes:
        """Return the record of a book."""
        ...

    def tail(self) -> bytes:
        """Return how the file ends."""
        ...


class ImportReader(Protocol):
    """Reads the files of an import."""

    def read(self, job: ImportJob, files: Sequence[BinaryIO], /, *, records: int) -> AsyncGenerator[Chunk]:
        """Yield the records of the files, some at a time, without those that come first.

        `records` is how many these are. Of a file that can not be read to its end, the last chunk says why; the next
        file is read.
        """
        ...


class Upload(Protocol):
    """Files of an import, while they are received."""

    async def begin(self, name: str) -> None:
        """Begin the next file."""
        ...

    async def write(self, some: bytes) -> None:
        """Add some of what the file holds; raise StorageFull."""
        ...

    async def keep(self, job: ImportJob, key: IdempotentRequest | None, *, since: datetime) -> ImportJob:
        """Make the files and the job durable; return it: from now on it waits to be done, and the key tells it again.

        Where the same request has come to its end meanwhile, not before `since`, nothing is kept, and what is returned
        is the import of that one. Raises KeyReused where another one has the key by then.
        """
        ...


class ImportQueue(Protocol):
    """The imports that were asked for: their files until these are read, and what became of each record.

    Several processes may use one queue.
    """

    def receive(self, id: UUID) -> AbstractAsyncContextManager[Upload]:
        """Receive the files of an import; what is not kept by the end is gone."""
        ...

    async def get(self, id: UUID) -> ImportJob:
        """Return the import; raise ImportNotFound."""
        ...

    async def asked_before(self, actor: str, key: IdempotentRequest, *, since: datetime) -> ImportJob | None:
        """Return the import that the actor asked for with that key, if not before `since`; raise KeyReused."""
        ...

    async def page(self, page: PageRequest) -> ImportPage:
        """Return a page of the imports, newest first."""
        ...

    async def report(self, id: UUID, *, after: int, limit: int, status: Status | None = None) -> ReportPart:
        """Return what became of some records: those that the report tells after that place; 0 is its beginning.

        Raises ImportNotFound, and InvalidValue for a place that no part has told.
        """
        ...

    async def ask_to_stop(self, id: UUID) -> None:
        """Ask whoever does the import to stop; raise ImportNotFound."""
        ...

    async def is_to_stop(self, id: UUID) -> bool:
        """Whether somebody asked that."""
        ...

    async def forget(self, id: UUID) -> None:
        """Drop the import and its report; raise ImportNotFound."""
        ...

    def alone(self) -> AbstractAsyncContextManager[bool]:
        """Be the one who does imports, until the end; False where somebody else is."""
        ...

    async def next(self) -> ImportJob | None:
        """Return the oldest import that is not done."""
        ...

    def files(self, job: ImportJob) -> AbstractAsyncContextManager[Sequence[BinaryIO]]:
        """Open the files of an import, to read them."""
        ...

    async def note(self, job: ImportJob, lines: Sequence[ReportLine] = ()) -> None:
        """Keep how far the import is, and report these lines; what was reported beyond the job's records is dropped.

        The files of one that has ended are dropped.
        """
        ...


class DryRun(Protocol):
    """The records that a dry run would have made and changed so far: out of memory, and nobody else sees them."""

    async def keep(self, *records: Author | Book) -> None:
        """Keep the records, each in the place of the one that has its id, all of them or none; raise StorageFull."""
        ...

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Author | Book]:
        """Return those of the records that are kept, by id."""
        ...

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        """Return all authors whose folded name is among the names by now."""
        ...

    async def find_by_numbers(self, numbers: Collection[Number]) -> Sequence[Author]:
        """Return all authors of whom one of these is a valid identifier by now."""
        ...

    async def find_by_sources(self, sources: Collection[SourceKey]) -> Mapping[SourceKey, Book]:
        """Return the books that came from these records, for those that did."""
        ...

    async def find_by_isbns(self, isbns: Collection[tuple[Isbn, str | None]]) -> Sequence[Book]:
        """Return all books of which one of these is a valid ISBN by now.

        Beside each stands the name of a source, or None: books that have a record of that source are not meant by it.
        """
        ...


class DryRuns(Protocol):
    """Room for what dry runs have to remember."""

    def begin(self) -> AbstractAsyncContextManager[DryRun]:
        """Begin a dry run that has kept nothing yet; at the end all that it has kept is gone."""
        ...


class UnitOfWork(Protocol):
    """Everything that one use case writes: all of it or nothing, and each change with its revision in the log."""

    group: UUID | None
    """What the changes belong to: an import run, a merge, an undo."""

    @property
    def caller(self) -> Caller:
        """On whose behalf the work is done."""
        ...

    @property
    def authors(self) -> AuthorRepository:
        """The authors."""
        ...

    @property
    def books(self) -> BookRepository:
        """The books."""
        ...

    @property
    def log(self) -> RevisionLog:
        """What happened before."""
        ...

    @property
    def receipts(self) -> ReceiptRepository:
        """What was written for requests that may come again."""
        ...

    @property
    def changes(self) -> Sequence[Change]:
        """What this unit did so far, in order."""
        ...

    async def match_alone(self) -> None:
        """Look for records as nobody else does who asks for this, until the unit ends: they wait, or begin again.

        So two units that both find nobody, and make somebody, do not make one author twice.
        """
        ...


class CatalogReader(Protocol):
    """The query side: every read that changes nothing, in ready records."""

    async def author(self, id: UUID) -> Author:
        """Return the author; raise NotFound, Removed or Merged."""
        ...

    async def authors(self, query: AuthorQuery) -> Page[Author]:
        """Return a page of authors and the right total, past the end too."""
        ...

    async def book(self, id: UUID) -> BookRecord:
        """Return the book with its author; raise NotFound, Removed or Merged."""
        ...

    async def books(self, query: BookQuery) -> Page[BookRecord]:
        """Return a page of books and the right total, past the end too."""
        ...

    async def sources(self, ids: Collection[UUID]) -> Mapping[UUID, tuple[SourceRecord, ...]]:
        """Return the records from which these books were imported, byte by byte, for those books that have any."""
        ...

    async def position(self) -> Position:
        """Return how far the log has come."""
        ...

    async def changes(self, query: ChangeQuery) -> Sequence[Revision]:
        """Return what happened since; raise SeqNotReached where the log has not come so far."""
        ...

    async def revisions(self, query: RevisionQuery) -> Page[Revision]:
        """Return a page of what happened to a record, newest first; raise NotFound where it never was."""
        ...

    async def revision(self, kind: Kind, id: UUID, version: int) -> Revision:
        """Return what made that version; raise NotFound, or VersionNotFound."""
        ...

    async def duplicates(self, page: PageRequest) -> Page[Candidates]:
        """Return authors whose names are equal once folded (their first 250 characters), by name."""
        ...


class Storage(Protocol):
    """An opened storage: what an adapter has to offer."""

    @property
    def reader(self) -> CatalogReader:
        """The query side."""
        ...

    def unit_of_work(self, caller: Caller) -> AbstractAsyncContextManager[UnitOfWork]:
        """Begin a unit of work: it is committed on clean exit and leaves nothing behind after an exception.

        The commit appends the changes to the log, which numbers them without gaps in the order of commits.
        Raises Interrupted where another writer came between, StorageBusy where it did not get its turn in time,
        ReadOnlyReplica for changes where the storage follows another catalogue.
        A unit that is cancelled while it commits may have been committed.
        """
        ...

    async def promote(self) -> None:
        """Follow nobody any more, and take changes from everybody."""
        ...

    async def data_version(self) -> Hashable:
        """Return what stands for all that readers can see now: between two equal answers nothing of it has changed.

        What is committed before the question is in the answer, whoever committed it; what leaves no trace in the log,
        too, as compacting does. Unequal answers promise nothing: `object()` would do. It is asked at almost every
        request, so it is quick. Raises StorageUnavailable and the like, as every read.
        """
        ...

    async def check(self) -> None:
        """Raise StorageUnavailable, with the reason, unless the storage can be used as it is."""
        ...


class ChangeFeed(Protocol):
    """The changes of another catalogue."""

    @property
    def source(self) -> str:
        """The address of that catalogue."""
        ...

    async def changes(self, since: int, limit: int = 1000) -> Sequence[Revision]:
        """Return what happened there since; raise SourceUnreachable, CanNotFollow."""
        ...

    def news(self, since: int) -> AsyncGenerator[int]:
        """Yield, as things happen there, how far the log has come; raise SourceUnreachable, CanNotFollow."""
        ...


class Severity(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "FAILED"


@frozen
class Finding:
    """What one check of an examination found; `told` says what is the matter, and what to do about it."""

    what: str
    severity: Severity
    told: str
    is_final: bool = False
    """Whether nothing else can be examined before this is mended."""


@runtime_checkable
class Examinable(Protocol):
    """What can say of itself whether it is well, by whatever only it knows: a file, a server. Nobody has to."""

    def examine(self) -> AsyncGenerator[Finding]:
        """Look, and change nothing; raise StorageUnavailable where there is nothing to be looked at."""
        ...
