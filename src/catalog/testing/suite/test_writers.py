"""Many writers at once: nothing is lost, nothing is done twice, and whoever reads meanwhile sees one state."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

import pytest
from attrs import frozen

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, Contributor
from catalog.domain.errors import CatalogError, OutcomeUnknown, StaleVersion, StorageBusy
from catalog.domain.kinds import Kind
from catalog.domain.ports import Storage, UnitOfWork
from catalog.domain.queries import AuthorQuery, BookQuery, ChangeQuery, Page, PageRequest
from catalog.domain.records import Amendment
from catalog.domain.revisions import Revision
from catalog.domain.use_cases.atomic import atomic
from catalog.domain.use_cases.authors import AuthorCataloguing
from catalog.testing.doubles import Cataloguers, outcome_of, standing_after
from catalog.testing.plugin import FIGURE
from catalog.testing.wholeness import must_be_whole

WRITERS = 8
ROUNDS = 6
PATIENCE = 60
"""Seconds after which a storage is held to be blocked."""


class Counting(AuthorCataloguing):
    """Names that count."""

    @atomic
    async def count(self, unit: UnitOfWork, id: UUID) -> Author:
        """Read, let others have their turn, and write one more."""
        author = await unit.authors.get(id)
        await asyncio.sleep(0)
        more = author.revised(AuthorDetails(name=str(int(author.name) + 1)), at=self.clock.now())
        await unit.authors.replace(more)
        return more


async def at_once(*works: Awaitable[Any]) -> list[Any]:
    """Do all of it at once; what is refused is an outcome, and whatever else is raised a failure of the test."""
    async with asyncio.timeout(PATIENCE):
        return await asyncio.gather(*(outcome_of(work) for work in works))


@pytest.mark.slow
@pytest.mark.timeout(24 * 3600)  # it is to be run with a hundred thousand, too
async def test_every_acknowledged_write_counts_once_and_refused_ones_not_at_all(
    storage: Storage, conflicts: int, record_property: Callable[[str, object], None]
) -> None:
    catalogue = Cataloguers(storage)
    counting = Counting(storage, catalogue.caller, catalogue.clock, catalogue.ids)
    ids = [(await catalogue.authors.add(AuthorDetails(name="0"))).id for _ in range(4)]
    acknowledged: Counter[UUID] = Counter()
    unknown: Counter[UUID] = Counter()
    refused: Counter[str] = Counter()
    due = iter(range(conflicts))
    dice = random.Random(0)

    async def conditionally(id: UUID) -> None:
        author = await storage.reader.author(id)
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        amendment: Amendment[AuthorDetails] = Amendment({"name": str(int(author.name) + 1)})
        await catalogue.authors.revise(id, amendment, known_versions={author.version})

    async def write() -> None:
        for number in due:
            # Who brings a version along only meets others who do, or nearly none of them would ever be in time.
            is_conditional = number % 4 == 0
            id = ids[-1] if is_conditional else ids[number % 3]
            try:
                await (conditionally(id) if is_conditional else counting.count(id))
            except (StaleVersion, StorageBusy) as refusal:
                refused[type(refusal).__name__] += 1
            except OutcomeUnknown:
                unknown[id] += 1
            else:
                acknowledged[id] += 1

    await asyncio.gather(*(write() for _ in range(WRITERS)))

    for id in ids:
        author = await storage.reader.author(id)
        assert acknowledged[id] <= int(author.name) <= acknowledged[id] + unknown[id]
        assert author.version == 1 + int(author.name)
    assert acknowledged.total() > 0
    log: list[Revision] = []
    while part := await storage.reader.changes(ChangeQuery(since=len(log), limit=1000)):
        log += part
    assert [revision.seq for revision in log] == list(range(1, len(log) + 1))
    for id in ids:
        names = [revision.after.name for revision in log if revision.id == id and isinstance(revision.after, Author)]
        assert names == [str(n) for n in range(len(names))]
    figures = ", ".join(f"{number} refused with {name}" for name, number in sorted(refused.items()))
    record_property(
        FIGURE,
        f"{conflicts} writes to {len(ids)} records by {WRITERS} writers: {acknowledged.total()} acknowledged, "
        f"{figures or 'none refused'}, {unknown.total()} unknown; 0 lost, 0 counted twice",
    )


@frozen
class Seen:
    """What a reader was shown."""

    authors: Page[Author]
    books: Page[BookRecord]


@pytest.mark.slow
async def test_readers_see_one_state_on_each_page_and_whoever_follows_by_seq_misses_nothing(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    begun = [await catalogue.authors.add(AuthorDetails(name=f"Author {n}")) for n in range(4)]
    seen: list[Seen] = []
    followed: list[Revision] = []
    ended = asyncio.Event()

    async def write(writer: int) -> None:
        dice = random.Random(writer)
        books: list[UUID] = []
        for n in range(12):
            author = dice.choice(begun)
            match dice.randrange(4):
                case 0 if books:
                    await outcome_of(catalogue.books.remove(books.pop()))
                case 1:
                    await outcome_of(catalogue.authors.revise(author.id, Amendment({"name": f"{writer} {n}"})))
                case 2:
                    two = [Author.recorded(AuthorDetails(name=f"T {n}"), id=catalogue.ids.new(), at=author.created_at)]
                    two.append(Author.recorded(two[0].details, id=catalogue.ids.new(), at=author.created_at))
                    async with storage.unit_of_work(catalogue.caller) as unit:
                        await unit.authors.add(*two)
                case _:
                    book = await outcome_of(catalogue.books.add(BookDetails(title=f"B {n}", author_id=author.id)))
                    books += [book.id] if isinstance(book, BookRecord) else []
            await asyncio.sleep(0)

    async def read() -> None:
        while not ended.is_set():
            page = PageRequest(number=1 + len(seen) % 3, size=5)
            authors = await storage.reader.authors(AuthorQuery(page=page))
            seen.append(Seen(authors, await storage.reader.books(BookQuery(page=page))))
            await asyncio.sleep(0)

    async def follow() -> None:
        last = False
        while not last:
            last = ended.is_set()
            position = await storage.reader.position()
            part = await storage.reader.changes(ChangeQuery(since=len(followed), limit=1000))
            assert [r.seq for r in part] == list(range(len(followed) + 1, len(followed) + len(part) + 1))
            assert len(followed) + len(part) >= position.seq
            followed.extend(part)
            await asyncio.sleep(0)

    async def write_all() -> None:
        await asyncio.gather(*(tolerating_interruptions(write(n)) for n in range(WRITERS)))
        ended.set()

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(write_all(), read(), read(), follow(), follow_again(storage, ended))

    log = await must_be_whole(storage)
    assert followed == log
    for shown in seen:
        must_be_as_of(shown.authors, log, Kind.AUTHOR)
        must_be_as_of(shown.books, log, Kind.BOOK)


async def tolerating_interruptions(work: Coroutine[Any, Any, None]) -> None:
    """Units without a use case around them are not run again."""
    await outcome_of(work)


async def follow_again(storage: Storage, ended: asyncio.Event) -> None:
    """Ask for the last revisions again and again: a place that is taken is never taken anew, and none comes late."""
    known: dict[int, Revision] = {}
    while not ended.is_set():
        seq = (await storage.reader.position()).seq
        since = max(0, seq - 5)
        part = await storage.reader.changes(ChangeQuery(since=since, limit=1000))
        assert [revision.seq for revision in part] == list(range(since + 1, since + 1 + len(part)))
        for revision in part:
            assert known.setdefault(revision.seq, revision) == revision
        await asyncio.sleep(0)


def must_be_as_of(page: Page[Any], log: Sequence[Revision], kind: Kind) -> None:
    """The page is what the records were that the log had told of by then."""
    standing = standing_after(log[: page.as_of.seq])
    records = sorted(
        (record for record in standing.values() if record.KIND is kind), key=lambda each: (each.sort_key, each.id.bytes)
    )
    assert page.offset is not None
    shown = records[page.offset : page.offset + page.limit]
    assert page.total == len(records)
    assert [(item.id, item.version) for item in page.items] == [(record.id, record.version) for record in shown]
    for item in page.items:
        if isinstance(item, BookRecord) and item.author_id is not None:
            assert item.author == standing[item.author_id]


async def works(storage: Storage) -> tuple[Cataloguers, list[Author], list[BookRecord]]:
    """Four authors, each with a book that names the next one, too."""
    catalogue = Cataloguers(storage)
    authors = [await catalogue.authors.add(AuthorDetails(name=f"Author {n}")) for n in range(4)]
    books = [
        await catalogue.books.add(
            BookDetails(
                title=f"Book {n}",
                author_id=author.id,
                contributors=(Contributor(author_id=authors[n - 1].id),),
            )
        )
        for n, author in enumerate(authors)
    ]
    return catalogue, authors, books


def a_book_of(author: Author) -> BookDetails:
    return BookDetails(title="New", author_id=author.id, contributors=(Contributor(author_id=author.id),))


Meeting = Callable[[Cataloguers, Sequence[Author], Sequence[BookRecord]], Sequence[Awaitable[Any]]]

MEETINGS: dict[str, Meeting] = {
    "two merges into one": lambda c, a, _: [c.merging.merge(Author, a[n].id, a[0].id) for n in (1, 2)],
    "a merge and its opposite": lambda c, a, _: [
        c.merging.merge(Author, a[0].id, a[1].id),
        c.merging.merge(Author, a[1].id, a[0].id),
    ],
    "a chain of merges": lambda c, a, _: [c.merging.merge(Author, a[n].id, a[n + 1].id) for n in range(3)],
    "a ring of merges": lambda c, a, _: [c.merging.merge(Author, a[n].id, a[(n + 1) % 4].id) for n in range(4)],
    "a merge and books that name who is merged": lambda c, a, b: [
        c.merging.merge(Author, a[0].id, a[1].id),
        *(c.books.add(a_book_of(a[0])) for _ in range(3)),
        c.books.revise(b[2].id, Amendment.to(a_book_of(a[0]))),
    ],
    "a removal and books that name who is removed": lambda c, a, b: [
        *(c.books.remove(each.id) for each in b),
        *(c.authors.remove(a[0].id) for _ in range(2)),
        *(c.books.add(a_book_of(a[0])) for _ in range(3)),
    ],
    "merges of books and their revisions": lambda c, a, b: [
        c.merging.merge(BookRecord, b[0].id, b[1].id),
        c.merging.merge(BookRecord, b[1].id, b[2].id),
        c.books.revise(b[1].id, Amendment({"author_id": a[3].id})),
        c.authors.remove(a[3].id),
    ],
    "an erasure, a merge and a revision": lambda c, a, b: [
        c.log_keeping.erase(b[0].id),
        c.merging.merge(BookRecord, b[0].id, b[1].id),
        c.books.revise(b[0].id, Amendment({"title": "Revised"})),
    ],
}
"""What is asked at once, and meets in the storage."""


@pytest.mark.parametrize("meeting", MEETINGS.values(), ids=MEETINGS.keys())
async def test_whatever_meets_references_stay_whole_and_redirects_flat(storage: Storage, meeting: Meeting) -> None:
    for _ in range(ROUNDS):
        catalogue, authors, books = await works(storage)

        await at_once(*meeting(catalogue, authors, books))

    await must_be_whole(storage)


async def test_an_unmerge_and_a_merge_at_once_leave_redirects_flat(storage: Storage) -> None:
    for _ in range(ROUNDS):
        catalogue, authors, _books = await works(storage)
        a, b, c, _ = (author.id for author in authors)
        await catalogue.merging.merge(Author, a, b)

        await at_once(catalogue.merging.unmerge(Author, a), catalogue.merging.merge(Author, b, c))

    await must_be_whole(storage)


@pytest.mark.parametrize("times", [2, 5])
async def test_requests_with_one_key_that_meet_are_done_once(storage: Storage, times: int) -> None:
    catalogue = Cataloguers(storage)
    author = await catalogue.authors.add(AuthorDetails(name="Author"))
    for number in range(ROUNDS):
        added = [catalogue.asked_once(f"add {number}") for _ in range(times)]
        revised = [catalogue.asked_once(f"revise {number}") for _ in range(times)]
        seq = (await storage.reader.position()).seq

        books = await at_once(*(each.books.add(a_book_of(author)) for each in added))
        authors = await at_once(
            *(each.authors.revise(author.id, Amendment({"name": f"Name {number}"})) for each in revised)
        )

        assert books == [books[0]] * times
        assert authors == [authors[0]] * times
        assert [sum(each.replayed for each in asked) for asked in (added, revised)] == [times - 1] * 2
        assert (await storage.reader.position()).seq == seq + 2
    await must_be_whole(storage)


@pytest.mark.slow
async def test_a_unit_that_is_cancelled_at_any_moment_is_done_whole_or_not_at_all_and_blocks_nobody(
    storage: Storage,
) -> None:
    catalogue = Cataloguers(storage)
    dice = random.Random(7)
    done = 0

    async def add_both() -> None:
        author = Author.recorded(AuthorDetails(name="Author"), id=catalogue.ids.new(), at=catalogue.clock.now())
        other = Author.recorded(AuthorDetails(name="Other"), id=catalogue.ids.new(), at=catalogue.clock.now())
        async with storage.unit_of_work(catalogue.caller) as unit:
            await unit.authors.add(author)
            await asyncio.sleep(0)
            await unit.authors.add(other)

    for attempt in range(60):
        before = (await storage.reader.position()).seq
        task = asyncio.create_task(add_both())
        if attempt % 2:
            await asyncio.sleep(dice.uniform(0, 0.01))
        else:
            for _ in range(dice.randrange(20)):
                await asyncio.sleep(0)
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)

        assert outcome is None or isinstance(outcome, asyncio.CancelledError | CatalogError)
        after = (await storage.reader.position()).seq
        assert after - before in ((2,) if outcome is None else (0, 2))
        done += after > before
        async with asyncio.timeout(PATIENCE):
            await catalogue.authors.add(AuthorDetails(name=f"After {attempt}"))

    log = await must_be_whole(storage)
    assert len(log) == 60 + 2 * done


async def test_who_is_cancelled_while_others_write_takes_nothing_of_theirs_along(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    kept: list[Author] = []

    async def write(n: int) -> None:
        kept.append(await catalogue.authors.add(AuthorDetails(name=f"Author {n}")))

    tasks = [asyncio.create_task(write(n)) for n in range(30)]
    await asyncio.sleep(0.005)
    for task in tasks[::3]:
        task.cancel()
    async with asyncio.timeout(PATIENCE):
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert [each for each in outcomes if each is not None and not isinstance(each, asyncio.CancelledError)] == []
    log = await must_be_whole(storage)
    assert {author.id for author in kept} <= {revision.id for revision in log}
    assert len(log) <= 30
