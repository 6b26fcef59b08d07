"""A clock that tests move, ids that tests can tell, a feed without a network, and what storages are asked for often."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import attrs
from attrs import define, evolve, field, frozen
from uuid_utils.compat import uuid7

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, BookRecord, SourceKey, SourceRecord
from catalog.domain.callers import Caller, IdempotentRequest
from catalog.domain.errors import CanNotFollow, CatalogError, SeqNotReached, StorageFailed
from catalog.domain.identifiers import Number
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader, ChangeFeed, IdGenerator, Storage
from catalog.domain.queries import AuthorQuery, BookQuery, ChangeQuery, Page, PageRequest, Position
from catalog.domain.records import told
from catalog.domain.revisions import Revision
from catalog.domain.sources import BookDraft, DraftContributor
from catalog.domain.use_cases.authors import AuthorCataloguing
from catalog.domain.use_cases.books import BookCataloguing
from catalog.domain.use_cases.following import Following
from catalog.domain.use_cases.importing import Importing
from catalog.domain.use_cases.log_keeping import LogKeeping
from catalog.domain.use_cases.merging import Merging
from catalog.domain.use_cases.undoing import Undoing
from catalog.domain.values import Isbn, Role

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
"""An id that no record has."""


@define
class StillClock:
    """Stands still until it is moved."""

    time: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def move(self, seconds: float = 1) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)


class SortedIds:
    """Makes ids that sort by the time they were made, as the catalogue's do."""

    def new(self) -> UUID:
        """A new id, UUID version 7."""
        return uuid7()


@define
class RepeatableIds:
    """Makes the same ids each time, in no order, so that nothing is ordered by accident."""

    made: int = 0

    def new(self) -> UUID:
        """The next of the ids."""
        self.made += 1
        return uuid5(NAMESPACE_OID, str(self.made))


@define
class Cataloguers:
    """All use cases over one storage."""

    storage: Storage
    clock: StillClock = field(factory=StillClock)
    caller: Caller = field(factory=lambda: Caller(actor="tester", request_id="test"))
    ids: IdGenerator = field(factory=SortedIds)

    @property
    def authors(self) -> AuthorCataloguing:
        """The use cases of authors."""
        return AuthorCataloguing(self.storage, self.caller, self.clock, self.ids)

    @property
    def books(self) -> BookCataloguing:
        """The use cases of books."""
        return BookCataloguing(self.storage, self.caller, self.clock, self.ids)

    @property
    def importing(self) -> Importing:
        """The import."""
        return Importing(self.storage, self.caller, self.clock, self.ids)

    @property
    def undoing(self) -> Undoing:
        """The use cases that bring back what was."""
        return Undoing(self.storage, self.caller, self.clock, self.ids)

    @property
    def merging(self) -> Merging:
        """The use cases that make one record of two, and two of one."""
        return Merging(self.storage, self.caller, self.clock, self.ids)

    @property
    def log_keeping(self) -> LogKeeping:
        """The use cases that take contents out of the log."""
        return LogKeeping(self.storage, self.caller, self.clock)

    def following(self, feed: ChangeFeed) -> Following:
        """The use cases of a follower."""
        return Following(self.storage, self.caller, self.clock, feed)

    def asked_by(self, actor: str, *, request_id: str | None = None) -> "Cataloguers":
        """The same use cases for somebody else."""
        return evolve(self, caller=Caller(actor, request_id))

    def asked_once(self, key: str, *, fingerprint: str = "the same", hours: float = 24) -> "Cataloguers":
        """The same use cases for a request that may come again."""
        request = IdempotentRequest(key=key, fingerprint=fingerprint, status=200, kept_for=timedelta(hours=hours))
        return evolve(self, caller=evolve(self.caller, idempotent=request))

    @property
    def replayed(self) -> bool:
        """Whether the last answer was that to an earlier request."""
        assert self.caller.idempotent is not None
        return self.caller.idempotent.replayed


@define
class FeedOf:
    """The changes of another storage, as its service would tell them."""

    storage: Storage
    most: int = 1000
    """How many revisions come at once."""
    upto: int | None = None
    """Where the log ends for those who follow."""
    rings: Sequence[int] = ()
    """What the source tells of news, before it ends its stream."""
    source: str = "http://source.test"
    asked: list[int] = field(factory=list)

    async def changes(self, since: int, limit: int = 1000) -> Sequence[Revision]:
        """What happened there since."""
        self.asked.append(since)
        try:
            found = await self.storage.reader.changes(ChangeQuery(since=since, limit=min(limit, self.most)))
        except SeqNotReached as error:
            raise CanNotFollow(f"{self.source} answers 400") from error
        return [revision for revision in found if self.upto is None or revision.seq <= self.upto]

    async def news(self, since: int) -> AsyncGenerator[int]:
        """How far the log has come."""
        for seq in self.rings:
            if seq > since:
                yield seq


