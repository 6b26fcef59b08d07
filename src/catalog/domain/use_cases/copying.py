"""Copying a catalogue with its log from any storage into any other: the source's log, replayed, is its state."""

from collections.abc import AsyncGenerator, Callable, Sequence
from hashlib import sha256
from itertools import zip_longest
from typing import Any

from attrs import define, evolve, field, frozen

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.callers import Caller
from catalog.domain.errors import CanNotFollow, SeqNotReached, StorageFailed
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader, Clock, Severity, Storage
from catalog.domain.queries import (
    CHANGES_LIMIT,
    PAGE_SIZE_LIMIT,
    AuthorQuery,
    BookQuery,
    ChangeQuery,
    Page,
    PageRequest,
)
from catalog.domain.revisions import Revision

from .digests import canonical
from .examining import Examining, quiet
from .following import Following

ROUNDS = 3
"""How often a source that is written to is caught up with before it is not waited for any more."""


@frozen
class StorageFeed:
    """The changes of a catalogue in a storage that is open here."""

    reader: CatalogReader
    source: str

    async def changes(self, since: int, limit: int = CHANGES_LIMIT) -> Sequence[Revision]:
        """Return what happened there since; nothing where the log has not come so far."""
        try:
            return await self.reader.changes(ChangeQuery(since=since, limit=min(limit, CHANGES_LIMIT)))
        except SeqNotReached:
            return []

    async def news(self, since: int) -> AsyncGenerator[int]:
        """Yield how far the log has come, if it has, and end."""
        if (seq := (await self.reader.position()).seq) > since:
            yield seq


@frozen(kw_only=True)
class Verification:
    """What was compared in the end. Digests are SHA-256 over canonical JSON, each item on a line, in hexadecimal."""

    seq: int
    """The last revision that was compared."""
    revisions: str
    """The digest of the log up to there, in the copy."""
    records: str
    """The digest of all records that stand in the copy: authors, then books, in the order of the lists."""
    counts: dict[Kind, int]
    """How many records stand in the copy."""
    differences: Sequence[str]
    """Where the copy is otherwise; nothing where it is equal."""
    is_at_rest: bool
    """Whether the source's records could be compared; else the copy's were, with its log."""


