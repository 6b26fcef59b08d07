"""An edition of Open Library as the draft of a book: which field says what."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from catalog.adapters.formats.common import drafted, identifiers_of
from catalog.domain.books import Classification, Link, Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import ISBN, Identifier
from catalog.domain.sources import BookDraft, DraftContributor
from catalog.domain.values import Language, PartialDate, Scheme, Url

from .dates import date_within
from .fields import CLASSES, IDENTIFIERS, ISBNS, SUBJECTS
from .people import Known, contributors_of
from .values import keys_of, line_of, text_of, texts_of

T = TypeVar("T")


_POSITION = re.compile(r"(?P<title>.*?\S)(?:\s+--\s+|\s*;\s+|\s+(?=#))(?P<position>\S.*)")


def draft_of(
    edition: Mapping[str, Any], origin: SourceRecord, known: Known, warnings: list[str], *, has_own_key: bool
) -> BookDraft:
    """Return what the edition says of a book; raise InvalidValue where that is none, without a title."""
    authors = list(known.authors_of(edition, warnings))
    contributors = [DraftContributor(each) for each in authors[1:]]
    contributors += contributors_of(edition, warnings)
    told: dict[str, Any] = {
        "title": " ".join(line_of(edition.get(name)) for name in ("title_prefix", "title")).strip(),
        "subtitle": line_of(edition.get("subtitle")) or None,
        "responsibility": line_of(edition.get("by_statement")) or None,
        "identifiers": _identifiers(edition, warnings),
        "published": _published(edition, warnings),
        "languages": _languages(edition, warnings),
        "publishers": texts_of(edition.get("publishers")),
        "places": texts_of(edition.get("publish_places")),
        "edition": line_of(edition.get("edition_name")) or None,
        "series": _series(edition, warnings),
        "extent": line_of(edition.get("pagination")) or None,
        "pages": _pages(edition),
        "subjects": _subjects(edition, warnings),
        "classifications": _classifications(edition, warnings),
        "description": text_of(edition.get("description")) or None,
        "notes": _notes(edition),
        "links": _links(edition, warnings),
    }
    return drafted(
        origin,
        told,
        warnings,
        author=authors[0] if authors else None,
        contributors=contributors,
        has_own_key=has_own_key,
    )


def _identifiers(edition: Mapping[str, Any], warnings: list[str]) -> Iterator[Identifier]:
    told = set[str]()
    for text in (text for name in ISBNS for text in texts_of(edition.get(name))):
        found = list(identifiers_of({"isbn": text}))
        for each in found or _made(Identifier, "identifiers", warnings, scheme=ISBN, value=text):
            if each.value not in told:
                told.add(each.value)
                yield each
    for name, scheme in IDENTIFIERS.items():
        yield from identifiers_of({scheme: texts_of(edition.get(name))})
    others = edition.get("identifiers")
    for scheme, given in others.items() if isinstance(others, dict) else ():
        yield from identifiers_of({scheme: list(texts_of(given))})


def _published(edition: Mapping[str, Any], warnings: list[str]) -> PartialDate | None:
    text = line_of(edition.get("publish_date"))
    date = date_within(text) if text else None
    if text and date is None:
        warnings.append(f"date of publication left out: {text[:50]!r} names no year")
    return date


def _languages(edition: Mapping[str, Any], warnings: list[str]) -> Iterator[Language]:
    for key in keys_of(edition.get("languages")):
        code = key.removeprefix("/languages/").removeprefix("/l/")
        try:
            yield Language.parse(code)
        except InvalidValue as error:
            warnings.append(f"language {code[:50]!r} left out: it {error.rule}")


def _series(edition: Mapping[str, Any], warnings: list[str]) -> Iterator[Series]:
    for text in texts_of(edition.get("series")):
        found = _POSITION.fullmatch(text[:2000])
        title, position = (found["title"], found["position"].lstrip("#").strip(" .")) if found else (text, "")
        yield from _made(Series, "series", warnings, title=title.strip(" ;"), position=position or None)


def _pages(edition: Mapping[str, Any]) -> int | None:
    text = line_of(edition.get("number_of_pages"))
    return int(text) or None if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def _subjects(edition: Mapping[str, Any], warnings: list[str]) -> Iterator[Subject]:
    for term in (text for name in SUBJECTS for text in texts_of(edition.get(name))):
        yield from _made(Subject, "subjects", warnings, term=term)


def _classifications(edition: Mapping[str, Any], warnings: list[str]) -> Iterator[Classification]:
    others = edition.get("classifications")
    given = [(scheme, edition.get(name)) for name, scheme in CLASSES.items()]
    given += others.items() if isinstance(others, dict) else ()
    for name, values in given:
        for value in texts_of(values):
            try:
                yield Classification(scheme=Scheme.parse(name), value=value)
            except InvalidValue as error:
                warnings.append(f"one of classifications left out: it {error.rule}")


def _notes(edition: Mapping[str, Any]) -> Iterator[str]:
    yield text_of(edition.get("notes"))
    yield from (f"Contributor: {name}" for name in texts_of(edition.get("contributions")))


def _links(edition: Mapping[str, Any], warnings: list[str]) -> Iterator[Link]:
    given = edition.get("links")
    pairs = [(line_of(each.get("url")), line_of(each.get("title"))) for each in _objects(given)]
    pairs += [(text, "") for text in dict.fromkeys((*texts_of(edition.get("uris")), *texts_of(edition.get("url"))))]
    for address, label in pairs:
        if address:
            try:
                yield Link(url=Url.parse(address), label=label or None)
            except InvalidValue as error:
                warnings.append(f"link {address[:100]!r} left out: it {error.rule}")


def _objects(given: Any) -> Iterator[Mapping[str, Any]]:
    return (each for each in given if isinstance(each, dict)) if isinstance(given, list) else iter(())


def _made(make: Callable[..., T], what: str, warnings: list[str], **values: Any) -> Iterator[T]:
    """Yield the part of a book, unless its words are none that a catalogue keeps."""
    try:
        yield make(**values)
    except InvalidValue as error:
        warnings.append(f"one of {what} left out: it {error.rule}")
