"""A record of MARC 21 as the draft of a book: which field says what. What has no field here is left to the record."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from attrs import evolve

from catalog.adapters.formats.common import drafted
from catalog.domain.books import Classification, Link, Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import ISBN, Identifier
from catalog.domain.sources import BookDraft
from catalog.domain.values import IdentifierStatus, Language, PartialDate, Scheme, Url

from .extents import pages_in
from .fields import Fields, FieldText, remembered
from .parts import name_in_imprint
from .people import ADDED, MAIN, headings_of, main_of
from .subfields import LETTERS, first, trimmed

T = TypeVar("T")

YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?!\d)")
_ISBN = re.compile(r"(?:urn:isbn:|isbn(?:-1[03])?:?)?\s*([0-9][0-9Xx\s\-\u2010-\u2015]*)", re.IGNORECASE)
_CONTROL_NUMBER = re.compile(r"\(([^()]{1,40})\)\s*(.+)")
_OCLC = re.compile(r"(?:oc[mn]|on)?0*(\d+)", re.IGNORECASE)
_CANCELLED = IdentifierStatus("cancelled")

SUBJECTS = ("600", "610", "611", "630", "647", "648", "650", "651", "653", "655")
TERM_LISTS: Mapping[str, str] = {"0": "lcsh", "1": "lcshac", "2": "mesh", "3": "nal", "5": "cash", "6": "rvm"}
CLASSES: Mapping[str, str] = {"050": "lcc", "060": "nlm", "080": "udc", "082": "ddc"}
NUMBERS_024: Mapping[str, str] = {"0": "isrc", "1": "upc", "2": "ismn", "3": "ean", "4": "sici"}
NOTES = (
    *("500", "501", "502", "504", "505", "506", "507", "508", "510", "511", "513", "515", "516", "518", "521"),
    *("522", "524", "525", "526", "530", "533", "534", "535", "536", "538", "540", "541", "542", "544", "545"),
    *("546", "547", "550", "555", "556", "561", "562", "563", "565", "567", "580", "581", "583", "584", "585", "586"),
)
_SUBJECTS, _CLASSES, _NOTES = frozenset(SUBJECTS), frozenset((*CLASSES, "084")), frozenset(NOTES)
_SERIES = frozenset(("440", "830"))


def draft_of(fields: Fields, origin: SourceRecord, warnings: list[str], *, has_own_key: bool = True) -> BookDraft:
    """Return what the record says of a book; raise InvalidValue where that is none, without a title."""
    main = list(headings_of(fields, MAIN, warnings))
    added = list(headings_of(fields, ADDED, warnings))
    author = main_of(main, added)
    title = next(iter(fields.of("245")), None)
    if title is None:
        if said_by_unimarc(fields):
            raise InvalidValue("is UNIMARC: its title stands in 200, not in 245; convert it to MARC 21 first")
        raise InvalidValue("has no title: the field 245 is missing")
    told: dict[str, Any] = {
        "title": _title(title),
        "subtitle": trimmed(title.joined("b")) or None,
        "responsibility": trimmed(title.joined("c")) or None,
        "identifiers": _identifiers(fields),
        "published": _published(fields),
        "languages": _languages(fields, warnings),
        "publishers": _imprint(fields, "b"),
        "places": _imprint(fields, "a"),
        "edition": first(trimmed(field.joined("ab")) for field in fields.of("250")),
        "series": _series(fields),
        "extent": first(field.joined("abce") for field in fields.of("300")),
        "pages": _pages(fields),
        "subjects": _subjects(fields),
        "classifications": _classifications(fields),
        "description": "\n\n".join(field.joined("ab") for field in fields.of("520")) or None,
        "notes": (field.joined(LETTERS) for field in fields.among(_NOTES)),
        "links": _links(fields, warnings),
    }
    contributors = [each for heading in added for each in heading.as_contributors()]
    return drafted(
        origin,
        told,
        warnings,
        author=None if author is None else author.author,
        contributors=contributors,
        has_own_key=has_own_key,
    )


def said_by_unimarc(fields: Fields) -> bool:
    """Whether the record follows UNIMARC (IFLA), which has the same form and gives other numbers to its fields."""
    return any(field.said("a") for field in fields.of("200")[:1])


def _title(field: FieldText) -> str:
    title = trimmed(field.joined("anp")) or trimmed(field.joined("bkfgh"))
    if not title:
        raise InvalidValue("has no title: the field 245 is empty")
    return title


def _identifiers(fields: Fields) -> Iterator[Identifier]:
    for field in fields.of("020"):
        for code, status in (("a", None), ("z", _CANCELLED)):
            for given in field.said(code):
                if (found := _ISBN.match(given)) and (number := found[1].strip(" -")):
                    isbn = Identifier(scheme=ISBN, value=number[:200])
                    # In $z stands what is cancelled, and what never was an ISBN.
                    yield isbn if status is None or isbn.isbn is None else evolve(isbn, status=status)
    for tag, scheme in (("010", "lccn"), ("022", "issn")):
        for field in fields.of(tag):
            for code, status in (("a", None), ("z", _CANCELLED)):
                yield from _numbers(scheme, field.said(code), status)
    for field in fields.of("024"):
        ours = field.said("2") if field.first == "7" else []
        scheme = ours[0] if ours else NUMBERS_024.get(field.first, "")
        yield from _numbers(scheme, field.said("a"), None)
    for field in fields.of("035"):
        for given in field.said("a"):
            if found := _CONTROL_NUMBER.fullmatch(given):
                giver, number = found[1], found[2].strip()
                if giver.lower() == "ocolc" and (digits := _OCLC.fullmatch(number)):
                    giver, number = "oclc", digits[1]
                yield from _numbers(giver, [number], None)


def _numbers(scheme: str, given: Iterable[str], status: IdentifierStatus | None) -> Iterator[Identifier]:
    for number in given:
        if 0 < len(number) <= 200:
            try:
                yield Identifier(scheme=Scheme.parse(scheme), value=number, status=status)
            except InvalidValue:  # the giver's name is no name of a scheme, or the number holds what no number does
                continue


def _published(fields: Fields) -> PartialDate | None:
    coded = fields.data("008")[7:11]
    if YEAR.fullmatch(coded):
        return _year(coded)
    for field in (*fields.of("264"), *fields.of("260")):
        if found := YEAR.search(field.joined("c")):
            return _year(found[1])
    return None


_year = lru_cache(maxsize=1024)(PartialDate)


def _languages(fields: Fields, warnings: list[str]) -> Iterator[Language]:
    codes = [fields.data("008")[35:38]]
    for field in fields.of("041"):
        for text in field.said("a"):
            # Formerly several were written in one subfield.
            codes += [text[at : at + 3] for at in range(0, len(text), 3)] if len(text) % 3 == 0 else [text]
    # MARC codes have three letters; with two, something stands where it should not.
    for code in dict.fromkeys(code.lower() for code in codes if len(code.strip(" |-\\#")) > 2):
        try:
            yield Language.parse(code)
        except InvalidValue as error:
            warnings.append(f"language {code[:50]!r} left out: it {error.rule}")


def _imprint(fields: Fields, code: str) -> Iterator[str]:
    """Yield the places or names of publication; of a book that has 264, those of its publication alone."""
    published = [field for field in fields.of("264") if field.second == "1"]
    for field in published or fields.of("260"):
        yield from [name_in_imprint(text) for text in field.said(code)]


def _series(fields: Fields) -> Iterator[Series]:
    for field in fields.of("490") or fields.among(_SERIES):
        title, position = trimmed(field.joined("anp")), trimmed(field.joined("v"))
        if title:
            yield from _made(Series, title=title, position=position or None)


def _pages(fields: Fields) -> int | None:
    return next((pages for field in fields.of("300") if (pages := pages_in(field.joined("a"))) is not None), None)


def _subjects(fields: Fields) -> Iterator[Subject]:
    for field in fields.among(_SUBJECTS):
        yield from _subjects_in(field)


@remembered
def _subjects_in(field: FieldText) -> Sequence[Subject]:
    if field.tag == "653":
        return [subject for term in field.said("a") for subject in _made(Subject, term=trimmed(term))]
    heading = trimmed(field.joined("abcdefghjklmnopqrst"))
    term = " -- ".join([part for part in (heading, *map(trimmed, field.said("vxyz"))) if part])
    named = field.said("2")[:1] if field.second == "7" else [TERM_LISTS.get(field.second, "")]
    return list(_made(Subject, term=term, scheme=_scheme(first(named))))


def _classifications(fields: Fields) -> Iterator[Classification]:
    for field in fields.among(_CLASSES):
        scheme = _scheme(CLASSES.get(field.tag) or first(field.said("2")))
        for value in field.said("a"):
            if scheme is not None:
                yield from _made(Classification, scheme=scheme, value=value)


def _scheme(name: str | None) -> Scheme | None:
    try:
        return Scheme.parse(name) if name else None
    except InvalidValue:
        return None


def _links(fields: Fields, warnings: list[str]) -> Iterator[Link]:
    for field in fields.of("856"):
        label = first((field.joined("3"), field.joined("y"), field.joined("z")))
        for address in field.said("u"):
            try:
                yield Link(url=Url.parse(address), label=label)
            except InvalidValue as error:
                warnings.append(f"link {address[:100]!r} left out: it {error.rule}")


def _made(make: Callable[..., T], **values: Any) -> Iterator[T]:
    """Yield the part of a book, unless its words are none that a catalogue keeps."""
    try:
        yield make(**values)
    except InvalidValue:
        return
