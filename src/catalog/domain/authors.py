"""Authors: whoever a book is by, a person or a body."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

from attrs import frozen

from .constraints import Doc, Items, Text, constrained
from .errors import AuthorNotYetBorn, InvalidValue
from .identifiers import VALID, Identifier, Number
from .kinds import Kind
from .records import changed, details_of, record_with, succeeded, told
from .text import fold, sort_key
from .values import AuthorKind, PartialDate

_NONE = frozenset[Number]()


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class AuthorDetails:
    """What a client may say about an author.

    The day of birth is `dob` and `birth` at once: who writes one writes the other.
    """

    DERIVED: ClassVar[Mapping[str, str]] = {"dob": "birth"}

    name: Annotated[str, Text(500), Doc("the name, as it is written on books", example="Ursula K. Le Guin")]
    dob: Annotated[date | None, Doc("the day of birth, where it is known", example="1929-10-21")] = None
    sort_name: Annotated[
        str | None,
        Text(500),
        Doc("the name under which the author is ordered, where that is another", example="Le Guin, Ursula K."),
    ] = None
    kind: Annotated[AuthorKind | None, Doc("what the author is, where somebody said")] = None
    birth: Annotated[
        PartialDate | None, Doc("when the author was born, or founded, as far as it is known", example="1929-10-21")
    ] = None
    death: Annotated[
        PartialDate | None, Doc("when the author died, or ended, as far as it is known", example="2018-01-22")
    ] = None
    variants: Annotated[
        tuple[Annotated[str, Text(500)], ...],
        Items(200),
        Doc("other forms of the name: in other scripts, other spellings, pseudonyms", example=("Урсула Ле Гуин",)),
    ] = ()
    identifiers: Annotated[
        tuple[Identifier, ...], Items(100), Doc("the numbers that others have given the author, each once")
    ] = ()

    def __attrs_post_init__(self) -> None:
        day = _day(self.birth)
        if self.birth is None and self.dob is not None:
            object.__setattr__(self, "birth", PartialDate(self.dob.isoformat()))
        elif self.dob is None:
            object.__setattr__(self, "dob", day)
        elif self.dob != day:
            raise InvalidValue(f"must have one day of birth, and dob says {self.dob}, birth {self.birth}; write one")
        if self.birth is not None and self.death is not None and self.death.last < self.birth.first:
            raise InvalidValue(f"must not die before being born, and this was born {self.birth}, died {self.death}")

    def amended(self, values: Mapping[str, Any]) -> Self:
        """Return the details with these values; of `dob` and `birth`, the one that is written says both."""
        if "dob" in values and "birth" not in values:
            # Who only knows days says nothing of a year by saying that there is no day.
            birth = self.birth if values["dob"] is None and self.dob is None else None
            values = {**values, "birth": birth}
        elif "birth" in values and "dob" not in values:
            values = {**values, "dob": None}
        return changed(self, values)

    @property
    def folded_name(self) -> str:
        """The form under which two spellings of the name are equal."""
        return fold(self.name)

    def numbers(self) -> frozenset[Number]:
        """Return the valid identifiers, by which an author is known whatever the name."""
        if not self.identifiers:
            return _NONE
        return frozenset(Number(each.scheme, each.value) for each in self.identifiers if each.status == VALID)

    def must_be_born_by(self, today: date) -> None:
        """Refuse a birth that no time zone has reached yet."""
        tomorrow = PartialDate((today + timedelta(days=1)).isoformat())
        if self.birth is not None and self.birth.first > tomorrow.first:
            raise AuthorNotYetBorn("birth" if self.dob is None else "dob")


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
        return record_with(cls, details, id=id, version=1, created_at=at, updated_at=at)

    @property
    def details(self) -> AuthorDetails:
        """What a client said about the author."""
        return details_of(self, AuthorDetails)

    def revised(self, details: AuthorDetails, *, at: datetime) -> Self:
        """Return the next version, or the author itself if the details change nothing."""
        return succeeded(self, told(details), at=at)

    @property
    def name_key(self) -> str:
        """The key by which the name is compared."""
        return sort_key(self.name)

    @property
    def sort_key(self) -> str:
        """The key by which authors are ordered."""
        return sort_key(self.sort_name or self.name)


def _day(birth: PartialDate | None) -> date | None:
    """Return the day, if it names one that a date can be: one from the year 1 on."""
    return None if birth is None or len(birth) != len("YYYY-MM-DD") or birth.year < 1 else date.fromisoformat(birth)
