"""Identifiers: the numbers that others have given to a book or an author."""

from typing import Annotated, Self

from attrs import frozen

from .constraints import Doc, Text, constrained
from .errors import InvalidValue
from .values import IdentifierStatus, Isbn, Scheme

ISBN = Scheme("isbn")
VALID, INVALID = IdentifierStatus("valid"), IdentifierStatus("invalid")


@frozen
class Number:
    """What tells one identifier from another: whose it is, and the number."""

    scheme: Scheme
    value: str


@frozen(kw_only=True, slots=False, field_transformer=constrained)
class Identifier:
    """A number that somebody has given, under the rules of a scheme.

    An ISBN is kept as its 13 digits, and as it was given where that is anything else. One that can not be is kept as
    it is, and marked invalid: wrong numbers are printed on books, and people look for them.
    """

    scheme: Annotated[Scheme, Doc("whose rules it follows")]
    value: Annotated[str, Text(200), Doc("the number; an ISBN as its 13 digits", example="9780141439600")]
    as_given: Annotated[str | None, Text(200), Doc("as it was written, where that is something else")] = None
    status: Annotated[
        IdentifierStatus | None,
        Doc("whether it can be relied upon; without it, an ISBN is checked, and anything else is valid"),
    ] = None

    def __attrs_post_init__(self) -> None:
        is_wrong = False
        if self.scheme == ISBN:
            try:
                isbn = Isbn.canonical(self.value)
            except InvalidValue as error:
                is_wrong = True
                if self.status == VALID:
                    raise InvalidValue(f"{error.rule}; where it is printed so, give its status as invalid") from None
            else:
                if isbn != self.value:
                    object.__setattr__(self, "as_given", self.as_given or self.value)
                    object.__setattr__(self, "value", isbn)
        if self.status is None:
            object.__setattr__(self, "status", INVALID if is_wrong else VALID)

    @classmethod
    def of_isbn(cls, isbn: Isbn) -> Self:
        """Return the identifier that a valid ISBN is."""
        return cls(scheme=ISBN, value=str(isbn), status=VALID)

    @property
    def isbn(self) -> Isbn | None:
        """The ISBN, if it is a valid one."""
        # As texts: both are asked for each identifier of each record, and again.
        is_one = str.__eq__(self.scheme, ISBN) and self.status is not None and str.__eq__(self.status, VALID)
        return Isbn.kept(self.value) if is_one else None
