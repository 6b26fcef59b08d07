"""Examining a catalogue: whether its records, its lists and its log fit together. Any storage can be asked."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from attrs import define, field, frozen

from catalog.domain.authors import Author
from catalog.domain.books import BookRecord, CataloguedBook
from catalog.domain.errors import Merged, NotFound, Removed, StorageFailed
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader, Clock, Finding, Severity
from catalog.domain.queries import (
    CHANGES_LIMIT,
    PAGE_SIZE_LIMIT,
    AuthorQuery,
    BookQuery,
    ChangeQuery,
    Page,
    PageRequest,
    Position,
    RevisionQuery,
)
from catalog.domain.revisions import Revision

from .digests import fingerprint

LATEST = timedelta(minutes=1)
"""How far clocks may be apart."""

SHOWN = 3
"""How many of those that something is wrong with are named."""

MOST = 100
"""How many are looked at once more before it is clear that the whole is broken."""

BROKEN = (StorageFailed, ValueError, TypeError, LookupError)
"""What a storage raises that can not make sense of what it keeps."""

PUT_BACK = "put back a backup (catalog restore)"

Asked: TypeAlias = Callable[[PageRequest], Awaitable[Page[Any]]]


def quiet(_told: str) -> None:
    """Tell nobody."""


@frozen
class Examining:
    """Looks at a whole catalogue, and changes nothing. It may be written to meanwhile."""

    reader: CatalogReader
    clock: Clock
    tell: Callable[[str], None] = quiet
    """Hears now and then how far the examination has come."""

    async def examine(self) -> AsyncGenerator[Finding]:
        """Yield what each check found; raise what the storage raises where it can not be asked at all."""
        log = _Log(latest=self.clock.now() + LATEST)
        await self._read(log)
        lists = {kind: await self._list(kind, log) for kind in Kind}
        position = await self.reader.position()
        await self._read(log, position.seq)
        yield _finding("log: readable", log.unreadable, "every revision", PUT_BACK)
        yield _finding("log: no gaps", log.gaps, f"seq 1 to {log.seq:,}" if log.seq else "it is empty", PUT_BACK)
        yield _finding("log: versions follow each other", log.breaks, f"{len(log.lasts):,} records", PUT_BACK)
        yield _finding("log: position", log.misplaced(position), f"at {log.seq:,}", PUT_BACK)
        yield _finding("log: redirects", log.astray(), "each leads to a record that was not merged itself", PUT_BACK)
        for kind, list_ in lists.items():
            records = f"{len(list_.seen):,} {kind}s"
            yield _finding(f"{kind}s: readable", list_.unreadable, records, PUT_BACK)
            yield _finding(f"{kind}s: as the log says", await self._wrong(kind, list_, log), records, PUT_BACK)
            wrong = await self._total(kind, log)
            yield _finding(f"{kind}s: total", wrong, "as many as stand by the log", PUT_BACK)
            rekey = "their sort keys were computed otherwise; copy the catalogue into an empty storage (catalog copy)"
            yield _finding(f"{kind}s: in order", list_.disordered, "by the sort keys of this version", rekey)
        wrong = await self._orphans(lists)
        yield _finding("books: name authors that are there", wrong, f"{len(lists[Kind.BOOK].named):,} named", PUT_BACK)
        ahead = [*log.ahead, *(each for list_ in lists.values() for each in list_.ahead)]
        yield _finding("times: none is ahead", ahead, "by this machine's clock", "set the clocks of the machines right")

    async def _read(self, log: "_Log", upto: int | None = None) -> None:
        """Go on reading the log, to its end or to a seq."""
        while (upto is None or log.seq < upto) and len(log.unreadable) < MOST:
            limit = CHANGES_LIMIT if upto is None else min(CHANGES_LIMIT, upto - log.seq)
            try:
                part = await self.reader.changes(ChangeQuery(since=log.seq, limit=limit))
            except BROKEN:
                await self._read_one_by_one(log)
                continue
            if not part:
                return
            for revision in part:
                log.add(revision)
            self.tell(f"{log.seq:,} revisions read")

    async def _read_one_by_one(self, log: "_Log") -> None:
        """Read on past what can not be read."""
        for _ in range(CHANGES_LIMIT):
            try:
                part = await self.reader.changes(ChangeQuery(since=log.seq, limit=1))
            except BROKEN as error:
                log.skip(error)
                return
            if not part:
                return
            log.add(part[0])

    async def _list(self, kind: Kind, log: "_Log") -> "_List":
        """Read the whole list."""
        ask, list_, number = self._asked(kind), _List(latest=log.latest), 0
        while True:
            number += 1
            request = PageRequest(number=number, size=PAGE_SIZE_LIMIT)
            try:
                page = await ask(request)
            except BROKEN:
                await self._list_one_by_one(ask, request, list_)
            else:
                list_.add(page)
            if request.offset + request.size >= list_.total or list_.is_cut_off:
                return list_
            if number % 20 == 0:
                self.tell(f"{len(list_.seen):,} of {list_.total:,} {kind}s read")

    async def _list_one_by_one(self, ask: Asked, request: PageRequest, list_: "_List") -> None:
        for place in range(request.offset + 1, request.offset + request.size + 1):
            if list_.is_cut_off:
                return
            try:
                list_.add(await ask(PageRequest(number=place, size=1)))
            except BROKEN as error:
                list_.unreadable.append(f"number {place:,} of the list: {error}")

    def _asked(self, kind: Kind) -> Asked:
        if kind is Kind.AUTHOR:
            return lambda page: self.reader.authors(AuthorQuery(page=page))
        return lambda page: self.reader.books(BookQuery(page=page))

    async def _total(self, kind: Kind, log: "_Log") -> Sequence[str]:
        """Compare the total of the list with what stands by the log at that moment."""
        try:
            page = await self._asked(kind)(PageRequest(size=1, number=1))
        except BROKEN:
            return []  # which was told
        await self._read(log, page.as_of.seq)
        standing = sum(last.is_expected for last in log.lasts.values() if last.kind is kind)
        return [] if page.total == standing else [f"the list says {page.total:,}, and {standing:,} stand by the log"]

    async def _wrong(self, kind: Kind, list_: "_List", log: "_Log") -> Sequence[str]:
        """Return the records that are not as their last revisions say, or not once in their list."""
        wrong = [f"{id} is twice in its list" for id in list_.twice] if list_.is_of_one_moment else []
        expected = {id: last for id, last in log.lasts.items() if last.kind is kind and last.is_expected}
        doubtful = [
            id
            for id, last in expected.items()
            if not last.tells(list_.seen.get(id)) and not (list_.is_cut_off and id not in list_.seen)
        ]
        doubtful += list_.seen.keys() - expected.keys()
        for id in doubtful:
            why = await self._mismatch(kind, id)
            if why is None and list_.is_of_one_moment and not list_.unreadable and id not in list_.seen:
                last = await self._last(kind, id)
                if last is not None and last.stands and last.seq <= list_.as_of:
                    why = f"{id} is not in its list"
            if why:
                wrong.append(why)
            if len(wrong) >= MOST:
                break
        return wrong

    async def _mismatch(self, kind: Kind, id: UUID) -> str | None:
        """Ask once more for one record, which may have been changed while the whole was read."""
        while True:
            last = await self._last(kind, id)
            try:
                standing = await self._standing(kind, id)
            except BROKEN as error:
                return f"{id} can not be read: {error}"
            why = _difference(id, last, standing)
            if why is None or await self._last(kind, id) == last:
                return why

    async def _last(self, kind: Kind, id: UUID) -> Revision | None:
        try:
            page = await self.reader.revisions(RevisionQuery(kind=kind, id=id, page=PageRequest(size=1)))
        except (NotFound, *BROKEN):
            return None
        return page.items[0]

    async def _standing(self, kind: Kind, id: UUID) -> Author | BookRecord | None:
        try:
            return await (self.reader.author(id) if kind is Kind.AUTHOR else self.reader.book(id))
        except (NotFound, Removed, Merged):
            return None

    async def _orphans(self, lists: Mapping[Kind, "_List"]) -> Sequence[str]:
        """Return the books that name authors who are not there."""
        wrong: list[str] = []
        for author_id, book_id in lists[Kind.BOOK].named.items():
            if author_id in lists[Kind.AUTHOR].seen or await self._standing(Kind.AUTHOR, author_id):
                continue
            book = await self._standing(Kind.BOOK, book_id)
            if book is not None and book.names(author_id):  # type: ignore[union-attr]  # it is a book
                wrong.append(f"book {book_id} names {author_id}, who is not there")
            if len(wrong) >= MOST:
                break
        return wrong


@frozen
class _Last:
    """What is kept of the last revision of a record."""

    kind: Kind
    version: int
    is_expected: bool
    """Whether the record should be there: a follower leaves out a book whose content was withheld from it."""
    into: UUID | None
    print: bytes | None
    """None where the content is withheld."""

    @classmethod
    def of(cls, revision: Revision) -> "_Last":
        is_expected = revision.stands and (revision.withheld is None or revision.kind is Kind.AUTHOR)
        after = None if revision.after is None else fingerprint(revision.after)
        return cls(revision.kind, revision.version, is_expected, revision.into, after)

    def tells(self, seen: tuple[int, bytes] | None) -> bool:
        """Whether the record that was seen is the one that the revision tells."""
        return seen is not None and seen == (self.version, self.print or seen[1])


@define
class _Log:
    """What is kept of the log, and what is wrong with it."""

    latest: datetime
    seq: int = 0
    at: datetime | None = None
    lasts: dict[UUID, _Last] = field(factory=dict[UUID, _Last])
    gaps: list[str] = field(factory=list[str])
    breaks: list[str] = field(factory=list[str])
    ahead: list[str] = field(factory=list[str])
    unreadable: list[str] = field(factory=list[str])

    def add(self, revision: Revision) -> None:
        if revision.seq != self.seq + 1:
            self.gaps.append(f"{self.seq} is followed by {revision.seq}")
        before = self.lasts.get(revision.id)
        if before and (before.kind, before.version + 1) != (revision.kind, revision.version):
            self.breaks.append(
                f"{before.kind} {revision.id}: version {before.version} is followed by {revision.version} at seq "
                f"{revision.seq}"
            )
        if revision.at > self.latest:
            self.ahead.append(f"seq {revision.seq} is of {revision.at}")
        self.lasts[revision.id] = _Last.of(revision)
        self.seq, self.at = revision.seq, revision.at

    def skip(self, error: Exception) -> None:
        """Go past the next revision."""
        self.seq += 1
        self.at = None
        self.unreadable.append(f"seq {self.seq}: {error}")

    def misplaced(self, position: Position) -> Iterable[str]:
        """Yield where the position says otherwise than the last revision up to there."""
        if position.seq != self.seq:
            yield f"it says {position.seq:,}, and the last revision is {self.seq:,}"
        elif position.at != self.at and not self.unreadable:
            yield f"it says {position.at}, and the last revision is of {self.at}"

    def astray(self) -> Iterable[str]:
        """Yield the redirects that lead nowhere, or to another redirect."""
        for id, last in self.lasts.items():
            if last.into is None:
                continue
            target = self.lasts.get(last.into)
            if target is None or target.kind is not last.kind:
                yield f"{last.kind} {id} leads to {last.into}, which never was"
            elif target.into is not None:
                yield f"{last.kind} {id} leads to {last.into}, which leads on"


@define
class _List:
    """What is kept of a list, and what is wrong with it."""

    latest: datetime
    seen: dict[UUID, tuple[int, bytes]] = field(factory=dict[UUID, tuple[int, bytes]])
    named: dict[UUID, UUID] = field(factory=dict[UUID, UUID])
    """Authors, each with one of the books that name it."""
    twice: list[UUID] = field(factory=list[UUID])
    disordered: list[str] = field(factory=list[str])
    ahead: list[str] = field(factory=list[str])
    unreadable: list[str] = field(factory=list[str])
    total: int = 0
    _as_of: set[int] = field(factory=set[int])
    _key: tuple[str, bytes] = ("", b"")

    @property
    def as_of(self) -> int:
        """The last seq that the list knows of."""
        return max(self._as_of, default=0)

    @property
    def is_of_one_moment(self) -> bool:
        """Whether nobody wrote while the list was read."""
        return len(self._as_of) < 2

    @property
    def is_cut_off(self) -> bool:
        """Whether so much can not be read that the rest was left out."""
        return len(self.unreadable) >= MOST

    def add(self, page: Page[Any]) -> None:
        self.total = page.total or 0
        if page.as_of.seq not in self._as_of:
            self._key = ("", b"")  # others may have moved what comes before this page
        self._as_of.add(page.as_of.seq)
        for record in page.items:
            self._add(record)

    def _add(self, record: Author | BookRecord) -> None:
        if record.id in self.seen:
            self.twice.append(record.id)
        self.seen[record.id] = record.version, fingerprint(record)
        before, self._key = self._key, (record.sort_key, record.id.bytes)
        if before > self._key:
            self.disordered.append(f"{record.KIND} {record.id} comes too late")
        if max(record.created_at, record.updated_at) > self.latest:
            self.ahead.append(f"{record.KIND} {record.id} is of {record.updated_at}")
        if isinstance(record, CataloguedBook):
            for _, author_id in record.author_references():
                self.named[author_id] = record.id


def _difference(id: UUID, last: Revision | None, standing: Author | BookRecord | None) -> str | None:
    """Return how a record that stands differs from what its last revision says."""
    if last is None:
        return None if standing is None else f"{id} is there, and the log does not know it"
    expected = _Last.of(last)
    if not expected.is_expected:
        return None if standing is None else f"{id} is there, and went at seq {last.seq}"
    if standing is None:
        return f"{id} is not there, and stands since seq {last.seq}"
    told = expected.tells((standing.version, fingerprint(standing)))
    return None if told else f"{id} is otherwise than seq {last.seq} tells"


def _finding(what: str, wrong: Iterable[str], well: str, what_to_do: str) -> Finding:
    """Return what a check found, given all that is wrong."""
    found = list(wrong)
    if not found:
        return Finding(what, Severity.OK, well)
    return Finding(what, Severity.FAILED, f"{_some(found)}; {what_to_do}")


def _some(found: Collection[str]) -> str:
    """Return the first of them, and how many more there are."""
    shown, more = "; ".join(list(found)[:SHOWN]), len(found) - SHOWN
    if more <= 0:
        return shown
    return f"{shown}; and {more:,} others" + (" or more" if len(found) >= MOST else "")
