"""Authors: whoever a book is by, a person or a body."""

from datetime import date, datetime, timedelta
from typing import Annotated, ClassVar, Self
from uuid import UUID

from attrs import frozen

from .constraints import Doc, Text, constrained
from .errors import AuthorNotYetBorn
from .kinds import Kind
from .records import details_of, succeeded, told
from .text import fold, sort_key


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class AuthorDetails:
    """What a client may say about an author."""

    name: Annotated[str, Text(500), Doc("the name, as it is written on books", example="Ursula K. Le Guin")]
    dob: Annotated[date | None, Doc("the day of birth, where it is known", example="1929-10-21")] = None

    def must_be_born_by(self, today: date) -> None:
        """Refuse a date of birth that no time zone has reached yet."""
        if self.dob is not None and self.dob > today + timedelta(days=1):
            raise AuthorNotYetBorn


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Author(AuthorDetails):
    """An author in the catalogue."""

    KIND: ClassVar[Kind] = Kind.AUTHOR
    SORTED_BY: ClassVar[str] = "name"

    id: Annotated[UUID, Doc("made by the catalogue, never reused")]
    version: Annotated[int, Doc("1 at first, one more with each change", example=1)] = 1
    created_at: Annotated[datetime, Doc("when the record was made (UTC)")]
    updated_at: Annotated[datetime, Doc("when its content last changed (UTC)")]

    @classmethod
    def recorded(cls, details: AuthorDetails, *, id: UUID, at: datetime) -> Self:
        """Return the first version of a new author."""
        return cls(id=id, created_at=at, updated_at=at, **told(details))

    @property
    def details(self) -> AuthorDetails:
        """What a client said about the author."""
        return details_of(self, AuthorDetails)

    def revised(self, details: AuthorDetails, *, at: datetime) -> Self:
        """Return the next version, or the author itself if the details change nothing."""
        return succeeded(self, told(details), at=at)

    @property
    def folded_name(self) -> str:
        """The form under which two spellings of the name are equal."""
        return fold(self.name)

    @property
    def sort_key(self) -> str:
        """The key by which authors are ordered."""
        return sort_key(self.name)
