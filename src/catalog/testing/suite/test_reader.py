"""What the query side promises."""

import pytest
from attrs import evolve

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Contributor
from catalog.domain.errors import NotFound
from catalog.domain.kinds import Kind
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery, BookQuery, PageRequest, entered_under
from catalog.domain.records import Amendment
from catalog.domain.values import Isbn, Language, PartialDate, Role
from catalog.testing.doubles import NOBODY, Cataloguers


async def test_a_book_is_read_as_it_was_written_with_its_author(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Homer"))
    translator = await catalogue.authors.add(AuthorDetails(name="Samuel Butler"))

    book = await catalogue.books.add(
        BookDetails(
            title="The Odyssey",
            subtitle="rendered into English prose",
            author_id=author.id,
            contributors=(Contributor(author_id=translator.id, role=Role("trl")),),
            isbn=Isbn("9780141439600"),
            published=PartialDate("-0700"),
            languages=(Language("eng"), Language("grc")),
        )
    )

    assert book.author == author
    assert await catalogue.storage.reader.book(book.id) == book
    assert (await catalogue.storage.reader.books(BookQuery())).items == [book]


async def test_a_book_that_names_nobody_has_no_author(catalogue: Cataloguers) -> None:
    book = await catalogue.books.add(BookDetails(title="Beowulf", author_id=None))

    assert (await catalogue.storage.reader.book(book.id)).author is None
    assert (await catalogue.storage.reader.books(BookQuery())).items == [book]


async def test_a_renamed_author_is_shown_renamed_with_his_books(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Currer Bell"))
    book = await catalogue.books.add(BookDetails(title="Jane Eyre", author_id=author.id))

    renamed = await catalogue.authors.revise(author.id, Amendment({"name": "Charlotte Brontë"}))

    shown = await catalogue.storage.reader.book(book.id)
    assert shown == evolve(book, author=renamed)
    assert shown.version == 1


async def test_unknown_ids_are_not_found(storage: Storage) -> None:
    with pytest.raises(NotFound) as of_author:
        await storage.reader.author(NOBODY)
    with pytest.raises(NotFound) as of_book:
        await storage.reader.book(NOBODY)

    assert (of_author.value.kind, of_author.value.id) == (Kind.AUTHOR, NOBODY)
    assert (of_book.value.kind, of_book.value.id) == (Kind.BOOK, NOBODY)


async def test_lists_are_ordered_by_the_domain_and_not_by_a_collation(catalogue: Cataloguers) -> None:
    names = ["émile", "Zola", "école", "eclair", "Ångström", "ß", "Æsop", "_", "é", "道", "😀", "б", "a b", "ab", "A"]
    authors = [await catalogue.authors.add(AuthorDetails(name=name)) for name in names]

    page = await catalogue.storage.reader.authors(AuthorQuery(page=PageRequest(size=100)))

    assert list(page.items) == sorted(authors, key=lambda author: (author.sort_key, author.id.bytes))


async def test_equal_titles_are_ordered_by_id(catalogue: Cataloguers) -> None:
    books = [await catalogue.books.add(BookDetails(title="Poems", author_id=None)) for _ in range(25)]

    pages = [await catalogue.storage.reader.books(BookQuery(page=PageRequest(number=n))) for n in (1, 2, 3)]

    assert [book.id for page in pages for book in page.items] == [book.id for book in books]
    assert [len(page.items) for page in pages] == [10, 10, 5]


@pytest.mark.parametrize("number", [1, 2, 3, 2_147_483_647])
async def test_the_total_is_right_on_every_page_and_past_the_end(catalogue: Cataloguers, number: int) -> None:
    for n in range(11):
        await catalogue.authors.add(AuthorDetails(name=f"Author {n}"))

    page = await catalogue.storage.reader.authors(AuthorQuery(page=PageRequest(number=number, size=10)))

    assert (page.limit, page.offset, page.total) == (10, 10 * (number - 1), 11)
    assert len(page.items) == max(0, min(10, 11 - 10 * (number - 1)))


async def test_books_are_listed_by_main_author(catalogue: Cataloguers) -> None:
    one = await catalogue.authors.add(AuthorDetails(name="One"))
    two = await catalogue.authors.add(AuthorDetails(name="Two"))
    by_one = [await catalogue.books.add(BookDetails(title=t, author_id=one.id)) for t in ("A", "B", "C")]
    contributors = (Contributor(author_id=one.id),)
    await catalogue.books.add(BookDetails(title="D", author_id=two.id, contributors=contributors))

    page = await catalogue.storage.reader.books(BookQuery(filters=(entered_under(one.id),), page=PageRequest(size=2)))
    nobody = await catalogue.storage.reader.books(BookQuery(filters=(entered_under(NOBODY),)))

    assert (page.items, page.total) == (by_one[:2], 3)
    assert (list(nobody.items), nobody.total) == ([], 0)


async def test_an_opened_storage_can_be_used(storage: Storage) -> None:
    await storage.check()
