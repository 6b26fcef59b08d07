"""Two records become one, and two again."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from attrs import evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, Contributor, SourceKey, SourceRecord
from catalog.domain.errors import Merged, NotFound, NotMergeable, NotMerged, Obstacle, Removed, StaleVersion
from catalog.domain.imports import Status
from catalog.domain.kinds import Kind
from catalog.domain.queries import AuthorQuery, BookQuery, PageRequest, entered_under
from catalog.domain.receipts import LeftAlone
from catalog.domain.records import Amendment
from catalog.domain.revisions import Operation, Revision
from catalog.domain.sources import Entry
from catalog.domain.values import Isbn, Language, PartialDate, Role
from catalog.testing.doubles import NOBODY, Cataloguers, SortedIds, drafted, log_of, picture_of

ids = SortedIds()
BORN = date(1775, 12, 16)
TRL, ILL, EDT = Role("trl"), Role("ill"), Role("edt")


async def some_authors(catalogue: Cataloguers, *names: str) -> list[Author]:
    return [await catalogue.authors.add(AuthorDetails(name=name)) for name in names]


async def a_book(
    catalogue: Cataloguers, author: Author | None, *contributors: tuple[Author, Role | None], title: str = "Emma"
) -> BookRecord:
    entries = tuple(Contributor(author_id=who.id, role=role) for who, role in contributors)
    return await catalogue.books.add(
        BookDetails(title=title, author_id=None if author is None else author.id, contributors=entries)
    )


async def an_import(catalogue: Cataloguers, *keys: str) -> list[BookRecord]:
    entries = [Entry(line=1, draft=drafted(SourceRecord("test", key), f"Book {key}", "Jane Austen")) for key in keys]
    outcomes = await catalogue.importing.take(entries, ids.new())
    return [await catalogue.storage.reader.book(outcome.book_id or NOBODY) for outcome in outcomes]


async def read(catalogue: Cataloguers, book: BookRecord) -> BookRecord:
    return await catalogue.storage.reader.book(book.id)


async def position(catalogue: Cataloguers) -> int:
    return (await catalogue.storage.reader.position()).seq


async def redirects(catalogue: Cataloguers) -> dict[UUID, UUID]:
    absent = (await picture_of(catalogue.storage)).absent
    return {id: refused.data["into"] for id, refused in absent.items() if refused.error is Merged}


def people(book: BookRecord) -> list[tuple[UUID | None, Role | None]]:
    return [(book.author_id, None), *((entry.author_id, entry.role) for entry in book.contributors)]


def said(left_alone: Sequence[LeftAlone]) -> set[tuple[Kind, UUID]]:
    return {(left.kind, left.id) for left in left_alone}


# Merging


async def test_a_merged_record_leads_to_its_survivor(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "J. Austen", "Jane Austen")

    assert await catalogue.merging.merge(Author, loser.id, survivor.id) == survivor

    with pytest.raises(Merged) as refusal:
        await catalogue.storage.reader.author(loser.id)
    assert (refusal.value.kind, refusal.value.id, refusal.value.into) == (Kind.AUTHOR, loser.id, survivor.id)
    assert (await catalogue.storage.reader.authors(AuthorQuery())).items == [survivor]


async def test_books_are_moved_wherever_they_name_a_merged_author(catalogue: Cataloguers) -> None:
    loser, survivor, other = await some_authors(catalogue, "J. Austen", "Jane Austen", "Other")
    main = await a_book(catalogue, loser)
    contributed = await a_book(catalogue, other, (loser, TRL), (other, ILL))
    untouched = await a_book(catalogue, survivor, (other, TRL))

    await catalogue.merging.merge(Author, loser.id, survivor.id)

    assert await read(catalogue, main) == evolve(main, version=2, author_id=survivor.id, author=survivor)
    assert people(await read(catalogue, contributed)) == [(other.id, None), (survivor.id, TRL), (other.id, ILL)]
    assert await read(catalogue, untouched) == untouched


async def test_a_merge_is_one_group_in_which_everything_has_its_next_version(catalogue: Cataloguers) -> None:
    earlier, loser, survivor = await some_authors(catalogue, "A", "B", "C")
    await catalogue.merging.merge(Author, earlier.id, loser.id)
    books = [await a_book(catalogue, loser, title=f"Volume {n}") for n in range(3)]
    await catalogue.authors.revise(loser.id, Amendment({"dob": BORN}))
    begun = await position(catalogue)

    await catalogue.merging.merge(Author, loser.id, survivor.id)

    revisions: list[Revision] = (await log_of(catalogue.storage.reader))[begun:]
    assert len({revision.group for revision in revisions}) == 1
    assert revisions[0].group is not None
    assert {revision.operation for revision in revisions} == {Operation.MERGE}
    assert {revision.id: (revision.version, revision.into) for revision in revisions} == {
        survivor.id: (2, None),
        loser.id: (3, survivor.id),
        earlier.id: (3, survivor.id),
        **{book.id: (2, None) for book in books},
    }


MAIN = "main"


@pytest.mark.parametrize(
    ("main", "entries", "kept"),
    [
        pytest.param(None, [("loser", TRL), ("survivor", TRL)], [("survivor", TRL)], id="same role"),
        pytest.param(None, [("loser", None), ("survivor", None)], [("survivor", None)], id="both without a role"),
        pytest.param(
            None, [("loser", TRL), ("survivor", ILL)], [("survivor", TRL), ("survivor", ILL)], id="different roles"
        ),
        pytest.param("loser", [("survivor", None)], [], id="role-less entry of the main author"),
        pytest.param("survivor", [("loser", None)], [], id="role-less loser of the main author"),
        pytest.param("survivor", [("loser", TRL)], [("survivor", TRL)], id="role of the main author"),
        pytest.param(None, [("loser", None), ("survivor", TRL)], [("survivor", TRL)], id="role-less beside a role"),
        pytest.param(None, [("survivor", None), ("loser", TRL)], [("survivor", TRL)], id="role beside role-less"),
        pytest.param(
            "other",
            [("other", None), ("loser", TRL)],
            [("other", None), ("survivor", TRL)],
            id="nobody else's entry collapses",
        ),
        pytest.param(
            None,
            [("other", EDT), ("loser", TRL), ("other", None), ("survivor", TRL)],
            [("other", EDT), ("survivor", TRL), ("other", None)],
            id="the order is kept",
        ),
    ],
)
async def test_entries_that_come_to_say_the_same_collapse(
    catalogue: Cataloguers,
    main: str | None,
    entries: list[tuple[str, Role | None]],
    kept: list[tuple[str, Role | None]],
) -> None:
    names = ["loser", "survivor", "other"]
    who = dict(zip(names, await some_authors(catalogue, *names), strict=True))
    book = await a_book(catalogue, who[main] if main else None, *((who[name], role) for name, role in entries))

    await catalogue.merging.merge(Author, who["loser"].id, who["survivor"].id)

    moved = await read(catalogue, book)
    assert [(entry.author_id, entry.role) for entry in moved.contributors] == [
        (who[name].id, role) for name, role in kept
    ]
    assert moved.author_id == (None if main is None else who["survivor" if main == "loser" else main].id)

    result = await catalogue.merging.unmerge(Author, who["loser"].id)

    assert result.left_alone == []
    assert await read(catalogue, book) == evolve(book, version=3, author=(await read(catalogue, book)).author)


async def test_empty_fields_of_the_survivor_are_filled_and_others_kept(catalogue: Cataloguers) -> None:
    loser = await catalogue.authors.add(AuthorDetails(name="J. Austen", dob=BORN))
    empty, full = (
        await catalogue.authors.add(AuthorDetails(name="Jane Austen")),
        await catalogue.authors.add(AuthorDetails(name="Austen, Jane", dob=date(1700, 1, 1))),
    )

    filled = await catalogue.merging.merge(Author, loser.id, empty.id)
    kept = await catalogue.merging.merge(Author, empty.id, full.id)

    assert filled == evolve(empty, version=2, dob=BORN)
    assert kept == full


async def test_the_survivor_of_books_is_filled_with_all_it_does_not_say(catalogue: Cataloguers) -> None:
    author, other = await some_authors(catalogue, "Author", "Other")
    said_by_loser = BookDetails(
        title="Emma",
        subtitle="A Novel",
        author_id=author.id,
        contributors=(Contributor(author_id=other.id, role=ILL),),
        isbn=Isbn("9780141439600"),
        published=PartialDate("1815"),
        languages=(Language("eng"),),
    )
    loser = await catalogue.books.add(said_by_loser)
    survivor = await catalogue.books.add(BookDetails(title="EMMA", author_id=None, published=PartialDate("1816")))

    merged = await catalogue.merging.merge(BookRecord, loser.id, survivor.id)

    assert merged.details == evolve(said_by_loser, title="EMMA", published=PartialDate("1816"))
    assert (merged.version, merged.author) == (2, author)
    assert await read(catalogue, survivor) == merged
    with pytest.raises(Merged):
        await read(catalogue, loser)


async def test_merged_books_unite_their_sources_so_that_an_import_finds_the_survivor(catalogue: Cataloguers) -> None:
    loser, survivor = await an_import(catalogue, "1", "2")

    merged = await catalogue.merging.merge(BookRecord, loser.id, survivor.id)

    assert merged.sources == (SourceKey("test", "2"), SourceKey("test", "1"))
    entry = Entry(line=1, draft=drafted(SourceRecord("test", "1"), "Book 1", "Jane Austen"))
    (outcome,) = await catalogue.importing.take([entry], ids.new())
    assert (outcome.status, outcome.book_id) == (Status.UNCHANGED, survivor.id)


async def test_a_survivor_that_gets_nothing_is_not_changed(catalogue: Cataloguers) -> None:
    survivor = await catalogue.books.add(BookDetails(title="Emma", author_id=None))
    loser = await catalogue.books.add(BookDetails(title="Emma?", author_id=None))

    assert await catalogue.merging.merge(BookRecord, loser.id, survivor.id) == survivor
    assert await position(catalogue) == 3


async def test_chains_of_merges_lead_to_their_end_at_once(catalogue: Cataloguers) -> None:
    a, b, c, d = await some_authors(catalogue, "A", "B", "C", "D")
    await catalogue.merging.merge(Author, a.id, b.id)
    await catalogue.merging.merge(Author, b.id, c.id)
    assert await redirects(catalogue) == {a.id: c.id, b.id: c.id}

    await catalogue.merging.merge(Author, c.id, d.id)

    assert await redirects(catalogue) == {a.id: d.id, b.id: d.id, c.id: d.id}


async def test_chains_of_merged_books_lead_to_their_end_too(catalogue: Cataloguers) -> None:
    a, b, c = await an_import(catalogue, "1", "2", "3")
    await catalogue.merging.merge(BookRecord, a.id, b.id)
    merged = await catalogue.merging.merge(BookRecord, b.id, c.id)

    assert await redirects(catalogue) == {a.id: c.id, b.id: c.id}
    assert set(merged.sources) == {SourceKey("test", key) for key in "123"}


@pytest.mark.parametrize("known", [None, {1}, {99}])
async def test_merging_again_changes_nothing(catalogue: Cataloguers, known: set[int] | None) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    await a_book(catalogue, loser)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    before = await picture_of(catalogue.storage)

    assert await catalogue.merging.merge(Author, loser.id, survivor.id, known_versions=known) == survivor
    assert await picture_of(catalogue.storage) == before


async def test_what_can_not_be_merged_says_why_and_nothing_is_changed(catalogue: Cataloguers) -> None:
    a, b, c, removed, loser = await some_authors(catalogue, "A", "B", "C", "Removed", "Loser")
    book = await a_book(catalogue, loser)
    await catalogue.authors.remove(removed.id)
    await catalogue.merging.merge(Author, a.id, b.id)
    before = await picture_of(catalogue.storage)
    obstacles: list[tuple[UUID, UUID, Obstacle, UUID | None]] = [
        (loser.id, loser.id, Obstacle.ITSELF, None),
        (loser.id, NOBODY, Obstacle.UNKNOWN, None),
        (loser.id, book.id, Obstacle.OTHER_KIND, None),
        (loser.id, removed.id, Obstacle.REMOVED, None),
        (loser.id, a.id, Obstacle.MERGED, b.id),
        (a.id, c.id, Obstacle.ELSEWHERE, b.id),
        (b.id, a.id, Obstacle.MERGED, b.id),
    ]

    for id, into, obstacle, other in obstacles:
        with pytest.raises(NotMergeable) as refusal:
            await catalogue.merging.merge(Author, id, into)
        error = refusal.value
        assert (error.kind, error.id, error.into, error.obstacle, error.other) == (
            Kind.AUTHOR,
            id,
            into,
            obstacle,
            other,
        )

    assert {obstacle for _, _, obstacle, _ in obstacles} == set(Obstacle)
    assert await picture_of(catalogue.storage) == before


async def test_what_never_was_can_not_be_merged(catalogue: Cataloguers) -> None:
    (author,) = await some_authors(catalogue, "Author")
    book = await a_book(catalogue, None)

    for id in (NOBODY, book.id):
        with pytest.raises(NotFound):
            await catalogue.merging.merge(Author, id, author.id)


async def test_what_was_removed_can_not_be_merged(catalogue: Cataloguers) -> None:
    removed, author = await some_authors(catalogue, "Removed", "Author")
    await catalogue.authors.remove(removed.id)

    with pytest.raises(Removed):
        await catalogue.merging.merge(Author, removed.id, author.id)


async def test_who_knows_another_version_can_not_merge(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    await catalogue.authors.revise(loser.id, Amendment({"name": "Renamed"}))
    before = await picture_of(catalogue.storage)

    with pytest.raises(StaleVersion) as refusal:
        await catalogue.merging.merge(Author, loser.id, survivor.id, known_versions={1})

    assert (refusal.value.id, refusal.value.current) == (loser.id, 2)
    assert await picture_of(catalogue.storage) == before
    assert await catalogue.merging.merge(Author, loser.id, survivor.id, known_versions={2}) == survivor


async def test_nobody_finds_books_under_a_merged_author(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    book = await a_book(catalogue, loser)
    await catalogue.merging.merge(Author, loser.id, survivor.id)

    of_loser = await catalogue.storage.reader.books(BookQuery(filters=(entered_under(loser.id),)))
    of_survivor = await catalogue.storage.reader.books(BookQuery(filters=(entered_under(survivor.id),)))

    assert (of_loser.total, of_survivor.total) == (0, 1)
    assert of_survivor.items == [await read(catalogue, book)]


async def test_authors_whose_names_are_alike_are_told_as_candidates_until_they_are_merged(
    catalogue: Cataloguers,
) -> None:
    zola, emile, other = await some_authors(catalogue, "Émile Zola", "EMILE  ZOLA.", "Emil Zola")
    pairs = [await some_authors(catalogue, f"Twin {n}", f"twin-{n}") for n in range(3)]
    reader = catalogue.storage.reader

    page = await reader.duplicates(PageRequest(size=2))
    rest = await reader.duplicates(PageRequest(number=2, size=2))

    assert [(found.name, list(found.authors)) for found in page.items] == [
        ("emile zola", [zola, emile]),
        ("twin 0", pairs[0]),
    ]
    assert [found.name for found in rest.items] == ["twin 1", "twin 2"]
    assert (page.total, rest.total) == (4, 4)
    await catalogue.merging.merge(Author, emile.id, zola.id)
    assert (await reader.duplicates(PageRequest())).total == 3
    assert other.id not in {author.id for found in page.items for author in found.authors}


# Unmerging


async def test_unmerging_restores_everything_where_nothing_happened_since(catalogue: Cataloguers) -> None:
    loser, survivor, other = await some_authors(catalogue, "Loser", "Survivor", "Other")
    loser = await catalogue.authors.revise(loser.id, Amendment({"dob": BORN}))
    main = await a_book(catalogue, loser, (survivor, None), (loser, TRL), (other, ILL), title="Main")
    contributed = await a_book(catalogue, survivor, (other, EDT), (loser, TRL), (survivor, TRL), title="Contributed")
    before = await picture_of(catalogue.storage)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    catalogue.clock.move()

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert result.left_alone == []
    assert result.record == evolve(loser, version=4, updated_at=catalogue.clock.now())
    after = await picture_of(catalogue.storage)
    assert details_in(after.standing) == details_in(before.standing)
    assert {id: record.version for id, record in after.standing.items()} == {
        loser.id: 4,
        survivor.id: 3,
        other.id: 1,
        main.id: 3,
        contributed.id: 3,
    }
    assert after.absent == {}


def details_in(records: Any) -> dict[UUID, Any]:
    return {id: (record.details, getattr(record, "sources", ())) for id, record in records.items()}


async def test_an_unmerge_is_one_group_of_its_own(catalogue: Cataloguers) -> None:
    earlier, loser, survivor = await some_authors(catalogue, "Earlier", "Loser", "Survivor")
    book = await a_book(catalogue, loser)
    await catalogue.merging.merge(Author, earlier.id, loser.id)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    begun = await position(catalogue)

    await catalogue.merging.unmerge(Author, loser.id)

    revisions = (await log_of(catalogue.storage.reader))[begun:]
    assert {revision.id for revision in revisions} == {earlier.id, loser.id, book.id}
    assert {revision.operation for revision in revisions} == {Operation.UNMERGE}
    assert len({revision.group for revision in revisions}) == 1
    assert revisions[0].group is not None


async def test_unmerged_books_have_their_sources_and_words_back(catalogue: Cataloguers) -> None:
    loser, survivor = await an_import(catalogue, "1", "2")
    loser = await catalogue.books.revise(loser.id, Amendment({"subtitle": "A Novel", "languages": (Language("eng"),)}))
    before = await picture_of(catalogue.storage)
    await catalogue.merging.merge(BookRecord, loser.id, survivor.id)

    result = await catalogue.merging.unmerge(BookRecord, loser.id)

    assert result.left_alone == []
    assert result.record == evolve(loser, version=4)
    after = await picture_of(catalogue.storage)
    assert details_in(after.standing) == details_in(before.standing)
    assert after.sources == before.sources


async def test_a_merge_can_be_done_and_taken_back_again_and_again(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    book = await a_book(catalogue, loser, (survivor, None))
    for _ in range(3):
        await catalogue.merging.merge(Author, loser.id, survivor.id)
        result = await catalogue.merging.unmerge(Author, loser.id)
        assert result.left_alone == []

    assert (await read(catalogue, book)).details == book.details


async def test_what_was_not_merged_can_not_be_unmerged(catalogue: Cataloguers) -> None:
    standing, removed = await some_authors(catalogue, "Standing", "Removed")
    await catalogue.authors.remove(removed.id)

    with pytest.raises(NotMerged):
        await catalogue.merging.unmerge(Author, standing.id)
    with pytest.raises(Removed):
        await catalogue.merging.unmerge(Author, removed.id)
    with pytest.raises(NotFound):
        await catalogue.merging.unmerge(Author, NOBODY)
    with pytest.raises(NotFound):
        await catalogue.merging.unmerge(BookRecord, standing.id)


async def test_unmerging_twice_is_refused(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.merging.unmerge(Author, loser.id)

    with pytest.raises(NotMerged):
        await catalogue.merging.unmerge(Author, loser.id)


async def test_a_book_that_names_another_author_by_now_is_left_alone(catalogue: Cataloguers) -> None:
    loser, survivor, other = await some_authors(catalogue, "Loser", "Survivor", "Other")
    changed, unchanged = await a_book(catalogue, loser), await a_book(catalogue, loser)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    changed = await catalogue.books.revise(changed.id, Amendment({"author_id": other.id}))

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert said(result.left_alone) == {(Kind.BOOK, changed.id)}
    assert await read(catalogue, changed) == changed
    assert (await read(catalogue, unchanged)).author == result.record


async def test_other_words_of_a_book_may_change_and_its_author_still_goes_back(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    book = await a_book(catalogue, loser)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.books.revise(book.id, Amendment({"title": "Emma, Revised"}))

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert result.left_alone == []
    assert (await read(catalogue, book)).details == evolve(book.details, title="Emma, Revised")


async def test_in_an_edited_list_of_contributors_each_entry_that_stands_goes_back(catalogue: Cataloguers) -> None:
    loser, survivor, other = await some_authors(catalogue, "Loser", "Survivor", "Other")
    book = await a_book(catalogue, None, (loser, TRL), (other, ILL), (loser, EDT))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    edited = (
        Contributor(author_id=other.id, role=ILL),
        Contributor(author_id=survivor.id, role=EDT),
        Contributor(author_id=other.id, role=TRL),
    )
    await catalogue.books.revise(book.id, Amendment({"contributors": edited}))

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert said(result.left_alone) == {(Kind.BOOK, book.id)}  # the translator is gone from the list
    assert people(await read(catalogue, book))[1:] == [(other.id, ILL), (loser.id, EDT), (other.id, TRL)]


async def test_an_entry_that_was_there_before_stays_beside_the_one_that_goes_back(catalogue: Cataloguers) -> None:
    loser, survivor, other = await some_authors(catalogue, "Loser", "Survivor", "Other")
    book = await a_book(catalogue, None, (loser, TRL), (survivor, TRL))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    edited = (Contributor(author_id=other.id), Contributor(author_id=survivor.id, role=TRL))
    await catalogue.books.revise(book.id, Amendment({"contributors": edited}))

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert result.left_alone == []
    assert sorted(people(await read(catalogue, book))[1:], key=str) == sorted(
        [(other.id, None), (survivor.id, TRL), (loser.id, TRL)], key=str
    )


async def test_of_two_names_under_which_a_book_credits_one_author_the_first_stays_until_they_are_two_again(
    catalogue: Cataloguers,
) -> None:
    loser, survivor, other = await some_authors(catalogue, "Loser", "Survivor", "Other")
    entries = (
        Contributor(author_id=loser.id, role=TRL, credited_as="L."),
        Contributor(author_id=survivor.id, role=TRL, credited_as="S."),
        Contributor(author_id=loser.id, role=ILL, credited_as="L. L."),
        Contributor(author_id=loser.id, role=EDT, credited_as="L. E."),
    )
    whole, edited = [
        await catalogue.books.add(BookDetails(title=title, author_id=None, contributors=entries)) for title in "AB"
    ]
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    merged = (await read(catalogue, edited)).contributors
    assert merged == tuple(evolve(each, author_id=survivor.id) for each in (entries[0], *entries[2:]))
    since = (*merged[:2], evolve(merged[2], credited_as="By hand"), Contributor(author_id=other.id))
    await catalogue.books.revise(edited.id, Amendment({"contributors": since}))

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert result.left_alone == []
    assert (await read(catalogue, whole)).contributors == entries
    assert (await read(catalogue, edited)).contributors == (
        entries[1],
        entries[0],
        entries[2],
        evolve(entries[3], credited_as="By hand"),
        Contributor(author_id=other.id),
    )


async def test_an_entry_that_had_collapsed_comes_back_into_an_edited_list(catalogue: Cataloguers) -> None:
    loser, survivor, other = await some_authors(catalogue, "Loser", "Survivor", "Other")
    book = await a_book(catalogue, survivor, (loser, None))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.books.revise(book.id, Amendment({"contributors": (Contributor(author_id=other.id),)}))

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert result.left_alone == []
    assert people(await read(catalogue, book)) == [(survivor.id, None), (other.id, None), (loser.id, None)]


async def test_a_list_that_is_full_by_now_does_not_hinder_an_unmerge(catalogue: Cataloguers) -> None:
    """A book takes 200 contributors; one that had collapsed has no place any more."""
    loser, survivor, other = await some_authors(catalogue, "Loser", "Survivor", "Other")
    roles = [Role(f"{a}{b}a") for a in "abcdefghijklmnopqrst" for b in "abcdefghij"]
    book = await a_book(catalogue, survivor, (loser, None))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    full = tuple(Contributor(author_id=other.id, role=role) for role in roles)
    filled = await catalogue.books.revise(book.id, Amendment({"contributors": full}))

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert said(result.left_alone) == {(Kind.BOOK, book.id)}
    assert (await read(catalogue, book)).contributors == filled.contributors


async def test_a_filled_field_that_was_edited_since_is_left_alone(catalogue: Cataloguers) -> None:
    author, translator = await some_authors(catalogue, "Author", "Translator")
    loser = await catalogue.books.add(
        BookDetails(
            title="Emma", subtitle="A Novel", author_id=author.id, contributors=(Contributor(author_id=translator.id),)
        )
    )
    survivor = await catalogue.books.add(BookDetails(title="EMMA", author_id=None))
    await catalogue.merging.merge(BookRecord, loser.id, survivor.id)
    await catalogue.books.revise(survivor.id, Amendment({"subtitle": "Another"}))

    result = await catalogue.merging.unmerge(BookRecord, loser.id)

    assert said(result.left_alone) == {(Kind.BOOK, survivor.id)}
    assert "subtitle" in result.left_alone[0].reason
    assert (await read(catalogue, survivor)).details == evolve(survivor.details, subtitle="Another")
    assert result.record.details == loser.details


async def test_books_that_were_removed_or_merged_since_are_left_alone(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    removed, merged, standing = [await a_book(catalogue, loser, title=title) for title in ("A", "B", "C")]
    other = await a_book(catalogue, None)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.books.remove(removed.id)
    await catalogue.merging.merge(BookRecord, merged.id, other.id)

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert said(result.left_alone) == {(Kind.BOOK, removed.id), (Kind.BOOK, merged.id)}
    assert (await read(catalogue, standing)).author == result.record


async def test_a_survivor_who_was_removed_since_is_left_alone(catalogue: Cataloguers) -> None:
    loser, survivor = await some_authors(catalogue, "Loser", "Survivor")
    loser = await catalogue.authors.revise(loser.id, Amendment({"dob": BORN}))
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.authors.remove(survivor.id)

    result = await catalogue.merging.unmerge(Author, loser.id)

    assert said(result.left_alone) == {(Kind.AUTHOR, survivor.id)}
    assert result.record == evolve(loser, version=4)


async def test_a_removed_book_that_survived_leaves_its_sources_to_the_one_that_comes_back(
    catalogue: Cataloguers,
) -> None:
    loser, survivor = await an_import(catalogue, "1", "2")
    await catalogue.merging.merge(BookRecord, loser.id, survivor.id)
    await catalogue.books.remove(survivor.id)

    result = await catalogue.merging.unmerge(BookRecord, loser.id)

    assert result.record.sources == loser.sources
    restored = await catalogue.undoing.restore(BookRecord, survivor.id)
    assert restored.sources == survivor.sources


async def test_a_survivor_that_was_merged_on_is_left_alone_and_books_still_go_back(catalogue: Cataloguers) -> None:
    a, b, c = await some_authors(catalogue, "A", "B", "C")
    a = await catalogue.authors.revise(a.id, Amendment({"dob": BORN}))
    by_a, by_b = await a_book(catalogue, a), await a_book(catalogue, b)
    await catalogue.merging.merge(Author, a.id, b.id)
    await catalogue.merging.merge(Author, b.id, c.id)

    result = await catalogue.merging.unmerge(Author, a.id)

    assert said(result.left_alone) == {(Kind.AUTHOR, b.id)}
    assert result.record == evolve(a, version=5)
    assert (await read(catalogue, by_a)).author_id == a.id
    assert (await read(catalogue, by_b)).author_id == c.id
    assert await redirects(catalogue) == {b.id: c.id}


async def test_a_chain_is_taken_apart_from_its_beginning(catalogue: Cataloguers) -> None:
    a, b, c = await some_authors(catalogue, "A", "B", "C")
    by_a, by_b = await a_book(catalogue, a), await a_book(catalogue, b)
    await catalogue.merging.merge(Author, a.id, b.id)
    await catalogue.merging.merge(Author, b.id, c.id)

    first = await catalogue.merging.unmerge(Author, a.id)
    second = await catalogue.merging.unmerge(Author, b.id)

    assert first.left_alone == []
    assert said(second.left_alone) == {(Kind.BOOK, by_a.id)}  # it names A by now, and not B
    assert (await read(catalogue, by_a)).author_id == a.id
    assert (await read(catalogue, by_b)).author_id == b.id
    assert await redirects(catalogue) == {}


async def test_a_chain_is_taken_apart_from_its_end(catalogue: Cataloguers) -> None:
    a, b, c = await some_authors(catalogue, "A", "B", "C")
    a = await catalogue.authors.revise(a.id, Amendment({"dob": BORN}))
    by_a, by_b = await a_book(catalogue, a, (b, TRL)), await a_book(catalogue, b, (a, ILL))
    before = await picture_of(catalogue.storage)
    await catalogue.merging.merge(Author, a.id, b.id)
    await catalogue.merging.merge(Author, b.id, c.id)

    first = await catalogue.merging.unmerge(Author, b.id)
    assert await redirects(catalogue) == {a.id: b.id}
    second = await catalogue.merging.unmerge(Author, a.id)

    assert (first.left_alone, second.left_alone) == ([], [])
    after = await picture_of(catalogue.storage)
    assert details_in(after.standing) == details_in(before.standing)
    assert {by_a.id, by_b.id} <= after.standing.keys()


async def test_an_entry_of_a_survivor_who_was_merged_on_goes_to_who_stands_for_him(catalogue: Cataloguers) -> None:
    """The entry had collapsed into the main author, and names one who is gone when it comes back."""
    a, b, c = await some_authors(catalogue, "A", "B", "C")
    book = await a_book(catalogue, a, (b, None))
    await catalogue.merging.merge(Author, a.id, b.id)
    await catalogue.merging.merge(Author, b.id, c.id)

    await catalogue.merging.unmerge(Author, a.id)

    assert people(await read(catalogue, book)) == [(a.id, None), (c.id, None)]


async def test_an_entry_of_a_survivor_who_was_removed_does_not_come_back(catalogue: Cataloguers) -> None:
    a, b, other = await some_authors(catalogue, "A", "B", "Other")
    book = await a_book(catalogue, a, (b, None))
    await catalogue.merging.merge(Author, a.id, b.id)
    await catalogue.books.revise(book.id, Amendment({"author_id": other.id}))
    await catalogue.authors.remove(b.id)

    result = await catalogue.merging.unmerge(Author, a.id)

    assert said(result.left_alone) == {(Kind.BOOK, book.id)}
    assert people(await read(catalogue, book)) == [(other.id, None)]


async def test_a_chain_of_books_taken_apart_from_its_end_has_its_sources_back(catalogue: Cataloguers) -> None:
    a, b, c = await an_import(catalogue, "1", "2", "3")
    before = await picture_of(catalogue.storage)
    await catalogue.merging.merge(BookRecord, a.id, b.id)
    await catalogue.merging.merge(BookRecord, b.id, c.id)

    await catalogue.merging.unmerge(BookRecord, b.id)
    await catalogue.merging.unmerge(BookRecord, a.id)

    after = await picture_of(catalogue.storage)
    assert after.sources == before.sources
    assert details_in(after.standing) == details_in(before.standing)


async def test_a_chain_of_books_taken_apart_from_its_beginning_has_its_sources_back(catalogue: Cataloguers) -> None:
    a, b, c = await an_import(catalogue, "1", "2", "3")
    before = await picture_of(catalogue.storage)
    await catalogue.merging.merge(BookRecord, a.id, b.id)
    await catalogue.merging.merge(BookRecord, b.id, c.id)

    first = await catalogue.merging.unmerge(BookRecord, a.id)
    assert first.record.sources == a.sources
    await catalogue.merging.unmerge(BookRecord, b.id)

    assert (await picture_of(catalogue.storage)).sources == before.sources


async def test_a_record_that_was_merged_into_the_loser_before_leads_there_again(catalogue: Cataloguers) -> None:
    earlier, loser, survivor, stranger = await some_authors(catalogue, "Earlier", "Loser", "Survivor", "Stranger")
    await catalogue.merging.merge(Author, earlier.id, loser.id)
    await catalogue.merging.merge(Author, loser.id, survivor.id)
    await catalogue.merging.merge(Author, stranger.id, survivor.id)

    await catalogue.merging.unmerge(Author, loser.id)

    assert await redirects(catalogue) == {earlier.id: loser.id, stranger.id: survivor.id}


async def test_a_source_that_was_imported_again_since_does_not_come_back_twice(catalogue: Cataloguers) -> None:
    loser, survivor = await an_import(catalogue, "1", "2")
    await catalogue.merging.merge(BookRecord, loser.id, survivor.id)
    await catalogue.books.remove(survivor.id)
    (again,) = await an_import(catalogue, "1")

    result = await catalogue.merging.unmerge(BookRecord, loser.id)

    assert result.record.sources == ()
    assert (await picture_of(catalogue.storage)).sources == {SourceKey("test", "1"): again.id}


async def test_an_unmerged_book_names_who_stands_for_an_author_merged_since(catalogue: Cataloguers) -> None:
    author, later = await some_authors(catalogue, "Author", "Later")
    loser, survivor = await a_book(catalogue, author), await a_book(catalogue, None)
    await catalogue.merging.merge(BookRecord, loser.id, survivor.id)
    await catalogue.merging.merge(Author, author.id, later.id)

    result = await catalogue.merging.unmerge(BookRecord, loser.id)

    assert result.record.author == later


async def test_two_merges_of_one_record_at_once_make_one(catalogue: Cataloguers) -> None:
    loser, one, other = await some_authors(catalogue, "Loser", "One", "Other")

    outcomes = await asyncio.gather(
        catalogue.merging.merge(Author, loser.id, one.id),
        catalogue.merging.merge(Author, loser.id, other.id),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, NotMergeable) for outcome in outcomes) == 1
    assert (await catalogue.storage.reader.authors(AuthorQuery())).total == 2
