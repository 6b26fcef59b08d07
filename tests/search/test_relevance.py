"""People find what they expect, on every storage alike."""

from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from catalog.domain.imports import Status
from catalog.domain.ports import RecordReader, Storage
from catalog.domain.queries import BookQuery, PageRequest
from catalog.domain.search import Search
from catalog.entrypoints.formats import Reading, record_reader
from catalog.testing.doubles import Cataloguers
from catalog.testing.plugin import FIGURE
from tests.shared_data import shared_file
from tests.storages import STORAGES, opened

from .relevance import DEPTH, JUDGEMENTS, Answer, Judgement, Report, read_judgements, recall_at, reciprocal_rank

SOURCE = "goodbooks"
LEAST_RECALL = 0.97
LEAST_RECIPROCAL_RANK = 0.95

JUDGED = read_judgements(JUDGEMENTS.read_text("utf-8"))
DUNE = Judgement(kind="title", query="dune", wants=("1", "2"), note="two volumes")
EMMA = Judgement(kind="title", query="emma", wants=("3",), note="whole title")
KAFKA = Judgement(kind="author", query="kafka", wants=("4", "5"), note="surname")

# They share what the storage in memory answers, and filling it takes seconds.
OVER_THE_CATALOGUE = pytest.mark.xdist_group("relevance")


@pytest.fixture(scope="session")
def catalogue() -> Path:
    """The catalogue of judgement; skips where it is not there."""
    return shared_file("csv/goodbooks-10k/books.csv.gz")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def answers(catalogue: Path) -> tuple[Answer, ...]:
    """What the storage in memory answers."""
    async with opened("memory") as storage:
        return await answers_of(storage, catalogue)


async def answers_of(storage: Storage, catalogue: Path) -> tuple[Answer, ...]:
    """Fill an empty storage, and ask it everything."""
    await fill(storage, catalogue)
    return tuple([await answered(storage, judgement) for judgement in JUDGED])


async def fill(storage: Storage, catalogue: Path) -> None:
    """Take the whole file into an empty storage."""
    importing = Cataloguers(storage).importing
    with catalogue.open("rb") as content, closing(reader().read(content)) as entries:
        statuses = {outcome.status async for outcome in importing.run(entries, importing.ids.new())}
    assert statuses == {Status.CREATED}


def reader() -> RecordReader:
    return record_reader("csv", b"", Reading(source=SOURCE))


async def answered(storage: Storage, judgement: Judgement) -> Answer:
    """Ask what somebody typed."""
    query = BookQuery(search=Search.parse(judgement.query), page=PageRequest(size=DEPTH))
    page = await storage.reader.books(query)
    assert page.total is not None
    return Answer(judgement, tuple(source.key for book in page.items for source in book.sources), page.total)


@OVER_THE_CATALOGUE
@pytest.mark.slow
def test_people_find_what_they_expect_among_the_first_ten(
    answers: tuple[Answer, ...], record_property: Callable[[str, object], None]
) -> None:
    report = Report(answers)
    record_property(FIGURE, report.figures)

    assert report.recall >= LEAST_RECALL, str(report)
    assert report.reciprocal_rank >= LEAST_RECIPROCAL_RANK, str(report)


@OVER_THE_CATALOGUE
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(STORAGES.keys() - {"memory"}))
@pytest.mark.asyncio(loop_scope="module")
async def test_every_storage_answers_in_the_same_order(name: str, answers: tuple[Answer, ...], catalogue: Path) -> None:
    async with opened(name) as storage:
        others = await answers_of(storage, catalogue)

    assert [(other.judgement.query, other.found) for other in others] == [
        (answer.judgement.query, answer.found) for answer in answers
    ]


@pytest.mark.slow
def test_every_judged_book_is_in_the_catalogue_of_judgement(catalogue: Path) -> None:
    with catalogue.open("rb") as content, closing(reader().read(content)) as entries:
        keys = {entry.key for entry in entries}

    assert {key for judgement in JUDGED for key in judgement.wants} <= keys


def test_two_hundred_queries_are_judged() -> None:
    assert len(JUDGED) == 200


@pytest.mark.parametrize(
    ("found", "wanted", "recall"),
    [
        (["1", "2", "3"], {"1", "2"}, 1),
        (["2", "9"], {"1", "2"}, 0.5),
        (["9", "8"], {"1"}, 0),
        ([], {"1"}, 0),
        (["9", "8", "1"], {"1"}, 0),
        (["1", "2"], {"1", "2", "3", "4"}, 1),
        (["1", "1"], {"1", "2"}, 0.5),
    ],
)
def test_recall_is_what_of_the_wanted_books_that_fit_stands_among_the_first(
    found: Sequence[str], wanted: Collection[str], recall: float
) -> None:
    assert recall_at(2, found, wanted) == recall


@pytest.mark.parametrize(("depth", "wanted"), [(0, {"1"}), (10, ())])
def test_recall_needs_a_depth_and_something_wanted(depth: int, wanted: Collection[str]) -> None:
    with pytest.raises(ValueError, match="recall needs"):
        recall_at(depth, ["1"], wanted)


@pytest.mark.parametrize(
    ("found", "rank"), [(["1", "2"], 1), (["9", "2", "1"], 1 / 2), (["9", "8", "7", "1"], 1 / 4), (["9"], 0), ([], 0)]
)
def test_the_reciprocal_rank_is_that_of_the_first_wanted_book(found: Sequence[str], rank: float) -> None:
    assert reciprocal_rank(found, {"1", "2"}) == rank


def test_a_report_tells_the_means_and_what_was_missed() -> None:
    report = Report((Answer(DUNE, ("9", "2"), 2), Answer(EMMA, ("3",), 1), Answer(KAFKA, ("8", "9", "5", "4"), 11)))

    assert report.recall == pytest.approx((1 / 2 + 1 + 1) / 3)
    assert report.reciprocal_rank == pytest.approx((1 / 2 + 1 + 1 / 3) / 3)
    assert str(report).splitlines() == [
        "recall@10 0.8333, mean reciprocal rank 0.6111 (3 queries)",
        "  title: recall@10 0.7500, mean reciprocal rank 0.7500 (2 queries)",
        "  author: recall@10 1.0000, mean reciprocal rank 0.3333 (1 queries)",
        "  dune (two volumes): misses 1; found 9, 2",
    ]


def test_a_book_at_the_eleventh_place_is_missed() -> None:
    answer = Answer(EMMA, (*map(str, range(10, 20)), "3"), 11)

    assert answer.recall == 0
    assert answer.missed == ["3"]


def test_judgements_are_read_with_keys_as_text() -> None:
    text = 'title = [{ query = "dune", wants = [1, 2], note = "two volumes" }]'

    assert read_judgements(text) == [DUNE]


@pytest.mark.parametrize(
    "judged",
    [
        '{ query = "", wants = [1], note = "n" }',
        '{ query = "q", wants = [], note = "n" }',
        '{ query = "q", wants = [1, 1], note = "n" }',
        '{ query = "q", wants = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], note = "n" }',
        '{ query = "q", wants = [1], note = "" }',
        '{ query = "q", wants = [1], note = "n" }, { query = "q", wants = [2], note = "n" }',
    ],
)
def test_a_judgement_that_can_not_be_used_is_refused(judged: str) -> None:
    with pytest.raises(ValueError, match=r"judged twice|twice|Length of"):
        read_judgements(f"title = [{judged}]")
