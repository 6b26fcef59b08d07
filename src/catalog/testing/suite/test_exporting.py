"""What leaves a catalogue whole comes in whole."""

from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from typing import Any

import pytest
from pymarc import Field, Indicators, MARCReader, Record, Subfield

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, BookRecord, Contributor, SourceRecord
from catalog.domain.filters import Operator, of_field
from catalog.domain.identifiers import Identifier
from catalog.domain.imports import OnDuplicate, Outcome, Status
from catalog.domain.ports import Storage
from catalog.domain.queries import AuthorQuery, BookQuery
from catalog.domain.records import Amendment
from catalog.domain.snapshots import SnapshotStorage
from catalog.domain.sources import Entry
from catalog.domain.use_cases.exporting import Exporting
from catalog.domain.use_cases.importing import Importing
from catalog.domain.values import Isbn, PartialDate, Role, Scheme
from catalog.entrypoints.formats import Reading, record_reader, record_writer
from catalog.testing.doubles import Cataloguers, SortedIds, drafted, picture_of
from catalog.testing.wholeness import must_be_whole


async def together(parts: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in parts])


async def exported(storage: Storage) -> bytes:
    return await together(Exporting(storage.reader).everything(record_writer("ndjson")))


async def taken(catalogue: Cataloguers, content: bytes, **how: Any) -> Sequence[Outcome]:
    importing = Importing(catalogue.storage, catalogue.caller, catalogue.clock, SortedIds())
    entries = record_reader("ndjson", content[:4096], Reading(source="file")).read(BytesIO(content))
    return [outcome async for outcome in importing.run(entries, importing.ids.new(), **how)]


async def lived(storage: Storage) -> Cataloguers:
    """A catalogue in which a few things have happened."""
    catalogue = Cataloguers(storage)
    ursula = await catalogue.authors.add(
        AuthorDetails(
            name="Ursula K. Le Guin",
            sort_name="Le Guin, Ursula K.",
            birth=PartialDate("1929-10-21"),
            variants=("Урсула Ле Гуин",),
            identifiers=(Identifier(scheme=Scheme("viaf"), value="1"),),
        )
    )
    homer = await catalogue.authors.add(AuthorDetails(name="Homer", birth=PartialDate("-0800")))
    await catalogue.authors.add(AuthorDetails(name="Nobody's Author"))
    for number in range(120):
        await catalogue.books.add(BookDetails(title=f"Volume {number}", author_id=homer.id))
    book = await catalogue.books.add(
        BookDetails(
            title="The Dispossessed",
            author_id=ursula.id,
            contributors=(Contributor(author_id=homer.id, role=Role("aui")),),
            isbn=Isbn("9780061054884"),
            notes=("one\ntwo", "📚"),
        )
    )
    await catalogue.books.revise(book.id, Amendment({"published": PartialDate("1974-05")}))
    gone = await catalogue.books.add(BookDetails(title="Gone", author_id=None))
    await catalogue.books.remove(gone.id)
    await catalogue.importing.take(
        [Entry(line=1, draft=drafted(SourceRecord("test", "1", "marc", bytes(range(256))), "Imported", "Three"))],
        SortedIds().new(),
    )
    return catalogue


async def test_an_export_taken_into_an_empty_catalogue_makes_the_same_catalogue(storage: Storage) -> None:
    source = await lived(SnapshotStorage())
    content = await exported(source.storage)

    outcomes = await taken(Cataloguers(storage), content)

    assert {outcome.status for outcome in outcomes} == {Status.CREATED}
    before, after = await picture_of(source.storage), await picture_of(storage)
    assert (after.authors, after.books, after.standing) == (before.authors, before.books, before.standing)
    assert await exported(storage) == content
    await must_be_whole(storage)


async def test_an_export_of_this_storage_is_that_of_its_records(storage: Storage) -> None:
    catalogue = await lived(storage)

    copy = SnapshotStorage()
    await taken(Cataloguers(copy), await exported(storage))

    assert (await picture_of(copy)).standing == (await picture_of(catalogue.storage)).standing


