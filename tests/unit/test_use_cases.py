"""The rules of the catalogue, over memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

import attrs
import pytest
from attrs import define, field

from catalog.adapters.memory import MemoryStorage
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, Contributor
from catalog.domain.callers import Caller
from catalog.domain.errors import (
    AuthorHasBooks,
    AuthorNotYetBorn,
    CatalogError,
    InvalidValue,
    NotFound,
    Removed,
    StaleVersion,
    UnknownAuthors,
)
from catalog.domain.kinds import Kind
from catalog.domain.ports import CatalogReader, Storage, UnitOfWork
from catalog.domain.queries import AuthorQuery, BookQuery
from catalog.domain.records import Amendment
from catalog.domain.revisions import Change, Operation
from catalog.domain.values import Isbn, Language, PartialDate, Role
from catalog.testing.doubles import NOBODY, Cataloguers, RepeatableIds


@define
class WatchedStorage:
    """Another storage, that remembers its units of work."""

    storage: Storage = field(factory=MemoryStorage)
    units: list[UnitOfWork] = field(factory=list)

    @property
    def reader(self) -> CatalogReader:
        return self.storage.reader

    @asynccontextmanager
    async def unit_of_work(self, caller: Caller) -> AsyncGenerator[UnitOfWork]:
        async with self.storage.unit_of_work(caller) as unit:
            self.units.append(unit)
            yield unit

    async def check(self) -> None:
        await self.storage.check()

    @property
    def changes(self) -> list[Change]:
        """What the last unit of work did."""
        return list(self.units[-1].changes)


@pytest.fixture
def storage() -> WatchedStorage:
    return WatchedStorage()


@pytest.fixture
def catalogue(storage: WatchedStorage) -> Cataloguers:
    return Cataloguers(storage, ids=RepeatableIds())


async def a_book(catalogue: Cataloguers) -> BookRecord:
    """A book about which everything is said."""
    author = await catalogue.authors.add(AuthorDetails(name="Homer"))
    translator = await catalogue.authors.add(AuthorDetails(name="Samuel Butler"))
    return await catalogue.books.add(
        BookDetails(
            title="The Odyssey",
            subtitle="rendered into English prose",
            author_id=author.id,
            contributors=(Contributor(author_id=translator.id, role=Role("trl")),),
            isbn=Isbn("9780141439600"),
            published=PartialDate("1900"),
            languages=(Language("eng"),),
        )
    )


async def test_ids_and_times_are_the_catalogues_and_never_a_clients(catalogue: Cataloguers) -> None:
    expected = RepeatableIds()
    author_id, book_id = expected.new(), expected.new()

    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))

    assert (author.id, author.version, author.created_at) == (author_id, 1, catalogue.clock.time)
    assert (book.id, book.version, book.created_at) == (book_id, 1, catalogue.clock.time)


async def test_a_book_that_is_added_comes_back_with_its_author(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))

    book = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))

    assert book.author == author
    assert await catalogue.storage.reader.book(book.id) == book


async def test_a_book_may_name_nobody(catalogue: Cataloguers) -> None:
    book = await catalogue.books.add(BookDetails(title="Beowulf", author_id=None))

    assert (book.author_id, book.author) == (None, None)


async def test_a_book_of_unknown_authors_is_refused_naming_every_place(catalogue: Cataloguers) -> None:
    known = await catalogue.authors.add(AuthorDetails(name="Known"))
    strangers = [UUID(int=1), UUID(int=2)]
    contributors = tuple(Contributor(author_id=id) for id in (strangers[0], known.id, strangers[1]))

    with pytest.raises(UnknownAuthors) as refusal:
        await catalogue.books.add(BookDetails(title="Emma", author_id=NOBODY, contributors=contributors))

    assert list(refusal.value.references) == [
        (("author_id",), NOBODY),
        (("contributors", 0, "author_id"), strangers[0]),
        (("contributors", 2, "author_id"), strangers[1]),
    ]
    assert (await catalogue.storage.reader.books(BookQuery())).total == 0


async def test_a_book_is_not_given_to_an_unknown_author(catalogue: Cataloguers) -> None:
    book = await a_book(catalogue)
    replacement = attrs.evolve(book.details, author_id=NOBODY)

    with pytest.raises(UnknownAuthors) as amending:
        await catalogue.books.revise(book.id, Amendment({"author_id": NOBODY}))
    with pytest.raises(UnknownAuthors) as replacing:
        await catalogue.books.revise(book.id, Amendment.to(replacement))

    assert amending.value.references == replacing.value.references == [(("author_id",), NOBODY)]
    assert await catalogue.storage.reader.book(book.id) == book


@pytest.mark.parametrize("books", [1, 2])
async def test_an_author_with_books_is_not_removed_and_the_refusal_says_how_many(
    catalogue: Cataloguers, books: int
) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
    for number in range(books):
        await catalogue.books.add(BookDetails(title=f"Book {number}", author_id=author.id))

    with pytest.raises(AuthorHasBooks) as refusal:
        await catalogue.authors.remove(author.id)

    assert (refusal.value.id, refusal.value.books) == (author.id, books)
    assert await catalogue.storage.reader.author(author.id) == author


async def test_a_contributor_is_not_removed_and_each_book_counts_once(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Samuel Butler"))
    roles = (None, Role("trl"), Role("edt"))
    contributions = tuple(Contributor(author_id=author.id, role=role) for role in roles)
    await catalogue.books.add(BookDetails(title="His own", author_id=author.id, contributors=contributions))
    await catalogue.books.add(BookDetails(title="Another's", author_id=None, contributors=contributions))

    with pytest.raises(AuthorHasBooks) as refusal:
        await catalogue.authors.remove(author.id)

    assert refusal.value.books == 2


async def test_an_author_is_removed_once_no_book_names_him(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
    removed = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))
    given_away = await catalogue.books.add(BookDetails(title="Persuasion", author_id=author.id))

    await catalogue.books.remove(removed.id)
    await catalogue.books.revise(given_away.id, Amendment({"author_id": None}))
    await catalogue.authors.remove(author.id)

    with pytest.raises(Removed):
        await catalogue.storage.reader.author(author.id)
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 0


async def test_a_removed_book_is_no_longer_found(catalogue: Cataloguers) -> None:
    book = await a_book(catalogue)

    await catalogue.books.remove(book.id)

    with pytest.raises(Removed):
        await catalogue.storage.reader.book(book.id)
    assert (await catalogue.storage.reader.books(BookQuery())).total == 0


async def test_what_is_not_there_is_neither_changed_nor_removed(catalogue: Cataloguers) -> None:
    authors, books = catalogue.authors, catalogue.books
    attempts: list[tuple[Kind, Any]] = [
        (Kind.AUTHOR, authors.revise(NOBODY, Amendment({"name": "x"}))),
        (Kind.AUTHOR, authors.revise(NOBODY, Amendment.to(AuthorDetails(name="x")))),
        (Kind.AUTHOR, authors.remove(NOBODY)),
        (Kind.BOOK, books.revise(NOBODY, Amendment({"title": "x"}))),
        (Kind.BOOK, books.revise(NOBODY, Amendment.to(BookDetails(title="x", author_id=None)))),
        (Kind.BOOK, books.remove(NOBODY)),
    ]

    for kind, attempt in attempts:
        with pytest.raises(NotFound) as refusal:
            await attempt
        assert (refusal.value.kind, refusal.value.id) == (kind, NOBODY)


async def test_an_amendment_changes_what_it_names_and_nothing_else(catalogue: Cataloguers) -> None:
    book = await a_book(catalogue)
    catalogue.clock.move()

    amended = await catalogue.books.revise(book.id, Amendment({"title": "Odyssey", "isbn": None}))

    others = {"version": 2, "updated_at": catalogue.clock.time}
    assert amended == attrs.evolve(book, title="Odyssey", isbn=None, identifiers=(), **others)
    assert await catalogue.storage.reader.book(book.id) == amended


async def test_a_replacement_clears_what_it_leaves_out(catalogue: Cataloguers) -> None:
    book = await a_book(catalogue)
    catalogue.clock.move()

    replaced = await catalogue.books.revise(
        book.id, Amendment.to(BookDetails(title="Odyssey", author_id=book.author_id))
    )

    assert replaced.details == BookDetails(title="Odyssey", author_id=book.author_id)
    assert (replaced.id, replaced.version, replaced.created_at) == (book.id, 2, book.created_at)
    assert replaced.updated_at == catalogue.clock.time
    assert await catalogue.storage.reader.book(book.id) == replaced


async def test_a_replaced_author_loses_the_date_of_birth_that_is_left_out(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen", dob=date(1775, 12, 16)))

    replaced = await catalogue.authors.revise(author.id, Amendment.to(AuthorDetails(name="Jane Austen")))

    assert (replaced.dob, replaced.version) == (None, 2)


async def test_a_write_from_a_stale_version_is_refused_and_says_which_stands(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Currer Bell"))
    author = await catalogue.authors.revise(author.id, Amendment({"name": "Charlotte Brontë"}), known_versions={1})
    book = await a_book(catalogue)
    book = await catalogue.books.revise(book.id, Amendment({"title": "Odyssey"}), known_versions={1})
    stale: list[tuple[Kind, UUID, Any]] = [
        (Kind.AUTHOR, author.id, catalogue.authors.revise(author.id, Amendment({"name": "x"}), known_versions={1})),
        (
            Kind.AUTHOR,
            author.id,
            catalogue.authors.revise(author.id, Amendment.to(AuthorDetails(name="x")), known_versions={1}),
        ),
        (Kind.AUTHOR, author.id, catalogue.authors.remove(author.id, known_versions={1})),
        (Kind.BOOK, book.id, catalogue.books.revise(book.id, Amendment({"title": "x"}), known_versions={1})),
        (Kind.BOOK, book.id, catalogue.books.revise(book.id, Amendment.to(book.details), known_versions={1})),
        (Kind.BOOK, book.id, catalogue.books.remove(book.id, known_versions=())),
    ]

    for kind, id, write in stale:
        with pytest.raises(StaleVersion) as refusal:
            await write
        assert (refusal.value.kind, refusal.value.id, refusal.value.current) == (kind, id, 2)
    assert await catalogue.storage.reader.author(author.id) == author
    assert await catalogue.storage.reader.book(book.id) == book


async def test_a_write_that_changes_nothing_bumps_nothing_and_is_no_change(
    catalogue: Cataloguers, storage: WatchedStorage
) -> None:
    book = await a_book(catalogue)
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
    catalogue.clock.move()

    assert await catalogue.authors.revise(author.id, Amendment({"name": " Jane Austen "})) == author
    assert storage.changes == []
    assert await catalogue.authors.revise(author.id, Amendment.to(author.details)) == author
    assert storage.changes == []
    assert await catalogue.books.revise(book.id, Amendment({})) == book
    assert storage.changes == []
    assert await catalogue.books.revise(book.id, Amendment.to(book.details)) == book
    assert storage.changes == []


async def test_every_write_that_changes_something_is_collected(catalogue: Cataloguers, storage: WatchedStorage) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Currer Bell"))
    assert storage.changes == [Change.leading_to(author, Operation.CREATE)]

    author = await catalogue.authors.revise(author.id, Amendment({"name": "Charlotte Brontë"}))
    assert storage.changes == [Change.leading_to(author, Operation.REVISE)]

    await catalogue.authors.remove(author.id)
    assert storage.changes == [Change.taking(author, Operation.REMOVE, at=catalogue.clock.now())]


async def test_an_author_born_in_the_future_is_refused_on_every_way_in(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
    someday = date(2026, 1, 3)
    unborn = AuthorDetails(name="Jane Austen", dob=someday)

    for write in (
        catalogue.authors.add(unborn),
        catalogue.authors.revise(author.id, Amendment({"dob": someday})),
        catalogue.authors.revise(author.id, Amendment.to(unborn)),
    ):
        with pytest.raises(AuthorNotYetBorn):
            await write
    assert (await catalogue.storage.reader.authors(AuthorQuery())).items == [author]


async def test_who_was_unborn_yesterday_may_be_added_today(catalogue: Cataloguers) -> None:
    newborn = AuthorDetails(name="Newborn", dob=date(2026, 1, 3))

    catalogue.clock.move(seconds=86_400)

    assert (await catalogue.authors.add(newborn)).dob == date(2026, 1, 3)


async def test_a_required_field_is_not_cleared_by_an_amendment(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))

    with pytest.raises(InvalidValue):
        await catalogue.authors.revise(author.id, Amendment({"name": " "}))

    assert await catalogue.storage.reader.author(author.id) == author


async def test_the_caller_travels_into_the_unit(storage: WatchedStorage) -> None:
    caller = Caller(actor="ursula", request_id="r-1")

    await Cataloguers(storage, caller=caller).authors.add(AuthorDetails(name="Jane Austen"))

    assert [unit.caller for unit in storage.units] == [caller]


async def test_a_refusal_leaves_the_catalogue_as_it_was(catalogue: Cataloguers) -> None:
    book = await a_book(catalogue)
    before = await catalogue.storage.reader.books(BookQuery()), await catalogue.storage.reader.authors(AuthorQuery())

    for write in (
        catalogue.authors.remove(book.author_id or NOBODY),
        catalogue.books.add(BookDetails(title="x", author_id=NOBODY)),
        catalogue.books.remove(book.id, known_versions={9}),
    ):
        with pytest.raises(CatalogError):
            await write

    assert (
        await catalogue.storage.reader.books(BookQuery()),
        await catalogue.storage.reader.authors(AuthorQuery()),
    ) == before
