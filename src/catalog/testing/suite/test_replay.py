"""A log, replayed, is the state of its source: whatever happened there, in parts of any size, up to any seq."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import date
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from attrs import define, field
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import CONTRIBUTORS, BookDetails, BookRecord, Contributor, SourceRecord
from catalog.domain.errors import Merged
from catalog.domain.kinds import Kind
from catalog.domain.records import Amendment
from catalog.domain.revisions import Revision
from catalog.domain.snapshots import SnapshotStorage
from catalog.domain.sources import Entry
from catalog.domain.values import Language, Role
from catalog.testing.doubles import (
    NOBODY,
    Cataloguers,
    FeedOf,
    Picture,
    Refused,
    drafted,
    log_of,
    named,
    outcome_of,
    picture_of,
    standing_after,
)
from catalog.testing.storages import NewStorage, opened
from catalog.testing.strategies import SETTINGS

MEMORY, TESTED = "memory", "tested"
NAMES = ["Émile", "emile", "Jane", "Ada"]
ROLES = [None, Role("trl"), Role("ill")]
ODD = 11
numbers = st.integers(0, ODD)


def is_merged(last: Revision) -> bool:
    return last.into is not None


def is_removed(last: Revision) -> bool:
    return last.into is None and not last.stands


@define
class History:
    """Does to a catalogue what some numbers say; what is refused is no harm."""

    catalogue: Cataloguers
    last: dict[UUID, Revision] = field(factory=dict)
    groups: list[UUID] = field(factory=list)
    pictures: dict[int, Picture] = field(factory=dict)

    async def do(self, step: tuple[str, int, int, int]) -> None:
        """Do one thing, and take a picture of what there is then."""
        name, *said = step
        self.catalogue.clock.move()
        await outcome_of(getattr(self, name)(*said))
        log = await log_of(self.catalogue.storage.reader)
        self.last = {revision.id: revision for revision in log}
        self.groups = list(dict.fromkeys(revision.group for revision in log if revision.group is not None))
        picture = await picture_of(self.catalogue.storage)
        self.pictures[picture.position.seq] = picture
        assert picture.standing == standing_after(log)
        must_lead_to_what_does_not_redirect(picture)

    def one(self, kind: Kind, number: int, fits: Callable[[Revision], bool]) -> UUID:
        """The id of a record that fits, mostly, and the last one first: most of what is interesting happens to it."""
        ids = [id for id, last in self.last.items() if last.kind is kind and (fits(last) or number == ODD)]
        return ids[-1 - number % len(ids)] if ids else NOBODY

    def author(self, number: int, fits: Callable[[Revision], bool] = lambda last: last.stands) -> UUID:
        return self.one(Kind.AUTHOR, number, fits)

    def book(self, number: int, fits: Callable[[Revision], bool] = lambda last: last.stands) -> UUID:
        return self.one(Kind.BOOK, number, fits)

    def book_details(self, a: int, b: int, c: int) -> BookDetails:
        entries = [
            Contributor(author_id=self.author(n), role=ROLES[n % 3], credited_as=NAMES[n % 4] if a % 2 else None)
            for n in (b, c, b + 1)[: c % 4]
        ]
        return BookDetails(
            title=f"Title {a % 3}",
            author_id=self.author(a) if a % 4 else None,
            contributors=CONTRIBUTORS.once(entries),
            languages=(Language("eng"),) if b % 2 else (),
        )

    async def add_author(self, a: int, b: int, _: int) -> Any:
        return await self.catalogue.authors.add(
            AuthorDetails(name=NAMES[a % 4], dob=date(1900, 1, 1 + b) if b else None)
        )

    async def revise_author(self, a: int, b: int, _: int) -> Any:
        return await self.catalogue.authors.revise(self.author(a), Amendment({"name": NAMES[b % 4]}))

    async def remove_author(self, a: int, _: int, __: int) -> Any:
        return await self.catalogue.authors.remove(self.author(a))

    async def add_book(self, a: int, b: int, c: int) -> Any:
        return await self.catalogue.books.add(self.book_details(a, b, c))

    async def revise_book(self, a: int, b: int, c: int) -> Any:
        return await self.catalogue.books.revise(self.book(a), Amendment.to(self.book_details(b, c, a)))

    async def remove_book(self, a: int, _: int, __: int) -> Any:
        return await self.catalogue.books.remove(self.book(a))

    async def revert(self, a: int, b: int, c: int) -> Any:
        if c % 2:
            return await self.catalogue.undoing.revert(Author, self.author(a), b % 4 + 1)
        return await self.catalogue.undoing.revert(BookRecord, self.book(a), b % 4 + 1)

    async def restore(self, a: int, _: int, c: int) -> Any:
        if c % 2:
            return await self.catalogue.undoing.restore(Author, self.author(a, is_removed))
        return await self.catalogue.undoing.restore(BookRecord, self.book(a, is_removed))

    async def merge(self, a: int, b: int, c: int) -> Any:
        if c % 3:
            return await self.catalogue.merging.merge(Author, self.author(a), self.author(b))
        return await self.catalogue.merging.merge(BookRecord, self.book(a), self.book(b))

    async def unmerge(self, a: int, _: int, c: int) -> Any:
        if c % 3:
            return await self.catalogue.merging.unmerge(Author, self.author(a, is_merged))
        return await self.catalogue.merging.unmerge(BookRecord, self.book(a, is_merged))

    async def take(self, a: int, b: int, c: int) -> Any:
        entries = [
            Entry(
                line=n,
                draft=drafted(
                    SourceRecord("test", str(n % 5)),
                    f"Book {n % 5}",
                    NAMES[b % 4],
                    *(named(name, ROLES[c % 3]) for name in NAMES[: c % 3]),
                ),
            )
            for n in range(a, a + b % 3 + 1)
        ]
        return await self.catalogue.importing.take(entries, self.catalogue.ids.new())

    async def undo(self, a: int, _: int, __: int) -> Any:
        group = self.groups[-1 - a % len(self.groups)] if self.groups else NOBODY
        return await self.catalogue.undoing.take_back(group, self.catalogue.ids.new())


def must_lead_to_what_does_not_redirect(picture: Picture) -> None:
    """No chains: who follows one redirect is at the end."""
    into = {id: refused.data["into"] for id, refused in picture.absent.items() if refused.error is Merged}
    assert not into.keys() & set(into.values())


def steps() -> st.SearchStrategy[list[tuple[str, int, int, int]]]:
    names = [
        *("add_author", "revise_author", "remove_author", "add_book", "revise_book", "remove_book"),
        *("revert", "restore", "merge", "merge", "unmerge", "unmerge", "take", "undo", "undo"),
    ]
    return st.lists(st.tuples(st.sampled_from(names), numbers, numbers, numbers), min_size=5, max_size=25)


# What was made by hand or by an import comes first, for else most steps have nothing to work on.
BEGINNING = [("take", 0, 2, 2), ("add_author", 1, 3, 0), ("add_author", 2, 0, 0), ("add_book", 1, 2, 3)]


@pytest.fixture
def fresh(new_storage: NewStorage) -> "Fresh":
    """Opens new storages, of the kind that is tested or in memory."""

    async def open_(stack: AsyncExitStack, where: str) -> Cataloguers:
        if where == MEMORY:
            return Cataloguers(SnapshotStorage())
        return Cataloguers(await stack.enter_async_context(opened(new_storage)))

    return open_


Fresh = Callable[[AsyncExitStack, str], Awaitable[Cataloguers]]


async def follow(follower: Cataloguers, feed: FeedOf, sizes: Sequence[int]) -> None:
    """Catch up in parts of these sizes, and again of these sizes, until there is nothing more."""
    for n in count():
        feed.most = sizes[n % len(sizes)]
        if not [seq async for seq in follower.following(feed).catch_up()]:
            return


@pytest.mark.slow
@pytest.mark.parametrize(("there", "here"), [(MEMORY, MEMORY), (TESTED, MEMORY), (MEMORY, TESTED), (TESTED, TESTED)])
def test_a_follower_is_as_its_source_was_at_every_seq(fresh: Fresh, there: str, here: str) -> None:
    @settings(SETTINGS, max_examples=8)
    @given(history=steps(), sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), data=st.data())
    def check(history: list[tuple[str, int, int, int]], sizes: list[int], data: st.DataObject) -> None:
        async def run() -> None:
            async with AsyncExitStack() as stack:
                source = History(await fresh(stack, there))
                for step in BEGINNING + history:
                    await source.do(step)
                follower = await fresh(stack, here)
                log = await log_of(source.catalogue.storage.reader)
                cuts = data.draw(st.sets(st.integers(1, len(log)), max_size=4), label="cuts") | {len(log)}

                for upto in sorted(cuts):
                    await follow(follower, FeedOf(source.catalogue.storage, upto=upto), sizes)

                    assert await log_of(follower.storage.reader) == log[:upto]
                    picture = await picture_of(follower.storage)
                    assert picture.standing == standing_after(log[:upto])
                    assert picture == source.pictures.get(upto, picture)

                await must_refuse_alike(source.catalogue, follower)

        asyncio.run(run())

    check()


async def must_refuse_alike(source: Cataloguers, follower: Cataloguers) -> None:
    """Both tell of ids of the other kind, and of none, in the same words."""
    ids = {revision.id for revision in await log_of(source.storage.reader)} | {NOBODY}
    for id in ids:
        for ask in ("author", "book"):
            there = await outcome_of(getattr(source.storage.reader, ask)(id))
            here = await outcome_of(getattr(follower.storage.reader, ask)(id))
            assert here == there
            assert id != NOBODY or isinstance(there, Refused)


@pytest.mark.slow
@pytest.mark.parametrize(("there", "here"), [(TESTED, TESTED)])
def test_whatever_is_withheld_a_follower_ends_as_its_source(fresh: Fresh, there: str, here: str) -> None:
    @settings(SETTINGS, max_examples=6)
    @given(
        history=steps(),
        after=steps(),
        erased=st.lists(numbers, max_size=3),
        hours=st.integers(0, 30),
        sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    )
    def check(history: Any, after: Any, erased: list[int], hours: int, sizes: list[int]) -> None:
        async def run() -> None:
            async with AsyncExitStack() as stack:
                source = History(await fresh(stack, there))
                catalogue = source.catalogue
                begun = catalogue.clock.now()
                for step in BEGINNING + history:
                    await source.do(step)
                for number in erased:
                    await outcome_of(catalogue.log_keeping.erase(source.author(number)))
                    await outcome_of(catalogue.log_keeping.erase(source.book(number)))
                async for _ in catalogue.log_keeping.compact(begun.replace(second=hours)):
                    pass
                for step in after:
                    await outcome_of(getattr(source, step[0])(*step[1:]))
                follower = await fresh(stack, here)

                await follow(follower, FeedOf(catalogue.storage), sizes)

                assert await log_of(follower.storage.reader) == await log_of(catalogue.storage.reader)
                assert await picture_of(follower.storage) == await picture_of(catalogue.storage)

        asyncio.run(run())

    check()
