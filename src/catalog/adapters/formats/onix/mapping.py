"""A product of ONIX as the draft of a book: which element says what.

ONIX 3 divides a product into blocks; in 2.1 everything stands in the product itself. Both are looked into.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

from catalog.adapters.formats.common import drafted, identifiers_of
from catalog.domain.books import Classification, Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft
from catalog.domain.values import Language, PartialDate, Scheme

from .codes import CLASSES, DESCRIPTIONS, KEYWORDS, NUMBERS, PAGES, SUBJECTS
from .dates import date_in, date_of
from .elements import children, prose_of, said, text_of
from .people import people_of
from .titles import Titled, title_of

T = TypeVar("T")

BLOCKS = ("descriptivedetail", "collateraldetail", "publishingdetail")

_PAGES_UNIT = "03"
_PUBLISHER = ("", "01")
_NUMBER = re.compile(r"\d{1,6}")


def draft_of(product: Element, origin: SourceRecord, warnings: list[str], *, has_own_key: bool) -> BookDraft:
    """Return what the product says of a book; raise InvalidValue where that is none, without a title."""
    blocks = [product, *children(product, *BLOCKS)]
    title = title_of(blocks)
    author, contributors = people_of(blocks, warnings)
    told: dict[str, Any] = {
        "title": title.text,
        "subtitle": title.subtitle or None,
        "responsibility": _first(blocks, "contributorstatement"),
        "identifiers": _identifiers(product),
        "published": _published(blocks, warnings),
        "languages": _languages(blocks, warnings),
        "publishers": _publishers(blocks),
        "places": [name for block in blocks for name in said(block, "cityofpublication")],
        "edition": _first(blocks, "editionstatement") or _first(blocks, "editionnumber"),
        "series": _series(blocks, warnings),
        "pages": _pages(blocks),
        "subjects": _subjects(blocks, warnings),
        "classifications": _classifications(blocks, warnings),
        "description": _description(blocks),
    }
    return drafted(origin, told, warnings, author=author, contributors=contributors, has_own_key=has_own_key)


def _first(blocks: list[Element], name: str) -> str | None:
    return next((text for block in blocks for text in said(block, name)), None)


def _each(blocks: list[Element], *names: str) -> Iterator[Element]:
    return (element for block in blocks for element in children(block, *names))


def _identifiers(product: Element) -> Iterator[Identifier]:
    given = [
        (NUMBERS[code], text_of(each, "idvalue"))
        for each in children(product, "productidentifier")
        if (code := text_of(each, "productidtype")) in NUMBERS
        and (code != "03" or text_of(each, "idvalue").startswith(("978", "979")))
    ]
    given += [("isbn", text) for name in ("isbn", "ean13") for text in said(product, name)]
    told = set[tuple[str, str]]()
    for scheme, text in given:
        for identifier in identifiers_of({scheme: text}):
            # The same ISBN comes as GTIN-13, ISBN-13 and ISBN-10.
            if (number := (scheme, identifier.value)) not in told:
                told.add(number)
                yield identifier


def _published(blocks: list[Element], warnings: list[str]) -> PartialDate | None:
    try:
        for each in _each(blocks, "publishingdate"):
            if text_of(each, "publishingdaterole") == "01" and (date := date_of(each)) is not None:
                return date
        given = _first(blocks, "publicationdate")
        return date_in(given) if given else None
    except InvalidValue as error:
        warnings.append(f"date of publication left out: it {error.rule}")
        return None


def _languages(blocks: list[Element], warnings: list[str]) -> Iterator[Language]:
    codes = [
        code
        for each in _each(blocks, "language")
        if text_of(each, "languagerole") == "01"
        for code in said(each, "languagecode")
    ]
    for code in codes or [code for block in blocks for code in said(block, "languageoftext")]:
        try:
            yield Language.parse(code)
        except InvalidValue as error:
            warnings.append(f"language {code[:50]!r} left out: it {error.rule}")


def _publishers(blocks: list[Element]) -> Iterator[str]:
    """Yield the publisher, and the brand under which it publishes, where that is another name."""
    for each in _each(blocks, "publisher"):
        if text_of(each, "publishingrole") in _PUBLISHER:
            yield from said(each, "publishername")
    for each in _each(blocks, "imprint"):
        yield from said(each, "imprintname")


def _series(blocks: list[Element], warnings: list[str]) -> Iterator[Series]:
    for each in _each(blocks, "collection", "series", "set"):
        try:
            titled = title_of([each])
        except InvalidValue:
            titled = Titled(text_of(each, "titleofseries") or text_of(each, "titleofset"))
        number = (
            next(
                (
                    text
                    for one in children(each, "collectionsequence")
                    for text in said(one, "collectionsequencenumber")
                ),
                "",
            )
            or titled.part
            or text_of(each, "numberwithinseries")
            or text_of(each, "itemnumberwithinset")
        )
        if titled.text:
            yield from _made(Series, "series", warnings, title=titled.text, position=number or None)


def _pages(blocks: list[Element]) -> int | None:
    given = {
        text_of(each, "extenttype"): text_of(each, "extentvalue")
        for each in _each(blocks, "extent")
        if text_of(each, "extentunit") == _PAGES_UNIT
    }
    for text in (*(given.get(kind, "") for kind in PAGES), _first(blocks, "numberofpages") or ""):
        if _NUMBER.fullmatch(text) and int(text):
            return int(text)
    return None


def _subjects(blocks: list[Element], warnings: list[str]) -> Iterator[Subject]:
    for name, scheme in (("basicmainsubject", "bisac"), ("bicmainsubject", "bic")):
        for code in (text for block in blocks for text in said(block, name)):
            yield from _made(Subject, "subjects", warnings, term=code, scheme=Scheme(scheme))
    for each in _each(blocks, "subject"):
        code, heading = text_of(each, "subjectcode"), text_of(each, "subjectheadingtext")
        kind = text_of(each, "subjectschemeidentifier")
        if kind in KEYWORDS:
            for word in re.split("[;]" if ";" in heading else "[,]", heading):
                if word.strip():
                    yield from _made(Subject, "subjects", warnings, term=word.strip())
        elif kind in SUBJECTS and (heading or code):
            yield from _made(Subject, "subjects", warnings, term=heading or code, scheme=Scheme(SUBJECTS[kind]))
        elif kind not in CLASSES and heading:
            yield from _made(Subject, "subjects", warnings, term=heading)


def _classifications(blocks: list[Element], warnings: list[str]) -> Iterator[Classification]:
    for each in _each(blocks, "subject"):
        kind = text_of(each, "subjectschemeidentifier")
        for code in said(each, "subjectcode") if kind in CLASSES else ():
            yield from _made(Classification, "classifications", warnings, scheme=Scheme(CLASSES[kind]), value=code)


def _description(blocks: list[Element]) -> str | None:
    for name, kinds in DESCRIPTIONS.items():
        texts = {
            text_of(each, name): prose_of(text)
            for each in _each(blocks, "textcontent", "othertext")
            for text in children(each, "text")
        }
        for kind in kinds:
            if texts.get(kind):
                return texts[kind]
    return None


def _made(make: Callable[..., T], what: str, warnings: list[str], **values: Any) -> Iterator[T]:
    """Yield the part of a book, unless its words are none that a catalogue keeps."""
    try:
        yield make(**values)
    except InvalidValue as error:
        warnings.append(f"one of {what} left out: it {error.rule}")
