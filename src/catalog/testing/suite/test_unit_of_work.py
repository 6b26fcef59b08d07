"""What a unit of work promises."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from attrs import evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, Contributor, SourceKey, SourceRecord
from catalog.domain.callers import Caller
from catalog.domain.errors import Interrupted, NotFound, StorageFailed
from catalog.domain.identifiers import Identifier, Number
from catalog.domain.kinds import Kind
from catalog.domain.ports import Storage, UnitOfWork
from catalog.domain.queries import AuthorQuery, BookQuery, RevisionQuery
from catalog.domain.records import Amendment
from catalog.domain.revisions import Change, Operation
from catalog.domain.search import Search
from catalog.domain.use_cases.atomic import atomic
from catalog.domain.use_cases.authors import AuthorCataloguing
from catalog.domain.values import IdentifierStatus, Isbn, Scheme
from catalog.testing.doubles import NOBODY, Cataloguers, SortedIds, StillClock, begin_and_cancel

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CALLER = Caller(actor="tester", request_id="r1")
ids = SortedIds()


def an_author(name: str = "Jane Austen") -> Author:
    return Author.recorded(AuthorDetails(name=name), id=ids.new(), at=NOW)


def a_book(author: Author, title: str = "Emma", contributors: tuple[Contributor, ...] = ()) -> Book:
    details = BookDetails(title=title, author_id=author.id, contributors=contributors)
    return Book.recorded(details, id=ids.new(), at=NOW)


async def test_what_is_added_is_there_once_the_unit_has_ended(storage: Storage) -> None:
    author = an_author()

    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    assert await storage.reader.author(author.id) == author


async def test_nobody_sees_what_is_not_committed(storage: Storage) -> None:
    author = an_author()

    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        with pytest.raises(NotFound):
            await storage.reader.author(author.id)


async def test_an_exception_leaves_nothing_behind(storage: Storage) -> None:
    standing, refused = an_author("Stands"), an_author("Refused")
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(standing)

    async def fail() -> None:
        async with storage.unit_of_work(CALLER) as unit:
            await unit.authors.add(refused)
            await unit.authors.remove(standing, at=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert (await storage.reader.authors(AuthorQuery())).items == [standing]


async def test_a_cancelled_unit_leaves_nothing_behind_and_blocks_nobody(storage: Storage) -> None:
    author = an_author()
    await begin_and_cancel(storage, an_author("Cancelled"))

    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    assert (await storage.reader.authors(AuthorQuery())).items == [author]


async def test_a_unit_sees_its_own_work(storage: Storage) -> None:
    author = an_author()
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

        assert await unit.authors.get(author.id) == author
        assert await unit.authors.find_by_folded_names(["jane austen"]) == [author]

        await unit.authors.remove(author, at=NOW)
        with pytest.raises(NotFound):
            await unit.authors.get(author.id)


async def test_a_unit_knows_its_caller_and_collects_what_changed_in_order(storage: Storage) -> None:
    author = an_author()
    book = a_book(author)
    revised = author.revised(AuthorDetails(name="J. Austen"), at=NOW)

    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        await unit.books.add(book)
        await unit.authors.replace(revised)
        await unit.books.remove(book, at=NOW)

        assert unit.caller == CALLER
        assert list(unit.changes) == [
            Change.leading_to(author, Operation.CREATE),
            Change.leading_to(book, Operation.CREATE),
            Change.leading_to(revised, Operation.REVISE),
            Change.taking(book, Operation.REMOVE, at=NOW),
        ]


@pytest.mark.parametrize("version", [0, 2, 99])
async def test_a_version_that_does_not_stand_can_not_be_replaced(storage: Storage, version: int) -> None:
    author = an_author()
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    with pytest.raises(Interrupted):
        async with storage.unit_of_work(CALLER) as unit:
            await unit.authors.replace(evolve(author, name="Stale", version=version + 1))

    assert await storage.reader.author(author.id) == author


async def test_a_version_that_does_not_stand_can_not_be_removed(storage: Storage) -> None:
    author = an_author()
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    with pytest.raises(Interrupted):
        async with storage.unit_of_work(CALLER) as unit:
            await unit.authors.remove(evolve(author, version=2), at=NOW)

    assert await storage.reader.author(author.id) == author


async def test_nothing_can_be_replaced_or_removed_that_is_not_there(storage: Storage) -> None:
    author = an_author()

    async def attempt(work: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        async with storage.unit_of_work(CALLER) as unit:
            await work(unit)

    works: list[Callable[[UnitOfWork], Awaitable[None]]] = [
        lambda unit: unit.authors.replace(evolve(author, version=2)),
        lambda unit: unit.authors.remove(evolve(author, version=2), at=NOW),
    ]
    for work in works:
        with pytest.raises(Interrupted):
            await attempt(work)


async def test_many_records_are_got_at_once_and_missing_ones_left_out(storage: Storage) -> None:
    authors = [an_author(f"Author {n}") for n in range(3)]
    books = [a_book(author) for author in authors]
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(*authors)
        await unit.books.add(*books)

    async with storage.unit_of_work(CALLER) as unit:
        assert await unit.authors.get_many([authors[0].id, authors[2].id, NOBODY]) == {
            authors[0].id: authors[0],
            authors[2].id: authors[2],
        }
        assert await unit.books.get_many([books[1].id, NOBODY]) == {books[1].id: books[1]}
        assert await unit.books.get_many([]) == {}


async def test_a_thousand_books_are_added_and_found_in_one_unit(storage: Storage) -> None:
    author = an_author()
    books = [a_book(author, f"Volume {n}") for n in range(1000)]

    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        await unit.books.add(*books)

    async with storage.unit_of_work(CALLER) as unit:
        assert len(await unit.books.get_many([book.id for book in books])) == 1000


async def test_authors_are_found_by_folded_name_all_of_them(storage: Storage) -> None:
    spellings = ["Émile Zola", "EMILE ZOLA", "Emile  Zola."]
    authors = [an_author(name) for name in [*spellings, "Emil Zola"]]
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(*authors)

        found = await unit.authors.find_by_folded_names(["emile zola", "nobody"])

    assert {author.id for author in found} == {author.id for author in authors[:3]}


async def test_authors_are_found_by_their_valid_identifiers(storage: Storage) -> None:
    def known_as(scheme: str, value: str, status: str = "valid") -> Author:
        identifier = Identifier(scheme=Scheme(scheme), value=value, status=IdentifierStatus(status))
        return evolve(an_author(), identifiers=(identifier,))

    one, other, wrong = known_as("viaf", "1"), known_as("wikidata", "Q2"), known_as("viaf", "3", "invalid")
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(one, other, wrong)

    async with storage.unit_of_work(CALLER) as unit:
        asked = [Number(Scheme(scheme), value) for scheme in ("viaf", "wikidata") for value in ("1", "Q2", "3")]
        assert {author.id for author in await unit.authors.find_by_numbers(asked)} == {one.id, other.id}
        assert await unit.authors.find_by_numbers(asked[:1]) == [one]
        assert await unit.authors.find_by_numbers([asked[1], asked[3]]) == []


async def test_what_is_changed_in_the_unit_that_adds_it_is_there_as_it_is_by_then(storage: Storage) -> None:
    first, later = an_author("First"), an_author("Later")
    isbn, other_isbn = Isbn("9780141439587"), Isbn("9780141439600")
    book = evolve(a_book(first), isbn=isbn, identifiers=(Identifier.of_isbn(isbn),))
    revised = book.revised(book.details.amended({"author_id": later.id, "isbn": other_isbn}), at=NOW)
    renamed = later.revised(AuthorDetails(name="Charlotte"), at=NOW)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(first)

    async with storage.unit_of_work(CALLER) as unit:
        await unit.books.add(book)
        await unit.authors.add(later)  # after the book that is going to name it
        await unit.books.replace(revised)
        await unit.authors.replace(renamed)
        with pytest.raises(Interrupted):
            await unit.books.replace(revised)  # the version before it does not stand any more

    assert (await storage.reader.book(book.id)).author == renamed
    assert [each.id for each in (await storage.reader.books(BookQuery(search=Search.parse("charlotte")))).items] == [
        book.id
    ]
    assert (await storage.reader.books(BookQuery(search=Search.parse("later")))).items == []
    log = (await storage.reader.revisions(RevisionQuery(kind=Kind.BOOK, id=book.id))).items
    assert [each.after for each in log] == [revised, book]
    async with storage.unit_of_work(CALLER) as unit:
        assert await unit.books.get(book.id) == revised
        assert await unit.books.find_by_isbns({(isbn, None)}) == []
        assert await unit.books.find_by_isbns({(other_isbn, None)}) == [revised]


async def test_long_names_are_told_apart_past_the_end_of_their_sort_key(storage: Storage) -> None:
    authors = [an_author("x" * 400 + end) for end in ("a", "b")]
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(*authors)

        assert await unit.authors.find_by_folded_names(["x" * 400 + "b"]) == [authors[1]]


async def test_books_naming_an_author_are_counted_once_each(storage: Storage) -> None:
    main, other = an_author("Main"), an_author("Other")
    twice = a_book(main, contributors=(Contributor(author_id=main.id), Contributor(author_id=other.id)))
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(main, other)
        await unit.books.add(twice, a_book(main))

        assert await unit.books.count_naming(main.id) == 2
        assert await unit.books.count_naming(other.id) == 1
        assert await unit.books.count_naming(NOBODY) == 0


async def test_contributors_keep_their_order_through_every_revision(storage: Storage) -> None:
    authors = [an_author(f"Author {n}") for n in range(4)]
    contributors = tuple(Contributor(author_id=author.id) for author in authors)
    book = a_book(authors[0], contributors=contributors)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(*authors)
        await unit.books.add(book)

    for order in (contributors[::-1], contributors[1:3], (), contributors[2:] + contributors[:2]):
        revised = book.revised(evolve(book.details, contributors=order), at=NOW)
        async with storage.unit_of_work(CALLER) as unit:
            await unit.books.get(book.id)
            await unit.books.replace(revised)
        book = revised

        assert (await storage.reader.book(book.id)).contributors == order


async def test_a_book_is_found_by_its_sources_until_it_is_removed(storage: Storage) -> None:
    author = an_author()
    key, other_key = SourceKey("gutenberg", "1"), SourceKey("goodreads", "1")
    book = evolve(a_book(author), sources=(SourceRecord(key.source, key.key, "marc", b"\x00\xff\x1d"),))
    other = evolve(a_book(author), sources=(SourceRecord(other_key.source, other_key.key),))
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        await unit.books.add(book, other)

    async with storage.unit_of_work(CALLER) as unit:
        assert await unit.books.find_by_sources([key, other_key, SourceKey("gutenberg", "2")]) == {
            key: book,
            other_key: other,
        }
        # Each of both names is there, but in no one key.
        assert await unit.books.find_by_sources([SourceKey("gutenberg", "2"), other_key]) == {other_key: other}
        await unit.books.remove(book, at=NOW)

    async with storage.unit_of_work(CALLER) as unit:
        assert await unit.books.find_by_sources([key, other_key]) == {other_key: other}


async def test_books_are_found_by_their_valid_isbns_but_for_those_of_a_source(storage: Storage) -> None:
    author = an_author()
    isbn, other_isbn = Isbn("9780141439587"), Isbn("9780141439600")
    one = evolve(a_book(author), isbn=isbn, sources=(SourceRecord("gutenberg", "1"),))
    other = evolve(a_book(author), isbn=isbn)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        await unit.books.add(one, other)

    async with storage.unit_of_work(CALLER) as unit:
        found = await unit.books.find_by_isbns({(isbn, None), (other_isbn, None)})
        assert {book.id for book in found} == {one.id, other.id}
        assert await unit.books.find_by_isbns({(isbn, "gutenberg"), (other_isbn, None)}) == [other]
        assert len(await unit.books.find_by_isbns({(isbn, "goodreads")})) == 2
        assert len(await unit.books.find_by_isbns({(isbn, "gutenberg"), (isbn, "goodreads")})) == 2
        assert await unit.books.find_by_isbns({(other_isbn, None)}) == []
        await unit.books.remove(one, at=NOW)

    async with storage.unit_of_work(CALLER) as unit:
        assert await unit.books.find_by_isbns({(isbn, None)}) == [other]


async def test_a_source_passes_from_one_book_to_another(storage: Storage) -> None:
    author = an_author()
    keys = SourceRecord("gutenberg", "1"), SourceRecord("gutenberg", "2")
    one, other = evolve(a_book(author), sources=keys), a_book(author)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        await unit.books.add(one, other)

    less, more = evolve(one, version=2, sources=keys[1:]), evolve(other, version=2, sources=keys[:1])
    async with storage.unit_of_work(CALLER) as unit:
        await unit.books.get_many([one.id, other.id])
        await unit.books.replace(less)
        await unit.books.replace(more)

    async with storage.unit_of_work(CALLER) as unit:
        assert await unit.books.find_by_sources([each.id for each in keys]) == {keys[0].id: more, keys[1].id: less}


async def test_forty_revisions_of_one_record_at_once_all_land(storage: Storage) -> None:
    cataloguers = Cataloguers(storage)
    author = await cataloguers.authors.add(AuthorDetails(name="Author"))

    await asyncio.gather(
        *(cataloguers.authors.revise(author.id, Amendment({"name": f"Author {n}"})) for n in range(40))
    )

    assert (await storage.reader.author(author.id)).version == 41


async def test_interleaved_units_never_lose_an_update(storage: Storage) -> None:
    """Reading, waiting and then writing is where updates get lost."""
    author = an_author("0")
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    async def increment() -> None:
        for _ in range(100):
            try:
                async with storage.unit_of_work(CALLER) as unit:
                    standing = await unit.authors.get(author.id)
                    await asyncio.sleep(0)
                    await unit.authors.replace(
                        standing.revised(AuthorDetails(name=str(int(standing.name) + 1)), at=NOW)
                    )
            except Interrupted:
                await asyncio.sleep(0)
            else:
                return

    await asyncio.gather(*(increment() for _ in range(8)))

    assert (await storage.reader.author(author.id)).name == "8"


async def test_a_use_case_is_run_again_when_another_writer_came_between(storage: Storage) -> None:
    """The first attempt is interrupted on purpose; what it did must not be seen, and the second must do all of it."""
    attempts = 0

    class Interrupting(AuthorCataloguing):
        @atomic
        async def rename(self, unit: UnitOfWork, id: UUID) -> None:
            nonlocal attempts
            attempts += 1
            author = await unit.authors.get(id)
            await unit.authors.replace(author.revised(AuthorDetails(name="Twice"), at=NOW))
            if attempts == 1:
                raise Interrupted

    author = an_author()
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    await Interrupting(storage, CALLER, StillClock(), ids).rename(author.id)

    assert attempts == 2
    assert (await storage.reader.author(author.id)).version == 2


async def test_what_a_use_case_forgot_to_check_fails_and_is_not_kept(storage: Storage) -> None:
    author, unknown = an_author(), an_author()
    book = evolve(a_book(author), sources=(SourceRecord("gutenberg", "1"),))
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)
        await unit.books.add(book)

    async def attempt(work: Callable[[UnitOfWork], Awaitable[None]]) -> None:
        async with storage.unit_of_work(CALLER) as unit:
            await work(unit)

    works: list[Callable[[UnitOfWork], Awaitable[None]]] = [
        lambda unit: unit.books.add(a_book(unknown)),
        lambda unit: unit.books.add(a_book(author, contributors=(Contributor(author_id=unknown.id),))),
        lambda unit: unit.books.replace(book.revised(evolve(book.details, author_id=unknown.id), at=NOW)),
        lambda unit: unit.books.add(book),
        lambda unit: unit.books.add(evolve(a_book(author), sources=book.sources)),
        lambda unit: unit.authors.remove(author, at=NOW),
    ]
    for work in works:
        # Where writers work side by side, somebody else may as well have come between, and the unit is run again.
        with pytest.raises((StorageFailed, Interrupted)):
            await attempt(work)

    assert list((await storage.reader.books(BookQuery())).items) == [await storage.reader.book(book.id)]
    assert (await storage.reader.authors(AuthorQuery())).items == [author]
