"""What a revision says of itself, and what two versions of a record say differently."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from attrs import evolve

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, Contributor, SourceRecord
from catalog.domain.callers import Caller
from catalog.domain.errors import ContentWithheld, Merged, NotFound, Removed, VersionIsRemoval
from catalog.domain.kinds import Kind
from catalog.domain.revisions import Change, Comparison, Difference, Operation, Revision, Withheld, absence, differences
from catalog.domain.values import Role

THEN, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
ADA = Caller(actor="Ada", request_id="r-1")
GROUP, OTHER = UUID(int=7), UUID(int=8)
HOMER = Author.recorded(AuthorDetails(name="Homer"), id=UUID(int=1), at=THEN)
ILIAD = Book.recorded(BookDetails(title="Iliad", author_id=HOMER.id), id=UUID(int=2), at=THEN)


def written(change: Change, seq: int = 1) -> Revision:
    return Revision.of(change, seq=seq, caller=ADA, group=None)


CREATED = written(Change.leading_to(HOMER, Operation.CREATE))
REVISED = written(Change.leading_to(HOMER.revised(AuthorDetails(name="Homeros"), at=NOW), Operation.REVISE), 2)
REMOVED = written(Change.taking(HOMER, Operation.REMOVE, at=NOW), 2)
MERGED = written(Change.taking(HOMER, Operation.MERGE, at=NOW, into=OTHER), 2)
COMPACTED = evolve(CREATED, after=None, withheld=Withheld.COMPACTED)
ERASED = evolve(REMOVED, withheld=Withheld.ERASED)


def test_a_change_leads_to_the_record_at_its_version_and_time() -> None:
    change = Change.leading_to(ILIAD, Operation.RESTORE)

    assert (change.kind, change.id, change.version, change.at) == (Kind.BOOK, ILIAD.id, 1, THEN)
    assert (change.operation, change.after, change.into, change.withheld) == (Operation.RESTORE, ILIAD, None, None)


def test_a_removal_is_the_next_version_and_tells_nothing() -> None:
    change = Change.taking(HOMER, Operation.MERGE, at=NOW, into=OTHER)

    assert (change.version, change.at, change.after, change.into) == (2, NOW, None, OTHER)


def test_a_revision_is_a_change_with_its_number_its_caller_and_its_group() -> None:
    change = Change.leading_to(HOMER, Operation.CREATE)

    revision = Revision.of(change, seq=9, caller=ADA, group=GROUP)

    assert (revision.seq, revision.actor, revision.request_id, revision.group) == (9, "Ada", "r-1", GROUP)
    assert revision.change == change


@pytest.mark.parametrize(
    ("revision", "stands"),
    [(CREATED, True), (REVISED, True), (COMPACTED, True), (REMOVED, False), (MERGED, False), (ERASED, False)],
)
def test_a_record_stands_unless_it_was_removed_or_leads_elsewhere(revision: Revision, stands: bool) -> None:
    assert revision.stands is stands


def test_each_version_but_the_first_has_one_before() -> None:
    assert [r.version_before for r in (CREATED, REVISED, REMOVED)] == [None, 1, 1]


def test_the_content_is_what_the_revision_led_to() -> None:
    assert CREATED.content == HOMER
    assert COMPACTED.telling(HOMER).after == HOMER


@pytest.mark.parametrize("removal", [REMOVED, MERGED])
def test_a_removal_has_no_content(removal: Revision) -> None:
    with pytest.raises(VersionIsRemoval) as refusal:
        _ = removal.content

    assert (refusal.value.kind, refusal.value.id, refusal.value.version) == (Kind.AUTHOR, HOMER.id, 2)


@pytest.mark.parametrize(("revision", "why"), [(COMPACTED, "compacted"), (ERASED, "erased")])
def test_a_content_that_was_dropped_says_why(revision: Revision, why: str) -> None:
    with pytest.raises(ContentWithheld) as refusal:
        _ = revision.content

    assert (refusal.value.version, refusal.value.why) == (revision.version, why)


def test_what_is_absent_never_was_or_was_removed_or_was_merged() -> None:
    never, other_kind = absence(Kind.AUTHOR, HOMER.id, None), absence(Kind.BOOK, HOMER.id, REMOVED)
    removed, merged = absence(Kind.AUTHOR, HOMER.id, REMOVED), absence(Kind.AUTHOR, HOMER.id, MERGED)

    assert isinstance(never, NotFound)
    assert isinstance(other_kind, NotFound)
    assert isinstance(removed, Removed)
    assert (removed.at, removed.actor, removed.request_id) == (NOW, "Ada", "r-1")
    assert isinstance(merged, Merged)
    assert merged.into == OTHER


def test_fields_that_differ_are_told_with_both_values() -> None:
    renamed = HOMER.revised(AuthorDetails(name="Homeros"), at=NOW)

    assert differences(HOMER, renamed) == [Difference(field="name", before="Homer", after="Homeros")]


def test_versions_that_say_the_same_do_not_differ_whatever_they_say_of_themselves() -> None:
    assert differences(ILIAD, evolve(ILIAD, version=5, created_at=NOW, updated_at=NOW)) == []


def test_sources_and_contributors_differ_as_a_whole() -> None:
    contributors = (Contributor(author_id=HOMER.id, role=Role("trl")),)
    sources = (SourceRecord("gutenberg", "1"),)

    assert differences(ILIAD, evolve(ILIAD, contributors=contributors, sources=sources)) == [
        Difference(field="contributors", before=(), after=contributors),
        Difference(field="sources", before=(), after=sources),
    ]


def test_what_is_gone_says_null_everywhere() -> None:
    assert differences(None, HOMER) == [Difference(field="name", before=None, after="Homer")]
    assert differences(HOMER, None) == [Difference(field="name", before="Homer", after=None)]
    assert differences(None, None) == []


def test_a_comparison_names_its_versions() -> None:
    comparison = Comparison.of(CREATED, REVISED)

    assert (comparison.earlier, comparison.later) == (1, 2)
    assert comparison.differences == [Difference(field="name", before="Homer", after="Homeros")]


def test_the_first_version_is_compared_with_nothing() -> None:
    comparison = Comparison.of(None, CREATED)

    assert (comparison.earlier, comparison.later) == (None, 1)
    assert comparison.differences == [Difference(field="name", before=None, after="Homer")]


def test_a_removal_is_compared_as_nothing() -> None:
    assert Comparison.of(CREATED, REMOVED).differences == [Difference(field="name", before="Homer", after=None)]


@pytest.mark.parametrize("pair", [(COMPACTED, REVISED), (None, COMPACTED), (CREATED, ERASED)])
def test_what_was_dropped_can_not_be_compared(pair: tuple[Revision | None, Revision]) -> None:
    with pytest.raises(ContentWithheld):
        Comparison.of(*pair)
