"""What an import promises."""

from collections.abc import Sequence

from attrs import evolve

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import Contributor, SourceKey
from catalog.domain.queries import AuthorQuery, BookQuery
from catalog.domain.records import Amendment
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.use_cases.importing import CHUNK, Importing, Outcome, Status
from catalog.domain.values import PartialDate, Role
from catalog.testing.doubles import Cataloguers, SortedIds, drafted, named


def a_draft(key: str, title: str = "Emma", author: str | None = "Jane Austen", *others: str) -> BookDraft:
    return drafted(SourceKey("test", key), title, author, *map(named, others))


async def imported(catalogue: Cataloguers, *drafts: BookDraft | None) -> Sequence[Outcome]:
    importing = Importing(catalogue.storage, catalogue.caller, catalogue.clock, SortedIds())
    entries = [
        Entry(line=line, draft=draft, refusal="" if draft else "is broken") for line, draft in enumerate(drafts, 2)
    ]
    return [outcome async for outcome in importing.run(entries, importing.ids.new())]


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
    assert len({book.contributors for book in books}) == 1
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
        Contributor(author_id=a),
    )
    assert outcome.warnings == ("1 contributor(s) named twice, kept once",)


async def test_what_was_edited_since_is_left_alone(catalogue: Cataloguers) -> None:
    (created,) = await imported(catalogue, a_draft("1"))
    assert created.book_id is not None
    edited = await catalogue.books.revise(created.book_id, Amendment({"published": PartialDate("1815")}))

    (outcome,) = await imported(catalogue, a_draft("1"))

    assert outcome.status is Status.UNCHANGED
    assert "published" in outcome.reason
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
    assert "in author," in main.reason
    assert "in contributors," in other.reason


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
