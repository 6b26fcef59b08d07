"""A record of MARC 21 as the draft of a book: which field says what. What has no field here is left to the record."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from attrs import evolve
from pymarc import Field, Record

from catalog.adapters.formats.common import drafted
from catalog.domain.books import Classification, Link, Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft
from catalog.domain.values import IdentifierStatus, Language, PartialDate, Scheme, Url

from .people import ADDED, MAIN, headings_of, main_of
from .subfields import first, joined, said, text_of, trimmed

T = TypeVar("T")

_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?!\d)")
_ISBN = re.compile(r"(?:urn:isbn:|isbn(?:-1[03])?:?)?\s*([0-9][0-9Xx\s\-\u2010-\u2015]*)", re.IGNORECASE)
_PAGES = re.compile(r"(?<![\d-])(\d{1,6})\]?\s*(?:unnumbered )?(?:p\b|pages\b|pgs?\b|s\b|S\b|Seiten\b)")
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


def draft_of(record: Record, origin: SourceRecord, warnings: list[str]) -> BookDraft:
    """Return what the record says of a book; raise InvalidValue where that is none, without a title."""
    main = list(headings_of(record, MAIN, warnings))
    added = list(headings_of(record, ADDED, warnings))
    author = main_of(main, added)
    title = record.get("245")
    if title is None:
        if said_by_unimarc(record):
            raise InvalidValue("is UNIMARC: its title stands in 200, not in 245; convert it to MARC 21 first")
        raise InvalidValue("has no title: the field 245 is missing")
    told: dict[str, Any] = {
        "title": _title(title),
        "subtitle": trimmed(joined(title, "b")) or None,
        "responsibility": trimmed(joined(title, "c")) or None,
        "identifiers": _identifiers(record),
        "published": _published(record),
        "languages": _languages(record, warnings),
        "publishers": _imprint(record, "b"),
        "places": _imprint(record, "a"),
        "edition": first(trimmed(joined(field, "ab")) for field in record.get_fields("250")),
        "series": _series(record),
        "extent": first(joined(field, "abce") for field in record.get_fields("300")),
        "pages": _pages(record),
        "subjects": _subjects(record),
        "classifications": _classifications(record),
        "description": "\n\n".join(joined(field, "ab") for field in record.get_fields("520")) or None,
        "notes": (text_of(field) for field in record.get_fields(*NOTES)),
        "links": _links(record, warnings),
    }
    contributors = [heading.as_contributor for heading in added]
    return drafted(origin, told, warnings, author=None if author is None else author.author, contributors=contributors)


def said_by_unimarc(record: Record) -> bool:
    """Whether the record follows UNIMARC (IFLA), which has the same form and gives other numbers to its fields."""
    field = record.get("200")
    return field is not None and bool(said(field, "a"))


def _title(field: Field) -> str:
    title = trimmed(joined(field, "anp")) or trimmed(joined(field, "bkfgh"))
    if not title:
        raise InvalidValue("has no title: the field 245 is empty")
    return title


def _identifiers(record: Record) -> Iterator[Identifier]:
    for field in record.get_fields("020"):
        for code, status in (("a", None), ("z", _CANCELLED)):
            for given in said(field, code):
                if (found := _ISBN.match(given)) and (number := found[1].strip(" -")):
                    isbn = Identifier(scheme=Scheme("isbn"), value=number[:200])
                    # In $z stands what is cancelled, and what never was an ISBN.
                    yield isbn if status is None or isbn.isbn is None else evolve(isbn, status=status)
    for tag, scheme in (("010", "lccn"), ("022", "issn")):
        for field in record.get_fields(tag):
            for code, status in (("a", None), ("z", _CANCELLED)):
                yield from _numbers(scheme, said(field, code), status)
    for field in record.get_fields("024"):
        ours = said(field, "2") if field.indicators and field.indicators[0] == "7" else []
        scheme = ours[0] if ours else NUMBERS_024.get(field.indicators[0] if field.indicators else "", "")
        yield from _numbers(scheme, said(field, "a"), None)
    for field in record.get_fields("035"):
        for given in said(field, "a"):
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


def _published(record: Record) -> PartialDate | None:
    coded = _coded(record)[7:11]
    if _YEAR.fullmatch(coded):
        return PartialDate(coded)
    for field in (*record.get_fields("264"), *record.get_fields("260")):
        if found := _YEAR.search(joined(field, "c")):
            return PartialDate(found[1])
    return None


def _coded(record: Record) -> str:
    field = record.get("008")
    return "" if field is None else field.data or ""


def _languages(record: Record, warnings: list[str]) -> Iterator[Language]:
    codes = [_coded(record)[35:38]]
    for field in record.get_fields("041"):
        for text in said(field, "a"):
            # Formerly several were written in one subfield.
            codes += [text[at : at + 3] for at in range(0, len(text), 3)] if len(text) % 3 == 0 else [text]
    # MARC codes have three letters; with two, something stands where it should not.
    for code in dict.fromkeys(code.lower() for code in codes if len(code.strip(" |-\\#")) > 2):
        try:
            yield Language.parse(code)
        except InvalidValue as error:
            warnings.append(f"language {code[:50]!r} left out: it {error.rule}")


def _imprint(record: Record, code: str) -> Iterator[str]:
    """Yield the places or names of publication; of a book that has 264, those of its publication alone."""
    published = [field for field in record.get_fields("264") if field.indicators and field.indicators[1] == "1"]
    for field in published or record.get_fields("260"):
        yield from (trimmed(text).strip("[] ") for text in said(field, code))


def _series(record: Record) -> Iterator[Series]:
    for field in record.get_fields("490") or record.get_fields("440", "830"):
        title, position = trimmed(joined(field, "anp", " ")), trimmed(joined(field, "v"))
        if title:
            yield from _made(Series, title=title, position=position or None)


def _pages(record: Record) -> int | None:
    for field in record.get_fields("300"):
        if found := _PAGES.search(joined(field, "a")):
            return int(found[1]) or None
    return None


def _subjects(record: Record) -> Iterator[Subject]:
    for field in record.get_fields(*SUBJECTS):
        second = field.indicators[1] if field.indicators else " "
        if field.tag == "653":
            for term in said(field, "a"):
                yield from _made(Subject, term=trimmed(term))
            continue
        heading = trimmed(joined(field, "abcdefghjklmnopqrst"))
        term = " -- ".join(part for part in (heading, *map(trimmed, said(field, "vxyz"))) if part)
        named = said(field, "2")[:1] if second == "7" else [TERM_LISTS.get(second, "")]
        yield from _made(Subject, term=term, scheme=_scheme(first(named)))


def _classifications(record: Record) -> Iterator[Classification]:
    for field in record.get_fields(*CLASSES, "084"):
        scheme = _scheme(CLASSES.get(field.tag) or first(said(field, "2")))
        for value in said(field, "a"):
            if scheme is not None:
                yield from _made(Classification, scheme=scheme, value=value)


def _scheme(name: str | None) -> Scheme | None:
    try:
        return Scheme.parse(name) if name else None
    except InvalidValue:
        return None


def _links(record: Record, warnings: list[str]) -> Iterator[Link]:
    for field in record.get_fields("856"):
        label = first((joined(field, "3"), joined(field, "y"), joined(field, "z")))
        for address in said(field, "u"):
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
