"""One state of the catalogue, never changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Self
from uuid import UUID

from attrs import evolve, field, frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book, SourceKey
from catalog.domain.kinds import Kind
from catalog.domain.queries import Position
from catalog.domain.receipts import Receipt
from catalog.domain.revisions import Revision, Withheld
from catalog.domain.scanning import State
from catalog.domain.search import Indexed

from .log import RevisionList


@frozen(slots=False)  # cached_property needs a __dict__
class Snapshot(State):
    """All records by id, which book came from which source, how far the log had come, and what else is kept."""

    log: RevisionList = field(factory=RevisionList, eq=False, repr=False)
    authors: Mapping[UUID, Author] = field(factory=dict[UUID, Author])
    books: Mapping[UUID, Book] = field(factory=dict[UUID, Book])
    sources: Mapping[SourceKey, UUID] = field(factory=dict[SourceKey, UUID])
    receipts: Mapping[tuple[str, str], Receipt] = field(factory=dict[tuple[str, str], Receipt])
    seq: int = 0
    follows: str | None = None

    @classmethod
    def restored(
        cls,
        revisions: Sequence[Revision],
        *,
        untold: Iterable[Author | Book] = (),
        receipts: Iterable[Receipt] = (),
        follows: str | None = None,
    ) -> Self:
        """Return the state to which a whole log leads, as what was kept of it tells.

        `untold` are the records that stand otherwise than their last revision tells, as `Commit.untold` names them.
        """
        log = RevisionList()
        log.append(revisions)
        standing: dict[UUID, Author | Book] = {record.id: record for record in untold}
        last = {revision.id: revision for revision in revisions}
        standing |= {id: revision.after for id, revision in last.items() if revision.stands and revision.after}
        standing = {id: record for id, record in standing.items() if record.version == last[id].version}
        books = {id: record for id, record in standing.items() if isinstance(record, Book)}
        return cls(
            log=log,
            authors={id: record for id, record in standing.items() if isinstance(record, Author)},
            books=books,
            sources={source.id: book.id for book in books.values() for source in book.sources},
            receipts={(receipt.actor, receipt.key): receipt for receipt in receipts},
            seq=len(revisions),
            follows=follows,
        )

    def every_author(self) -> Iterable[Author]:
        """Return the authors that stand, in any order."""
        return self.authors.values()

    def every_book(self) -> Iterable[Book]:
        """Return the books that stand, in any order."""
        return self.books.values()

    def every_revision(self) -> Iterable[Revision]:
        """Return the log, in the order of seq."""
        return self.revisions_after(0)

    def author(self, id: UUID) -> Author | None:
        """Return the author, if it stands."""
        return self.authors.get(id)

    def book(self, id: UUID) -> Book | None:
        """Return the book, if it stands."""
        return self.books.get(id)

    def authors_in_order(self) -> Sequence[Author]:
        """Return the authors by sort key, then id."""
        return self._authors_in_order

    def books_in_order(self) -> Sequence[Book]:
        """Return the books by sort key, then id."""
        return self._books_in_order

    def indexed_books(self) -> Iterable[tuple[Book, Indexed, int]]:
        """Return each book with what it is found by and its number."""
        return self._indexed_books

    def revisions_after(self, seq: int) -> Iterator[Revision]:
        """Return the log from there on, in order."""
        return (self.log.revisions[place] for place in range(seq, self.seq))

    def history(self, kind: Kind, id: UUID) -> Sequence[Revision]:
        """Return what happened to the record, in order; nothing where it never was."""
        return self.log.of_record(kind, id, self.seq)

    def position(self) -> Position:
        """Return how far the log has come."""
        return self.log.position(self.seq)

    @cached_property
    def _authors_in_order(self) -> Sequence[Author]:
        return super().authors_in_order()

    @cached_property
    def _indexed_books(self) -> Sequence[tuple[Book, Indexed, int]]:
        return list(super().indexed_books())

    @cached_property
    def _books_in_order(self) -> Sequence[Book]:
        return super().books_in_order()


@frozen(kw_only=True)
class Commit:
    """What one unit of work makes of the state before it: all of it is kept, or nothing."""

    before: Snapshot
    after: Snapshot
    revisions: Sequence[Revision] = ()
    """What the log gets; the log of `after` has it only once the commit is kept."""
    withheld: Mapping[int, Withheld] = field(factory=dict[int, Withheld])
    """The seqs of earlier revisions whose contents are dropped for good."""

    def receipts(self) -> Sequence[Receipt]:
        """Return the receipts that come with it."""
        before = self.before.receipts
        return [receipt for key, receipt in self.after.receipts.items() if before.get(key) is not receipt]

    def whole_log(self) -> Sequence[Revision]:
        """Return the log as it is from now on, without what is withheld."""
        before = islice(self.before.every_revision(), self.before.seq)
        kept = (
            evolve(revision, after=None, withheld=self.withheld[revision.seq])
            if revision.seq in self.withheld
            else revision
            for revision in before
        )
        return list(chain(kept, self.revisions))

    def untold(self, revisions: Iterable[Revision]) -> Sequence[Author | Book]:
        """Return those of the records that stand, and that the last of these revisions does not tell.

        So it is with records of another catalogue that drops contents while it is followed.
        """
        last = {revision.id: revision for revision in revisions}
        ids = [id for id, revision in last.items() if revision.withheld is not None]
        found = (self.after.authors.get(id) or self.after.books.get(id) for id in ids)
        return [record for record in found if record is not None]
