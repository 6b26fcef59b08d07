"""Records, for writing."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Generic, TypeVar
from uuid import UUID

from catalog.domain.authors import Author
from catalog.domain.books import Book, SourceKey
from catalog.domain.errors import Interrupted, StorageFailed
from catalog.domain.identifiers import Number
from catalog.domain.kinds import Kind
from catalog.domain.revisions import Change, Operation, absence
from catalog.domain.values import Isbn

from .log import RevisionList

RecordT = TypeVar("RecordT", Author, Book)


class _Records(Generic[RecordT]):
    """What the repositories of both kinds share."""

    KIND: ClassVar[Kind]

    def __init__(self, records: Mapping[UUID, RecordT], changes: list[Change], log: RevisionList, upto: int) -> None:
        self._base: Mapping[UUID, RecordT] = records
        self._copy: dict[UUID, RecordT] | None = None
        self._changes = changes
        self._log = log
        self._upto = upto

    @property
    def records(self) -> Mapping[UUID, RecordT]:
        """The records as this unit of work sees them."""
        return self._base if self._copy is None else self._copy

    async def get(self, id: UUID) -> RecordT:
        if record := self.records.get(id):
            return record
        history = self._log.of_record(self.KIND, id, self._upto)
        raise absence(self.KIND, id, history[-1] if history else None)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, RecordT]:
        return {id: self.records[id] for id in ids if id in self.records}

    async def add(self, *records: RecordT, operation: Operation = Operation.CREATE, at: datetime | None = None) -> None:
        for record in records:
            if record.id in self.records:
                raise StorageFailed from ValueError(f"the id {record.id} is taken")
            self._put(record, operation, at)

    async def replace(self, *records: RecordT, operation: Operation = Operation.REVISE) -> None:
        for record in records:
            self._must_stand(record.id, record.version - 1)
            self._put(record, operation)

    async def remove(
        self, *records: RecordT, at: datetime, operation: Operation = Operation.REMOVE, into: UUID | None = None
    ) -> None:
        for record in records:
            self._must_stand(record.id, record.version)
            del self._writable()[record.id]
            self._changes.append(Change.taking(record, operation, at=at, into=into))

    def _put(self, record: RecordT, operation: Operation, at: datetime | None = None) -> None:
        self._writable()[record.id] = record
        self._changes.append(Change.leading_to(record, operation, at))

    def _must_stand(self, id: UUID, version: int) -> None:
        standing = self.records.get(id)
        if standing is None or standing.version != version:
            raise Interrupted

    def _writable(self) -> dict[UUID, RecordT]:
        if self._copy is None:
            self._copy = dict(self._base)
        return self._copy


class SnapshotAuthors(_Records[Author]):
    """Authors."""

    KIND = Kind.AUTHOR

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        return [author for author in self.records.values() if author.folded_name in names]

    async def find_by_numbers(self, numbers: Collection[Number]) -> Sequence[Author]:
        return [author for author in self.records.values() if not author.numbers().isdisjoint(numbers)]


class SnapshotBooks(_Records[Book]):
    """Books, with an index of their sources."""

    KIND = Kind.BOOK

    def __init__(
        self,
        records: Mapping[UUID, Book],
        changes: list[Change],
        log: RevisionList,
        upto: int,
        sources: Mapping[SourceKey, UUID],
    ) -> None:
        super().__init__(records, changes, log, upto)
        self.sources = sources

    async def find_by_sources(self, sources: Collection[SourceKey]) -> Mapping[SourceKey, Book]:
        return {source: self.records[self.sources[source]] for source in sources if source in self.sources}

    async def find_by_isbns(self, isbns: Collection[tuple[Isbn, str | None]]) -> Sequence[Book]:
        not_from: dict[Isbn, list[str | None]] = {}
        for isbn, source in isbns:
            not_from.setdefault(isbn, []).append(source)
        return [
            book
            for book in self.records.values()
            if any(
                all(each.source != source for each in book.sources)
                for isbn in book.isbns()
                for source in not_from.get(isbn, ())
            )
        ]

    async def find_naming(self, author_id: UUID) -> Sequence[Book]:
        naming = [book for book in self.records.values() if book.names(author_id)]
        return sorted(naming, key=lambda book: book.id.bytes)

    async def count_naming(self, author_id: UUID) -> int:
        return len(await self.find_naming(author_id))

    async def add(self, *records: Book, operation: Operation = Operation.CREATE, at: datetime | None = None) -> None:
        await super().add(*records, operation=operation, at=at)
        self._reindex({}, {record.id: record for record in records})

    async def replace(self, *records: Book, operation: Operation = Operation.REVISE) -> None:
        before = {record.id: self.records[record.id] for record in records if record.id in self.records}
        await super().replace(*records, operation=operation)
        self._reindex(before, {record.id: record for record in records})

    async def remove(
        self, *records: Book, at: datetime, operation: Operation = Operation.REMOVE, into: UUID | None = None
    ) -> None:
        before = {record.id: self.records[record.id] for record in records if record.id in self.records}
        await super().remove(*records, at=at, operation=operation, into=into)
        self._reindex(before, {})

    def _reindex(self, before: Mapping[UUID, Book], after: Mapping[UUID, Book]) -> None:
        gone = {source.id for book in before.values() for source in book.sources}
        come = [(source.id, book.id) for book in after.values() for source in book.sources]
        if gone == {source for source, _ in come} and not come:
            return
        index = {source: id for source, id in self.sources.items() if source not in gone}
        for source, id in come:
            if index.setdefault(source, id) != id:
                raise StorageFailed from ValueError(f"the source {source} has a book already: {index[source]}")
        self.sources = index
