"""Lines of a dump to drafts of books: editions are books, works and authors tell who wrote them."""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec
from attrs import define, evolve, field, frozen

from catalog.adapters.formats.common import fitting, identifiers_of, unpacked
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import Classification, Link, Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.values import Language, PartialDate, Role, Scheme, Url

FORMAT = "openlibrary"
SOURCE = "openlibrary"
LONGEST_LINE = 10_000_000
"""Bytes."""
MOST_KNOWN = 1_000_000
"""Authors, and works, that are remembered from earlier lines."""

ROLES: Mapping[str, str] = {
    "editor": "edt", "illustrator": "ill", "translator": "trl", "introduction": "win", "foreword": "wpr",
    "narrator": "nrt", "photographer": "pht", "compiler": "com", "adapter": "adp", "preface": "wpr",
}  # fmt: skip  # a table is read by column
"""The roles that contributors are given in words, and the relator code of each."""

_YEAR = re.compile(r"(?<!\d)(\d{4})(?!\d)")
_NAMES_OF_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {_NAMES_OF_MONTHS[at : at + 3]: at // 4 + 1 for at in range(0, 48, 4)}
_MONTH_YEAR = re.compile(
    r"(?:(?P<day>\d{1,2})\s+)?(?P<month>[A-Za-z]{3,9})\.?\s*(?:(?P<other>\d{1,2}),?\s+)?(?P<year>\d{4})"
)


@define
class Known:
    """What earlier lines told, of this file and of others in the same run."""

    authors: dict[str, AuthorDetails] = field(factory=dict[str, AuthorDetails])
    works: dict[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]])
    """The keys of the authors of each work."""


