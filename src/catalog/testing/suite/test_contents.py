"""What goes in comes out, character for character and moment for moment."""

import asyncio
import unicodedata
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, Contributor, SourceRecord
from catalog.domain.callers import Caller, IdempotentRequest
from catalog.domain.languages import BIBLIOGRAPHIC
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery, BookQuery
from catalog.domain.records import Amendment
from catalog.domain.values import Isbn, Language, PartialDate, Role
from catalog.testing.doubles import Cataloguers, SortedIds, log_of, picture_of
from catalog.testing.storages import NewStorage, opened
from catalog.testing.strategies import SETTINGS, author_details, book_details

EARLIEST, LATEST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
CALLER = Caller(actor="tester", request_id="test")
ids = SortedIds()

TEXTS = {
    "emoji": "📚 \U0001f469\u200d\U0001f680 \U0001f1eb\U0001f1f7 ❤\ufe0f",
    "combining marks": "Vie\u0302\u0323t \u1e69 e\u0301 q\u0307\u0323 " + "a" + "\u0300" * 40,
    "right to left": "ספר \u200fالكتاب\u200e עברית and English",
    "four bytes": "𠀋𝔘𝔫𝔦𝔠𝔬𝔡𝔢\U0010fffd",
    "joiners": "می\u200cخواهم क\u094d\u200dष soft\u00adhyphen \ufeff.",
    "private use": "\ue000\uf8ff",
    "quotes": "'\"`; DROP TABLE book; -- \\ \\' \\\\ %s %(x)s {0} ${x} :x ?",
    "wildcards": "100 % _ * [a-z] ^ $",
    "JSON": '{"a": ["\\u0000", null]}\\n',
    "spaces": "a\u00a0b\u2003c\u3000d  e",
    "dotted and dotless": "Iİıi ŞşẞßŒœ ﬁ ŉ",
    "other planes": "".join(chr(plane + 0x1234) for plane in (0x10000, 0x20000, 0xF0000)),
}
"""Text that a field takes, and that some storage somewhere has spoilt."""

DATES = [
    "-9999",
    "-0044-03-15",
    "-0001-12-31",
    "0000",
    "0000-02-29",
    "0001-01-01",
    "9999-12-31",
    "1582-10-15",
    "2024-02",
]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
async def test_text_of_every_kind_is_kept(catalogue: Cataloguers, text: str) -> None:
    author = await catalogue.authors.add(AuthorDetails(name=text))
    book = await catalogue.books.add(BookDetails(title=text, subtitle=text, author_id=author.id))
    reader = catalogue.storage.reader

    kept = [(await reader.author(author.id)).name, (await reader.book(book.id)).title]

    assert kept == [unicodedata.normalize("NFC", text).strip()] * 2
    assert await reader.book(book.id) == book
    assert next(revision.after for revision in await log_of(reader)) == author
    async with catalogue.storage.unit_of_work(CALLER) as unit:
        assert await unit.authors.find_by_folded_names([author.folded_name]) == [author]


@pytest.mark.parametrize("character", ["a", "é", "道", "😀"], ids=["one byte", "two", "three", "four"])
async def test_the_longest_text_of_a_field_is_kept(catalogue: Cataloguers, character: str) -> None:
    author = await catalogue.authors.add(AuthorDetails(name=character * 500))
    book = await catalogue.books.add(BookDetails(title=character * 1000, subtitle=character * 1000, author_id=None))

    assert await catalogue.storage.reader.author(author.id) == author
    assert await catalogue.storage.reader.book(book.id) == book


async def test_the_longest_lists_of_a_book_are_kept_in_their_order(catalogue: Cataloguers) -> None:
    authors = [await catalogue.authors.add(AuthorDetails(name=f"Author {n}")) for n in range(20)]
    roles = [Role(f"{a}{b}x") for a in "abcde" for b in "ab"]
    contributors = tuple(Contributor(author_id=author.id, role=role) for role in roles for author in authors[::-1])
    languages = tuple(map(Language, sorted(BIBLIOGRAPHIC, key=lambda code: code[::-1])[:50]))

    book = await catalogue.books.add(
        BookDetails(title="All", author_id=authors[0].id, contributors=contributors, languages=languages)
    )

    assert len(contributors) == 200
    kept = await catalogue.storage.reader.book(book.id)
    assert (kept.contributors, kept.languages) == (contributors, languages)
    assert kept == book


async def test_the_name_under_which_a_book_credits_somebody_is_kept_until_it_changes(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Samuel Clemens"))
    credited = Contributor(author_id=author.id, role=Role("aui"), credited_as="Mark Twain")
    other = evolve(credited, role=Role("ill"), credited_as=None)
    book = await catalogue.books.add(BookDetails(title="Book", author_id=None, contributors=(credited, other)))

    kept = await catalogue.storage.reader.book(book.id)
    turned = (evolve(credited, credited_as="M. Twain"), evolve(other, credited_as="Mark Twain"))
    await catalogue.books.revise(book.id, Amendment({"contributors": turned}))

    assert kept.contributors == (credited, other)
    revised = await catalogue.storage.reader.book(book.id)
    assert (revised.version, revised.contributors) == (2, turned)


@pytest.mark.parametrize("day", [date.min, date(4, 2, 29), date(1582, 10, 10), date(1900, 2, 28)], ids=str)
async def test_days_of_all_times_are_kept(catalogue: Cataloguers, day: date) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Author", dob=day))

    assert (await catalogue.storage.reader.author(author.id)).dob == day


@pytest.mark.parametrize("text", DATES)
async def test_dates_of_any_precision_and_before_christ_are_kept(catalogue: Cataloguers, text: str) -> None:
    book = await catalogue.books.add(BookDetails(title="Book", author_id=None, published=PartialDate(text)))

    assert (await catalogue.storage.reader.book(book.id)).published == PartialDate(text)


@pytest.mark.parametrize("at", [EARLIEST, LATEST, datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=UTC)], ids=str)
async def test_times_are_kept_to_the_microsecond_and_in_utc(storage: Storage, at: datetime) -> None:
    author = Author.recorded(AuthorDetails(name="Author"), id=ids.new(), at=at)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    kept = await storage.reader.author(author.id)
    (revision,) = await log_of(storage.reader)
    moments = [kept.created_at, kept.updated_at, revision.at, (await storage.reader.position()).at]

    assert moments == [at] * 4
    assert [moment and moment.utcoffset() for moment in moments] == [timedelta()] * 4