@define
class DryRunInMemory:
    """Keeps what a dry run would have made and changed in a dictionary."""

    kept: dict[UUID, Author | Book] = field(factory=dict[UUID, Author | Book])

    async def keep(self, *records: Author | Book) -> None:
        """Keep them."""
        self.kept.update((record.id, record) for record in records)

    async def get_many(self, ids: Collection[UUID]) -> Mapping[UUID, Author | Book]:
        """Those that are kept."""
        return {id: self.kept[id] for id in ids if id in self.kept}

    async def find_by_folded_names(self, names: Collection[str]) -> Sequence[Author]:
        """All authors of these names."""
        return [each for each in self._authors() if each.folded_name in names]

    async def find_by_numbers(self, numbers: Collection[Number]) -> Sequence[Author]:
        """All authors of these numbers."""
        return [each for each in self._authors() if not each.numbers().isdisjoint(numbers)]

    async def find_by_sources(self, sources: Collection[SourceKey]) -> Mapping[SourceKey, Book]:
        """The books from these sources."""
        return {source.id: book for book in self._books() for source in book.sources if source.id in sources}

    async def find_by_isbns(self, isbns: Collection[tuple[Isbn, str | None]]) -> Sequence[Book]:
        """All books of these ISBNs."""
        wanted: dict[Isbn, list[str | None]] = {}
        for isbn, source in isbns:
            wanted.setdefault(isbn, []).append(source)
        return [
            book
            for book in self._books()
            if any(source not in _names(book) for isbn in book.isbns() for source in wanted.get(isbn, ()))
        ]

    def _authors(self) -> Sequence[Author]:
        return [each for each in self.kept.values() if isinstance(each, Author)]

    def _books(self) -> Sequence[Book]:
        return [each for each in self.kept.values() if isinstance(each, Book)]


class DryRunsInMemory:
    """Room for dry runs of tests, which are short."""

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[DryRunInMemory]:
        """One that has kept nothing yet."""
        yield DryRunInMemory()


def _names(book: Book) -> set[str]:
    """The names of the sources that the book has a record of."""
    return {source.source for source in book.sources}


@frozen
class Refused:
    """An error, as data that can be compared."""

    error: type[CatalogError]
    data: Mapping[str, Any]


async def outcome_of(answer: Awaitable[Any]) -> Any:
    """What is returned, or what is refused; a storage that fails is never an outcome."""
    try:
        outcome = await answer
    except StorageFailed:
        raise
    except CatalogError as error:
        data: Any = error
        return Refused(type(error), told(data) if attrs.has(type(error)) else {})
    if isinstance(outcome, Page):
        return evolve(outcome, items=list(outcome.items))
    return list(outcome) if isinstance(outcome, list | tuple) else outcome


async def begin_and_cancel(storage: Storage, author: Author) -> None:
    """Cancel a unit of work that has added the author."""
    begun = asyncio.Event()

    async def never_ending() -> None:
        async with storage.unit_of_work(Caller()) as unit:
            await unit.authors.add(author)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never_ending())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


async def log_of(reader: CatalogReader, *, size: int = 1000) -> list[Revision]:
    """The whole log."""
    log: list[Revision] = []
    while part := await reader.changes(ChangeQuery(since=len(log), limit=size)):
        log += part
    return log


def drafted(
    origin: SourceRecord, title: str, author: str | None = None, *others: DraftContributor, **details: Any
) -> BookDraft:
    """Return what a file may say of a book."""
    return BookDraft(
        origin=origin,
        details=BookDetails(title=title, author_id=None, **details),
        author=None if author is None else AuthorDetails(name=author),
        contributors=others,
    )


def named(name: str, role: Role | None = None) -> DraftContributor:
    """Return what a file may say of a contributor."""
    return DraftContributor(AuthorDetails(name=name), role)


async def listed(ask: Callable[[PageRequest], Awaitable[Page[Any]]]) -> list[Any]:
    """All items of a list, whose total has to be right."""
    items: list[Any] = []
    for number in count(1):
        page = await ask(PageRequest(number=number, size=100))
        items += page.items
        if len(page.items) < page.limit:
            assert page.total == len(items)
            break
    return items


@frozen(kw_only=True)
class Picture:
    """All that a storage tells of its records, apart from what happened to them."""

    position: Position
    authors: Sequence[Any]
    books: Sequence[Any]
    absent: Mapping[UUID, Refused]
    sources: Mapping[SourceKey, UUID]
    standing: Mapping[UUID, Author | Book]
    """The records there are, books without their authors and with their sources byte by byte."""


async def picture_of(storage: Storage) -> Picture:
    """Ask a storage for all there is, and all there was."""
    reader = storage.reader
    log = await log_of(reader)
    outcomes = {}
    for kind, id in dict.fromkeys((revision.kind, revision.id) for revision in log):
        outcomes[id] = await outcome_of(reader.author(id) if kind is Kind.AUTHOR else reader.book(id))
    authors = await listed(lambda page: reader.authors(AuthorQuery(page=page)))
    books = await listed(lambda page: reader.books(BookQuery(page=page)))
    standing = {id: outcome for id, outcome in outcomes.items() if not isinstance(outcome, Refused)}
    assert standing == {record.id: record for record in [*authors, *books]}
    async with storage.unit_of_work(Caller()) as unit:
        sources = await unit.books.find_by_sources(
            {source.id for revision in log if isinstance(revision.after, Book) for source in revision.after.sources}
        )
        held = await unit.books.get_many([book.id for book in books])
    assert {book.id: BookRecord.of(held[book.id], book.author) for book in books} == {book.id: book for book in books}
    with_sources = {id: book.sources for id, book in held.items() if book.sources}
    assert {id: tuple(sources) for id, sources in (await reader.sources(held)).items()} == with_sources
    return Picture(
        position=await reader.position(),
        authors=authors,
        books=books,
        absent={id: outcome for id, outcome in outcomes.items() if isinstance(outcome, Refused)},
        sources={source: book.id for source, book in sources.items()},
        standing={author.id: author for author in authors} | dict(held),
    )


def standing_after(log: Sequence[Revision]) -> Mapping[UUID, Author | Book]:
    """The records that stand after these revisions, by the last revision of each."""
    last = {revision.id: revision for revision in log}
    return {id: revision.content for id, revision in last.items() if revision.stands}