@frozen(kw_only=True)
class OpenLibraryReader:
    """Reads dumps. Lines of authors and works come first, in this file or another, for editions to name anybody."""

    source: str = SOURCE
    known: Known = field(factory=Known)

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each line of an edition says; the other lines are remembered, or passed over."""
        with unpacked(content) as source:
            for number, line in enumerate(iter(lambda: source.readline(LONGEST_LINE), b""), 1):
                columns = line.rstrip(b"\r\n").split(b"\t", 4)
                if len(columns) != 5:
                    yield Entry(line=number, refusal=f"has {len(columns)} columns, and a line of a dump has 5")
                    continue
                key = columns[1].decode("utf-8", "replace").rpartition("/")[2][:200]
                try:
                    said = msgspec.json.decode(columns[4])
                    if (entry := self._entry(number, columns[0], key, said, line)) is not None:
                        yield entry
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    yield Entry(line=number, key=key, refusal=f"is no JSON: {error}")
                except (AttributeError, TypeError, KeyError, ValueError) as error:
                    yield Entry(line=number, key=key, refusal=f"is not as lines of a dump are: {str(error)[:200]}")

    def _entry(self, number: int, kind: bytes, key: str, said: dict[str, Any], line: bytes) -> Entry | None:
        if kind == b"/type/author":
            if len(self.known.authors) < MOST_KNOWN and (author := _author(key, said)) is not None:
                self.known.authors[key] = author
            return None
        if kind == b"/type/work":
            if len(self.known.works) < MOST_KNOWN:
                self.known.works[key] = tuple(_keys(said.get("authors")))
            return None
        if kind != b"/type/edition":
            return None
        warnings: list[str] = []
        try:
            draft = _draft(said, SourceRecord(SOURCE, key, FORMAT, line), self.known, warnings)
        except InvalidValue as error:
            return Entry(line=number, key=key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=number, key=key, draft=draft, warnings=tuple(warnings))


def _author(key: str, said: Mapping[str, Any]) -> AuthorDetails | None:
    try:
        author = AuthorDetails(
            name=_text(said.get("name")) or _text(said.get("personal_name")),
            variants=tuple(dict.fromkeys(name for name in _texts(said.get("alternate_names")) if len(name) <= 500))[
                :50
            ],
            identifiers=(Identifier(scheme=Scheme("olid"), value=key),),
        )
    except InvalidValue:
        return None
    dates: dict[str, Any] = {name: _date(_text(said.get(f"{name}_date"))) for name in ("birth", "death")}
    try:
        return evolve(author, **dates)
    except InvalidValue:  # who died before being born was described by somebody in error
        return author


def _draft(said: Mapping[str, Any], origin: SourceRecord, known: Known, warnings: list[str]) -> BookDraft:
    keys = list(_keys(said.get("authors")))
    keys = keys or [key for work in _keys(said.get("works")) for key in known.works.get(work, ())]
    authors = [known.authors[key] for key in dict.fromkeys(keys) if key in known.authors]
    if missing := [key for key in dict.fromkeys(keys) if key not in known.authors]:
        warnings.append(f"authors left out, whom no line before tells of: {', '.join(missing)[:200]}")
    others = [DraftContributor(author) for author in authors[1:]]
    for each in said.get("contributors") or ():
        if name := _text(each.get("name"))[:500]:
            role = ROLES.get(_text(each.get("role")).lower())
            others.append(DraftContributor(AuthorDetails(name=name), None if role is None else Role(role)))
    values: dict[str, Any] = {
        "title": " ".join(filter(None, (_text(said.get("title_prefix")), _text(said.get("title"))))),
        "subtitle": _text(said.get("subtitle")) or None,
        "responsibility": _text(said.get("by_statement")) or None,
        "identifiers": identifiers_of(
            {
                "isbn": [*_texts(said.get("isbn_13")), *_texts(said.get("isbn_10")), *_texts(said.get("isbn"))],
                "oclc": _texts(said.get("oclc_numbers")),
                "lccn": _texts(said.get("lccn")),
                "olid": [origin.key],
            }
        ),
        "published": _date(_text(said.get("publish_date")), warnings),
        "languages": _languages(said.get("languages"), warnings),
        "publishers": _texts(said.get("publishers")),
        "places": _texts(said.get("publish_places")),
        "edition": _text(said.get("edition_name")) or None,
        "series": [Series(title=title[:1000]) for title in _texts(said.get("series"))],
        "extent": _text(said.get("pagination")) or None,
        "pages": pages if type(pages := said.get("number_of_pages")) is int and pages > 0 else None,
        "subjects": [Subject(term=term[:500]) for term in _texts(said.get("subjects"))],
        "classifications": [
            *_classes("ddc", said.get("dewey_decimal_class")),
            *_classes("lcc", said.get("lc_classifications")),
        ],
        "description": _text(said.get("description"), has_lines=True) or None,
        "notes": [_text(said.get("notes"), has_lines=True), *_texts(said.get("contributions"))],
        "links": _links(_texts(said.get("uris")) or _texts(said.get("url")), warnings),
    }
    return BookDraft(
        origin=origin,
        details=fitting(values, warnings),
        author=authors[0] if authors else None,
        contributors=tuple(others[:200]),
    )


def _text(value: Any, *, has_lines: bool = False) -> str:
    if isinstance(value, dict):
        value = value.get("value")
    if not isinstance(value, str):
        return ""
    return "\n".join(line.strip() for line in value.splitlines()).strip() if has_lines else " ".join(value.split())


def _texts(value: Any) -> list[str]:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return [text for each in values if (text := _text(each))]


def _keys(values: Any) -> Iterator[str]:
    for each in values if isinstance(values, list) else ():
        while isinstance(each, dict) and isinstance(each.get("author"), dict | str):
            each = each["author"]  # noqa: PLW2901 - works have a role around it
        key = each.get("key") if isinstance(each, dict) else each
        if isinstance(key, str):
            yield key.rpartition("/")[2]


def _classes(scheme: str, value: Any) -> Iterator[Classification]:
    for text in _texts(value):
        yield Classification(scheme=Scheme(scheme), value=text[:200])


def _date(text: str, warnings: list[str] | None = None) -> PartialDate | None:
    """Return the date: 2003, June 2003, June 1, 2003, or 2003-06-01; of others, the year."""
    try:
        return PartialDate.parse(text) if text else None
    except InvalidValue:
        pass
    if (found := _MONTH_YEAR.fullmatch(text)) and (month := _MONTHS.get(found["month"][:3].lower())):
        day = found["day"] or found["other"]
        parts = [found["year"], f"{month:02d}", *([f"{int(day):02d}"] if day else [])]
        try:
            return PartialDate.parse("-".join(parts))
        except InvalidValue:
            pass
    if found := _YEAR.search(text):
        return PartialDate.of_year(int(found[1]))
    if warnings is not None:
        warnings.append(f"date {text[:50]!r} left out: there is no year in it")
    return None


def _languages(values: Any, warnings: list[str]) -> Iterator[Language]:
    for code in _keys(values):
        try:
            yield Language.parse(code)
        except InvalidValue as error:
            warnings.append(f"language {code[:50]!r} left out: it {error.rule}")


def _links(addresses: Iterable[str], warnings: list[str]) -> Iterator[Link]:
    for address in addresses:
        try:
            yield Link(url=Url.parse(address))
        except InvalidValue as error:
            warnings.append(f"link {address[:100]!r} left out: it {error.rule}")
