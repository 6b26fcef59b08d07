"""Records of RIS to drafts of books."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, BinaryIO

import rispy
from attrs import frozen

from catalog.adapters.formats.common import drafted, identifiers_of, inverted, links_of, somebody, unpacked
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue, UnreadableFile
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.values import Language, PartialDate, Role

from .writer import SEPARATOR

FORMAT = "ris"
MOST_LINES = 20_000
"""Lines of one record."""
LONGEST_RECORD = 10_000_000
"""Bytes of one record."""

AUTHORS = ("authors", "first_authors")
CONTRIBUTORS: Mapping[str, str] = {
    "secondary_authors": "edt",
    "tertiary_authors": "pbd",
    "subsidiary_authors": "trl",
    "translated_author": "trl",
}
"""What rispy calls the tags A2, A3, A4 and TA, and the relator code that each stands for with a book."""

TITLES = ("title", "primary_title", "short_title")

_BEGINS = re.compile(rb"^(?:\xef\xbb\xbf)?TY\s\s?-")
_ENDS = re.compile(rb"^ER\s\s?-")
_DATE = re.compile(r"(-?\d{1,4})(?:[/-](\d{1,2}))?(?:[/-](\d{1,2}))?")
_PAGES = re.compile(r"(\d{1,6})\s*(?:p\b|p\.|pages|S\.)?\s*$")


@frozen(kw_only=True)
class RisReader:
    """Reads records from TY to ER; what stands between them is passed over."""

    source: str

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each record says; `line` is where it begins."""
        count = 0
        for line, lines in _records(content):
            count += 1
            yield self._entry(line, lines)
        if not count:
            raise UnreadableFile("the file has no record of RIS: no line begins with 'TY  - '")

    def _entry(self, line: int, lines: Sequence[bytes]) -> Entry:
        content = b"".join(lines)
        if len(lines) > MOST_LINES or len(content) > LONGEST_RECORD:
            reason = f"is longer than {MOST_LINES:,} lines or {LONGEST_RECORD:,} bytes, so it is no record"
            return Entry(line=line, refusal=reason)
        if not _ENDS.match(lines[-1]):
            return Entry(line=line, refusal="has no end: a line 'ER  - ' was expected before the next record")
        warnings: list[str] = []
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
            warnings.append("is not in UTF-8, and was read as cp1252")
        try:
            (said,) = rispy.loads(text)
        except Exception as error:  # noqa: BLE001 - rispy raises whatever Python does
            return Entry(line=line, refusal=f"is no record of RIS: {str(error)[:200]}")
        given = str(said.get("id", "")).strip()[:200]
        key = given or sha256(content).hexdigest()
        try:
            draft = _draft(said, SourceRecord(self.source, key, FORMAT, content), warnings, has_own_key=bool(given))
        except InvalidValue as error:
            return Entry(line=line, key=key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=line, key=key, draft=draft, warnings=tuple(warnings))


