"""What holds for a catalogue as a whole, whatever was done to it, and by how many at once."""

from collections.abc import Collection, Sequence

from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.domain.errors import Merged
from catalog.domain.ports import Storage
from catalog.domain.queries import Position
from catalog.domain.revisions import Operation, Revision
from catalog.testing.doubles import log_of, picture_of, standing_after


async def must_be_whole(storage: Storage) -> Sequence[Revision]:
    """Check that records, references, redirects and log fit together; return the log."""
    picture = await picture_of(storage)
    log = await log_of(storage.reader)
    assert [revision.seq for revision in log] == list(range(1, len(log) + 1)), "the log has gaps"
    assert picture.position == (Position(seq=len(log), at=log[-1].at) if log else Position())
    assert picture.standing == standing_after(log), "records are not as their last revisions say"
    _versions_must_follow_each_other(log)
    _must_name_who_is_there(list(picture.standing.values()))
    into = {id: refused.data["into"] for id, refused in picture.absent.items() if refused.error is Merged}
    assert not into.keys() & set(into.values()), "a redirect leads to a redirect"
    return log


def _versions_must_follow_each_other(log: Sequence[Revision]) -> None:
    versions: dict[object, int] = {}
    for revision in log:
        before = versions.get(revision.id)
        # What another catalogue exported comes with the version that it had there.
        assert before is None or revision.version == before + 1, f"version {before} is followed by {revision.version}"
        assert (revision.operation is Operation.CREATE) == (before is None)
        versions[revision.id] = revision.version


def _must_name_who_is_there(records: Collection[Author | Book]) -> None:
    authors = {record.id for record in records if isinstance(record, Author)}
    named = {id for record in records if isinstance(record, Book) for _, id in record.author_references()}
    assert named <= authors, "a book names an author who is not there"
