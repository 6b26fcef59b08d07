"""What leaves the catalogue: a book, with everybody it names and the records it came from."""

from collections.abc import Iterable, Iterator, Mapping
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

    def everybody(self) -> Iterator[tuple[Author, Role | None]]:
        """Yield whom a citation names, each once for each role, the author under whom the book is entered first.

        What they did is what the contributors say of them; without a role, that is an author. Who is entered is an
        author, too, unless the contributors say so, or that it is an editor.
        """
        return self._once(self.contributors())

    def cited(
        self, places: Mapping[str, str], *, author: str, other: str = "", as_credited: bool = False
    ) -> Iterator[tuple[str, Author, Role | None]]:
        """Yield everybody once in each place of a citation: that of authors, that of a role, or another.

        People whom a citation credits stand there under the names that the book gives them.
        """
        told = set[tuple[UUID, str]]()
        for person, role in self._once(self.credits()) if as_credited else self.everybody():
            place = author if _is_author(role) else places.get(str(role), other)
            if (person.id, place or str(role)) not in told:
                told.add((person.id, place or str(role)))
                yield place, person, role

    def _once(self, named: Iterable[tuple[Author, Role | None]]) -> Iterator[tuple[Author, Role | None]]:
        once: dict[tuple[UUID, str], tuple[Author, Role | None]] = {}
        for person, role in named:
            once.setdefault((person.id, "aut" if _is_author(role) else str(role)), (person, role))
        main = self.author
        entered = [] if main is None else [each for each in once.values() if each[0].id == main.id]
        if main is not None and not any(_is_author(role) or str(role) in _ENTERED for _, role in entered):
            entered.insert(0, (main, None))
        yield from ((person, None if _is_author(role) else role) for person, role in entered)
        yield from (each for each in once.values() if main is None or each[0].id != main.id)

    def original(self, *formats: str) -> SourceRecord | None:
        """Return the record that was imported last, of those that were kept byte by byte in one of these formats."""
        kept = (each for each in reversed(self.sources) if each.format in formats and each.content is not None)
        return next(kept, None)


_ENTERED = ("edt", "com")
"""Roles of whom a book is entered under where it has no author."""


def _is_author(role: Role | None) -> bool:
    return role is None or str(role) in ("aut", "cre")


def _listed(name: str, author: Author) -> str | None:
    """Return another name of the author as it is listed, where it ends with the same family name."""
    family, comma, _ = (author.sort_name or "").partition(",")
    words, length = name.split(), len(family.split())
    given, same = " ".join(words[:-length]), " ".join(words[-length:])
    return f"{same}, {given}" if comma and given and fold(same) == fold(family) else None
