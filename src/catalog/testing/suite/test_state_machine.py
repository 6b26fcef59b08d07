"""The same random history over a storage and over the model of all storages: nobody can tell the two apart."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from datetime import date
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader, Storage
from catalog.domain.queries import AuthorQuery, BookQuery, ChangeQuery, PageRequest, RevisionQuery, entered_under
from catalog.domain.records import Amendment, told
from catalog.domain.revisions import Revision
from catalog.domain.snapshots import SnapshotStorage
from catalog.testing.doubles import NOBODY, Cataloguers, Refused, RepeatableIds, StillClock, log_of, outcome_of
from catalog.testing.storages import NewStorage, opened
from catalog.testing.strategies import SETTINGS, author_details, book_details

PAGE_SIZE = 4

# So few that some are equal, or equal once folded, and only the id tells which comes first.
few_names = st.sampled_from(["Émile", "emile", "E.", "ß", "ss", "?", "道", "😀", "_", "%"])
birthdays = st.sampled_from([None, date(1, 1, 1), date(1929, 10, 21), date(2026, 1, 2), date(2200, 1, 1)])
known_versions = st.none() | st.sets(st.integers(1, 3), min_size=1)
versions = st.integers(0, 5)
kinds = st.sampled_from(Kind)


def one_of_the(kind: str) -> st.SearchStrategy[UUID]:
    """The id of an author or book, now and then of one that is gone or never was."""

    def ids(machine: "Histories") -> st.SearchStrategy[UUID]:
        present, ever = machine.present[kind], st.sampled_from(machine.ever[kind])
        return st.integers(0, 9).flatmap(lambda die: st.sampled_from(present) if present and die else ever)

    return st.runner().flatmap(ids)


def books_by(authors: st.SearchStrategy[UUID]) -> st.SearchStrategy[BookDetails]:
    """What may be said about a book."""
    return st.builds(attrs.evolve, book_details(authors), title=few_names) | book_details(authors)


def one_that_is_gone(kind: Kind, *, merged: bool) -> st.SearchStrategy[UUID]:
    """The id of a record that was merged, or removed; now and then of any other."""

    def ids(machine: "Histories") -> st.SearchStrategy[UUID]:
        last = {revision.id: revision for revision in machine.log if revision.kind is kind}
        gone = [id for id, revision in last.items() if not revision.stands and bool(revision.into) is merged]
        return st.integers(0, 9).flatmap(lambda die: st.sampled_from(gone if gone and die else [*last, NOBODY]))

    return st.runner().flatmap(ids)


an_author = one_of_the("authors")
a_book = one_of_the("books")
a_removed_author, a_merged_author = (one_that_is_gone(Kind.AUTHOR, merged=merged) for merged in (False, True))
a_removed_book, a_merged_book = (one_that_is_gone(Kind.BOOK, merged=merged) for merged in (False, True))
any_author = st.builds(AuthorDetails, name=few_names, dob=birthdays) | author_details()
any_book = books_by(st.runner().flatmap(lambda machine: st.sampled_from(machine.present["authors"] or [NOBODY])))
a_book_by_anybody = books_by(an_author)
first_ids = [RepeatableIds(made).new() for made in range(2)]


@st.composite
def changes_from(draw: st.DrawFn, details: st.SearchStrategy[Any]) -> Amendment[Any]:
    """Some of the fields of some details."""
    values = told(draw(details))
    return Amendment({name: value for name, value in values.items() if draw(st.booleans())})


class Histories(RuleBasedStateMachine):
    """Does everything twice, and compares."""

    def __init__(self, new_storage: NewStorage) -> None:
        super().__init__()
        self.present: dict[str, list[UUID]] = {"authors": [], "books": []}
        self.ever: dict[str, list[UUID]] = {"authors": [NOBODY], "books": [NOBODY]}
        self.log: list[Revision] = []
        self.clock = StillClock()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        tested = self.runner.run(self.stack.enter_async_context(opened(new_storage)))
        self.catalogues = [
            Cataloguers(storage, clock=self.clock, ids=RepeatableIds()) for storage in (SnapshotStorage(), tested)
        ]

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def both(self, ask: Callable[[Cataloguers], Awaitable[Any]]) -> Any:
        """Ask both for the same; return the outcome."""
        expected, actual = (self.runner.run(outcome_of(ask(catalogue))) for catalogue in self.catalogues)
        assert actual == expected
        return expected

    def write(self, ask: Callable[[Cataloguers], Awaitable[Any]]) -> Any:
        """Write the same to both, a moment later than the write before, and compare all that there is then."""
        self.clock.move()
        outcome = self.both(ask)
        since = ChangeQuery(since=len(self.log))
        self.log += self.read(lambda reader: reader.changes(since))
        assert [revision.seq for revision in self.log] == list(range(1, len(self.log) + 1))
        self.present = {
            "authors": self.every_page(lambda reader, page: reader.authors(AuthorQuery(page=page))),
            "books": self.every_page(lambda reader, page: reader.books(BookQuery(page=page))),
        }
        return outcome

    def read(self, ask: Callable[[CatalogReader], Awaitable[Any]]) -> Any:
        """Read the same from both."""
        return self.both(lambda catalogue: ask(catalogue.storage.reader))

    @initialize(
        two_authors=st.lists(author_details(), min_size=2, max_size=2),
        two_books=st.lists(books_by(st.sampled_from(first_ids)), min_size=2, max_size=2),
    )
    def begin(self, two_authors: list[AuthorDetails], two_books: list[BookDetails]) -> None:
        for author in two_authors:
            self.add_author(author)
        for book in two_books:
            self.add_book(book)

    @rule(details=any_author)
    def add_author(self, details: AuthorDetails) -> None:
        self.note("authors", self.write(lambda catalogue: catalogue.authors.add(details)))

    @rule(details=any_book | a_book_by_anybody)
    def add_book(self, details: BookDetails) -> None:
        self.note("books", self.write(lambda catalogue: catalogue.books.add(details)))

    def note(self, kind: str, outcome: Any) -> None:
        if not isinstance(outcome, Refused):
            self.ever[kind].append(outcome.id)

    @rule(id=an_author, changes=changes_from(any_author), known=known_versions)
    def amend_author(self, id: UUID, changes: Amendment[AuthorDetails], known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.authors.revise(id, changes, known_versions=known))

    @rule(id=a_book, changes=changes_from(any_book), known=known_versions)
    def amend_book(self, id: UUID, changes: Amendment[BookDetails], known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.books.revise(id, changes, known_versions=known))

    @rule(id=an_author, details=any_author, known=known_versions)
    def replace_author(self, id: UUID, details: AuthorDetails, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.authors.revise(id, Amendment.to(details), known_versions=known))

    @rule(id=a_book, details=any_book, known=known_versions)
    def replace_book(self, id: UUID, details: BookDetails, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.books.revise(id, Amendment.to(details), known_versions=known))

    @rule(id=an_author, known=known_versions)
    def remove_author(self, id: UUID, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.authors.remove(id, known_versions=known))

    @rule(id=a_book, known=known_versions)
    def remove_book(self, id: UUID, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.books.remove(id, known_versions=known))

    @rule(id=an_author, version=versions, known=known_versions)
    def revert_author(self, id: UUID, version: int, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.undoing.revert(Author, id, version, known_versions=known))

    @rule(id=a_book, version=versions, known=known_versions)
    def revert_book(self, id: UUID, version: int, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.undoing.revert(BookRecord, id, version, known_versions=known))

    @rule(id=a_removed_author)
    def restore_author(self, id: UUID) -> None:
        self.write(lambda catalogue: catalogue.undoing.restore(Author, id))

    @rule(id=a_removed_book)
    def restore_book(self, id: UUID) -> None:
        self.write(lambda catalogue: catalogue.undoing.restore(BookRecord, id))

    @rule(id=an_author, into=an_author, known=known_versions)
    def merge_authors(self, id: UUID, into: UUID, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.merging.merge(Author, id, into, known_versions=known))

    @rule(id=a_book, into=a_book, known=known_versions)
    def merge_books(self, id: UUID, into: UUID, known: Collection[int] | None) -> None:
        self.write(lambda catalogue: catalogue.merging.merge(BookRecord, id, into, known_versions=known))

    @rule(id=a_merged_author)
    def unmerge_author(self, id: UUID) -> None:
        self.write(lambda catalogue: catalogue.merging.unmerge(Author, id))

    @rule(id=a_merged_book)
    def unmerge_book(self, id: UUID) -> None:
        self.write(lambda catalogue: catalogue.merging.unmerge(BookRecord, id))

    @rule(kind=kinds, id=an_author | a_book, version=versions, size=st.integers(1, 3))
    def read_history(self, kind: Kind, id: UUID, version: int, size: int) -> None:
        page = PageRequest(number=1 + version // 2, size=size)
        self.read(lambda reader: reader.revisions(RevisionQuery(kind=kind, id=id, page=page)))
        self.read(lambda reader: reader.revision(kind, id, version))

    @rule(since=st.integers(0, 40), kind=st.none() | kinds, limit=st.integers(1, 5))
    def read_changes(self, since: int, kind: Kind | None, limit: int) -> None:
        self.read(lambda reader: reader.changes(ChangeQuery(since=since, kind=kind, limit=limit)))

    @rule(page=st.builds(PageRequest, number=st.integers(1, 3), size=st.integers(1, 4)))
    def read_duplicates(self, page: PageRequest) -> None:
        self.read(lambda reader: reader.duplicates(page))

    @rule(id=an_author)
    def read_author(self, id: UUID) -> None:
        self.read(lambda reader: reader.author(id))

    @rule(id=a_book)
    def read_book(self, id: UUID) -> None:
        self.read(lambda reader: reader.book(id))

    @rule(page=st.builds(PageRequest, number=st.integers(1, 5) | st.just(2**31 - 1), size=st.integers(1, 100)))
    def read_any_page(self, page: PageRequest) -> None:
        self.read(lambda reader: reader.authors(AuthorQuery(page=page)))
        self.read(lambda reader: reader.books(BookQuery(page=page)))

    @rule(id=an_author)
    def list_by_author(self, id: UUID) -> None:
        self.every_page(lambda reader, page: reader.books(BookQuery(page=page, filters=(entered_under(id),))))

    def every_page(self, ask: Callable[[CatalogReader, PageRequest], Awaitable[Any]]) -> list[UUID]:
        """Compare a list page by page, one past the end too; return the ids of its items."""
        ids: list[UUID] = []
        for number in count(1):
            request = PageRequest(number=number, size=PAGE_SIZE)
            page = self.read(partial(_asking, ask, request))
            ids += [item.id for item in page.items]
            if not page.items:
                assert len(ids) == page.total
                return ids
        return ids


def _asking(
    ask: Callable[[CatalogReader, PageRequest], Awaitable[Any]], request: PageRequest, reader: CatalogReader
) -> Awaitable[Any]:
    return ask(reader, request)


@pytest.mark.slow
@pytest.mark.timeout(900)  # a disagreement takes minutes to be shrunk to its shortest history
def test_no_history_tells_a_storage_and_the_model_apart(new_storage: NewStorage) -> None:
    run_state_machine_as_test(
        lambda: Histories(new_storage),  # type: ignore[arg-type]  # any factory will do
        settings=settings(
            SETTINGS,
            max_examples=20,
            stateful_step_count=25,
            report_multiple_bugs=False,
            phases=[Phase.reuse, Phase.generate, Phase.shrink],
        ),
    )


async def test_what_a_merge_and_its_way_back_do_is_written_in_the_order_of_the_model(storage: Storage) -> None:
    """Random histories seldom have enough books and redirects at once to tell."""
    logs = []
    for each in (SnapshotStorage(), storage):
        catalogue = Cataloguers(each, ids=RepeatableIds())
        *earlier, loser, survivor = [
            (await catalogue.authors.add(AuthorDetails(name=f"Author {n}"))).id for n in range(8)
        ]
        for n in range(6):
            await catalogue.books.add(BookDetails(title=f"Book {n}", author_id=loser))
        for id in reversed(earlier):
            await catalogue.merging.merge(Author, id, loser)
        await catalogue.merging.merge(Author, loser, survivor)
        await catalogue.merging.unmerge(Author, loser)
        logs.append(await log_of(each.reader))

    assert logs[1] == logs[0]
