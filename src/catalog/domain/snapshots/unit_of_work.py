"""The write side: work on a copy, seen by nobody until it is committed."""

from uuid import UUID

from attrs import evolve

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.errors import ReadOnlyReplica, StorageFailed
from catalog.domain.revisions import Change, Operation, Revision

from .log import SnapshotRevisionLog
from .receipts import SnapshotReceipts
from .repositories import SnapshotAuthors, SnapshotBooks
from .snapshot import Commit, Snapshot


class SnapshotUnitOfWork:
    """A unit of work on one snapshot."""

    def __init__(self, snapshot: Snapshot, caller: Caller) -> None:
        log = snapshot.log
        self._begun_from = snapshot
        self.caller = caller
        self.group: UUID | None = None
        self.changes: list[Change] = []
        self.authors = SnapshotAuthors(snapshot.authors, self.changes, log, snapshot.seq)
        self.books = SnapshotBooks(snapshot.books, self.changes, log, snapshot.seq, snapshot.sources)
        self.log = SnapshotRevisionLog(log, snapshot.seq, snapshot.follows, self.changes)
        self.receipts = SnapshotReceipts(snapshot.receipts)

    async def match_alone(self) -> None:
        """Whoever commits after another begins again, and sees what that one did."""

    def result(self) -> Commit | None:
        """Return what there is to commit; None if nothing was done.

        Raises ReadOnlyReplica; and StorageFailed where a reference leads nowhere: a use case forgot to check it.
        """
        begun = self._begun_from
        source = self.log.claimed_by
        revisions = self._appended() if source is None else self.log.replayed
        if not revisions and self.receipts.kept is begun.receipts and source in (None, begun.follows):
            return Commit(before=begun, after=begun, withheld=self.log.withheld) if self.log.withheld else None
        if begun.follows is not None and source is None:
            raise ReadOnlyReplica(begun.follows)
        done = evolve(
            begun,
            authors=self.authors.records,
            books=self.books.records,
            sources=self.books.sources,
            receipts=self.receipts.kept,
            seq=begun.seq + len(revisions),
            follows=source or begun.follows,
        )
        self._check_references(done)
        return Commit(before=begun, after=done, revisions=revisions, withheld=self.log.withheld)

    def _appended(self) -> list[Revision]:
        following = enumerate(self.changes, self._begun_from.seq + 1)
        return [Revision.of(change, seq=seq, caller=self.caller, group=self.group) for seq, change in following]

    def _check_references(self, done: Snapshot) -> None:
        for change in self.changes:
            if isinstance(change.after, Book) and change.id in done.books:
                named = [id for _, id in done.books[change.id].author_references()]
            elif change.kind is Author.KIND and change.after is None and change.operation is not Operation.CREATE:
                named = [change.id] if any(book.names(change.id) for book in done.books.values()) else []
            else:
                continue
            if any(id not in done.authors for id in named):
                raise StorageFailed from ValueError(f"a book names an author that is not there: {named}")