async def test_taking_an_export_again_changes_nothing(storage: Storage) -> None:
    content = await exported((await lived(SnapshotStorage())).storage)
    catalogue = Cataloguers(storage)
    await taken(catalogue, content)
    before = await storage.reader.position()

    outcomes = await taken(catalogue, content)

    assert {(outcome.status, outcome.left) for outcome in outcomes} == {(Status.UNCHANGED, ())}
    assert await storage.reader.position() == before


async def test_records_that_were_edited_here_since_are_left_filled_or_updated(storage: Storage) -> None:
    catalogue = await lived(storage)
    content = await exported(storage)
    (book,) = (
        await storage.reader.books(BookQuery(filters=(of_field(BookRecord, "isbn", Isbn("9780061054884")),)))
    ).items
    await catalogue.books.revise(book.id, Amendment({"title": "By hand", "notes": ()}))

    skipped = await taken(catalogue, content, on_duplicate=OnDuplicate.SKIP)
    assert [outcome.left for outcome in skipped if outcome.left] == [("notes", "title")]

    filled = await taken(catalogue, content)
    assert [(outcome.status, outcome.left) for outcome in filled if outcome.left] == [(Status.UPDATED, ("title",))]
    after = await storage.reader.book(book.id)
    assert (after.title, after.notes) == ("By hand", ("one\ntwo", "📚"))

    await taken(catalogue, content, on_duplicate=OnDuplicate.UPDATE)
    assert (await storage.reader.book(book.id)).title == "The Dispossessed"
    await must_be_whole(storage)


