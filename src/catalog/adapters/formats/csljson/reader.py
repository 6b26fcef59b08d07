"""Items of CSL-JSON to drafts of books."""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, BinaryIO

import msgspec
from attrs import frozen

from catalog.adapters.formats.common import drafted, identifiers_of, inverted, links_of, object_in, objects_of, somebody
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue, UnreadableFile
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.values import Language, PartialDate, Role

from .variables import IDENTIFIERS, ROLES, TEXTS

FORMAT = "csl"

LONGEST_ITEM = 10_000_000
"""Bytes; an object that holds items is one, too."""

_YEAR = re.compile(r"(?<![\d-])-?\d{4}(?!\d)|(?<=\d-)\d{4}(?!\d)", re.ASCII)
_SHORT_YEAR = re.compile(r"-?\d{1,3}", re.ASCII)
_BEFORE = re.compile(r"(\d{1,4})\s?b\.?\s?c\.?(?:\s?e\.?)?", re.IGNORECASE | re.ASCII)
_PAGES = re.compile(r"\d{1,6}")
_TAGS = re.compile(r"</?(?:i|b|sub|sup|span)\b[^<>]{0,200}>")


@frozen(kw_only=True)
class CslReader:
    """Reads an array of items, or one item."""

    source: str

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each item says."""
        strange: list[Entry] = []
        is_csl = False
        number = 0
        for raw in objects_of(content, LONGEST_ITEM):
            is_csl = is_csl or raw is None or raw.startswith(b"{")
            if is_csl:
                yield from strange
                strange.clear()
            for item in _items(raw):
                number += 1
                entry = self._entry(number, item)
                if is_csl:
                    yield entry
                else:
                    strange.append(entry)
        if strange:
            raise UnreadableFile("the file is no array of items, as CSL-JSON is")

    def _entry(self, number: int, item: Any) -> Entry:
        if isinstance(item, InvalidValue):
            return Entry(line=number, refusal=item.rule)
        if not isinstance(item, dict):
            return Entry(line=number, refusal="is no item: an object was expected")
        content = msgspec.json.encode(item)
        given = item.get("id")
        is_text = isinstance(given, str | int) and not isinstance(given, bool)
        is_own = is_text and 0 < len(str(given).strip()) <= 200
        key = str(given) if is_own else sha256(content).hexdigest()
        warnings: list[str] = []
        try:
            draft = _draft(item, SourceRecord(self.source, key, FORMAT, content), warnings, has_own_key=is_own)
        except InvalidValue as error:
            return Entry(line=number, key=key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=number, key=key, draft=draft, warnings=tuple(warnings))


def _items(raw: bytes | None) -> Iterable[Any]:
    """Return the items that an object is, or holds; in place of what is none, the reason."""
    if raw is None:
        return [InvalidValue(f"is longer than {LONGEST_ITEM:,} bytes, so it is no item")]
    try:
        said = object_in(raw)
    except InvalidValue as error:
        return [error]
    items = said.get("items")
    return items if isinstance(items, list) else [said]


def _draft(item: Mapping[str, Any], origin: SourceRecord, warnings: list[str], *, has_own_key: bool) -> BookDraft:
    authors = list(_people(item.get("author"), warnings))
    contributors = [DraftContributor(author) for author in authors[1:]]
    for variable, role in ROLES.items():
        contributors += [DraftContributor(each, Role(role)) for each in _people(item.get(variable), warnings)]
    said: dict[str, Any] = {
        "title": _text(item.get("title")),
        **{field: _text(item.get(variable)) or None for variable, field in TEXTS.items()},
        "identifiers": identifiers_of({scheme: _text(item.get(name)) for name, scheme in IDENTIFIERS.items()}),
        "published": _date(item.get("issued"), warnings),
        "languages": _languages(_text(item.get("language")), warnings),
        "publishers": [_text(item.get("publisher"))],
        "places": [_text(item.get("publisher-place"))],
        "series": _series(item, warnings),
        "pages": _pages(_text(item.get("number-of-pages"))),
        "subjects": _subjects(_text(item.get("keyword")), warnings),
        "description": _lines(item.get("abstract")) or None,
        "notes": [_lines(item.get(name)) for name in ("note", "annote")],
        "links": links_of([_text(item.get("URL"))], warnings),
    }
    return drafted(
        origin,
        said,
        warnings,
        author=authors[0] if authors else None,
        contributors=contributors,
        has_own_key=has_own_key,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return ""
    return " ".join(_TAGS.sub("", str(value)).split())


def _lines(value: Any) -> str:
    return "\n".join(map(_text, value.splitlines())).strip() if isinstance(value, str) else _text(value)


def _people(names: Any, warnings: list[str]) -> Iterator[AuthorDetails]:
    for name in names if isinstance(names, list) else ():
        try:
            if isinstance(name, dict) and (author := _person(name)) is not None:
                yield author
        except InvalidValue as error:
            warnings.append(f"a name left out: it {error.rule}")


def _person(name: Mapping[str, Any]) -> AuthorDetails | None:
    if literal := _text(name.get("literal")):
        return AuthorDetails(name=literal)
    particle = " ".join(filter(None, (_text(name.get(f"{kind}-particle")) for kind in ("dropping", "non-dropping"))))
    family, given = (_text(name.get(part)) for part in ("family", "given"))
    family = " ".join(filter(None, (particle, family)))
    if family and given:
        return inverted(family, given, suffix=_text(name.get("suffix")))
    return somebody(family or given) if family or given else None


def _date(said: Any, warnings: list[str]) -> PartialDate | None:
    if not isinstance(said, dict):
        return None
    parts = said.get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else []
    numbers = [str(part).strip() for part in first[:3] if isinstance(part, str | int) and str(part).strip()]
    if numbers:
        for length in range(len(numbers), 0, -1):  # a month may be a season
            if (date := _of_numbers(numbers[:length])) is not None:
                if length < len(numbers):
                    warnings.append(f"date {numbers} shortened to {date}: the rest is no month and day")
                return date
    text = _text(said.get("raw")) or _text(said.get("literal"))
    if not text and numbers:
        text = "-".join(numbers)
    elif text and (date := _of_text(text)) is not None:
        return date
    if text:
        warnings.append(f"date {text[:50]!r} left out: it is neither a year nor YYYY-MM-DD")
    return None


def _of_numbers(numbers: list[str]) -> PartialDate | None:
    try:
        year, *others = map(int, numbers)
        return PartialDate.parse("-".join([str(PartialDate.of_year(year)), *(f"{number:02d}" for number in others)]))
    except ValueError:
        return None


def _of_text(text: str) -> PartialDate | None:
    try:
        return PartialDate.parse(text)
    except InvalidValue:
        pass
    if (found := _BEFORE.search(text)) and int(found[1]):
        return PartialDate.of_year(1 - int(found[1]))
    found = _YEAR.search(text) or _SHORT_YEAR.fullmatch(text)
    return PartialDate.of_year(int(found[0])) if found else None


def _languages(text: str, warnings: list[str]) -> Iterator[Language]:
    for tag in text.split(","):
        code = re.split("[-_]", tag.strip())[0]
        if code:
            try:
                yield Language.parse(code)
            except InvalidValue as error:
                warnings.append(f"language {tag[:50]!r} left out: it {error.rule}")


def _subjects(text: str, warnings: list[str]) -> Iterator[Subject]:
    for term in filter(None, map(str.strip, text.split(";" if ";" in text else ","))):
        try:
            yield Subject(term=term)
        except InvalidValue as error:
            warnings.append(f"one of subjects left out: it {error.rule}")


def _series(item: Mapping[str, Any], warnings: list[str]) -> Iterator[Series]:
    if title := _text(item.get("collection-title")):
        try:
            yield Series(title=title, position=_text(item.get("collection-number")) or None)
        except InvalidValue as error:
            warnings.append(f"series left out: it {error.rule}")


def _pages(text: str) -> int | None:
    found = _PAGES.search(text)
    return int(found[0]) or None if found else None
