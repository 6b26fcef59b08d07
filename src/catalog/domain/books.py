"""Books: each is one edition, the thing on the shelf."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from attrs import evolve, field, fields, frozen

from .authors import Author
from .constraints import Doc, Items, Number, Text, checked, constrained
from .errors import InvalidValue
from .identifiers import Identifier
from .kinds import Kind
from .records import changed, details_of, record_with, succeeded, told
from .text import sort_key
from .values import Isbn, Language, PartialDate, Role, Scheme, Url

UNKNOWN_LAST = 2**31 - 1
"""What stands for a date that nobody knows, so that it comes last."""


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Contributor:
    """Somebody else who had a part in the book (an added entry, MARC 21 7XX)."""

    author_id: Annotated[UUID, Doc("an author of the catalogue")]
    role: Annotated[Role | None, Doc("what they did; absent where nobody said")] = None
    credited_as: Annotated[
        str | None,
        Text(500),
        Doc("the name under which the book names them, where it is another than the author's", example="Currer Bell"),
    ] = None


CONTRIBUTORS = Items(200, told_apart_by=("author_id", "role"))
"""What a list of contributors is held to: under whatever name, nobody is named twice for the same."""


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Subject:
    """What a book is about, in a word (MARC 21 6XX)."""

    term: Annotated[str, Text(500), Doc("the term", example="Hermaphroditism -- Fiction")]
    scheme: Annotated[Scheme | None, Doc("the list of terms from which it was taken", example="lcsh")] = None


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Series:
    """A series to which a book belongs, and its place there (MARC 21 490, 830)."""

    title: Annotated[str, Text(1000), Doc("what the series is called", example="Hainish Cycle")]
    position: Annotated[str | None, Text(100), Doc("where in the series, as it is printed", example="4")] = None


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Classification:
    """A class of a scheme (MARC 21 050, 080, 082, 084)."""

    scheme: Annotated[Scheme, Doc("whose classes they are", example="ddc")]
    value: Annotated[str, Text(200), Doc("the class", example="813.54")]


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Link:
    """Where more is to be had on the web (MARC 21 856)."""

    url: Annotated[Url, Doc("the address")]
    label: Annotated[str | None, Text(500), Doc("what is there", example="Table of contents")] = None


@frozen(slots=False)
class SourceKey:
    """One record of one source."""

    source: Annotated[str, Doc("the name of the source", example="gutenberg")]
    key: Annotated[str, Doc("the key that the source gives the record", example="1342")]


@frozen(slots=False)
class SourceRecord:
    """A record as its source wrote it, from which a book was imported.

    What has no field here is not lost: it is in these bytes, and comes back when the book is exported in their format.
    """

    source: Annotated[str, Doc("the name of the source", example="gutenberg")]
    key: Annotated[str, Doc("the key that the source gives the record", example="1342")]
    format: Annotated[str | None, Doc("the format of the bytes; null where they were not kept", example="marc")] = None
    content: Annotated[bytes | None, Doc("the record, byte by byte; null where it was not kept")] = field(
        default=None, repr=False
    )

    @property
    def id(self) -> SourceKey:
        """Which record it is."""
        return SourceKey(self.source, self.key)


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class BookDetails:
    """What a client may say about a book.

    `isbn` is the first valid ISBN among the identifiers: who writes one writes the other.
    """

    DERIVED: ClassVar[Mapping[str, str]] = {"isbn": "identifiers"}

    title: Annotated[str, Text(1000), Doc("the title proper", example="The Left Hand of Darkness")]
    subtitle: Annotated[str | None, Text(1000), Doc("what follows the title proper")] = None
    author_id: Annotated[
        UUID | None, Doc("the author under whom the book is entered; null where the book names nobody")
    ]
    contributors: Annotated[
        tuple[Contributor, ...],
        CONTRIBUTORS,
        Doc("who else had a part in it, in order; the same author and role once"),
    ] = ()
    isbn: Annotated[
        Isbn | None, Doc("its ISBN, which is the first valid one of its identifiers; two books may share one")
    ] = None
    identifiers: Annotated[
        tuple[Identifier, ...],
        Items(100),
        Doc("the numbers that others have given the book, each once; those that are wrong, too"),
    ] = ()
    published: Annotated[PartialDate | None, Doc("when this edition was published")] = None
    languages: Annotated[tuple[Language, ...], Items(50), Doc("the languages of its text, each once")] = ()
    publishers: Annotated[
        tuple[Annotated[str, Text(500)], ...], Items(50), Doc("who published it", example=("Ace Books",))
    ] = ()
    places: Annotated[
        tuple[Annotated[str, Text(500)], ...], Items(50), Doc("where it was published", example=("New York",))
    ] = ()
    edition: Annotated[str | None, Text(500), Doc("which edition it is, as printed", example="2nd ed.")] = None
    series: Annotated[tuple[Series, ...], Items(50), Doc("the series to which it belongs")] = ()
    extent: Annotated[
        str | None, Text(500), Doc("how much there is of it, in words", example="xii, 286 p. : ill. ; 18 cm")
    ] = None
    pages: Annotated[int | None, Number(1, 1_000_000), Doc("how many pages it has", example=286)] = None
    subjects: Annotated[tuple[Subject, ...], Items(500), Doc("what it is about")] = ()
    classifications: Annotated[tuple[Classification, ...], Items(50), Doc("its classes")] = ()
    responsibility: Annotated[
        str | None, Text(2000), Doc("who made it, in the words of its title page", example="by Ursula K. Le Guin")
    ] = None
    description: Annotated[str | None, Text(50_000, has_lines=True), Doc("what it is, in some sentences")] = None
    notes: Annotated[
        tuple[Annotated[str, Text(20_000, has_lines=True)], ...], Items(200), Doc("what else there is to say of it")
    ] = ()
    links: Annotated[tuple[Link, ...], Items(100), Doc("where more is to be had on the web")] = ()
    tags: Annotated[
        tuple[Annotated[str, Text(200)], ...], Items(200), Doc("words of one's own to find it by", example=("to-read",))
    ] = ()

    def __attrs_post_init__(self) -> None:
        first = next(self.isbns(), None)
        if self.isbn is None:
            object.__setattr__(self, "isbn", first)
        elif first is None:
            identifiers = (Identifier.of_isbn(self.isbn), *self.identifiers)
            object.__setattr__(self, "identifiers", checked(fields(type(self)).identifiers, identifiers))
        elif first != self.isbn:
            raise InvalidValue(
                f"must have one first ISBN: isbn says {self.isbn}, identifiers {first}; write one of them"
            )

    def isbns(self) -> Iterator[Isbn]:
        """Yield its valid ISBNs, each once, in the order of its identifiers, of which several may say the same."""
        return iter(dict.fromkeys([isbn for each in self.identifiers if (isbn := each.isbn) is not None]))

    def amended(self, values: Mapping[str, Any]) -> Self:
        """Return the details with these values; of `isbn` and `identifiers`, the one that is written says both.

        Another ISBN comes in the place of the first valid one; none takes all valid ones away.
        """
        if "isbn" in values and "identifiers" not in values:
            values = {**values, "identifiers": self._identifiers_with(values["isbn"])}
        elif "identifiers" in values and "isbn" not in values:
            values = {**values, "isbn": None}
        return changed(self, values)

    def _identifiers_with(self, isbn: Isbn | None) -> tuple[Identifier, ...]:
        if isbn is None:
            return tuple(identifier for identifier in self.identifiers if identifier.isbn is None)
        if isbn == self.isbn:
            return self.identifiers
        if self.isbn is None:
            return (Identifier.of_isbn(isbn), *self.identifiers)
        given = next((each for each in self.identifiers if each.isbn == isbn), Identifier.of_isbn(isbn))
        others = [each for each in self.identifiers if each.isbn != isbn]
        place = next((at for at, each in enumerate(others) if each.isbn is not None), 0)
        return (*others[:place], given, *others[place + (0 if given in self.identifiers else 1) :])

    def author_references(self) -> Iterator[tuple[tuple[str | int, ...], UUID]]:
        """Yield where the book names an author, and the author's id."""
        if self.author_id is not None:
            yield ("author_id",), self.author_id
        for index, contributor in enumerate(self.contributors):
            yield ("contributors", index, "author_id"), contributor.author_id

    def exchanging(self, others: Mapping[UUID, UUID]) -> Self:
        """Return the details with authors exchanged for others, who may have been named already.

        Then duplicates collapse: of one author and role the first stays, and where an author is named twice, by main
        entry or with a role, what is without a role says nothing more.
        """
        if not any(id in others for _, id in self.author_references()):
            return self
        author_id = None if self.author_id is None else others.get(self.author_id, self.author_id)
        named = [evolve(c, author_id=others.get(c.author_id, c.author_id)) for c in self.contributors]
        come_together = set(others.values())
        said = {c.author_id for c in named if c.role is not None} | {author_id}
        kept = [c for c in named if c.role is not None or c.author_id not in said & come_together]
        return evolve(self, author_id=author_id, contributors=CONTRIBUTORS.once(kept))

    def names(self, author_id: UUID) -> bool:
        """Whether the book names the author, as main entry or contributor."""
        return any(named == author_id for _, named in self.author_references())


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class CataloguedBook(BookDetails):
    """What the catalogue says of a book, and of its record."""

    KIND: ClassVar[Kind] = Kind.BOOK
    SORTED_BY: ClassVar[str] = "title"

    id: Annotated[UUID, Doc("made by the catalogue, never reused")]
    version: Annotated[int, Doc("1 at first, one more with each change", example=1)] = 1
    created_at: Annotated[datetime, Doc("when the record was made (UTC)")]
    updated_at: Annotated[datetime, Doc("when its content last changed (UTC)")]

    @property
    def details(self) -> BookDetails:
        """What a client said about the book."""
        return details_of(self, BookDetails)

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
class Book(CataloguedBook):
    """A book in the catalogue, with the records it came from."""

    sources: Annotated[
        tuple[SourceRecord, ...], Doc("the records it was imported from; importing one of them again finds this book")
    ] = ()

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if len({source.id for source in self.sources}) < len(self.sources):
            raise InvalidValue("must come from each record of a source once")

    @classmethod
    def recorded(
        cls,
        details: BookDetails,
        *,
        id: UUID,
        at: datetime,
        sources: tuple[SourceRecord, ...] = (),
        people: Mapping[str, Any] = MappingProxyType({}),
    ) -> Self:
        """Return the first version of a new book; `people` are the fields of those whom it names, if not the details'.

        They are checked already, as the details are.
        """
        more = {"id": id, "version": 1, "created_at": at, "updated_at": at, "sources": sources}
        return record_with(cls, details, **more, **people)

    def revised(self, details: BookDetails, *, at: datetime) -> Self:
        """Return the next version, or the book itself if the details change nothing."""
        return succeeded(self, told(details), at=at)


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class BookRecord(CataloguedBook):
    """A book as readers get it, with the author under whom it is entered; of its sources, the names alone."""

    sources: Annotated[
        tuple[SourceKey, ...], Doc("the records it was imported from; importing one of them again finds this book")
    ] = ()
    author: Annotated[Author | None, Doc("the author whose id author_id is")]

    @classmethod
    def of(cls, book: Book, author: Author | None) -> Self:
        """Return the book together with its author."""
        return cls(author=author, **{**told(book), "sources": tuple(source.id for source in book.sources)})
