"""Lists are what the scanning reader says they are, field by field: sorted, filtered, searched and walked."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import CONTRIBUTORS, Book, BookDetails, BookRecord, Contributor
from catalog.domain.callers import Caller
from catalog.domain.errors import InvalidValue
from catalog.domain.facets import Facet
from catalog.domain.filters import Filter, Filterable, Operator, filterable, of_field
from catalog.domain.identifiers import Identifier
from catalog.domain.orders import Sort
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery, BookQuery, Include, ListQuery, Page, PageRequest, entered_under
from catalog.domain.records import Amendment
from catalog.domain.search import Search
from catalog.domain.snapshots.storage import SnapshotStorage
from catalog.domain.values import AuthorKind, Isbn, Language, PartialDate, Role, Scheme
from catalog.testing.doubles import Cataloguers, RepeatableIds
from catalog.testing.storages import NewStorage, opened
from catalog.testing.strategies import SETTINGS, choices

NOW = datetime(2026, 1, 1, tzinfo=UTC)

TITLES = [
    "Dune",
    "Dune Messiah",
    "The Road to Dune",
    "Emma",
    "emma",
    "Émile, ou De l’éducation",
    "Catch-22",
    "100 % _ \\ wool",
    "1984",
    "?",
    "道德經",
    "三体",
    "Мастер и Маргарита",
    "C++ in a Nutshell",
    "O’Brien",
    "J.R.R.",
    "a a a b",
]
NAMES = [
    "Frank Herbert",
    "Emma Herbert",
    "Émile Zola",
    "老子",
    "J. R. R. Tolkien",
    "ﬁn Ægir",
    "O'Brien",
    "it's \\ a : 'test'",
]
ISBNS = ["9780441172719", "9780141439600", "9791032305690"]
DATES = ["1965", "1965-08", "1965-08-01", "-0043", "-0043-03-15", "2020-12", "9999-12-31"]
QUERIES = [
    "dune",
    "dune herbert",
    "herbert emma",
    '"dune messiah"',
    "dun*",
    "e*",
    "dune -messiah",
    "-dune",
    "title:emma",
    "author:herbert dune",
    "-author:herbert",
    "0-441-17271-7",
    "isbn:978*",
    "道德",
    "体",
    "jrr tolkien",
    "o'brien",
    "o-brien",
    "c++",
    "?",
    "a a",
    '"a b"',
    "it's",
    "\\",
    "мастер МАРГАРИТА",
    "aegir",
    '"herbert emma"',
    "nothing such",
    "duen",
    "emna herbrt",
    "dune hurbert",
    "messiahh title:dune",
    "emmma -dune",
]


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[list[Author], list[Book]]:
    """A few authors and books, of which many are alike."""
    ids = RepeatableIds()
    times = st.integers(0, 3).map(lambda hours: NOW + timedelta(hours=hours))
    days = st.none() | st.sampled_from([date(1920, 10, 8), date(1775, 12, 16)])
    sort_names = st.none() | st.sampled_from(NAMES)
    kinds = st.none() | choices(AuthorKind)
    authors = [
        Author.recorded(
            AuthorDetails(name=name, dob=draw(days), sort_name=draw(sort_names), kind=draw(kinds)),
            id=ids.new(),
            at=draw(times),
        )
        for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
    ]
    someone: st.SearchStrategy[UUID] = st.sampled_from([author.id for author in authors])
    languages = st.lists(st.sampled_from(["eng", "fre", "ger"]).map(Language), max_size=3, unique=True).map(tuple)
    contributors = st.lists(
        st.builds(
            Contributor,
            author_id=someone,
            role=st.none() | st.just(Role("trl")),
            credited_as=st.none() | st.sampled_from(NAMES),
        ),
        max_size=2,
    )
    books = [
        Book.recorded(
            BookDetails(
                title=title,
                subtitle=draw(st.none() | st.sampled_from(["A Novel", "Dune, retold"])),
                author_id=draw(st.none() | someone),
                contributors=CONTRIBUTORS.once(draw(contributors)),
                isbn=draw(st.none() | st.sampled_from(ISBNS).map(Isbn)),
                published=draw(st.none() | st.sampled_from(DATES).map(PartialDate)),
                languages=draw(languages),
                pages=draw(st.none() | st.integers(1, 3)),
            ),
            id=ids.new(),
            at=draw(times),
        )
        for title in draw(st.lists(st.sampled_from(TITLES), max_size=12))
    ]
    return authors, books


def values_of(field: Filterable) -> st.SearchStrategy[Any]:
    """Values to compare a field with, most of which some record has."""
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: st.sampled_from([*TITLES, *NAMES, "d", "e", "_", "%", "\\", "zz"]),
        UUID: st.sampled_from([RepeatableIds().new()]) | st.uuids(),
        Isbn: st.sampled_from(ISBNS).map(Isbn),
        PartialDate: st.sampled_from([*DATES, "1964", "2020", "-9999"]).map(PartialDate),
        Language: st.sampled_from(["eng", "fre", "spa"]).map(Language),
        AuthorKind: choices(AuthorKind),
        date: st.sampled_from([date(1920, 10, 8), date(1800, 1, 1)]),
        datetime: st.integers(-1, 4).map(lambda hours: NOW + timedelta(hours=hours)),
        int: st.integers(0, 3),
        bool: st.booleans(),
    }
    return known[field.kind]


@st.composite
def conditions(draw: st.DrawFn, record_class: type[Any]) -> Filter:
    """Any condition there is."""
    field = draw(st.sampled_from(list(filterable(record_class).values())))
    operator = draw(st.sampled_from(list(field.operators)))
    match operator:
        case Operator.ISNULL:
            value: Any = draw(st.booleans())
        case Operator.IN:
            value = tuple(draw(st.lists(values_of(field), min_size=1, max_size=3)))
        case _:
            value = draw(values_of(field))
    return Filter(field=field, operator=operator, value=value)


@st.composite
def queries(draw: st.DrawFn, query_class: type[ListQuery]) -> ListQuery:
    """Any question there is."""
    sorts = st.builds(Sort, st.sampled_from(list(query_class.ORDERS.values())), st.booleans())
    query = query_class(
        page=PageRequest(number=draw(st.integers(1, 4)), size=draw(st.integers(1, 5))),
        sort=draw(st.none() | sorts),
        filters=tuple(draw(st.lists(conditions(query_class.RECORD), max_size=2))),
        cursor=draw(st.sampled_from([None, None, ""])),
        count=draw(st.booleans()),
    )
    if isinstance(query, BookQuery):
        facets = tuple(draw(st.lists(st.sampled_from(Facet), max_size=3, unique=True)))
        search = draw(st.none() | st.sampled_from(QUERIES).map(Search.parse))
        return evolve(query, search=search, facets=facets, includes=tuple(Include) if draw(st.booleans()) else ())
    return query


async def fill(storage: Storage, authors: Sequence[Author], books: Sequence[Book]) -> None:
    async with storage.unit_of_work(Caller()) as unit:
        await unit.authors.add(*authors)
        await unit.books.add(*books)


async def answer(storage: Storage, query: ListQuery) -> Page[Any]:
    reader = storage.reader
    return await (reader.books(query) if isinstance(query, BookQuery) else reader.authors(query))  # type: ignore[arg-type]


@pytest.mark.slow
def test_lists_are_what_looking_at_every_record_finds(new_storage: NewStorage) -> None:
    @settings(SETTINGS, max_examples=15)
    @given(catalogue=catalogues(), data=st.data())
    def check(catalogue: tuple[list[Author], list[Book]], data: st.DataObject) -> None:
        asked = [data.draw(queries(kind)) for kind in (AuthorQuery, *[BookQuery] * 11)]

        async def run() -> None:
            model = SnapshotStorage()
            await fill(model, *catalogue)
            async with opened(new_storage) as storage:
                await fill(storage, *catalogue)
                for query in asked:
                    expected = await answer(model, query)
                    assert await answer(storage, query) == expected
                    # Once more, for it may know the total by now, and then each way on.
                    assert await answer(storage, query) == expected
                    for cursor in (expected.next, expected.prev):
                        if cursor is not None:
                            there = evolve(query, cursor=cursor)
                            assert await answer(storage, there) == await answer(model, there)

        asyncio.run(run())

    check()


async def walked(storage: Storage, query: ListQuery, *, most: int = 1000) -> list[Any]:
    """Walk to the end, and return all that was met."""
    met: list[Any] = []
    cursor: str | None = ""
    for _ in range(most):
        page = await answer(storage, evolve(query, cursor=cursor))
        assert page.offset is None
        met += page.items
        cursor = page.next
        if cursor is None:
            return met
    raise AssertionError("the walk has no end")


@pytest.mark.slow
def test_a_walk_meets_each_record_that_stays_exactly_once_whatever_happens_meanwhile(new_storage: NewStorage) -> None:
    @settings(SETTINGS, max_examples=10)
    @given(
        sort=st.none() | st.builds(Sort, st.sampled_from(list(BookQuery.ORDERS.values())), st.booleans()),
        catalogue=catalogues(),
        size=st.integers(1, 4),
        happens=st.lists(st.tuples(st.sampled_from(["add", "remove"]), st.sampled_from(TITLES)), max_size=8),
    )
    def check(
        sort: Sort | None,
        catalogue: tuple[list[Author], list[Book]],
        size: int,
        happens: list[tuple[str, str]],
    ) -> None:
        async def run() -> None:
            authors, books = catalogue
            async with opened(new_storage) as storage:
                await fill(storage, authors, books)
                removable, staying = books[::2], {book.id for book in books[1::2]}
                ids = RepeatableIds()
                taken = {author.id for author in authors} | {book.id for book in books}
                query: ListQuery = BookQuery(sort=sort, page=PageRequest(size=size))
                met: list[UUID] = []
                cursor: str | None = ""
                pending = list(happens)
                while cursor is not None:
                    page = await answer(storage, evolve(query, cursor=cursor))
                    met += [book.id for book in page.items]
                    cursor = page.next
                    for what, title in [pending.pop()] if pending else []:
                        async with storage.unit_of_work(Caller()) as unit:
                            if what == "remove" and removable:
                                await unit.books.remove(removable.pop(), at=NOW)
                            else:
                                while (id := ids.new()) in taken:
                                    pass
                                taken.add(id)
                                details = BookDetails(title=title, author_id=None)
                                await unit.books.add(Book.recorded(details, id=id, at=NOW))
                assert len(met) == len(set(met))
                assert staying <= set(met)

        asyncio.run(run())

    check()


async def test_a_walk_leads_back_the_way_it_came(catalogue: Cataloguers) -> None:
    for n in range(7):
        await catalogue.books.add(BookDetails(title=f"Book {n}", author_id=None))
    query = BookQuery(page=PageRequest(size=3))
    first = await answer(catalogue.storage, evolve(query, cursor=""))
    second = await answer(catalogue.storage, evolve(query, cursor=first.next))
    third = await answer(catalogue.storage, evolve(query, cursor=second.next))

    back = await answer(catalogue.storage, evolve(query, cursor=third.prev))
    beginning = await answer(catalogue.storage, evolve(query, cursor=back.prev))

    assert [len(page.items) for page in (first, second, third)] == [3, 3, 1]
    assert (first.prev, third.next) == (None, None)
    assert back.items == second.items
    assert beginning.items == first.items
    assert beginning.prev is None


async def test_pages_lead_on_by_cursor(catalogue: Cataloguers) -> None:
    for n in range(9):
        await catalogue.authors.add(AuthorDetails(name=f"Author {n}"))
    query = AuthorQuery(page=PageRequest(number=2, size=3))

    page = await answer(catalogue.storage, query)

    after, before = [await answer(catalogue.storage, evolve(query, cursor=c)) for c in (page.next, page.prev)]
    assert [author.name for author in after.items] == ["Author 6", "Author 7", "Author 8"]
    assert [author.name for author in before.items] == ["Author 0", "Author 1", "Author 2"]


async def test_the_cursor_of_another_list_is_refused(catalogue: Cataloguers) -> None:
    for n in range(3):
        await catalogue.books.add(BookDetails(title=f"Book {n}", author_id=None))
    query = BookQuery(page=PageRequest(size=1))
    cursor = (await answer(catalogue.storage, query)).next
    others = [
        evolve(query, sort=Sort(BookQuery.ORDERS["published"])),
        evolve(query, sort=Sort(BookQuery.ORDERS["title"], is_descending=True)),
        evolve(query, filters=(of_field(BookRecord, "title", "Book", Operator.STARTSWITH),)),
        evolve(query, search=Search.parse("book")),
        AuthorQuery(),
    ]

    for other in others:
        with pytest.raises(InvalidValue, match="the list it was given for"):
            await answer(catalogue.storage, evolve(other, cursor=cursor))


async def test_a_renamed_author_is_found_and_ordered_by_the_new_name(catalogue: Cataloguers) -> None:
    one = await catalogue.authors.add(AuthorDetails(name="Currer Bell"))
    two = await catalogue.authors.add(AuthorDetails(name="Anne Brontë"))
    eyre = await catalogue.books.add(BookDetails(title="Jane Eyre", author_id=one.id))
    grey = await catalogue.books.add(
        BookDetails(title="Agnes Grey", author_id=two.id, contributors=(Contributor(author_id=one.id),))
    )

    await catalogue.authors.revise(one.id, Amendment({"name": "Charlotte Brontë"}))

    async def found(query: str) -> set[UUID]:
        page = await answer(catalogue.storage, BookQuery(search=Search.parse(query)))
        return {book.id for book in page.items}

    assert await found("currer") == set()
    assert await found("charlotte") == {eyre.id, grey.id}
    by_author = await answer(catalogue.storage, BookQuery(sort=Sort(BookQuery.ORDERS["author"])))
    assert [book.title for book in by_author.items] == ["Agnes Grey", "Jane Eyre"]


async def test_a_book_is_found_by_the_name_under_which_it_credits_somebody_and_by_that_of_the_author(
    catalogue: Cataloguers,
) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Samuel Clemens"))
    credited = Contributor(author_id=author.id, role=Role("aui"), credited_as="Mark Twain")
    book = await catalogue.books.add(BookDetails(title="Book", author_id=None, contributors=(credited,)))

    async def finds(query: str) -> bool:
        return [each.id for each in (await answer(catalogue.storage, BookQuery(search=Search.parse(query)))).items] == [
            book.id
        ]

    assert [await finds(query) for query in ("author:twain", "clemens", '"clemens mark"')] == [True, True, False]
    await catalogue.authors.revise(author.id, Amendment({"name": "S. L. Clemens"}))
    assert await finds('"mark twain"')
    await catalogue.books.revise(book.id, Amendment({"contributors": (evolve(credited, credited_as=None),)}))
    assert not await finds("twain")
    assert await finds("clemens")


async def test_what_is_removed_is_not_found_and_what_is_restored_is_again(catalogue: Cataloguers) -> None:
    query = BookQuery(search=Search.parse("dune"))
    books = [await catalogue.books.add(BookDetails(title="Dune", author_id=None)) for _ in range(3)]

    await catalogue.books.remove(books[0].id)
    without = await answer(catalogue.storage, query)
    await catalogue.undoing.restore(BookRecord, books[0].id)
    again = await answer(catalogue.storage, query)

    assert [book.id for book in without.items] == [book.id for book in books[1:]]
    assert [book.id for book in again.items] == [book.id for book in books], "by the number it had"


async def test_who_misspells_a_word_is_told_one_that_the_catalogue_has(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Fyodor Dostoevsky"))
    book = await catalogue.books.add(BookDetails(title="The Idiot", author_id=author.id))

    page = await answer(catalogue.storage, BookQuery(search=Search.parse("idiot dostoyevski")))
    meant = await answer(catalogue.storage, BookQuery(search=Search.parse(page.did_you_mean or "")))

    assert page.items == []
    assert page.did_you_mean == "idiot dostoevsky"
    assert [found.id for found in meant.items] == [book.id]


async def test_words_of_removed_books_are_not_proposed(catalogue: Cataloguers) -> None:
    book = await catalogue.books.add(BookDetails(title="Middlemarch", author_id=None))
    await catalogue.books.remove(book.id)

    page = await answer(catalogue.storage, BookQuery(search=Search.parse("midlemarch")))

    assert (page.items, page.did_you_mean) == ([], None)


async def test_counting_can_be_left_out(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Homer"))
    await catalogue.books.add(BookDetails(title="Odyssey", author_id=author.id))
    query = BookQuery(filters=(entered_under(author.id),))

    assert (await answer(catalogue.storage, query)).total == 1
    assert (await answer(catalogue.storage, evolve(query, count=False))).total is None


async def test_a_list_that_is_asked_for_again_shows_whatever_has_changed_in_it(catalogue: Cataloguers) -> None:
    storage = catalogue.storage
    author = await catalogue.authors.add(AuthorDetails(name="Mary Ann Evans"))
    books = [await catalogue.books.add(BookDetails(title=f"Book {n}", author_id=author.id)) for n in range(3)]
    other = await catalogue.authors.add(AuthorDetails(name="George Sand"))
    queries: list[BookQuery] = [
        BookQuery(),
        BookQuery(search=Search.parse("book")),
        BookQuery(sort=Sort(BookQuery.ORDERS["updated_at"], is_descending=True)),
    ]

    async def must_show(*standing: BookRecord) -> None:
        shown = [await storage.reader.book(book.id) for book in standing]
        for query in queries:
            assert sorted((await answer(storage, query)).items, key=lambda book: book.title) == shown

    await must_show(*books)
    await must_show(*books)
    await catalogue.authors.revise(author.id, Amendment({"name": "George Eliot"}))
    await must_show(*books)
    await catalogue.books.revise(books[1].id, Amendment({"author_id": other.id, "languages": ("eng",)}))
    await must_show(*books)
    await catalogue.books.revise(
        books[2].id, Amendment({"contributors": (Contributor(author_id=other.id, role=Role("trl")),)})
    )
    await must_show(*books)
    await catalogue.books.remove(books[0].id)
    await must_show(*books[1:])
    await catalogue.undoing.restore(BookRecord, books[0].id)
    await must_show(*books)


async def test_a_book_is_found_by_each_of_its_valid_isbns(catalogue: Cataloguers) -> None:
    numbers = [Identifier(scheme=Scheme("isbn"), value=value) for value in (*ISBNS[:2], "0-306-40615-3")]
    book = await catalogue.books.add(BookDetails(title="Dune", author_id=None, identifiers=tuple(numbers)))

    for isbn in ISBNS[:2]:
        page = await answer(catalogue.storage, BookQuery(search=Search.parse(isbn)))
        assert [found.id for found in page.items] == [book.id], isbn
    assert (await answer(catalogue.storage, BookQuery(search=Search.parse("isbn:0306406153")))).total == 0