async def test_what_was_removed_or_merged_here_is_refused_and_names_nobody_unknown(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    one = await catalogue.authors.add(AuthorDetails(name="One"))
    other = await catalogue.authors.add(AuthorDetails(name="Other"))
    book = await catalogue.books.add(BookDetails(title="Book", author_id=one.id))
    content = await exported(storage)
    await catalogue.books.remove(book.id)
    await catalogue.authors.remove(one.id)
    before = await storage.reader.position()

    outcomes = await taken(catalogue, content)
    elsewhere = await taken(Cataloguers(SnapshotStorage()), content.splitlines(keepends=True)[-1])

    assert [outcome.status for outcome in outcomes] == [Status.REFUSED, Status.UNCHANGED, Status.REFUSED]
    assert all("restore it" in outcome.reason for outcome in outcomes[::2])
    assert "who is not there" in elsewhere[0].reason
    assert await storage.reader.position() == before
    assert other.version == 1


async def test_a_part_of_a_catalogue_brings_along_whom_it_names(storage: Storage) -> None:
    await lived(storage)
    query = BookQuery(filters=(of_field(BookRecord, "published", PartialDate("1974"), Operator.GTE),))

    content = await together(Exporting(storage.reader).books(query, record_writer("ndjson")))
    copy = SnapshotStorage()
    outcomes = await taken(Cataloguers(copy), content)

    assert [outcome.status for outcome in outcomes] == [Status.CREATED] * 3
    assert [book.title for book in (await picture_of(copy)).books] == ["The Dispossessed"]


async def test_what_has_changed_since_can_be_exported_alone(storage: Storage) -> None:
    catalogue = await lived(storage)
    seq = (await storage.reader.position()).seq
    author = await catalogue.authors.add(AuthorDetails(name="Late"))
    book = await catalogue.books.add(BookDetails(title="Later", author_id=author.id))
    gone = await catalogue.books.add(BookDetails(title="Gone again", author_id=author.id))
    await catalogue.books.remove(gone.id)
    await catalogue.books.revise(book.id, Amendment({"title": "Latest"}))

    content = await together(Exporting(storage.reader).since(seq, record_writer("ndjson")))

    assert [b"Late" in line for line in content.splitlines()] == [True, True]
    assert b'"title":"Latest"' in content
    assert b"Gone" not in content


@pytest.mark.parametrize("name", ["marc", "marcxml", "marcjson"])
async def test_a_file_of_any_format_is_whole_even_of_an_empty_catalogue(storage: Storage, name: str) -> None:
    content = await together(Exporting(storage.reader).everything(record_writer(name)))

    entries = record_reader(name, content[:4096], Reading(source="file")).read(BytesIO(content))
    assert list(entries) == []


def a_marc_record(number: str, *author: tuple[str, str]) -> bytes:
    record = Record(force_utf8=True)
    record.add_field(Field(tag="001", data=number))
    for tag, parts in (("100", author), ("245", (("a", f"Title {number}"),))):
        subfields = [Subfield(code, value) for code, value in parts]
        record.add_field(Field(tag=tag, indicators=Indicators("1", "0"), subfields=subfields))
    content: bytes = record.as_marc()
    return content


async def headings(storage: Storage) -> Sequence[str]:
    content = await together(Exporting(storage.reader).everything(record_writer("marc")))
    return [str(record["100"]) for record in MARCReader(content) if record is not None]


async def take_marc(catalogue: Cataloguers, content: bytes) -> None:
    entries = record_reader("marc", content, Reading(source="file")).read(BytesIO(content))
    importing = Importing(catalogue.storage, catalogue.caller, catalogue.clock, catalogue.ids)
    outcomes = [outcome async for outcome in importing.run(entries, importing.ids.new())]
    assert {outcome.status for outcome in outcomes} == {Status.CREATED}


async def test_what_somebody_edits_of_an_author_is_in_the_records_of_before_and_what_an_import_brings_is_not(
    storage: Storage,
) -> None:
    catalogue = Cataloguers(storage)
    await take_marc(catalogue, a_marc_record("1", ("a", "benet, william")))
    catalogue.clock.move()
    await take_marc(catalogue, a_marc_record("2", ("a", "Benét, William"), ("0", "(viaf)5")))
    catalogue.clock.move()
    (author,) = (await storage.reader.authors(AuthorQuery())).items

    unedited = await headings(storage)
    await catalogue.authors.revise(author.id, Amendment({"death": PartialDate("1950")}))
    died = await headings(storage)
    catalogue.clock.move()
    await catalogue.authors.revise(author.id, Amendment({"name": "William Benét", "sort_name": "Benét, William"}))
    catalogue.clock.move()
    await take_marc(catalogue, a_marc_record("3", ("a", "Benet, William,"), ("d", "-1950")))

    assert unedited == ["=100  10$abenet, william", "=100  10$aBenét, William$0(viaf)5"]
    assert died == ["=100  10$abenet, william,$d-1950", "=100  10$aBenét, William,$d-1950$0(viaf)5"]
    assert await headings(storage) == [
        "=100  10$aBenét, William,$d-1950",
        "=100  10$aBenét, William,$d-1950$0(viaf)5",
        "=100  10$aBenet, William,$d-1950",
    ]


async def test_an_edit_that_the_log_does_not_tell_any_more_may_have_been_of_anything(storage: Storage) -> None:
    catalogue = Cataloguers(storage)
    await take_marc(catalogue, a_marc_record("1", ("a", "benet, william")))
    (author,) = (await storage.reader.authors(AuthorQuery())).items
    catalogue.clock.move()
    await catalogue.authors.revise(author.id, Amendment({"name": "William Benét", "sort_name": "Benét, William"}))
    catalogue.clock.move()
    await catalogue.authors.revise(author.id, Amendment({"death": PartialDate("1950")}))
    catalogue.clock.move()

    [_ async for _ in catalogue.log_keeping.compact(catalogue.clock.now())]

    assert await headings(storage) == ["=100  10$aBenét, William,$d-1950"]
    copy = Cataloguers(SnapshotStorage())
    await taken(copy, await exported(storage))
    assert await headings(copy.storage) == ["=100  10$aBenét, William,$d-1950"]