@frozen
class Copying:
    """Makes a storage the same catalogue as another one: ids, versions, times, seq, and what is withheld."""

    source: Storage
    name: str
    """What the copy says that it follows, while it is made."""
    storage: Storage
    caller: Caller
    clock: Clock
    tell: Callable[[str], None] = quiet
    """Hears now and then how far the verification has come."""

    async def copy(self) -> AsyncGenerator[tuple[int, int]]:
        """Copy what is not there yet; yield after each part how far the copy has come, and how far the source.

        A copy that was cut off goes on where it was. The storage takes no other changes until `finish`. Raises
        CanNotFollow where it holds anything else.
        """
        follows = await self._followed_by(self.storage)
        if follows not in (None, self.name):
            raise CanNotFollow(f"it is a replica of {follows}; promote it first (catalog promote), or name another")
        following = self._following()
        try:
            await following.must_share_history()
        except CanNotFollow as error:
            raise CanNotFollow(
                f"it holds another catalogue than {self.name}, or has been written to since it was copied from there; "
                "name an empty storage"
            ) from error
        await following.claim()
        if await self._followed_by(self.source) == self.name:
            await self.storage.promote()
            raise CanNotFollow(f"it is {self.name} itself; name another storage")
        async for part in self._caught_up():
            yield part

    async def finish(self) -> Verification:
        """Compare both, and let the copy take changes from everybody if it is equal."""
        found = await self._verified()
        for _ in range(ROUNDS - 1):
            if not found.is_at_rest:
                found = await self._verified()
        if not found.is_at_rest:
            found = evolve(found, differences=[*found.differences, *await self._inconsistencies()])
        if not found.differences:
            await self.storage.promote()
        return found

    async def _followed_by(self, storage: Storage) -> str | None:
        async with storage.unit_of_work(self.caller) as unit:
            return await unit.log.source()

    async def _caught_up(self) -> AsyncGenerator[tuple[int, int]]:
        """Replay all that the source has now; who writes there without a pause is never caught up with."""
        following, last = self._following(), (await self.source.reader.position()).seq
        seq = (await self.storage.reader.position()).seq
        while seq < last and (revisions := await following.feed.changes(seq)):
            await following.replay(revisions)
            seq = revisions[-1].seq
            yield seq, max(seq, last)

    def _following(self) -> Following:
        return Following(self.storage, self.caller, self.clock, StorageFeed(self.source.reader, self.name))

    async def _verified(self) -> Verification:
        """Catch up, and compare."""
        async for _ in self._caught_up():
            pass
        seq = (await self.storage.reader.position()).seq
        log = await self._compared_log(seq)
        records, counts, is_at_rest = _Both(), {}, True
        for kind in Kind:
            before = records.count
            async for theirs, ours in self._pages(kind):
                is_at_rest = is_at_rest and theirs.as_of.seq == seq
                records.add(theirs.items, ours.items)
            counts[kind] = records.count - before
        differences = [] if log.first is None else [await self._told(log.first)]
        if is_at_rest and records.first is not None:
            differences.append(f"the records differ from number {records.first:,} on, authors first")
        return Verification(
            seq=seq,
            revisions=log.digest.hexdigest(),
            records=records.digest.hexdigest(),
            counts=counts,
            differences=differences,
            is_at_rest=is_at_rest,
        )

    async def _compared_log(self, seq: int) -> "_Both":
        log = _Both()
        source, copy = (StorageFeed(each.reader, self.name) for each in (self.source, self.storage))
        while (before := log.count) < seq:
            limit = min(CHANGES_LIMIT, seq - before)
            log.add(await source.changes(before, limit), await copy.changes(before, limit))
            if log.count == before:
                raise StorageFailed from ValueError(f"the log ends at seq {before}, and says that it goes to {seq}")
            self.tell(f"{log.count:,} of {seq:,} revisions compared")
        return log

    async def _pages(self, kind: Kind) -> AsyncGenerator[tuple[Page[Any], Page[Any]]]:
        """Yield the pages of a list, in the source and in the copy."""
        number, count, total = 0, 0, 1
        while count < total:
            number += 1
            page = PageRequest(number=number, size=PAGE_SIZE_LIMIT)
            theirs, ours = await _listed(self.source.reader, kind, page), await _listed(self.storage.reader, kind, page)
            yield theirs, ours
            count, total = page.offset + page.size, max(theirs.total or 0, ours.total or 0)
            if number % 20 == 0:
                self.tell(f"{count:,} of {total:,} {kind}s compared")

    async def _told(self, seq: int) -> str:
        """Return how both say otherwise at that seq."""
        source, copy = (StorageFeed(each.reader, self.name) for each in (self.source, self.storage))
        theirs, ours = await source.changes(seq - 1, 1), await copy.changes(seq - 1, 1)
        if theirs and ours and (why := theirs[0].withheld) and theirs[0] == evolve(ours[0], after=None, withheld=why):
            return (
                f"seq {seq:,} tells what the source has dropped since it was copied; drop it here, too "
                "(catalog promote, catalog log compact), or copy into an empty storage"
            )
        return f"the logs differ at seq {seq:,}; copy into an empty storage"

    async def _inconsistencies(self) -> Sequence[str]:
        """Return where the copy's records are not as its log says, which is that of the source."""
        examining = Examining(self.storage.reader, self.clock, self.tell)
        return [found.told async for found in examining.examine() if found.severity is Severity.FAILED]


@define
class _Both:
    """What the source and the copy say, item by item."""

    count: int = 0
    """How many items there were, on the side that has more."""
    first: int | None = None
    """The number, from 1, of the first that differs."""
    digest: Any = field(factory=sha256)
    """Of the copy's items."""

    def add(self, theirs: Sequence[Author | Book | Revision], ours: Sequence[Author | Book | Revision]) -> None:
        for one, other in zip_longest(theirs, ours):
            self.count += 1
            said = b"" if other is None else canonical(other)
            self.digest.update(said + b"\n")
            if self.first is None and (one is None or canonical(one) != said):
                self.first = self.count


async def _listed(reader: CatalogReader, kind: Kind, page: PageRequest) -> Page[Any]:
    if kind is Kind.AUTHOR:
        return await reader.authors(AuthorQuery(page=page))
    return await reader.books(BookQuery(page=page))
