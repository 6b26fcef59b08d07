"""A dry run says what a run does, whichever records meet, and wherever a file is parted."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.adapters.memory import MemoryStorage
from catalog.adapters.sql.sqlite.dry_runs import SqliteDryRuns
from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, SourceRecord
from catalog.domain.identifiers import Identifier
from catalog.domain.imports import OnDuplicate, Outcome, Status
from catalog.domain.ports import DryRun
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.use_cases.importing import Importing
from catalog.domain.values import Isbn, PartialDate, Scheme
from catalog.testing.doubles import Cataloguers, DryRunInMemory, RepeatableIds, StillClock, log_of, standing_after
from catalog.testing.strategies import SETTINGS

# So few of each that most records meet others.
NAMES = st.sampled_from(["Homer", "HOMER", "Jane Austen", "Nobody Yet"])
NUMBERS = [
    Identifier(scheme=Scheme(scheme), value=value) for scheme, value in [("viaf", "1"), ("viaf", "2"), ("isni", "1")]
]
ISBNS = st.sampled_from([None, Isbn("9780141439587"), Isbn("9780141439600")])
TITLES = st.sampled_from(["Emma", "Iliad"])
SOURCES = st.builds(
    SourceRecord,
    source=st.sampled_from(["here", "there"]),
    key=st.sampled_from(["1", "2"]),
    format=st.just("test"),
    content=st.sampled_from([b"one", b"two"]),
)
AUTHOR_IDS = [UUID(int=number) for number in (1, 2)]
BOOK_IDS = [UUID(int=number) for number in (2, 3, 4)]  # one of them is an author's, too
NOW = StillClock().now()

people = st.builds(
    AuthorDetails,
    name=NAMES,
    birth=st.sampled_from([None, None, PartialDate("1775"), PartialDate("2999")]),
    identifiers=st.lists(st.sampled_from(NUMBERS), max_size=2, unique=True).map(tuple),
)
details = st.builds(
    BookDetails,
    title=TITLES,
    author_id=st.none(),
    isbn=ISBNS,
    edition=st.sampled_from([None, "1st", "2nd"]),
)
drafts = st.builds(
    BookDraft,
    origin=SOURCES,
    details=details,
    author=st.none() | people,
    contributors=st.lists(st.builds(DraftContributor, people), max_size=2).map(tuple),
    has_own_key=st.booleans(),
)
whole_authors = st.builds(Author.recorded, people, id=st.sampled_from(AUTHOR_IDS), at=st.just(NOW))
whole_books = st.builds(
    lambda details, author_id, **more: Book.recorded(evolve(details, author_id=author_id), at=NOW, **more),
    details,
    st.sampled_from([None, *AUTHOR_IDS]),
    id=st.sampled_from(BOOK_IDS),
    sources=st.lists(SOURCES, max_size=2, unique_by=lambda source: source.id).map(tuple),
)
# A chunk is of one file, and a file has either.
of_drafts = st.lists(st.builds(Entry, line=st.just(1), draft=drafts), min_size=1, max_size=3)
of_records = st.lists(st.builds(Entry, line=st.just(1), record=whole_authors | whole_books), min_size=1, max_size=3)
chunks_of_entries = st.lists(of_drafts | of_records, max_size=6)


@frozen
class Importers:
    """Who imports the same things into one storage, and makes the same ids each time."""

    storage: MemoryStorage

    async def take(self, chunks: Sequence[Sequence[Entry]], run: int, **how: Any) -> list[Outcome]:
        catalogue = Cataloguers(self.storage)
        importing = Importing(self.storage, catalogue.caller, catalogue.clock, RepeatableIds(1000 * run))
        outcomes: list[Outcome] = []
        for chunk in chunks:
            outcomes += await importing.take(chunk, UUID(int=run), **how)
        return outcomes


def told(outcomes: Sequence[Outcome]) -> Sequence[Any]:
    """All that outcomes say, but for the ids of what was made."""
    return [evolve(each, book_id=None) if each.status is Status.CREATED else each for each in outcomes]


@settings(SETTINGS, max_examples=300)
@given(before=chunks_of_entries, chunks=chunks_of_entries, policy=st.sampled_from(OnDuplicate), on_disk=st.booleans())
async def test_a_dry_run_over_several_chunks_says_exactly_what_a_run_does(
    before: Any, chunks: Any, policy: OnDuplicate, *, on_disk: bool
) -> None:
    importers = Importers(MemoryStorage())
    await importers.take(before, 1)

    async with SqliteDryRuns().begin() as disk:
        dry: DryRun = disk if on_disk else DryRunInMemory()
        foreseen = await importers.take(chunks, 2, on_duplicate=policy, dry=dry)
        done = await importers.take(chunks, 2, on_duplicate=policy)

        log = await log_of(importers.storage.reader)
        written = standing_after([revision for revision in log if revision.group == UUID(int=2)])
        kept = await dry.get_many([*AUTHOR_IDS, *BOOK_IDS, *(revision.id for revision in log)])

    assert foreseen == told(done)
    assert kept == written
