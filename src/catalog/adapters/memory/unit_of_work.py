"""The write side: work on a copy, seen by nobody until it is committed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.changes import Change, Operation
from catalog.domain.errors import Interrupted, NotFound, StorageFailed
from catalog.domain.kinds import Kind
from catalog.domain.sources import SourceKey

from .snapshot import Snapshot

RecordT = TypeVar("RecordT", Author, Book)


class MemoryUnitOfWork:
    """A unit of work on one snapshot."""

    def __init__(self, snapshot: Snapshot, caller: Caller) -> None:
        self._begun_from = snapshot
        self.caller = caller
        self.changes: list[Change] = []
        self.sources = MemorySourceRepository(snapshot.sources)
        self.authors = MemoryAuthorRepository(Kind.AUTHOR, snapshot.authors, self.changes)
        self.books = MemoryBookRepository(snapshot.books, self.changes, self.sources)

    def result(self) -> Snapshot:
        """Return the snapshot in which the work is done; the one it began from if nothing was.

        Raises StorageFailed where a reference leads nowhere: a use case forgot to check it.
        """
        done = Snapshot(authors=self.authors.records, books=self.books.records, sources=self.sources.origins)
        begun = self._begun_from
        if done.authors is begun.authors and done.books is begun.books and done.sources is begun.sources:
            return begun
        self._check_references(done)
        return done

    def _check_references(self, done: Snapshot) -> None:
        for change in self.changes:
            record = change.record
            if isinstance(record, Book) and record.id in done.books:
                named = [id for _, id in record.author_references()]
            elif isinstance(record, Author) and change.operation is Operation.REMOVE:
                named = [record.id] if any(book.names(record.id) for book in done.books.values()) else []
            else:
                continue
            if any(id not in done.authors for id in named):
                raise StorageFailed from ValueError(f"a book names an author that is not there: {named}")


class _Records(Generic[RecordT]):
    """What the repositories of both kinds share."""

    def __init__(self, kind: Kind, records: Mapping[UUID, RecordT], changes: list[Change]) -> None:
        self._kind = kind
        self._base: Mapping[UUID, RecordT] = records
        self._copy: dict[UUID, RecordT] | None = None
        self._changes = changes

    @property
    def records(self) -> Mapping[UUID, RecordT]:
        """The records as this unit of work sees them."""
        return self._base if self._copy is None else self._copy

    async def get(self, id: UUID) -> RecordT:
        if record := self.records.get(id):
            return record
        raise NotFound(self._kind, id)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, RecordT]:
        return {id: self.records[id] for id in ids if id in self.records}

    async def add_all(self, records: Sequence[RecordT]) -> None:
        for record in records:
            if record.id in self.records:
                raise StorageFailed from ValueError(f"the id {record.id} is taken")
            self._writable()[record.id] = record
            self._changes.append(Change(Operation.CREATE, record))

    async def replace(self, record: RecordT) -> None:
        self._must_stand(record.id, record.version - 1)
        self._writable()[record.id] = record
        self._changes.append(Change(Operation.REVISE, record))

    async def remove(self, record: RecordT) -> None:
        self._must_stand(record.id, record.version)
        del self._writable()[record.id]
        self._changes.append(Change(Operation.REMOVE, record))

    def _must_stand(self, id: UUID, version: int) -> None:
        standing = self.records.get(id)
        if standing is None or standing.version != version:
            raise Interrupted

    def _writable(self) -> dict[UUID, RecordT]:
        if self._copy is None:
            self._copy = dict(self._base)
        return self._copy


class MemoryAuthorRepository(_Records[Author]):
    """Authors in memory."""

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        return [author for author in self.records.values() if author.folded_name in names]


class MemoryBookRepository(_Records[Book]):
    """Books in memory."""

    def __init__(self, records: Mapping[UUID, Book], changes: list[Change], sources: "MemorySourceRepository") -> None:
        super().__init__(Kind.BOOK, records, changes)
        self._sources = sources

    async def count_naming(self, author_id: UUID) -> int:
        return sum(book.names(author_id) for book in self.records.values())

    async def remove(self, record: Book) -> None:
        await super().remove(record)
        self._sources.forget(record.id)


class MemorySourceRepository:
    """Where books came from, in memory."""

    def __init__(self, origins: Mapping[SourceKey, UUID]) -> None:
        self.origins = origins

    async def find(self, keys: Collection[SourceKey]) -> Mapping[SourceKey, UUID]:
        return {key: self.origins[key] for key in keys if key in self.origins}

    async def add_all(self, origins: Mapping[SourceKey, UUID]) -> None:
        if origins:
            self.origins = {**self.origins, **origins}

    def forget(self, book_id: UUID) -> None:
        if book_id in self.origins.values():
            self.origins = {key: id for key, id in self.origins.items() if id != book_id}