@pytest.mark.parametrize("id", [UUID(int=0), UUID(int=1), UUID(int=2**128 - 1)], ids=str)
async def test_any_id_is_kept(storage: Storage, id: UUID) -> None:
    author = Author.recorded(AuthorDetails(name="Author"), id=id, at=LATEST)
    async with storage.unit_of_work(CALLER) as unit:
        await unit.authors.add(author)

    assert await storage.reader.author(id) == author
    assert (await storage.reader.revision(author.KIND, id, 1)).after == author


async def test_who_did_it_is_kept_as_it_was_said(catalogue: Cataloguers) -> None:
    said = [(text, text) for text in TEXTS.values()] + [("x" * 255, None)]

    for actor, request_id in said:
        await catalogue.asked_by(actor, request_id=request_id).authors.add(AuthorDetails(name="Author"))

    log = await log_of(catalogue.storage.reader)
    assert [(revision.actor, revision.request_id) for revision in log] == said


@pytest.mark.parametrize("key", [*TEXTS.values(), "k" * 255], ids=[*TEXTS, "long"])
async def test_keys_of_requests_are_told_apart_to_the_character(catalogue: Cataloguers, key: str) -> None:
    author = await catalogue.asked_once(key).authors.add(AuthorDetails(name="Author"))

    for other in (key + " ", key.swapcase() + ".", "é" + key, "e\u0301" + key):
        asked = catalogue.asked_once(other)
        await asked.authors.add(AuthorDetails(name="Other"))
        assert not asked.replayed

    assert await catalogue.asked_once(key).authors.add(AuthorDetails(name="Author")) == author


async def test_keys_of_sources_are_told_apart_to_the_character(storage: Storage) -> None:
    keys = ["1", "01", "1 ", "a", "A", "é", "e\u0301", "ß", "ss", "%", "_", "\\", "😀", "x" * 255]
    sources = [SourceRecord(source, key) for source in ("one", "One") for key in keys]
    books = [
        Book.recorded(BookDetails(title=f"Book {n}", author_id=None), id=ids.new(), at=EARLIEST, sources=(source,))
        for n, source in enumerate(sources)
    ]
    async with storage.unit_of_work(CALLER) as unit:
        await unit.books.add(*books)

    async with storage.unit_of_work(CALLER) as unit:
        found = await unit.books.find_by_sources([source.id for source in sources])

    assert {source: book.id for source, book in found.items()} == {book.sources[0].id: book.id for book in books}


async def test_a_receipt_is_kept_with_all_it_says(storage: Storage) -> None:
    request = IdempotentRequest(key="k", fingerprint="f" * 64, status=299, kept_for=timedelta(days=366))
    catalogue = Cataloguers(storage, caller=Caller("tester", "test", request))
    author = await catalogue.authors.add(AuthorDetails(name="Author"))

    async with storage.unit_of_work(CALLER) as unit:
        receipt = await unit.receipts.find("tester", "k", since=EARLIEST)

    assert receipt is not None
    assert (receipt.fingerprint, receipt.status, receipt.seq) == ("f" * 64, 299, 0)
    assert (receipt.kind, receipt.id, receipt.version) == (author.KIND, author.id, 1)
    assert receipt.at == catalogue.clock.now()
    assert (receipt.left_alone, receipt.is_unmerge) == ((), False)


@pytest.mark.slow
def test_whatever_may_be_said_of_authors_and_books_is_kept_through_every_version(new_storage: NewStorage) -> None:
    @settings(SETTINGS, max_examples=15)
    @given(
        authors=st.lists(author_details(), min_size=2, max_size=3),
        books=st.lists(book_details(st.sampled_from([UUID(int=0), UUID(int=1)])), min_size=2, max_size=3),
        isbn=st.sampled_from([None, Isbn("9780141439600")]),
    )
    def check(authors: list[AuthorDetails], books: list[BookDetails], isbn: Isbn | None) -> None:
        async def run() -> None:
            async with opened(new_storage) as storage:
                catalogue = Cataloguers(storage)
                known = [(await catalogue.authors.add(details)).id for details in authors]
                said = [
                    book.exchanging({UUID(int=n): known[n] for n in (0, 1)}).amended({"isbn": isbn or book.isbn})
                    for book in books
                ]
                added = await catalogue.books.add(said[0])
                for details in said[1:]:
                    added = await catalogue.books.revise(added.id, Amendment.to(details))
                    catalogue.clock.move()

                assert added.details == said[-1]
                assert await storage.reader.book(added.id) == added
                assert list((await storage.reader.books(BookQuery())).items) == [added]
                by_id = {author.id: author.details for author in (await storage.reader.authors(AuthorQuery())).items}
                assert by_id == dict(zip(known, authors, strict=True))
                await picture_of(storage)

        asyncio.run(run())

    check()
