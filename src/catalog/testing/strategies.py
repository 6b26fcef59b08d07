"""Records to test with, drawn from the same annotations that the records are made of: a new field is tested untold."""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache, partial
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import attrs
from hypothesis import HealthCheck, reject, settings
from hypothesis import strategies as st

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import CONTRIBUTORS, BookDetails, Contributor, SourceRecord
from catalog.domain.constraints import Items, Number, Text, metadata_of
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.languages import ALIASES, BIBLIOGRAPHIC
from catalog.domain.text import normalised
from catalog.domain.values import AuthorKind, Choice, IdentifierStatus, Isbn, Language, PartialDate, Role, Scheme, Url

ChoiceT = TypeVar("ChoiceT", bound=Choice)

SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
"""No deadline: the machine may be busy, and a slow example is no broken promise."""

NASTY = "aAbBzZ ß é e\u0301 İ ı ﬁ Œ Ø 道 か が \u05d0 % _ \\ ' \" - . 😀 \u0080 \x00 \n\t"
"""A small alphabet of characters that have bitten somebody: alike but for case, marks, or what LIKE makes of them."""


def accepted_text(longest: int) -> st.SearchStrategy[str]:
    """Text that a field of this length takes."""

    def accepts(text: str) -> bool:
        try:
            normalised(text, longest=longest)
        except InvalidValue:
            return False
        return True

    # Without what is always refused, so that next to nothing is drawn in vain.
    nasty = st.sampled_from([c for c in NASTY if unicodedata.category(c) != "Cc"])
    printable = st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\u2028\u2029\ufffe\uffff")
    drawn = st.text(nasty, min_size=1, max_size=12) | st.text(printable, min_size=1, max_size=min(longest, 30))
    return drawn.filter(accepts)


def isbns() -> st.SearchStrategy[Isbn]:
    """Valid ISBNs."""

    def with_check_digit(prefix: str, nine: int) -> Isbn:
        twelve = f"{prefix}{nine:09d}"
        check = -sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(twelve)) % 10
        return Isbn(f"{twelve}{check}")

    return st.builds(with_check_digit, st.sampled_from(["978", "979"]), st.integers(100_000_000, 999_999_999))


def partial_dates() -> st.SearchStrategy[PartialDate]:
    """Years, months and days, years before 1 included."""
    years = st.integers(-9999, 9999).map(PartialDate.of_year)
    months = st.builds(lambda year, month: PartialDate(f"{year}-{month:02d}"), years, st.integers(1, 12))
    days = st.dates().map(lambda day: PartialDate(day.isoformat()))
    return st.one_of(years, months, days)


def choices(kind: type[ChoiceT]) -> st.SearchStrategy[ChoiceT]:
    """One of the words."""
    return st.sampled_from(kind.words).map(kind)


def identifiers() -> st.SearchStrategy[Identifier]:
    """Numbers of several schemes, and ISBNs as people give them, right and wrong."""
    numbers = st.builds(
        Identifier,
        scheme=st.sampled_from(["oclc", "lccn", "viaf"]).map(Scheme),
        value=accepted_text(200),
        as_given=st.none() | accepted_text(200),
        status=st.none() | choices(IdentifierStatus),
    )
    given = isbns().map(lambda isbn: isbn.isbn10 or f"{isbn[:3]}-{isbn[3:]}") | isbns().map(str) | accepted_text(200)
    return numbers | st.builds(Identifier, scheme=st.just(Scheme("isbn")), value=given)


VALUES: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 2**31 - 1),
    bytes: st.binary(max_size=50),
    float: st.floats(allow_nan=False, allow_infinity=False),
    UUID: st.uuids(),
    date: st.dates(max_value=date(2020, 1, 1)),
    datetime: st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    Isbn: isbns(),
    PartialDate: partial_dates(),
    Language: st.sampled_from(sorted(BIBLIOGRAPHIC | ALIASES.keys())).map(Language.parse),
    Role: st.sampled_from(["aut", "trl", "ill", "edt"]).map(Role),
    AuthorKind: choices(AuthorKind),
    IdentifierStatus: choices(IdentifierStatus),
    Scheme: st.sampled_from(["isbn", "oclc", "lccn", "lcsh", "ddc", "viaf"]).map(Scheme),
    Url: st.sampled_from(["https://example.org/", "HTTP://example.org/a%20b", "ftp://example.org/\u00e9?q=1#x"]).map(
        Url.parse
    ),
    Identifier: identifiers(),
}


def _told_apart_by(items: Items | None, item: Any) -> Any:
    """What two items of a list differ in: records of sources in which records they are."""
    return item.id if isinstance(item, SourceRecord) else item if items is None else items.key(item)


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Values that a field with this annotation takes."""
    limits = metadata_of(annotation)
    kind = get_args(annotation)[0] if limits else annotation
    if type(None) in get_args(kind):
        (inner,) = (arg for arg in get_args(kind) if arg is not type(None))
        return st.none() | _limited(inner, limits)
    return _limited(kind, limits)


def _limited(kind: Any, limits: tuple[object, ...]) -> st.SearchStrategy[Any]:
    longest = next((limit.longest for limit in limits if isinstance(limit, Text)), 100)
    items = next((limit for limit in limits if isinstance(limit, Items)), None)
    most = 4 if items is None else min(items.most, 4)
    if kind is str:
        return accepted_text(longest)
    if bounds := [limit for limit in limits if isinstance(limit, Number)]:
        return st.integers(bounds[0].least, bounds[0].most)
    if get_origin(kind) is tuple:
        different = partial(_told_apart_by, items)
        return st.lists(values_of(get_args(kind)[0]), max_size=most, unique_by=different).map(tuple)
    if attrs.has(kind) and kind not in VALUES:
        return instances_of(kind)
    return VALUES[kind]


@cache
def instances_of(cls: Any) -> st.SearchStrategy[Any]:
    """Instances of an attrs class, each field drawn from its annotation."""
    hints = get_type_hints(cls, include_extras=True)
    # What follows from another field is left to it.
    derived: Mapping[str, str] = getattr(cls, "DERIVED", {})
    drawn = {f.name: values_of(hints[f.name]) for f in attrs.fields(cls) if f.name not in derived}
    empty: dict[str, st.SearchStrategy[Any]] = {name: st.none() for name in derived}
    return st.builds(partial(_made, cls), **drawn, **empty)


def _made(cls: Any, **values: Any) -> Any:
    """Make one, unless its fields do not go together."""
    try:
        return cls(**values)
    except InvalidValue:
        reject()


def author_details() -> st.SearchStrategy[AuthorDetails]:
    """What a client may say about an author."""
    strategy: st.SearchStrategy[AuthorDetails] = instances_of(AuthorDetails)
    return strategy.map(lambda said: said if said.birth is None or said.birth.year <= 2020 else _unborn(said))


def _unborn(said: AuthorDetails) -> AuthorDetails:
    """Leave out a birth that no catalogue takes yet."""
    return said.amended({"birth": None})


def authors() -> st.SearchStrategy[Author]:
    """Authors at any version."""
    strategy: st.SearchStrategy[Author] = instances_of(Author)
    return strategy


@st.composite
def book_details(draw: st.DrawFn, author_ids: st.SearchStrategy[UUID]) -> BookDetails:
    """What a client may say about a book by some of these authors."""
    contributors = draw(st.lists(st.builds(attrs.evolve, instances_of(Contributor), author_id=author_ids)))
    unique = CONTRIBUTORS.once(contributors)[:5]
    details: BookDetails = draw(instances_of(BookDetails))
    return attrs.evolve(details, author_id=draw(st.none() | author_ids), contributors=unique)
