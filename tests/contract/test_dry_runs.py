"""What dry runs keep is found as it stands by now: on the disk, and in the memory of tests."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio
from attrs import evolve
from hypothesis import given, settings

from catalog.adapters.sql.sqlite.dry_runs import MOST_ASKED, SqliteDryRuns
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, SourceKey, SourceRecord
from catalog.domain.identifiers import Identifier, Number
from catalog.domain.ports import DryRun, DryRuns
from catalog.domain.values import IdentifierStatus, Isbn, Scheme
from catalog.testing.doubles import NOBODY, DryRunsInMemory, SortedIds, StillClock
from catalog.testing.strategies import SETTINGS, instances_of

ROOMS = [SqliteDryRuns(), DryRunsInMemory()]
each_room = pytest.mark.parametrize("dry_runs", ROOMS, ids=lambda room: type(room).__name__)
ISBN, OTHER_ISBN = Isbn("9780141439587"), Isbn("9780141439600")
VIAF = Identifier(scheme=Scheme("viaf"), value="1")


@pytest.fixture(params=ROOMS, ids=lambda room: type(room).__name__)
def dry_runs(request: pytest.FixtureRequest) -> DryRuns:
    room: DryRuns = request.param
    return room


@pytest_asyncio.fixture
async def dry(dry_runs: DryRuns) -> AsyncGenerator[DryRun]:
    async with dry_runs.begin() as dry:
        yield dry


def an_author(name: str = "Homer", *identifiers: Identifier) -> Author:
    details = AuthorDetails(name=name, identifiers=identifiers)
    return Author.recorded(details, id=SortedIds().new(), at=StillClock().now())


def a_book(*sources: tuple[str, str], **details: Any) -> Book:
    return Book.recorded(
        BookDetails(**{"title": "Emma", "author_id": None, **details}),
        id=SortedIds().new(),
        at=StillClock().now(),
        sources=tuple(SourceRecord(source, key, "test", b"\x00\xff") for source, key in sources),
    )


@each_room
@settings(SETTINGS, max_examples=30)
@given(author=instances_of(Author), book=instances_of(Book))
async def test_records_are_kept_whole(dry_runs: DryRuns, author: Author, book: Book) -> None:
    async with dry_runs.begin() as dry:
        await dry.keep(author, book)

        found = await dry.get_many([book.id, author.id, NOBODY])

    assert found == {author.id: author, book.id: book}
    assert [vars(found[record.id]) for record in (author, book)] == [vars(author), vars(book)]


async def test_the_last_version_stands_in_the_place_of_those_before(dry: DryRun) -> None:
    author = an_author()
    second, third = (evolve(author, version=version) for version in (2, 3))

    await dry.keep(author, second)
    one = await dry.get_many([author.id])
    await dry.keep(third)

    assert one == {author.id: second}
    assert await dry.get_many([author.id]) == {author.id: third}


async def test_authors_are_found_by_their_folded_names(dry: DryRun) -> None:
    authors = [an_author("Émile Zola"), an_author("EMILE ZOLA."), an_author("Homer")]
    await dry.keep(*authors)

    found = await dry.find_by_folded_names({authors[0].folded_name, "nobody"})

    assert sorted(found, key=lambda each: each.id) == authors[:2]


async def test_authors_are_found_by_their_valid_identifiers(dry: DryRun) -> None:
    cancelled = evolve(VIAF, value="2", status=IdentifierStatus("cancelled"))
    author = an_author("Homer", VIAF, cancelled)
    await dry.keep(author, an_author("Jane Austen", evolve(VIAF, value="3")))

    found = [await dry.find_by_numbers({Number(each.scheme, each.value)}) for each in (VIAF, cancelled)]

    assert found == [[author], []]


async def test_an_author_is_no_longer_found_by_what_was_changed(dry: DryRun) -> None:
    before = an_author("Homer", VIAF)
    after = evolve(before, name="Jane Austen", identifiers=(evolve(VIAF, value="2"),))
    await dry.keep(before)
    await dry.keep(after)

    assert [await dry.find_by_folded_names({each.folded_name}) for each in (before, after)] == [[], [after]]
    assert [await dry.find_by_numbers(each.numbers()) for each in (before, after)] == [[], [after]]


async def test_a_book_is_found_by_each_record_it_came_from(dry: DryRun) -> None:
    book, other = a_book(("here", "1"), ("there", "1")), a_book(("here", "2"))
    await dry.keep(book, other)

    found = await dry.find_by_sources({SourceKey("here", "1"), SourceKey("there", "1"), SourceKey("there", "2")})

    assert found == {SourceKey("here", "1"): book, SourceKey("there", "1"): book}


async def test_a_book_is_found_by_a_record_that_it_was_given_later(dry: DryRun) -> None:
    book = a_book(("here", "1"))
    later = evolve(book, sources=(*book.sources, SourceRecord("there", "1")))
    await dry.keep(book)
    await dry.keep(later)

    assert await dry.find_by_sources({SourceKey("there", "1")}) == {SourceKey("there", "1"): later}
    assert await dry.find_by_isbns({(ISBN, "there")}) == []


async def test_books_are_found_by_any_of_their_valid_isbns(dry: DryRun) -> None:
    cancelled = evolve(Identifier.of_isbn(OTHER_ISBN), status=IdentifierStatus("cancelled"))
    books = [a_book(isbn=ISBN), a_book(identifiers=(Identifier.of_isbn(OTHER_ISBN), Identifier.of_isbn(ISBN)))]
    await dry.keep(*books, a_book(identifiers=(cancelled,)), a_book())

    found = [await dry.find_by_isbns({(isbn, None)}) for isbn in (ISBN, OTHER_ISBN)]

    assert [sorted(each, key=lambda book: book.id) for each in found] == [books, books[1:]]


async def test_books_that_have_a_record_of_the_source_are_not_meant_by_its_isbns(dry: DryRun) -> None:
    here, both, nowhere = books = [
        a_book(("here", "1"), isbn=ISBN),
        a_book(("here", "2"), ("there", "2"), isbn=ISBN),
        a_book(isbn=ISBN),
    ]
    await dry.keep(*books)

    found = {
        asked: {book.id for book in await dry.find_by_isbns({(ISBN, source) for source in asked})}
        for asked in [(None,), ("here",), ("there",), ("elsewhere",), ("here", "there")]
    }

    assert found == {
        (None,): {here.id, both.id, nowhere.id},
        ("here",): {nowhere.id},
        ("there",): {here.id, nowhere.id},
        ("elsewhere",): {here.id, both.id, nowhere.id},
        ("here", "there"): {here.id, nowhere.id},
    }


async def test_a_book_is_no_longer_found_by_an_isbn_that_was_exchanged(dry: DryRun) -> None:
    before = a_book(isbn=ISBN)
    after = before.revised(before.details.amended({"isbn": OTHER_ISBN}), at=StillClock().now())
    await dry.keep(before)
    await dry.keep(after)

    assert [await dry.find_by_isbns({(isbn, None)}) for isbn in (ISBN, OTHER_ISBN)] == [[], [after]]


async def test_any_number_can_be_asked_for_at_once(dry: DryRun) -> None:
    books = [a_book(("here", str(number))) for number in range(2 * MOST_ASKED + 1)]
    await dry.keep(*books)

    by_source = await dry.find_by_sources({source.id for book in books for source in book.sources})

    assert {book.id for book in by_source.values()} == {book.id for book in books}
    assert len(await dry.get_many({book.id for book in books})) == len(books)


async def test_nothing_is_found_where_nothing_is_asked_or_kept(dry: DryRun) -> None:
    await dry.keep()

    assert await dry.get_many([]) == await dry.get_many([NOBODY]) == {}
    assert [await find([]) for find in (dry.find_by_folded_names, dry.find_by_numbers, dry.find_by_isbns)] == [[]] * 3
    assert await dry.find_by_sources([SourceKey("here", "1")]) == await dry.find_by_sources([]) == {}


async def test_dry_runs_know_nothing_of_each_other(dry_runs: DryRuns) -> None:
    author = an_author()

    async with dry_runs.begin() as one, dry_runs.begin() as other:
        await one.keep(author)

        assert await other.get_many([author.id]) == {}
    async with dry_runs.begin() as later:
        assert await later.get_many([author.id]) == {}
