"""What an import promises."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, BookRecord, Contributor, SourceKey, SourceRecord
from catalog.domain.identifiers import Identifier
from catalog.domain.imports import OnDuplicate, Outcome, Status
from catalog.domain.ports import DryRun
from catalog.domain.queries import AuthorQuery, BookQuery
from catalog.domain.records import Amendment
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.use_cases.importing import CHUNK, Importing
from catalog.domain.values import IdentifierStatus, Isbn, PartialDate, Role, Scheme
from catalog.testing.doubles import (
    Cataloguers,
    DryRunInMemory,
    RepeatableIds,
    SortedIds,
    StillClock,
    drafted,
    log_of,
    named,
    standing_after,
)


def a_draft(key: str, title: str = "Emma", author: str | None = "Jane Austen", *others: str) -> BookDraft:
    return drafted(SourceRecord("test", key), title, author, *map(named, others))


def with_content(draft: BookDraft, content: bytes, **details: Any) -> BookDraft:
    """The draft as a file says it whose record is these bytes."""
    return evolve(
        draft, origin=evolve(draft.origin, format="test", content=content), details=draft.details.amended(details)
    )


async def imported(catalogue: Cataloguers, *drafts: BookDraft | None, **how: Any) -> Sequence[Outcome]:
    importing = Importing(catalogue.storage, catalogue.caller, catalogue.clock, SortedIds())
    entries = [
        Entry(line=line, draft=draft, refusal="" if draft else "is broken") for line, draft in enumerate(drafts, 2)
    ]
    return [outcome async for outcome in importing.run(entries, importing.ids.new(), **how)]


async def books_of(catalogue: Cataloguers) -> Sequence[BookRecord]:
    return (await catalogue.storage.reader.books(BookQuery())).items


async def test_every_record_ends_as_created_unchanged_or_refused_in_the_order_of_the_file(
    catalogue: Cataloguers,
) -> None:
    await imported(catalogue, a_draft("1"))

    outcomes = await imported(catalogue, a_draft("2", "Persuasion"), None, a_draft("1"))

    assert [(outcome.entry.line, outcome.status) for outcome in outcomes] == [
        (2, Status.CREATED),
        (3, Status.REFUSED),
        (4, Status.UNCHANGED),
    ]
    assert outcomes[1].reason == "is broken"
    assert (await catalogue.storage.reader.books(BookQuery())).total == 2


async def test_people_are_found_in_the_catalogue_and_in_the_run_by_folded_name(catalogue: Cataloguers) -> None:
    known = await catalogue.authors.add(AuthorDetails(name="Émile Zola"))

    await imported(
        catalogue,
        a_draft("1", "Germinal", "EMILE ZOLA", "Havelock Ellis"),
        a_draft("2", "Nana", "Emile Zola.", "havelock ellis"),
    )

    books = (await catalogue.storage.reader.books(BookQuery())).items
    assert {book.author_id for book in books} == {known.id}
    assert len({book.contributors[0].author_id for book in books}) == 1
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 2


async def test_an_ambiguous_name_refuses_its_record_and_leaves_no_author_behind(catalogue: Cataloguers) -> None:
    for _ in range(2):
        await catalogue.authors.add(AuthorDetails(name="John Smith"))

    (outcome,) = await imported(catalogue, a_draft("1", "Poems", "A New Name", "john smith"))

    assert outcome.status is Status.REFUSED
    assert "2 authors called 'john smith'" in outcome.reason
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 2


async def test_a_contributor_named_twice_is_kept_once_and_told_of(catalogue: Cataloguers) -> None:
    draft = evolve(
        a_draft("1"),
        contributors=(
            named("A", Role("trl")),
            named("B"),
            named("a", Role("trl")),
            named("a"),
        ),
    )

    (outcome,) = await imported(catalogue, draft)

    (book,) = (await catalogue.storage.reader.books(BookQuery())).items
    a, b = book.contributors[0].author_id, book.contributors[1].author_id
    assert book.contributors == (
        Contributor(author_id=a, role=Role("trl")),
        Contributor(author_id=b),
        Contributor(author_id=a, credited_as="a"),
    )
    assert outcome.warnings == ("1 contributor(s) named twice, kept once",)


@pytest.mark.parametrize("between", [0, CHUNK])
async def test_two_records_of_one_key_in_one_file_are_two_books_and_stay_so(
    catalogue: Cataloguers, between: int
) -> None:
    drafts = [
        with_content(a_draft("1", "The TeXbook"), b"one"),
        *(a_draft(f"between {number}", f"Title {number}") for number in range(between)),
        with_content(a_draft("1", "LaTeX"), b"two"),
    ]

    outcomes = await imported(catalogue, *drafts)
    again = await imported(catalogue, *drafts)

    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    assert [outcome.book_id for outcome in again] == [outcome.book_id for outcome in outcomes]
    assert {outcome.status for outcome in again} == {Status.UNCHANGED}
    assert outcomes[0].warnings == ()
    assert outcomes[-1].warnings == (
        "its key came before in this file, for 'The TeXbook', so that it is known by all it says",
    )


async def test_a_record_taken_again_by_its_run_is_the_same_whatever_its_book_is_called_by_now(
    catalogue: Cataloguers,
) -> None:
    importing = Importing(catalogue.storage, catalogue.caller, catalogue.clock, SortedIds())
    run, entries = importing.ids.new(), [Entry(line=1, draft=with_content(a_draft("1", "Emma"), b"one"))]
    (first,) = await importing.take(entries, run)
    assert first.book_id is not None
    await catalogue.books.revise(first.book_id, Amendment({"title": "A Novel"}))

    (again,) = await importing.take(entries, run, again_since=0)

    assert again.book_id == first.book_id
    assert [book.title for book in await books_of(catalogue)] == ["A Novel"]


async def test_a_record_whose_title_is_corrected_in_its_source_is_the_same_record(catalogue: Cataloguers) -> None:
    (first,) = await imported(catalogue, with_content(a_draft("1", "Ema"), b"one"))

    (second,) = await imported(catalogue, with_content(a_draft("1", "Emma"), b"two"), on_duplicate=OnDuplicate.UPDATE)

    assert (second.status, second.book_id) == (Status.UPDATED, first.book_id)
    assert [book.title for book in await books_of(catalogue)] == ["Emma"]


TWAIN = Identifier(scheme=Scheme("viaf"), value="50566653")


def with_foreword_by(*names: str, key: str = "1") -> BookDraft:
    """What a source says of a book with forewords by Mark Twain, under these names."""
    people = [AuthorDetails(name=name, identifiers=(TWAIN,)) for name in names]
    roles = [Role("aui"), Role("win"), None]
    others = [DraftContributor(person, role) for person, role in zip(people, roles, strict=False)]
    return evolve(a_draft(key), contributors=tuple(others))


ISBN_A, ISBN_B = "9780141439587", "9780441478125"


@pytest.mark.parametrize("policy", [OnDuplicate.FILL_EMPTY, OnDuplicate.UPDATE])
@pytest.mark.parametrize(
    ("title", "author", "isbn", "is_refused"),
    [
        ("The Odyssey", "Homer", ISBN_B, True),
        ("The Odyssey", "Homer", None, True),
        ("The Odyssey", None, ISBN_B, True),
        ("The Odyssey", "Jane Austen", ISBN_B, False),
        ("The Odyssey", "Homer", ISBN_A, False),
        ("Emma", "Homer", ISBN_B, False),
        ("The Odyssey", None, None, False),
    ],
)
async def test_a_key_of_another_file_of_the_same_name_is_not_taken_for_a_correction(
    catalogue: Cataloguers, policy: OnDuplicate, title: str, author: str | None, isbn: str | None, is_refused: bool
) -> None:
    await imported(catalogue, with_content(a_draft("1"), b"first", isbn=Isbn(ISBN_A)))
    before = await books_of(catalogue)

    details: dict[str, Any] = {} if isbn is None else {"isbn": Isbn(isbn)}
    second = with_content(a_draft("1", title, author), b"second", **details)
    (outcome,) = await imported(catalogue, second, on_duplicate=policy)

    assert (outcome.status is Status.REFUSED) == is_refused
    if is_refused:
        assert "has told of 'Emma' with its key" in outcome.reason
        assert await books_of(catalogue) == before


@pytest.mark.parametrize("policy", [OnDuplicate.FILL_EMPTY, OnDuplicate.UPDATE])
async def test_a_record_whose_key_is_the_id_of_a_book_here_is_that_book(
    catalogue: Cataloguers, policy: OnDuplicate
) -> None:
    await imported(catalogue, a_draft("1", "Emma", "Jane Austen"))
    (book,) = await books_of(catalogue)

    edited = drafted(SourceRecord("edited.csv", str(book.id), "csv", b"row"), "Emma!", "J. Austen", edition="2nd")
    (first,) = await imported(catalogue, edited, on_duplicate=policy)
    (again,) = await imported(catalogue, edited, on_duplicate=policy)

    assert (first.status, again.status) == (Status.UPDATED, Status.UNCHANGED)
    assert first.book_id == book.id
    (after,) = await books_of(catalogue)
    assert (after.title, after.edition) == ("Emma!" if policy is OnDuplicate.UPDATE else "Emma", "2nd")


async def test_identifiers_of_one_giver_never_stand_in_the_way_of_those_of_another(catalogue: Cataloguers) -> None:
    def numbers(*said: str) -> tuple[Identifier, ...]:
        pairs = (each.split(":") for each in said)
        return tuple(Identifier(scheme=Scheme(scheme), value=value) for scheme, value in pairs)

    async def kept() -> set[str]:
        (book,) = await books_of(catalogue)
        return {f"{each.scheme}:{each.value}" for each in book.identifiers}

    first = with_content(a_draft("1"), b"1", identifiers=numbers("doi:10.1/x", "lccn:73000001"))
    more = with_content(a_draft("1"), b"2", identifiers=numbers("doi:10.1/y", f"isbn:{ISBN_A}", "isbn:978014143958X"))
    await imported(catalogue, first)

    await imported(catalogue, more)
    filled = await kept()
    await imported(catalogue, with_content(more, b"3"), on_duplicate=OnDuplicate.UPDATE)
    updated = await kept()
    one = with_content(a_draft("1"), b"4", identifiers=numbers(f"isbn:{ISBN_B}"))
    await imported(catalogue, one, on_duplicate=OnDuplicate.UPDATE)

    isbns = {f"isbn:{ISBN_A}", "isbn:978014143958X"}
    assert filled == {"doi:10.1/x", "lccn:73000001"} | isbns
    assert updated == {"doi:10.1/y", "lccn:73000001"} | isbns
    assert await kept() == {"doi:10.1/y", "lccn:73000001", f"isbn:{ISBN_B}", "isbn:978014143958X"}


async def test_who_is_found_under_another_name_is_credited_as_the_record_says(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Mark Twain", identifiers=(TWAIN,)))

    await imported(catalogue, with_foreword_by("Samuel Clemens", "MARK TWAIN", "Mark Twain"))

    (book,) = await books_of(catalogue)
    assert book.contributors == (
        Contributor(author_id=author.id, role=Role("aui"), credited_as="Samuel Clemens"),
        Contributor(author_id=author.id, role=Role("win"), credited_as="MARK TWAIN"),
        Contributor(author_id=author.id),
    )


@pytest.mark.parametrize("on_duplicate", [OnDuplicate.FILL_EMPTY, OnDuplicate.UPDATE])
async def test_a_record_whose_people_are_credited_otherwise_says_nothing_new_when_it_comes_again(
    catalogue: Cataloguers, on_duplicate: OnDuplicate
) -> None:
    await catalogue.authors.add(AuthorDetails(name="Mark Twain", identifiers=(TWAIN,)))
    draft = with_content(with_foreword_by("Samuel Clemens", "MARK TWAIN"), b"1")

    (created,) = await imported(catalogue, draft, on_duplicate=on_duplicate)
    (again,) = await imported(catalogue, draft, on_duplicate=on_duplicate)

    assert (created.status, created.left) == (Status.CREATED, ())
    assert (again.status, again.left, again.reason) == (Status.UNCHANGED, (), "")
    (book,) = await books_of(catalogue)
    assert book.version == 1


@pytest.mark.parametrize(
    ("name", "on_duplicate", "credited_as", "left"),
    [
        ("MARK TWAIN", OnDuplicate.UPDATE, "M. Twain", ()),
        ("m twain", OnDuplicate.UPDATE, "M. Twain", ()),
        ("Samuel Clemens", OnDuplicate.FILL_EMPTY, "M. Twain", ("contributors",)),
        ("Samuel Clemens", OnDuplicate.UPDATE, "Samuel Clemens", ()),
    ],
)
async def test_how_a_book_credits_somebody_changes_only_with_a_record_that_updates_it_and_calls_them_otherwise(
    catalogue: Cataloguers, name: str, on_duplicate: OnDuplicate, credited_as: str, left: tuple[str, ...]
) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Mark Twain", identifiers=(TWAIN,)))
    (created,) = await imported(catalogue, with_content(with_foreword_by("Mark Twain"), b"1"))
    assert created.book_id is not None
    by_hand = (Contributor(author_id=author.id, role=Role("aui"), credited_as="M. Twain"),)
    await catalogue.books.revise(created.book_id, Amendment({"contributors": by_hand}))

    (outcome,) = await imported(catalogue, with_content(with_foreword_by(name), b"2"), on_duplicate=on_duplicate)

    (book,) = await books_of(catalogue)
    assert book.contributors == (evolve(by_hand[0], credited_as=credited_as),)
    assert (outcome.status, outcome.left) == (Status.UPDATED, left)


async def test_what_was_edited_since_is_left_alone(catalogue: Cataloguers) -> None:
    (created,) = await imported(catalogue, a_draft("1"))
    assert created.book_id is not None
    edited = await catalogue.books.revise(created.book_id, Amendment({"title": "Emma, by hand"}))

    (outcome,) = await imported(catalogue, a_draft("1"))

    assert outcome.status is Status.UNCHANGED
    assert outcome.left == ("title",)
    assert "title" in outcome.reason
    assert await catalogue.storage.reader.book(edited.id) == edited


async def test_a_book_that_was_removed_comes_back_with_the_next_import(catalogue: Cataloguers) -> None:
    (created,) = await imported(catalogue, a_draft("1"))
    assert created.book_id is not None
    await catalogue.books.remove(created.book_id)

    (outcome,) = await imported(catalogue, a_draft("1"))

    assert outcome.status is Status.CREATED
    assert outcome.book_id != created.book_id


async def test_more_records_than_fit_into_one_unit_of_work_all_come_in(catalogue: Cataloguers) -> None:
    count = 2 * CHUNK + 1

    outcomes = await imported(catalogue, *(a_draft(str(n), f"Volume {n}", f"Author {n % 7}") for n in range(count)))

    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    assert (await catalogue.storage.reader.books(BookQuery())).total == count
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 7


async def test_people_who_are_called_otherwise_by_now_are_told_of(catalogue: Cataloguers) -> None:
    await imported(catalogue, a_draft("1", "Emma", "Jane Austin", "C. E. Brock"))

    (same,) = await imported(catalogue, a_draft("1", "Emma", "JANE AUSTIN", "C.E. Brock"))
    (main,) = await imported(catalogue, a_draft("1", "Emma", "Jane Austen", "C. E. Brock"))
    (other,) = await imported(catalogue, a_draft("1", "Emma", "Jane Austin"))

    assert same.reason == ""
    assert main.left == ("author",)
    assert other.left == ()  # a record that names nobody says nothing of contributors


async def test_people_of_one_name_are_told_apart_by_their_dates(catalogue: Cataloguers) -> None:
    def by(key: str, birth: str | None, death: str | None = None) -> BookDraft:
        author = AuthorDetails(
            name="John Smith",
            birth=None if birth is None else PartialDate(birth),
            death=None if death is None else PartialDate(death),
        )
        return evolve(a_draft(key, f"Book {key}"), author=author)

    drafts = [
        by("older", "1850", "1900"),
        by("younger", "1950"),
        by("older, in full", "1850-03-01"),
        by("younger, dead by now", "1950", "2020"),
        by("somebody", None),
        by("somebody else, or not", None),
    ]
    outcomes = await imported(catalogue, *drafts[:4])
    (unclear,) = await imported(catalogue, drafts[4])
    await catalogue.authors.add(AuthorDetails(name="John Smith"))
    (clear,) = await imported(catalogue, drafts[5])

    books = {book.id: book.author for book in (await catalogue.storage.reader.books(BookQuery())).items}
    authors = [books[outcome.book_id] for outcome in (*outcomes, clear) if outcome.book_id is not None]
    births = [author and author.birth for author in authors]
    assert births == [PartialDate("1850"), PartialDate("1950"), PartialDate("1850"), PartialDate("1950"), None]
    assert authors[0] == authors[2]
    assert authors[1] == authors[3]
    assert unclear.status is Status.REFUSED
    assert "2 authors called 'John Smith'" in unclear.reason


@pytest.mark.parametrize("together", [True, False])
async def test_an_author_found_by_name_is_known_by_the_identifiers_of_the_file_from_then_on(
    catalogue: Cataloguers, *, together: bool
) -> None:
    drafts = [
        by("1", name="Q. Jones"),
        by("2", name="Q. Jones", identifiers=(TWAIN,)),
        by("3", name="Quentin Jones", identifiers=(TWAIN,)),
    ]

    for some in [drafts] if together else [[draft] for draft in drafts]:
        await imported(catalogue, *some)
    again = await imported(catalogue, *drafts)

    (author,) = (await catalogue.storage.reader.authors(AuthorQuery())).items
    assert (author.name, author.identifiers) == ("Q. Jones", (TWAIN,))
    assert author.version == (1 if together else 2)
    assert {outcome.status for outcome in again} == {Status.UNCHANGED}


async def test_an_author_who_was_there_gets_identifiers_of_several_records_at_once(catalogue: Cataloguers) -> None:
    isni = Identifier(scheme=Scheme("isni"), value="0000000121226442")
    known = await catalogue.authors.add(AuthorDetails(name="Q. Jones"))

    await imported(
        catalogue,
        by("1", name="Q. Jones", identifiers=(TWAIN,)),
        by("2", name="Q. Jones", identifiers=(isni,)),
    )

    author = await catalogue.storage.reader.author(known.id)
    assert (author.identifiers, author.version) == ((TWAIN, isni), 3)


@pytest.mark.parametrize("together", [True, False])
async def test_a_refused_record_gives_nobody_identifiers(catalogue: Cataloguers, *, together: bool) -> None:
    for _ in range(2):
        await catalogue.authors.add(AuthorDetails(name="John Smith"))
    refused = evolve(by("2", name="Q. Jones", identifiers=(TWAIN,)), contributors=(named("John Smith"),))
    drafts = [by("1", name="Q. Jones"), refused, by("3", name="Somebody Else", identifiers=(TWAIN,))]

    outcomes: list[Outcome] = []
    for some in [drafts] if together else [[draft] for draft in drafts]:
        outcomes += await imported(catalogue, *some)

    assert [outcome.status for outcome in outcomes] == [Status.CREATED, Status.REFUSED, Status.CREATED]
    authors = (await catalogue.storage.reader.authors(AuthorQuery())).items
    assert {author.name: author.identifiers for author in authors} == {
        "John Smith": (),
        "Q. Jones": (),
        "Somebody Else": (TWAIN,),
    }


@pytest.mark.parametrize("policy", [OnDuplicate.SKIP, OnDuplicate.ADD])
async def test_an_import_that_changes_nothing_gives_nobody_identifiers(
    catalogue: Cataloguers, policy: OnDuplicate
) -> None:
    known = await catalogue.authors.add(AuthorDetails(name="Q. Jones"))

    await imported(catalogue, by("1", name="Q. Jones", identifiers=(TWAIN,)), on_duplicate=policy)

    assert (await catalogue.storage.reader.author(known.id)).version == 1


async def test_identifiers_that_belong_to_two_authors_are_told_as_such(catalogue: Cataloguers) -> None:
    isni = Identifier(scheme=Scheme("isni"), value="0000000121226442")
    await imported(catalogue, by("1", name="A", identifiers=(TWAIN,)), by("2", name="B", identifiers=(isni,)))

    (outcome,) = await imported(catalogue, by("3", name="C", identifiers=(TWAIN, isni)))

    assert outcome.status is Status.REFUSED
    assert "the identifiers of 'C' are those of 2 authors of the catalogue, 'A', 'B'" in outcome.reason


async def test_nobody_who_is_not_born_yet_is_imported(catalogue: Cataloguers) -> None:
    draft = evolve(a_draft("1"), author=AuthorDetails(name="A Child", birth=PartialDate("2999")))

    (outcome,) = await imported(catalogue, draft)

    assert outcome.status is Status.REFUSED
    assert "was born 2999, which is not yet" in outcome.reason


async def test_a_record_that_is_refused_leaves_none_of_its_people(catalogue: Cataloguers) -> None:
    child = AuthorDetails(name="A Child", birth=PartialDate("2999"))
    smiths = [AuthorDetails(name="John Smith", birth=PartialDate(year)) for year in ("1850", "1950")]
    unborn = evolve(a_draft("1"), contributors=(DraftContributor(child),))
    unclear = evolve(
        a_draft("2", "Emma", None),
        contributors=tuple(map(DraftContributor, [*smiths, AuthorDetails(name="John Smith")])),
    )

    outcomes = await imported(catalogue, unborn, unclear, a_draft("3", "Iliad", "Homer"))

    assert [outcome.status for outcome in outcomes] == [Status.REFUSED, Status.REFUSED, Status.CREATED]
    authors = (await catalogue.storage.reader.authors(AuthorQuery())).items
    assert [author.name for author in authors] == ["Homer"]


async def test_the_record_itself_is_kept_byte_by_byte_with_its_book(catalogue: Cataloguers) -> None:
    record = bytes(range(256))

    (outcome,) = await imported(catalogue, with_content(a_draft("1"), record))

    book_id = outcome.book_id
    assert book_id is not None
    assert await catalogue.storage.reader.sources([book_id]) == {book_id: (SourceRecord("test", "1", "test", record),)}
    assert (await catalogue.storage.reader.book(book_id)).sources == (SourceKey("test", "1"),)


async def test_a_record_that_has_more_to_say_by_now_fills_what_is_empty_and_edits_stay(catalogue: Cataloguers) -> None:
    (created,) = await imported(catalogue, with_content(a_draft("1"), b"1"))
    assert created.book_id is not None
    await catalogue.books.revise(created.book_id, Amendment({"title": "By hand"}))

    draft = with_content(a_draft("1", "Emma!"), b"2", published=PartialDate("1815"), edition="2nd")
    (outcome,) = await imported(catalogue, draft)

    (book,) = await books_of(catalogue)
    assert (outcome.status, outcome.left) == (Status.UPDATED, ("title",))
    assert (book.title, book.published, book.edition) == ("By hand", PartialDate("1815"), "2nd")
    assert [source.content for source in (await catalogue.storage.reader.sources([book.id]))[book.id]] == [b"2"]


async def test_what_was_emptied_since_is_not_filled_again_by_the_same_record(catalogue: Cataloguers) -> None:
    draft = with_content(a_draft("1"), b"1", edition="2nd")
    (created,) = await imported(catalogue, draft)
    assert created.book_id is not None
    await catalogue.books.revise(created.book_id, Amendment({"edition": None}))

    (outcome,) = await imported(catalogue, draft)

    assert outcome.status is Status.UNCHANGED
    assert (await books_of(catalogue))[0].edition is None


ISBN, OTHER_ISBN = Isbn("9780141439587"), Isbn("9780141439600")


def from_elsewhere(key: str, title: str = "Emma", **details: Any) -> BookDraft:
    """What another source says of a book with that ISBN."""
    draft = drafted(SourceRecord("elsewhere", key, "test", key.encode()), title)
    return evolve(draft, details=draft.details.amended({"isbn": ISBN, **details}))


async def test_a_book_is_told_again_by_any_of_its_valid_isbns(catalogue: Cataloguers) -> None:
    numbers = [Identifier.of_isbn(OTHER_ISBN), Identifier.of_isbn(ISBN)]
    book = await catalogue.books.add(BookDetails(title="By hand", author_id=None, identifiers=tuple(numbers)))

    (outcome,) = await imported(catalogue, from_elsewhere("1", edition="2nd"))

    (after,) = await books_of(catalogue)
    assert (outcome.status, outcome.book_id, outcome.left) == (Status.UPDATED, book.id, ("title",))
    assert (after.title, after.edition, after.sources) == ("By hand", "2nd", (SourceKey("elsewhere", "1"),))


async def test_an_isbn_that_was_cancelled_or_taken_away_tells_no_book_again(catalogue: Cataloguers) -> None:
    cancelled = Identifier(scheme=Scheme("isbn"), value=str(ISBN), status=IdentifierStatus("cancelled"))
    await catalogue.books.add(BookDetails(title="One", author_id=None, identifiers=(cancelled,)))
    book = await catalogue.books.add(BookDetails(title="Other", author_id=None, isbn=ISBN))
    await catalogue.books.revise(book.id, Amendment({"isbn": OTHER_ISBN}))

    (outcome,) = await imported(catalogue, from_elsewhere("1"))

    assert outcome.status is Status.CREATED
    assert len(await books_of(catalogue)) == 3


async def test_two_records_of_one_source_are_two_books_whatever_isbn_they_share(catalogue: Cataloguers) -> None:
    one, other = from_elsewhere("1"), from_elsewhere("2")
    keyless = evolve(from_elsewhere("3"), has_own_key=False)

    outcomes = await imported(catalogue, one, other)
    (unclear,) = await imported(catalogue, keyless)
    (clear,) = await imported(catalogue, evolve(keyless, details=keyless.details.amended({"isbn": OTHER_ISBN})))
    (again,) = await imported(catalogue, evolve(from_elsewhere("4", isbn=OTHER_ISBN), has_own_key=False))

    assert [outcome.status for outcome in outcomes] == [Status.CREATED, Status.CREATED]
    assert unclear.status is Status.REFUSED
    assert "2 books with its ISBN" in unclear.reason
    assert (clear.status, again.status, again.book_id) == (Status.CREATED, Status.UPDATED, clear.book_id)


async def test_who_imports_says_what_becomes_of_a_book_that_is_there(catalogue: Cataloguers) -> None:
    book = await catalogue.books.add(BookDetails(title="By hand", author_id=None, isbn=ISBN, edition="1st"))
    draft = from_elsewhere("1", "Emma", edition="2nd")

    (skipped,) = await imported(catalogue, draft, on_duplicate=OnDuplicate.SKIP)
    assert (skipped.status, skipped.book_id) == (Status.UNCHANGED, book.id)
    assert await books_of(catalogue) == [book]

    (updated,) = await imported(catalogue, draft, on_duplicate=OnDuplicate.UPDATE)
    (after,) = await books_of(catalogue)
    assert (updated.status, updated.left, updated.book_id) == (Status.UPDATED, (), book.id)
    assert (after.title, after.edition, after.isbn) == ("Emma", "2nd", ISBN)

    (added,) = await imported(catalogue, from_elsewhere("2"), on_duplicate=OnDuplicate.ADD)
    (known,) = await imported(catalogue, from_elsewhere("2"), on_duplicate=OnDuplicate.ADD)
    assert (added.status, known.status, known.book_id) == (Status.CREATED, Status.UNCHANGED, added.book_id)
    assert len(await books_of(catalogue)) == 2


async def test_an_update_says_nothing_of_what_the_record_leaves_empty(catalogue: Cataloguers) -> None:
    (created,) = await imported(catalogue, with_content(a_draft("1"), b"1", edition="2nd"))

    (outcome,) = await imported(
        catalogue, with_content(a_draft("1", "Emma", None), b"2"), on_duplicate=OnDuplicate.UPDATE
    )

    (book,) = await books_of(catalogue)
    assert (outcome.book_id, book.edition) == (created.book_id, "2nd")
    assert book.author is not None
    assert book.author.name == "Jane Austen"


async def test_what_an_import_filled_is_taken_back_with_the_run(catalogue: Cataloguers) -> None:
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=None, isbn=ISBN))
    run = SortedIds().new()
    await catalogue.importing.take([Entry(line=1, draft=from_elsewhere("1", edition="2nd"))], run)

    async for _ in catalogue.undoing.undo(run):
        pass

    (after,) = await books_of(catalogue)
    assert (after.edition, after.sources) == (None, ())
    assert await catalogue.storage.reader.sources([book.id]) == {}


def by(key: str, **author: Any) -> BookDraft:
    return evolve(a_draft(key, f"Book {key}"), author=AuthorDetails(**author))


async def test_an_author_is_told_again_by_an_identifier_whatever_the_name(catalogue: Cataloguers) -> None:
    viaf = Identifier(scheme=Scheme("viaf"), value="1")
    known = await catalogue.authors.add(AuthorDetails(name="Лев Толстой", identifiers=(viaf,)))
    other = evolve(viaf, value="2")

    await imported(
        catalogue,
        by("1", name="Leo Tolstoy", identifiers=(viaf,)),
        by("2", name="Jane Austen", identifiers=(other,)),
        by("3", name="Austen, Jane", identifiers=(other,)),
        by("4", name="Jane Austen", identifiers=(evolve(viaf, value="3"),)),
    )

    named = {book.title: book.author_id for book in await books_of(catalogue)}
    assert named["Book 1"] == known.id
    assert named["Book 2"] == named["Book 3"]
    assert named["Book 4"] not in (named["Book 2"], None)  # one giver of numbers tells them apart


async def test_a_dry_run_says_what_a_run_would_do_and_does_nothing(catalogue: Cataloguers) -> None:
    await catalogue.books.add(BookDetails(title="By hand", author_id=None, isbn=ISBN))
    drafts = [
        from_elsewhere("1", edition="2nd"),
        *(a_draft(str(n), f"Book {n}", f"Author {n % 3}") for n in range(CHUNK)),
        None,
        a_draft("0", "Book 0", "Author 0"),
        from_elsewhere("1", edition="2nd"),
        evolve(a_draft("late", "Late", "A Child"), author=AuthorDetails(name="A Child", birth=PartialDate("2999"))),
    ]
    before = await catalogue.storage.reader.position()

    foreseen = await imported(catalogue, *drafts, dry=DryRunInMemory())
    after = await catalogue.storage.reader.position()
    done = await imported(catalogue, *drafts)

    assert before == after
    assert [(each.status, each.reason, each.left) for each in foreseen] == [
        (each.status, each.reason, each.left) for each in done
    ]
    assert {each.status for each in done} == set(Status)
    assert [each.book_id for each in foreseen if each.status is Status.CREATED] == [None] * CHUNK


def whole(details: BookDetails, id: UUID, *sources: SourceRecord) -> Book:
    """A book as our own files tell it."""
    return Book.recorded(details, id=id, at=StillClock().now(), sources=sources)


async def transferred(catalogue: Cataloguers, *records: Author | Book) -> Sequence[Outcome]:
    entries = [Entry(line=line, record=record) for line, record in enumerate(records, 1)]
    return await catalogue.importing.take(entries, SortedIds().new())


async def test_a_whole_record_fills_a_book_whose_author_it_does_not_name(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))
    book = await catalogue.books.add(BookDetails(title="Emma", author_id=author.id))

    (outcome,) = await transferred(catalogue, whole(BookDetails(title="Emma", author_id=None, edition="2nd"), book.id))

    (after,) = await books_of(catalogue)
    assert (outcome.status, after.author_id, after.edition) == (Status.UPDATED, author.id, "2nd")


async def test_a_whole_record_that_has_the_id_of_another_kind_is_refused_for_that(catalogue: Cataloguers) -> None:
    author = await catalogue.authors.add(AuthorDetails(name="Jane Austen"))

    (outcome,) = await transferred(catalogue, whole(BookDetails(title="Emma", author_id=None), author.id))

    assert (outcome.status, outcome.reason) == (Status.REFUSED, "has the id of the author that is there")


async def must_be_foreseen(catalogue: Cataloguers, entries: Sequence[Entry], on_duplicate: OnDuplicate) -> None:
    """Take the entries, each a chunk of its own: a dry run says the same of them, and knows what is there then."""
    run, dry = SortedIds().new(), DryRunInMemory()

    async def taken(dry: DryRun | None = None) -> Sequence[Outcome]:
        importing = evolve(catalogue, ids=RepeatableIds()).importing
        chunks = [await importing.take([each], run, on_duplicate=on_duplicate, dry=dry) for each in entries]
        return [evolve(each, book_id=None) if each.status is Status.CREATED else each for (each,) in chunks]

    foreseen = await taken(dry)
    done = await taken()

    assert foreseen == done
    log = await log_of(catalogue.storage.reader)
    assert dry.kept == standing_after([revision for revision in log if revision.group == run])
    assert {each.status for each in done} >= {Status.CREATED, Status.REFUSED}


@pytest.mark.parametrize("on_duplicate", OnDuplicate)
async def test_a_dry_run_says_what_a_run_would_do_with_records_that_meet_in_different_chunks(
    catalogue: Cataloguers, on_duplicate: OnDuplicate
) -> None:
    for _ in range(2):
        await catalogue.authors.add(AuthorDetails(name="John Smith"))
    await catalogue.authors.add(AuthorDetails(name="Q. Jones"))
    await catalogue.books.add(BookDetails(title="By hand", author_id=None, isbn=ISBN))
    await imported(catalogue, with_content(a_draft("9", "Ema"), b"one"))
    third = evolve(from_elsewhere("3"), origin=SourceRecord("a third", "3"))
    refused = evolve(by("4", name="A. N. Other", identifiers=(TWAIN,)), contributors=(named("John Smith"),))
    drafts = [
        with_content(a_draft("1", "The TeXbook"), b"one"),
        with_content(a_draft("1", "LaTeX"), b"two"),
        with_content(a_draft("1", "LaTeX"), b"two", edition="2nd"),
        from_elsewhere("1", edition="2nd"),
        from_elsewhere("1", isbn=OTHER_ISBN),
        third,
        refused,
        by("5", name="Q. Jones", identifiers=(TWAIN,)),
        by("6", name="Quentin Jones", identifiers=(TWAIN,)),
        by("7", name="Quentin Jones"),
        by("7", name="Q. Jones"),
        with_content(a_draft("9", "Ema"), b"two", edition="2nd"),
        with_content(a_draft("9", "Emma"), b"three"),
        by("8", name="Q. Jones", identifiers=(evolve(TWAIN, scheme=Scheme("isni")),)),
        refused,
    ]
    entries = [Entry(line=line, draft=draft) for line, draft in enumerate(drafts, 2)]

    await must_be_foreseen(catalogue, entries, on_duplicate)


@pytest.mark.parametrize("on_duplicate", OnDuplicate)
async def test_a_dry_run_says_what_a_run_would_do_with_whole_records_that_meet_in_different_chunks(
    catalogue: Cataloguers, on_duplicate: OnDuplicate
) -> None:
    known = await catalogue.authors.add(AuthorDetails(name="Q. Jones"))
    author, nobody, *ids = (SortedIds().new() for _ in range(5))
    renamed = Author.recorded(AuthorDetails(name="Quentin Jones"), id=known.id, at=StillClock().now())
    emma = BookDetails(title="Emma", author_id=author)
    source = SourceRecord("test", "1")
    records: Sequence[Author | Book] = [
        Author.recorded(AuthorDetails(name="Jane Austen"), id=author, at=StillClock().now()),
        whole(emma, ids[0], source),
        whole(evolve(emma, title="Emma!", edition="2nd"), ids[0]),
        whole(evolve(emma, author_id=nobody), ids[1]),
        whole(emma, ids[1], source),
        whole(emma, author),
        whole(evolve(emma, author_id=known.id), ids[2]),
        renamed,
    ]
    entries = [Entry(line=line, record=record) for line, record in enumerate(records, 1)]
    entries += [Entry(line=1, draft=by(key, name=name)) for key, name in [("1", "Q. Jones"), ("1", "Quentin Jones")]]

    await must_be_foreseen(catalogue, entries, on_duplicate)


async def test_an_import_that_stops_ends_with_the_first_record_that_is_refused(catalogue: Cataloguers) -> None:
    outcomes = await imported(catalogue, a_draft("1"), None, a_draft("2"), stops=True)

    assert [outcome.status for outcome in outcomes] == [Status.CREATED, Status.REFUSED]
    assert len(await books_of(catalogue)) == 1


async def test_imports_side_by_side_make_nobody_twice(catalogue: Cataloguers) -> None:
    runs = [[a_draft(f"{run}-{n}", f"Book {run}-{n}", f"Author {n % 20}") for n in range(60)] for run in range(4)]

    await asyncio.gather(*(imported(catalogue, *drafts) for drafts in runs))

    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 20
    assert (await catalogue.storage.reader.books(BookQuery())).total == 240
