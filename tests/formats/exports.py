"""Books as writers of files get them, made of what readers of files say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import UUID

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import CONTRIBUTORS, Book, BookDetails, BookRecord, Contributor, SourceRecord
from catalog.domain.exports import Exported
from catalog.domain.sources import BookDraft
from catalog.testing.doubles import SortedIds

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def exported(
    details: BookDetails,
    author: AuthorDetails | None = None,
    *contributors: tuple[AuthorDetails, str | None],
    credited: Mapping[str, str] = MappingProxyType({}),
    source: SourceRecord | None = None,
) -> Exported:
    """The book as a writer gets it; those contributors are `credited` under those names."""
    from catalog.domain.values import Role

    ids = SortedIds()
    people: dict[tuple[object, ...], Author] = {}

    def known(described: AuthorDetails) -> UUID:
        key = described.folded_name, described.birth, described.death
        if key not in people:
            people[key] = Author.recorded(described, id=ids.new(), at=NOW)
        return people[key].id

    author_id = None if author is None else known(author)
    named = [
        Contributor(
            author_id=known(other), role=None if role is None else Role(role), credited_as=credited.get(other.name)
        )
        for other, role in contributors
    ]
    details = details.amended({"author_id": author_id, "contributors": CONTRIBUTORS.once(named)})
    book = Book.recorded(details, id=ids.new(), at=NOW, sources=() if source is None else (source,))
    authors = {each.id: each for each in people.values()}
    return Exported(
        book=BookRecord.of(book, None if author_id is None else authors[author_id]),
        authors=authors,
        sources=book.sources,
    )


def exported_as_imported(draft: BookDraft) -> Exported:
    """The book that an import makes of a draft."""
    others = [(each.author, None if each.role is None else str(each.role)) for each in draft.contributors]
    return exported(draft.details, draft.author, *others, source=draft.origin)
