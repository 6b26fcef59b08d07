"""What the log promises: whatever happens to a record is in it, once, in order."""

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from attrs import evolve

from catalog.domain import use_cases
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, BookRecord, SourceRecord
from catalog.domain.callers import Caller
from catalog.domain.errors import CatalogError, Interrupted, NotFound, SeqNotReached, VersionNotFound
from catalog.domain.kinds import Kind
from catalog.domain.ports import Storage
from catalog.domain.queries import (
    SEQ_LIMIT,
    AuthorQuery,
    BookQuery,
    ChangeQuery,
    Page,
    PageRequest,
    Position,
    RevisionQuery,
    entered_under,
)
from catalog.domain.records import Amendment
from catalog.domain.revisions import Change, Operation, Revision
from catalog.domain.snapshots import SnapshotStorage
from catalog.domain.sources import Entry
from catalog.testing.doubles import (
    NOBODY,
    Cataloguers,
    FeedOf,
    SortedIds,
    begin_and_cancel,
    drafted,
    listed,
    log_of,
    picture_of,
    standing_after,
)

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
CALLER = Caller(actor="tester", request_id="test")
ids = SortedIds()


def an_author(name: str = "Jane Austen") -> Author:
    return Author.recorded(AuthorDetails(name=name), id=ids.new(), at=START)


async def test_an_empty_catalogue_has_an_empty_log(storage: Storage) -> None:
    assert await log_of(storage.reader) == []
    assert await storage.reader.position() == Position(seq=0, at=None)


async def test_a_revision_tells_what_happened_to_whom_by_whom_and_when(catalogue: Cataloguers) -> None:
    catalogue.caller = Caller(actor="Ada", request_id="r-1")
    author = await catalogue.authors.add(AuthorDetails(name="Homer"))

    (revision,) = await log_of(catalogue.storage.reader)

    assert revision == Revision(
        seq=1,
        kind=Kind.AUTHOR,
        id=author.id,
        version=1,
        operation=Operation.CREATE,
        actor="Ada",
        request_id="r-1",
        group=None,
        into=None,
        after=author,
        withheld=None,
        at=START,
    )


async def test_a_book_is_told_without_its_embedded_author_and_with_its_sources(storage: Storage) -> None:
    author = an_author()
    details = BookDetails(title="Emma", author_id=author.id)
    book = Book.recorded(details, id=ids.new(), at=START, sources=(SourceRecord("gutenberg", "158"),))
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        await unit.books.add(book)

    told_book = (await log_of(storage.reader))[-1].after

    assert type(told_book) is Book
    assert told_book == book


async def test_what_is_written_as_a_group_is_told_as_one(storage: Storage) -> None:
    group = ids.new()
    async with storage.unit_of_work(CALLER) as unit:
        unit.group = group
        await unit.authors.add(an_author("A"), an_author("B"))
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(an_author("C"))

    assert [revision.group for revision in await log_of(storage.reader)] == [group, group, None]


