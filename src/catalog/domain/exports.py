"""What leaves the catalogue: a book, with everybody it names and the records it came from."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from uuid import UUID

from attrs import evolve, field, frozen

from .authors import Author
from .books import BookRecord, SourceRecord
from .text import fold
from .values import Role


@frozen(kw_only=True)
class Exported:
    """A book as a writer of files gets it."""

    book: BookRecord
    authors: Mapping[UUID, Author] = field(factory=dict[UUID, Author])
    """Everybody whom the book names, and perhaps others."""
    sources: tuple[SourceRecord, ...] = ()
    edited: Mapping[UUID, AbstractSet[str]] = field(factory=dict[UUID, AbstractSet[str]])
    """Which fields of whom have been edited since the book came in, where the writer wants its sources."""

    @property
    def author(self) -> Author | None:
        """The author under whom the book is entered."""
        return self.book.author

    def contributors(self) -> Iterator[tuple[Author, Role | None]]:
        """Yield everybody else, and what they did, in the order of the book."""
        for contributor in self.book.contributors:
            yield self.authors[contributor.author_id], contributor.role

    def credits(self) -> Iterator[tuple[Author, Role | None]]:
        """Yield the same people under the names that the book gives them, as a citation does."""
        for (author, role), contributor in zip(self.contributors(), self.book.contributors, strict=True):
            name = contributor.credited_as
            yield author if name is None else evolve(author, name=name, sort_name=_listed(name, author)), role

    def original(self, *formats: str) -> SourceRecord | None:
        """Return the record that was imported last, of those that were kept byte by byte in one of these formats."""
        kept = (each for each in reversed(self.sources) if each.format in formats and each.content is not None)
        return next(kept, None)


def _listed(name: str, author: Author) -> str | None:
    """Return another name of the author as it is listed, where it ends with the same family name."""
    family, comma, _ = (author.sort_name or "").partition(",")
    words, length = name.split(), len(family.split())
    given, same = " ".join(words[:-length]), " ".join(words[-length:])
    return f"{same}, {given}" if comma and given and fold(same) == fold(family) else None
