"""Headings of people, bodies and meetings as they are written: anew, or brought to what was edited here since."""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from pymarc import Field, Indicators, Subfield

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.identifiers import VALID, Identifier, Number
from catalog.domain.values import PartialDate, Role

from .fields import FieldText
from .parts import without
from .people import AUTHORITIES, KINDS, numbers_in, role_codes, role_in
from .subfields import LINKS, links_first, one_line

_BLANK = " "
_ERA = re.compile(r"\bB\.?\s?C\.\s*$")
_PREFIXES = {scheme: beginning for beginning, scheme in reversed([*AUTHORITIES.items()]) if beginning.startswith("(")}
_KIND_DIGITS = {str(kind): digits for digits, kind in KINDS.items()}
_NAME_CODES: Mapping[str, str] = {"00": "abcq", "10": "abcdn", "11": "acdegnq"}
"""The subfields that say a name, by the last two digits of the tag."""


def heading(author: Author, first: str, role: Role | None) -> Field:
    """Return a new heading; `first` is the first digit of its tag."""
    digits = _KIND_DIGITS.get("" if author.kind is None else str(author.kind), "00")
    entry = author.sort_name or author.name
    dates = _dates(author.birth, author.death) if digits == "00" else ""
    parts = [Subfield("a", f"{entry}," if dates else entry)]
    if dates:
        parts.append(Subfield("d", dates))
    if role is not None:
        parts.append(Subfield("4", str(role)))
    parts += [_number(each) for each in author.identifiers if str(each.scheme) in _PREFIXES]
    return Field(tag=first + digits, indicators=Indicators(_entered(entry, digits), _BLANK), subfields=parts)


def revised(
    field: Field, described: AuthorDetails, author: Author, edited: AbstractSet[str], *, is_same: bool
) -> Field | None:
    """Return the heading with what was edited of the author, or nothing where it says so already.

    What it says besides stays: the role, the link to another script, and whatever nobody here has a place for. Its
    numbers are given up where it is not certain that they are of the same author.
    """
    before = digits = field.tag[1:]
    if "kind" in edited and author.kind is not None:
        digits = _KIND_DIGITS.get(str(author.kind), before)
    entry = described.sort_name or described.name
    named = author.sort_name or (entry if author.name == described.name else author.name)
    is_renamed = not edited.isdisjoint(("name", "sort_name")) and (author.name, named) != (described.name, entry)
    entry = named if is_renamed else entry
    first, second = field.indicators or (_BLANK, _BLANK)
    is_family = before == "00" and first == "3"
    is_entered_anew = is_renamed or digits != before or (is_family and "kind" in edited and author.kind is not None)
    parts = list(field.subfields) if is_same else [part for part in field.subfields if part.code not in "01"]
    if is_entered_anew:
        parts = _with_name(parts, entry, before, digits)
    if digits == "00":
        life = [getattr(author if name in edited else described, name) for name in ("birth", "death")]
        if (dates := _dates(*life)) != _dates(described.birth, described.death):
            parts = _with_dates(parts, dates)
    if "identifiers" in edited or not is_same:
        parts = _with_numbers(parts, author)
    if parts == field.subfields and not is_entered_anew:
        return None
    if is_entered_anew and not (is_family and author.kind is None):
        first = _entered(entry, digits)
    indicators = Indicators(first, second)
    return Field(tag=field.tag[0] + digits, indicators=indicators, subfields=parts)


def without_roles(field: Field, roles: AbstractSet[Role | None]) -> list[Subfield]:
    """Return the subfields of a heading without those that say one of these roles."""
    parts = list(field.subfields)
    codes = role_codes(field.tag)
    for place in reversed(range(len(parts))):
        role = role_in(parts[place].code, one_line(parts[place].value)) if parts[place].code in codes else None
        if role is not None and role in roles:
            before = parts[place - 1].code if place else ""
            parts = without(parts, place) if before in (*codes, "d") else [*parts[:place], *parts[place + 1 :]]
    return parts


def _entered(entry: str, digits: str) -> str:
    """Return the indicator of how a name is entered: a surname first, a forename, or a name as it is."""
    return {"00": "1" if "," in entry else "0"}.get(digits, "2")


def _with_name(parts: Sequence[Subfield], entry: str, before: str, after: str) -> list[Subfield]:
    dropped = _NAME_CODES[before] + ("d" if after != "00" else "")
    kept = [part for part in parts if part.code not in dropped]
    if "11" in {before, after} and before != after:  # of meetings, $e is a part of the body and $j what they did
        was, becomes = ("j", "e") if before == "11" else ("e", "j")
        kept = [Subfield(becomes, part.value) if part.code == was else part for part in kept]
    leads_on = next((part.code in "dej" for part in kept if part.code not in LINKS), False)
    return links_first([Subfield("a", f"{entry}," if leads_on else entry), *kept])


def _with_dates(parts: Sequence[Subfield], dates: str) -> list[Subfield]:
    stand = [place for place, part in enumerate(parts) if part.code == "d"]
    kept = [part for part in parts if part.code != "d"]
    names = [place for place, part in enumerate(kept) if part.code in _NAME_CODES["00"]]
    place = stand[0] if stand else (names[-1] + 1 if names else 0)
    if not dates:
        return kept
    led_on = parts[stand[-1]].value if stand else ""
    if names and not stand:
        has_comma = kept[place - 1].value.endswith(",")
        led_on = "," if has_comma and place < len(kept) and kept[place].code == "e" else ""
        if not has_comma:
            kept[place - 1] = Subfield(kept[place - 1].code, f"{kept[place - 1].value},")
    return [*kept[:place], Subfield("d", f"{dates}{_mark_behind(dates, led_on)}"), *kept[place:]]


def _mark_behind(dates: str, before: str) -> str:
    """Return the mark that stood behind what was there before; none stands behind a life that is open."""
    mark = before.rstrip()[-1:]
    is_mark = mark == "," or (mark == "." and not _ERA.search(before) and not dates.endswith("."))
    return mark if is_mark and not dates.endswith("-") else ""


def _with_numbers(parts: Sequence[Subfield], author: Author) -> list[Subfield]:
    """Return the parts with the numbers of the author, but without another that the same giver gave."""
    ours = {Number(each.scheme, each.value): each for each in author.identifiers if each.status == VALID}
    schemes = {number.scheme for number in ours}
    kept: list[Subfield] = []
    for part in parts:
        numbers = {Number(each.scheme, each.value) for each in _numbers_of(part)}
        if any(number.scheme in schemes and number not in ours for number in numbers):
            continue
        kept.append(part)
        for number in numbers:
            ours.pop(number, None)
    missing = [_number(each) for each in ours.values() if str(each.scheme) in _PREFIXES]
    return [*kept, *missing]


def _numbers_of(part: Subfield) -> Iterator[Identifier]:
    return numbers_in(FieldText.of(Field(tag="700", subfields=[part])))


def _number(identifier: Identifier) -> Subfield:
    return Subfield("0", f"{_PREFIXES[str(identifier.scheme)].upper()}{identifier.value}")


def _dates(birth: PartialDate | None, death: PartialDate | None) -> str:
    """Return the years of a life as headings have them: 1929-2018, 1929-, -322 B.C."""
    if birth is None and death is None:
        return ""
    years = [None if date is None else date.year for date in (birth, death)]
    if any(year is not None and year < 1 for year in years):
        if all(year is None or year < 1 for year in years):
            return "-".join("" if year is None else str(1 - year) for year in years) + " B.C."
        return ""
    return "-".join("" if year is None else str(year) for year in years)