async def test_a_removal_is_the_next_version_and_leaves_nothing_to_tell(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Homer"))
    catalogue.clock.move()
    await catalogue.authors.remove(author.id)

    removal = (await log_of(catalogue.storage.reader))[-1]

    assert (removal.operation, removal.version, removal.after, removal.withheld) == (Operation.REMOVE, 2, None, None)
    assert removal.at == START + timedelta(seconds=1)
    assert not removal.stands


async def test_one_removed_into_another_is_told_to_be_there(storage: Storage) -> None:
    loser, survivor = an_author("Loser"), an_author("Survivor")
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(loser, survivor)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.remove(loser, at=START, operation=Operation.MERGE, into=survivor.id)

    merge = (await log_of(storage.reader))[-1]

    assert (merge.id, merge.operation, merge.into, merge.after) == (loser.id, Operation.MERGE, survivor.id, None)


async def test_every_change_of_one_unit_has_a_seq_of_its_own_in_the_order_of_the_work(storage: Storage) -> None:
    one, other = an_author("One"), an_author("Other")
    revised = one.revised(AuthorDetails(name="Won"), at=START)

    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(one, other)
        await unit.authors.replace(revised)
        await unit.authors.remove(other, at=START)

    assert [(r.seq, r.id, r.version, r.operation) for r in await log_of(storage.reader)] == [
        (1, one.id, 1, Operation.CREATE),
        (2, other.id, 1, Operation.CREATE),
        (3, one.id, 2, Operation.REVISE),
        (4, other.id, 2, Operation.REMOVE),
    ]


async def test_a_change_of_what_is_gone_is_appended_as_it_is(storage: Storage) -> None:
    gone, into = an_author(), an_author("Survivor")
    redirect = Change(kind=Kind.AUTHOR, id=gone.id, version=3, operation=Operation.MERGE, at=START, into=into.id)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(gone, into)
        await unit.authors.remove(gone, at=START)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.log.append(redirect)

    assert (await log_of(storage.reader))[-1].change == redirect


async def test_a_write_that_changes_nothing_leaves_no_revision(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Homer"))
    book = await catalogue.books.add(BookDetails(title="Iliad", author_id=author.id))

    await catalogue.authors.revise(author.id, Amendment({"name": "Homer"}))
    await catalogue.books.revise(book.id, Amendment({"title": " Iliad "}))
    async with catalogue.storage.unit_of_work(CALLER) as unit:
        await unit.authors.add()
        await unit.books.replace()
        await unit.books.remove(at=START)

    assert (await catalogue.storage.reader.position()).seq == 2


async def test_a_unit_that_fails_leaves_no_revision_and_no_gap(storage: Storage) -> None:
    async def fail() -> None:
        async with storage.unit_of_work(CALLER) as unit:
            await unit.authors.add(an_author("Refused"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(an_author("Taken"))

    (revision,) = await log_of(storage.reader)
    assert (revision.seq, revision.after and told_name(revision)) == (1, "Taken")


def told_name(revision: Revision) -> str:
    assert isinstance(revision.after, Author)
    return revision.after.name


async def test_the_log_has_no_gaps_and_keeps_units_together_under_many_writers(storage: Storage) -> None:
    """Some fail, some are interrupted, some wait in the middle of their work; all write into one log."""
    standing = an_author("0")
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(standing)
    landed: list[int] = []

    async def attempt(n: int) -> None:
        async with storage.unit_of_work(Caller(request_id=str(n))) as unit:
            await unit.authors.add(*(an_author(f"{n}.{m}") for m in range(n % 3 + 1)))
            if n % 4 == 0:
                await asyncio.sleep(0)
            if n % 5 == 3:
                await unit.authors.replace(evolve(standing, version=7, name="Stale"))
            if n % 7 == 5:
                raise ZeroDivisionError

    async def write(n: int) -> None:
        for _ in range(50):
            with suppress(Interrupted, ZeroDivisionError):
                await attempt(n)
                landed.append(n)
                return
            await asyncio.sleep(0)

    seen: list[list[Revision]] = []

    async def watch() -> None:
        for _ in range(30):
            seen.append(await log_of(storage.reader, size=7))
            await asyncio.sleep(0)

    await asyncio.gather(*(write(n) for n in range(40)), watch())

    log = await log_of(storage.reader)
    assert [revision.seq for revision in log] == list(range(1, len(log) + 1))
    assert all(prefix == log[: len(prefix)] for prefix in seen)
    writers = [int(revision.request_id or "") for revision in log[1:]]
    in_order = list(dict.fromkeys(writers))
    assert sorted(in_order) == sorted(landed) == [n for n in range(40) if n % 5 != 3 and n % 7 != 5]
    assert writers == [n for n in in_order for _ in range(n % 3 + 1)]
    assert len(await listed(lambda page: storage.reader.authors(AuthorQuery(page=page)))) == len(log)


async def test_use_cases_at_once_are_told_in_the_order_in_which_they_were_committed(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Author"))

    async def rename(n: int) -> None:
        await catalogue.authors.revise(author.id, Amendment({"name": f"Author {n}"}))

    await asyncio.gather(*(rename(n) for n in range(20)))

    log = await log_of(catalogue.storage.reader)
    assert [(revision.seq, revision.version) for revision in log] == [(n, n) for n in range(1, 22)]
    assert log[-1].after == await catalogue.storage.reader.author(author.id)


async def test_a_cancelled_unit_leaves_no_gap(storage: Storage) -> None:
    await begin_and_cancel(storage, an_author("Cancelled"))

    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(an_author())

    assert [revision.seq for revision in await log_of(storage.reader)] == [1]


@pytest_asyncio.fixture
async def written(catalogue: Cataloguers) -> list[UUID]:
    """Three revisions of an author, one book in between, and its removal; seven in all."""
    author = await catalogue.authors.add(AuthorDetails(name="A1"))
    book = await catalogue.books.add(BookDetails(title="B1", author_id=author.id))
    await catalogue.authors.revise(author.id, Amendment({"name": "A2"}))
    await catalogue.books.revise(book.id, Amendment({"title": "B2"}))
    await catalogue.authors.revise(author.id, Amendment({"name": "A3"}))
    await catalogue.books.remove(book.id)
    await catalogue.authors.remove(author.id)
    return [author.id, book.id]


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    ("query", "seqs"),
    [
        (ChangeQuery(), [1, 2, 3, 4, 5, 6, 7]),
        (ChangeQuery(since=5), [6, 7]),
        (ChangeQuery(since=7), []),
        (ChangeQuery(since=2, limit=2), [3, 4]),
        (ChangeQuery(kind=Kind.BOOK), [2, 4, 6]),
        (ChangeQuery(kind=Kind.AUTHOR, since=1, limit=2), [3, 5]),
        (ChangeQuery(kind=Kind.BOOK, since=6), []),
    ],
)
async def test_changes_are_told_since_a_seq_of_a_kind_and_so_many(
    storage: Storage, query: ChangeQuery, seqs: list[int]
) -> None:
    assert [revision.seq for revision in await storage.reader.changes(query)] == seqs


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("kind", [None, Kind.AUTHOR])
@pytest.mark.parametrize("since", [8, SEQ_LIMIT])
async def test_changes_since_a_seq_that_was_not_reached_are_refused(
    storage: Storage, since: int, kind: Kind | None
) -> None:
    with pytest.raises(SeqNotReached) as refusal:
        await storage.reader.changes(ChangeQuery(since=since, kind=kind))

    assert (refusal.value.seq, refusal.value.last) == (since, 7)


async def test_the_position_is_the_last_revision(catalogue: Cataloguers, written: list[UUID]) -> None:
    catalogue.clock.move(60)
    assert await catalogue.storage.reader.position() == Position(seq=7, at=START)

    await catalogue.authors.add(AuthorDetails(name="New"))

    assert await catalogue.storage.reader.position() == Position(seq=8, at=START + timedelta(seconds=60))
    assert written


async def test_the_history_of_a_record_is_paged_newest_first(storage: Storage, written: list[UUID]) -> None:
    query = RevisionQuery(kind=Kind.AUTHOR, id=written[0], page=PageRequest(size=3))

    first = await storage.reader.revisions(query)
    second = await storage.reader.revisions(evolve(query, page=PageRequest(number=2, size=3)))
    beyond = await storage.reader.revisions(evolve(query, page=PageRequest(number=9, size=3)))

    assert [revision.version for revision in first.items] == [4, 3, 2]
    assert [revision.seq for revision in first.items] == [7, 5, 3]
    assert [revision.version for revision in second.items] == [1]
    assert list(beyond.items) == []
    assert [page.total for page in (first, second, beyond)] == [4, 4, 4]
    assert first.as_of.seq == 7


async def test_each_version_can_be_asked_for_even_of_what_is_gone(storage: Storage, written: list[UUID]) -> None:
    log = await log_of(storage.reader)

    for revision in log:
        assert await storage.reader.revision(revision.kind, revision.id, revision.version) == revision
    assert {revision.id for revision in log} == set(written)


async def test_a_version_that_never_was_is_not_found(storage: Storage, written: list[UUID]) -> None:
    for version in (0, 5, 2**31):
        with pytest.raises(VersionNotFound) as refusal:
            await storage.reader.revision(Kind.AUTHOR, written[0], version)
        assert (refusal.value.version, refusal.value.newest) == (version, 4)


async def test_what_never_was_has_no_history_and_kinds_are_not_mixed_up(storage: Storage, written: list[UUID]) -> None:
    for kind, id in [(Kind.AUTHOR, NOBODY), (Kind.BOOK, written[0]), (Kind.AUTHOR, written[1])]:
        with pytest.raises(NotFound):
            await storage.reader.revisions(RevisionQuery(kind=kind, id=id))
        with pytest.raises(NotFound):
            await storage.reader.revision(kind, id, 1)


@pytest.mark.usefixtures("written")
async def test_lists_tell_as_of_which_change_they_are(catalogue: Cataloguers) -> None:
    reader = catalogue.storage.reader
    author = await catalogue.authors.add(AuthorDetails(name="New"))

    pages: list[Page[Any]] = [
        await reader.authors(AuthorQuery()),
        await reader.books(BookQuery()),
        await reader.books(BookQuery(filters=(entered_under(author.id),))),
        await reader.revisions(RevisionQuery(kind=Kind.AUTHOR, id=author.id)),
        await reader.duplicates(PageRequest()),
    ]

    assert [page.as_of for page in pages] == [Position(seq=8, at=START)] * 5


async def test_inside_a_unit_the_log_is_what_was_committed_before(catalogue: Cataloguers, written: list[UUID]) -> None:
    author = written[0]
    new = an_author()
    log = await log_of(catalogue.storage.reader)
    of_author = [revision for revision in log if revision.id == author]

    async with catalogue.storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(new)

        assert await unit.log.last(Kind.AUTHOR, [author, new.id, NOBODY]) == {author: of_author[-1]}
        assert await unit.log.last(Kind.BOOK, [author]) == {}
        assert await unit.log.versions(Kind.AUTHOR, {author: 2, NOBODY: 1, new.id: 1}) == {author: of_author[1]}
        assert await unit.log.versions(Kind.AUTHOR, {author: 9}) == {}
        assert await unit.log.as_of(Kind.AUTHOR, author, 4) == of_author[1]
        assert await unit.log.as_of(Kind.AUTHOR, author, 1) == of_author[0]
        assert await unit.log.as_of(Kind.AUTHOR, author, 0) is None
        assert await unit.log.as_of(Kind.BOOK, written[1], 1) is None


async def test_a_group_is_told_newest_first_in_parts(storage: Storage) -> None:
    group, authors = ids.new(), [an_author(f"Author {n}") for n in range(5)]
    async with storage.unit_of_work(CALLER) as unit:
        unit.group = group
        await unit.authors.add(*authors[:3])
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(an_author("Another"))
    async with storage.unit_of_work(CALLER) as unit:
        unit.group = group
        await unit.authors.add(*authors[3:])

    async with storage.unit_of_work(CALLER) as unit:
        assert [r.seq for r in await unit.log.of_group(group)] == [6, 5, 3, 2, 1]
        assert [r.seq for r in await unit.log.of_group(group, limit=2)] == [6, 5]
        assert [r.seq for r in await unit.log.of_group(group, before=5, limit=2)] == [3, 2]
        assert list(await unit.log.of_group(group, before=1)) == []
        assert list(await unit.log.of_group(NOBODY)) == []


async def test_those_that_redirect_to_a_record_are_told_as_long_as_they_do(catalogue: Cataloguers) -> None:
    a, b, c = [(await catalogue.authors.add(AuthorDetails(name=name))).id for name in "ABC"]
    await catalogue.merging.merge(Author, a, b)
    await catalogue.merging.merge(Author, b, c)

    async with catalogue.storage.unit_of_work(CALLER) as unit:
        assert list(await unit.log.merged_into(Kind.AUTHOR, b)) == []
        assert {r.id for r in await unit.log.merged_into(Kind.AUTHOR, c)} == {a, b}
        assert list(await unit.log.merged_into(Kind.BOOK, c)) == []


# One example of each unit of work that there is. What it did before it began is done by `begun`.

Example = Callable[[Cataloguers, "Begun"], Awaitable[Any]]


class Begun:
    """Some records for the examples to work on."""

    run = UUID("00000000-0000-7000-8000-00000000000a")

    def __init__(self, catalogue: Cataloguers) -> None:
        self._catalogue = catalogue

    async def begin(self) -> "Begun":
        catalogue = self._catalogue
        self.author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
        self.other = await catalogue.authors.add(AuthorDetails(name="J. Austen"))
        self.book = await catalogue.books.add(BookDetails(title="Emma", author_id=self.other.id))
        self.twin = await catalogue.books.add(BookDetails(title="Emma, a Novel", author_id=None))
        self.renamed = await catalogue.authors.revise(self.author.id, Amendment({"name": "Miss Austen"}))
        self.removed = await catalogue.authors.add(AuthorDetails(name="Removed"))
        await catalogue.authors.remove(self.removed.id)
        self.merged = await catalogue.authors.add(AuthorDetails(name="Merged"))
        await catalogue.merging.merge(Author, self.merged.id, self.author.id)
        await catalogue.importing.take([entry("1")], self.run)
        catalogue.clock.move()
        return self


def entry(key: str) -> Entry:
    return Entry(line=1, draft=drafted(SourceRecord("test", key), "Ulysses", "James Joyce"))


async def _replayed(catalogue: Cataloguers, _begun: Begun) -> None:
    source = Cataloguers(SnapshotStorage())
    for revision in await log_of(catalogue.storage.reader):
        await Cataloguers(source.storage).following(FeedOf(catalogue.storage)).replay([revision])
    await source.storage.promote()
    await source.authors.add(AuthorDetails(name="From there"))
    feed = FeedOf(source.storage)
    await catalogue.following(feed).claim()
    await catalogue.following(feed).replay(await feed.changes((await catalogue.storage.reader.position()).seq))


EXAMPLES: dict[str, Example] = {
    "AuthorCataloguing.add": lambda c, _: c.authors.add(AuthorDetails(name="New")),
    "AuthorCataloguing.revise": lambda c, begun: c.authors.revise(begun.author.id, Amendment({"name": "Anew"})),
    "AuthorCataloguing.remove": lambda c, begun: c.authors.remove(begun.author.id),
    "BookCataloguing.add": lambda c, begun: c.books.add(BookDetails(title="New", author_id=begun.author.id)),
    "BookCataloguing.revise": lambda c, begun: c.books.revise(begun.book.id, Amendment({"author_id": begun.author.id})),
    "BookCataloguing.remove": lambda c, begun: c.books.remove(begun.book.id),
    "Importing._taken": lambda c, _: c.importing.take([entry("2"), entry("3")], ids.new()),
    "Undoing.revert": lambda c, begun: c.undoing.revert(Author, begun.author.id, 1),
    "Undoing.restore": lambda c, begun: c.undoing.restore(Author, begun.removed.id),
    "Undoing.take_back": lambda c, begun: c.undoing.take_back(begun.run, ids.new()),
    "Merging.merge": lambda c, begun: c.merging.merge(Author, begun.other.id, begun.author.id),
    "Merging.unmerge": lambda c, begun: c.merging.unmerge(Author, begun.merged.id),
    "LogKeeping.erase": lambda c, begun: c.log_keeping.erase(begun.author.id),
    "LogKeeping.compact_some": lambda c, _: c.log_keeping.compact_some(c.clock.now(), 0),
    "Following.claim": lambda c, _: c.following(FeedOf(SnapshotStorage())).claim(),
    "Following.replay": _replayed,
}

CHANGE_NO_RECORD = {"LogKeeping.compact_some", "Following.claim"}


def units_of_work() -> list[str]:
    """The name of each use-case method that is one unit of work."""
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.iter_modules(use_cases.__path__, f"{use_cases.__name__}.")
    ]
    classes = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    return sorted(
        f"{cls.__name__}.{name}"
        for cls in classes
        for name, method in vars(cls).items()
        if inspect.isfunction(method) and inspect.iscoroutinefunction(getattr(method, "__wrapped__", None))
    )


def test_each_unit_of_work_has_an_example() -> None:
    """A new use case goes on here: give it an example above, and it is proven to be in the log."""
    assert units_of_work() == sorted(EXAMPLES)


@pytest.mark.parametrize("name", units_of_work())
async def test_no_use_case_changes_a_record_without_the_log(catalogue: Cataloguers, name: str) -> None:
    begun = await Begun(catalogue).begin()
    before = await picture_of(catalogue.storage)

    await EXAMPLES[name](catalogue, begun)

    after = await picture_of(catalogue.storage)
    assert (after != before) == (name not in CHANGE_NO_RECORD), "the example shows nothing"
    log = await log_of(catalogue.storage.reader)
    assert standing_after(log) == after.standing
    assert after.position == Position(seq=len(log), at=log[-1].at)


async def test_after_every_kind_of_change_totals_are_right(catalogue: Cataloguers) -> None:
    begun = await Begun(catalogue).begin()
    changes: list[Callable[[], Awaitable[Any]]] = [
        lambda: catalogue.merging.merge(Author, begun.other.id, begun.author.id),
        lambda: catalogue.merging.unmerge(Author, begun.other.id),
        lambda: catalogue.merging.merge(BookRecord, begun.twin.id, begun.book.id),
        lambda: catalogue.merging.unmerge(BookRecord, begun.twin.id),
        lambda: catalogue.undoing.take_back(begun.run, ids.new()),
        lambda: catalogue.undoing.restore(Author, begun.removed.id),
        lambda: catalogue.undoing.revert(Author, begun.author.id, 1),
        lambda: catalogue.books.remove(begun.twin.id),
        lambda: catalogue.log_keeping.erase(begun.book.id),
    ]
    for change in changes:
        await change()
        await picture_of(catalogue.storage)  # which counts the items of each list


async def test_a_refused_use_case_leaves_no_revision(catalogue: Cataloguers) -> None:
    begun = await Begun(catalogue).begin()
    log = await log_of(catalogue.storage.reader)

    refused: list[Awaitable[Any]] = [
        catalogue.authors.remove(begun.other.id),
        catalogue.books.add(BookDetails(title="New", author_id=NOBODY)),
        catalogue.undoing.revert(Author, begun.author.id, 99),
        catalogue.merging.merge(Author, begun.author.id, begun.author.id),
        catalogue.merging.unmerge(Author, begun.author.id),
        catalogue.log_keeping.erase(begun.other.id),
    ]
    for work in refused:
        with pytest.raises(CatalogError):
            await work

    assert await log_of(catalogue.storage.reader) == log
