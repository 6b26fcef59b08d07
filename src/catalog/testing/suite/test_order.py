"""Lists are in the order of the domain, to the row, and names are found as the domain folds them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails
from catalog.domain.callers import Caller
from catalog.domain.errors import InvalidValue
from catalog.domain.filters import Operator, of_field
from catalog.domain.orders import BOOK_ORDERS, Sort
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery, BookQuery, PageRequest
from catalog.domain.records import Amendment
from catalog.domain.text import fold, normalised
from catalog.testing.doubles import Cataloguers, RepeatableIds, listed
from catalog.testing.storages import NewStorage, opened
from catalog.testing.strategies import SETTINGS

CALLER = Caller(actor="tester", request_id="test")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
LETTERS = [
    "a",
    "A",
    "b",
    "ß",
    "é",
    "e",
    "\u0301",
    "%",
    "_",
    "\\",
    "😀",
    "\u0080",
    "\uffee",
    "道",
    "'",
    " ",
    "-",
    "1",
    "İ",
]
"""Few enough that many names are equal once folded; U+FFEE and the emoji stand the other way round in UTF-16."""


def is_taken(text: str) -> bool:
    try:
        normalised(text, longest=500)
    except InvalidValue:
        return False
    return True


short = st.text(st.sampled_from(LETTERS), min_size=1, max_size=4).filter(is_taken)
long = st.builds(lambda start, end: (start * 300)[:249] + end, st.sampled_from(["a", "😀", "é"]), short).filter(
    is_taken
)
"""Names that differ about where sort keys end."""


def in_order(records: Sequence[Any]) -> list[Any]:
    return sorted(records, key=lambda record: (record.sort_key, record.id.bytes))


async def pages_of(storage: Storage, size: int, total: int) -> tuple[list[Author], list[UUID]]:
    """All authors, and the ids of all books, page by page."""
    authors: list[Author] = []
    books: list[UUID] = []
    for number in range(1, total // size + 2):
        page = PageRequest(number=number, size=size)
        authors += (await storage.reader.authors(AuthorQuery(page=page))).items
        books += [book.id for book in (await storage.reader.books(BookQuery(page=page))).items]
    return authors, books


@pytest.mark.slow
def test_any_names_are_listed_folded_and_paired_as_the_domain_does(new_storage: NewStorage) -> None:
    @settings(SETTINGS, max_examples=25)
    @given(names=st.lists(short | long, min_size=2, max_size=20), size=st.integers(1, 7))
    def check(names: list[str], size: int) -> None:
        async def run() -> None:
            ids = RepeatableIds()
            authors = [Author.recorded(AuthorDetails(name=name), id=ids.new(), at=NOW) for name in names]
            books = [Book.recorded(BookDetails(title=name, author_id=None), id=ids.new(), at=NOW) for name in names]
            async with opened(new_storage) as storage:
                async with storage.unit_of_work(Caller()) as unit:
                    await unit.authors.add(*authors)
                    await unit.books.add(*books)

                listed_authors, listed_books = await pages_of(storage, size, len(names))
                assert listed_authors == in_order(authors)
                assert listed_books == [book.id for book in in_order(books)]

                groups = [(key, list(found)) for key, found in groupby(in_order(authors), lambda each: each.sort_key)]
                pairs = await listed(storage.reader.duplicates)
                assert [(pair.name, list(pair.authors)) for pair in pairs] == [g for g in groups if len(g[1]) > 1]

                async with storage.unit_of_work(Caller()) as unit:
                    for name in set(names):
                        found = await unit.authors.find_by_folded_names([fold(name)])
                        expected = [author for author in authors if author.folded_name == fold(name)]
                        assert in_order(found) == in_order(expected)

        asyncio.run(run())

    check()


async def test_authors_are_ordered_by_their_sort_names_and_found_by_their_names(catalogue: Cataloguers) -> None:
    details = [
        AuthorDetails(name="Ursula K. Le Guin", sort_name="Le Guin, Ursula K."),
        AuthorDetails(name="Jane Austen", sort_name="Austen, Jane"),
        AuthorDetails(name="Homer"),
        AuthorDetails(name="ursula k le guin", sort_name="Ursula"),
    ]
    ursula, jane, homer, other = [await catalogue.authors.add(one) for one in details]
    reader = catalogue.storage.reader

    assert await listed(lambda page: reader.authors(AuthorQuery(page=page))) == [jane, homer, ursula, other]
    (candidates,) = (await reader.duplicates(PageRequest())).items
    assert candidates.name == "ursula k le guin"
    assert set(candidates.authors) == {ursula, other}
    parts = {Operator.EQ: "URSULA K LE GUIN", Operator.STARTSWITH: "ursula k", Operator.CONTAINS: "le g"}
    for operator, value in parts.items():
        query = AuthorQuery(filters=(of_field(Author, "name", value, operator),))
        assert {author.id for author in (await reader.authors(query)).items} == {ursula.id, other.id}
    async with catalogue.storage.unit_of_work(CALLER) as unit:
        found = await unit.authors.find_by_folded_names(["ursula k le guin", "le guin ursula k"])
        assert {author.id for author in found} == {ursula.id, other.id}


async def test_another_sort_name_of_an_author_moves_the_books_in_the_order_of_authors(catalogue: Cataloguers) -> None:
    ursula = await catalogue.authors.add(AuthorDetails(name="Ursula K. Le Guin"))
    homer = await catalogue.authors.add(AuthorDetails(name="Homer"))
    emma, iliad = [
        (await catalogue.books.add(BookDetails(title="A book", author_id=author.id))).id for author in (ursula, homer)
    ]
    query = BookQuery(sort=Sort.parse("author", BOOK_ORDERS))
    before = [book.id for book in (await catalogue.storage.reader.books(query)).items]

    await catalogue.authors.revise(ursula.id, Amendment({"sort_name": "Guin, Ursula K. Le"}))

    assert before == [iliad, emma]
    assert [book.id for book in (await catalogue.storage.reader.books(query)).items] == [emma, iliad]
