"""Books: each is one edition, the thing on the shelf."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Self
from uuid import UUID

from attrs import evolve, frozen

from .authors import Author
from .constraints import Doc, Items, Text, constrained
from .kinds import Kind
from .records import details_of, succeeded, told
from .text import sort_key
from .values import Isbn, Language, PartialDate, Role

UNKNOWN_LAST = 2**31 - 1
"""What stands for a date that nobody knows, so that it comes last."""


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Contributor:
    """Somebody else who had a part in the book (an added entry, MARC 21 7XX)."""

    author_id: Annotated[UUID, Doc("an author of the catalogue")]
    role: Annotated[Role | None, Doc("what they did; absent where nobody said")] = None


@frozen(slots=False)
class SourceKey:
    """One record of one source."""

    source: Annotated[str, Doc("the name of the source", example="gutenberg")]
    key: Annotated[str, Doc("the key that the source gives the record", example="1342")]


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class BookDetails:
    """What a client may say about a book."""

    title: Annotated[str, Text(1000), Doc("the title proper", example="The Left Hand of Darkness")]
    subtitle: Annotated[str | None, Text(1000), Doc("what follows the title proper")] = None
    author_id: Annotated[
        UUID | None, Doc("the author under whom the book is entered; null where the book names nobody")
    ]
    contributors: Annotated[
        tuple[Contributor, ...], Items(200), Doc("who else had a part in it, in order; the same author and role once")
    ] = ()
    isbn: Annotated[Isbn | None, Doc("its International Standard Book Number; two books may share one")] = None
    published: Annotated[PartialDate | None, Doc("when this edition was published")] = None
    languages: Annotated[tuple[Language, ...], Items(50), Doc("the languages of its text, each once")] = ()

    def author_references(self) -> Iterator[tuple[tuple[str | int, ...], UUID]]:
        """Yield where the book names an author, and the author's id."""
        if self.author_id is not None:
            yield ("author_id",), self.author_id
        for index, contributor in enumerate(self.contributors):
            yield ("contributors", index, "author_id"), contributor.author_id

    def exchanging(self, others: Mapping[UUID, UUID]) -> Self:
        """Return the details with authors exchanged for others, who may have been named already.

        Then duplicates collapse: of one author and role one stays, and where an author is named twice, by main entry
        or with a role, what is without a role says nothing more.
        """
        if not any(id in others for _, id in self.author_references()):
            return self
        author_id = None if self.author_id is None else others.get(self.author_id, self.author_id)
        named = [evolve(c, author_id=others.get(c.author_id, c.author_id)) for c in self.contributors]
        come_together = set(others.values())
        said = {c.author_id for c in named if c.role is not None} | {author_id}
        kept = [c for c in named if c.role is not None or c.author_id not in said & come_together]
        return evolve(self, author_id=author_id, contributors=tuple(dict.fromkeys(kept)))

    def names(self, author_id: UUID) -> bool:
        """Whether the book names the author, as main entry or contributor."""
        return any(named == author_id for _, named in self.author_references())


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Book(BookDetails):
    """A book in the catalogue."""

    KIND: ClassVar[Kind] = Kind.BOOK
    SORTED_BY: ClassVar[str] = "title"

    id: Annotated[UUID, Doc("made by the catalogue, never reused")]
    version: Annotated[int, Doc("1 at first, one more with each change", example=1)] = 1
    created_at: Annotated[datetime, Doc("when the record was made (UTC)")]
    updated_at: Annotated[datetime, Doc("when its content last changed (UTC)")]
    sources: Annotated[
        tuple[SourceKey, ...], Doc("the records it was imported from; importing one of them again finds this book")
    ] = ()

    @classmethod
    def recorded(cls, details: BookDetails, *, id: UUID, at: datetime, sources: tuple[SourceKey, ...] = ()) -> Self:
        """Return the first version of a new book."""
        return cls(id=id, created_at=at, updated_at=at, sources=sources, **told(details))

    @property
    def details(self) -> BookDetails:
        """What a client said about the book."""
        return details_of(self, BookDetails)

    def revised(self, details: BookDetails, *, at: datetime) -> Self:
        """Return the next version, or the book itself if the details change nothing."""
        return succeeded(self, told(details), at=at)

    @property
    def sort_key(self) -> str:
        """The key by which books are ordered."""
        return sort_key(self.title)

    @property
    def published_up(self) -> int:
        """The key by which books are ordered by publication; where nobody knows it, greater than any."""
        return UNKNOWN_LAST if self.published is None else self.published.first

    @property
    def published_down(self) -> int:
        """The same key for the descending order; where nobody knows it, less than any."""
        return -UNKNOWN_LAST if self.published is None else self.published.first


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class BookRecord(Book):
    """A book as readers get it, with the author under whom it is entered."""

    author: Annotated[Author | None, Doc("the author whose id author_id is")]

    @classmethod
    def of(cls, book: Book, author: Author | None) -> Self:
        """Return the book together with its author."""
        return cls(author=author, **told(book))
