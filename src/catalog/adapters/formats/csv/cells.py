"""What a cell says, with the habits of spreadsheets undone. Whatever can not be taken over is put into words."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeAlias

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import Series
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import ISBN, Identifier
from catalog.domain.sources import DraftContributor
from catalog.domain.values import AuthorKind, Isbn, Language, PartialDate, Role

_FORMULA = re.compile(r'="(.*)"')
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE]\+?[0-9]+)?")
_ROLE = re.compile(r"(?P<name>.*?)\s*\[(?P<role>[^\]]*)\]")
_LIFE = re.compile(
    r"(?P<name>.*?), (?P<birth>\d{1,4})?(?P<birth_era>\?? BCE|\?)?-(?P<death>\d{1,4})?(?P<death_era>\?? BCE|\?)?"
)
_MOST_DIGITS = 20

_Named: TypeAlias = Callable[[str, Role | None], DraftContributor]


def one_line(cell: str) -> str:
    """Return the text with every run of white space, line ends included, as one space."""
    return " ".join(cell.split())


def isbns_of(cells: Sequence[str], separator: str, warnings: list[str]) -> tuple[Identifier, ...]:
    """Return the ISBNs in the cells, each once; those that are invalid are marked, and told."""
    found: dict[str, Identifier] = {}
    for text in (part for cell in cells for part in _parts(cell, separator)):
        if not (given := _unwrapped(text)[:200]):
            continue
        try:
            isbn = str(_isbn(given))
            identifier = Identifier(scheme=ISBN, value=isbn, as_given=None if given == isbn else given)
        except InvalidValue as error:
            warnings.append(f"invalid ISBN {given[:50]!r} kept and marked: it {error.rule}")
            try:
                identifier = Identifier(scheme=ISBN, value=one_line(given))
            except InvalidValue:
                continue
        found.setdefault(identifier.value, identifier)
    return tuple(found.values())[:100]


def parts_of(cell: str, separator: str) -> Sequence[str]:
    """Return the parts of a list, the empty ones left out."""
    return list(_parts(cell, separator))


def series_of(parts: Sequence[str]) -> Iterator[Series]:
    """Yield the series: `Hainish Cycle #4` is the fourth of one."""
    for part in parts:
        title, _, position = part.partition(" #")
        yield Series(title=title[:1000], position=position[:100] or None)


def number_of(cell: str) -> int | None:
    """Return the whole number, where there is one."""
    text = _unwrapped(cell)
    return int(Decimal(text)) if _NUMBER.fullmatch(text) and len(text) < _MOST_DIGITS else None


def _unwrapped(cell: str) -> str:
    """Return the text that a spreadsheet was kept from reading as a number: ="0060007761"."""
    cell = cell.strip()
    formula = _FORMULA.fullmatch(cell)
    return formula[1].strip() if formula else cell


def _isbn(text: str) -> Isbn:
    """Read an ISBN, also where a spreadsheet took it for a number: 9.78e+12, or without its leading zeros."""
    try:
        return Isbn.parse(text)
    except InvalidValue as error:
        for digits in _as_numbers(text):
            try:
                return Isbn.parse(digits)
            except InvalidValue:
                continue
        raise error from None


def _as_numbers(text: str) -> Iterator[str]:
    """Yield the digits that may have been meant; whether they were is for the check digit to say."""
    if re.fullmatch(r"[0-9]{1,8}[0-9Xx]", text):
        yield text.zfill(10)
    elif _NUMBER.fullmatch(text) and not text.isdigit():
        number = Decimal(text)
        if number.adjusted() < _MOST_DIGITS and number == number.to_integral_value():
            yield str(int(number)).zfill(13)


def date_of(cell: str, warnings: list[str]) -> PartialDate | None:
    """Return the date: an ISO date, or a year as a number (2008.0, -750)."""
    text = _unwrapped(cell)
    if not text:
        return None
    try:
        return PartialDate.parse(text)
    except InvalidValue:
        try:
            year = Decimal(text)
            if year.adjusted() < _MOST_DIGITS and year == year.to_integral_value():
                return PartialDate.of_year(int(year))
        except (InvalidOperation, InvalidValue):
            pass
    warnings.append(f"date {text[:50]!r} left out: it is neither a year nor YYYY-MM-DD")
    return None


def languages_of(cell: str, separator: str, warnings: list[str]) -> tuple[Language, ...]:
    """Return the languages; of a tag such as en-US only the language is kept."""
    languages: list[Language] = []
    for tag in _parts(cell, separator):
        code = re.split("[-_]", tag)[0]
        try:
            language = Language.parse(code)
        except InvalidValue as error:
            warnings.append(f"language {tag[:50]!r} left out: it {error.rule}")
            continue
        if code != tag:
            warnings.append(f"language {tag[:50]!r} kept as {language}, without its region")
        if language not in languages:
            languages.append(language)
    return tuple(languages)


def people_of(
    cell: str,
    separator: str,
    roles: Mapping[str, str | None],
    warnings: list[str],
    *,
    is_heading: bool = False,
) -> list[DraftContributor]:
    """Return the people, each with the role that stands behind the name in brackets."""
    named = headed if is_heading else somebody
    return [_person(part, roles, warnings, named) for part in _parts(cell, separator)]


def _person(text: str, roles: Mapping[str, str | None], warnings: list[str], named: _Named) -> DraftContributor:
    match = _ROLE.fullmatch(text)
    if match is None or not match["name"]:
        return named(text, None)
    label = match["role"].strip()
    try:
        code = roles.get(label.lower(), label)
        role = None if code is None else Role.parse(code)
    except InvalidValue:
        warnings.append(f"role {label[:50]!r} of {match['name'][:50]} left out: it is not known")
        role = None
    return named(match["name"], role)


def somebody(name: str, role: Role | None = None) -> DraftContributor:
    """Return who is called that; raise InvalidValue where nobody can be."""
    try:
        return DraftContributor(AuthorDetails(name=name), role)
    except InvalidValue as error:
        raise InvalidValue(f"author {error.rule}") from None


def headed(heading: str, role: Role | None = None) -> DraftContributor:
    """Return who is entered so, as libraries do: `Baum, L. Frank (Lyman Frank), 1856-1919`; certain years are kept.

    Only somebody with years of life is turned round: others may be no person, whose name has a comma.
    """
    if (found := _LIFE.fullmatch(heading)) is None:
        return somebody(heading, role)
    entry, _, fuller = found["name"].partition(" (")
    family, _, given = entry.partition(", ")
    given, _, suffix = given.partition(", ")
    told: dict[str, Any] = {"kind": AuthorKind("person")}
    name = entry
    if given[:1].isupper():  # else it is what somebody is called by: of Avila
        name = f"{given} {family}{f', {suffix}' if suffix else ''}"
        told |= {"sort_name": entry, "variants": (f"{fuller.rstrip(')')} {family}",) if fuller else ()}
    author = somebody(name).author.amended(told)
    life = {"birth": _year(found["birth"], found["birth_era"]), "death": _year(found["death"], found["death_era"])}
    try:
        return DraftContributor(author.amended(life), role)
    except InvalidValue:  # nobody dies before being born
        return DraftContributor(author, role)


def _year(digits: str | None, era: str | None) -> PartialDate | None:
    """Return the year, where it is certain."""
    if not digits or (era or "").startswith("?"):
        return None
    return PartialDate.of_year(1 - int(digits) if era else int(digits))


def _parts(cell: str, separator: str) -> Iterator[str]:
    """Yield the parts of a list, the empty ones left out."""
    for part in _splitter(separator).split(one_line(cell)):
        if part := part.strip():
            yield part


@lru_cache
def _splitter(separator: str) -> re.Pattern[str]:
    """Split at the separator; white space that belongs to it may be any, or the end of the cell."""
    before = r"(?:^|\s+)" if separator[:1].isspace() else ""
    behind = r"(?:\s+|$)" if separator[-1:].isspace() else ""
    return re.compile(before + re.escape(separator.strip()) + behind)