def _records(content: BinaryIO) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Yield the lines of each record, and the number of the first; one that has no end ends with the next."""
    kept: list[bytes] = []
    begins = length = 0
    with unpacked(content) as source:
        for number, line in enumerate(iter(lambda: source.readline(1_000_000), b""), 1):
            if _BEGINS.match(line):
                if kept:
                    yield begins, kept
                kept, begins, length = [line], number, len(line)
            elif kept:
                kept.append(line)
                length += len(line)
                if _ENDS.match(line) or len(kept) > MOST_LINES or length > LONGEST_RECORD:
                    yield begins, kept
                    kept = []
    if kept:
        yield begins, kept


def _draft(said: Mapping[str, Any], origin: SourceRecord, warnings: list[str], *, has_own_key: bool) -> BookDraft:
    authors = [author for name in AUTHORS for author in _people(said.get(name), warnings)]
    others = [DraftContributor(author) for author in authors[1:]]
    for name, role in CONTRIBUTORS.items():
        others += [DraftContributor(author, Role(role)) for author in _people(said.get(name), warnings)]
    values: dict[str, Any] = {
        "title": next((text for name in TITLES if (text := _text(said.get(name)))), ""),
        "identifiers": identifiers_of(
            {
                "isbn": [*_texts(said.get("isbn")), *filter(_is_isbn, _texts(said.get("issn")))],
                "doi": _text(said.get("doi")),
            }
        ),
        "published": _published(said, warnings),
        "languages": _languages(_text(said.get("language")), warnings),
        "publishers": _several(said.get("publisher")),
        "places": _several(said.get("place_published")),
        "edition": _text(said.get("edition")) or None,
        "series": _series(said),
        "pages": _pages(_text(said.get("start_page"))),
        "subjects": [Subject(term=text[:500]) for text in _texts(said.get("keywords"))],
        "description": _text(said.get("abstract")) or _text(said.get("notes_abstract")) or None,
        "notes": [text for name in ("notes", "research_notes") for text in _texts(said.get(name))],
        "links": links_of(_texts(said.get("urls")), warnings),
    }
    return drafted(
        origin, values, warnings, author=authors[0] if authors else None, contributors=others, has_own_key=has_own_key
    )


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value] if value else []
    return [text for each in values if (text := " ".join(str(each).split()))]


def _several(value: Any) -> list[str]:
    return [part for text in _texts(value) for part in text.split(SEPARATOR)]


def _text(value: Any) -> str:
    return " ".join(_texts(value))


def _is_isbn(text: str) -> bool:
    """Whether it may be one: SN holds the ISBN of a book, and the ISSN of a journal."""
    return len(re.sub("[^0-9Xx]", "", text)) >= 9


def _people(names: Any, warnings: list[str]) -> Iterator[AuthorDetails]:
    for name in _texts(names):
        try:
            yield _person(name.strip(" ,;"))
        except InvalidValue as error:
            warnings.append(f"a name left out: it {error.rule}")


def _person(name: str) -> AuthorDetails:
    """Return who is named: family name, given names, and what follows them; two commas are one within a name."""
    if ",," in name:
        return AuthorDetails(name=" ".join(name.replace(",,", ",", 1).split()))
    family, given, suffix = ([part.strip() for part in name.split(",")] + ["", ""])[:3]
    return inverted(family, given, suffix=suffix) if name.count(",") == 2 and family and given else somebody(name)


def _published(said: Mapping[str, Any], warnings: list[str]) -> PartialDate | None:
    for name in ("date", "year", "publication_year"):
        text = _text(said.get(name))
        if found := _DATE.match(text):
            year, *others = (part for part in found.groups() if part)
            for parts in (others, others[:1], []):
                try:
                    date = "-".join([str(PartialDate.of_year(int(year))), *(f"{int(part):02d}" for part in parts)])
                    return PartialDate.parse(date)
                except InvalidValue:
                    continue
        if text:
            warnings.append(f"date {text[:50]!r} left out: it begins with no year")
    return None


def _languages(text: str, warnings: list[str]) -> Iterator[Language]:
    for part in re.split("[,;/]", text):
        code = re.split("[-_]", part.strip())[0]
        if code:
            try:
                yield Language.parse(code)
            except InvalidValue as error:
                warnings.append(f"language {part.strip()[:50]!r} left out: it {error.rule}")


def _series(said: Mapping[str, Any]) -> Iterator[Series]:
    is_book = str(said.get("type_of_reference", "")).strip() in {"BOOK", "EBOOK", "EDBOOK"}
    names = ("tertiary_title", "secondary_title") if is_book else ("tertiary_title",)
    if title := next((text for name in names if (text := _text(said.get(name)))), ""):
        position = _text(said.get("volume")) if is_book else ""
        yield Series(title=title[:1000], position=position[:100] or None)


def _pages(text: str) -> int | None:
    found = _PAGES.fullmatch(text)
    return int(found[1]) or None if found else None
