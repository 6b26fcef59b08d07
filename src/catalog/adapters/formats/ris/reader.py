"""Records of RIS to drafts of books."""

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, BinaryIO

import rispy
from attrs import frozen

from catalog.adapters.formats.common import (
    LANGUAGE_NAMES,
    drafted,
    identifiers_of,
    inverted,
    links_of,
    somebody,
    unpacked,
)
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
    "editors": "edt",
    "tertiary_authors": "pbd",
    "subsidiary_authors": "trl",
    "translated_author": "trl",
}
"""What rispy calls the tags A2, A3, A4 and TA, and we ED, and the relator code that each stands for with a book."""

MAPPING: Mapping[str, str] = {**rispy.config.TAG_KEY_MAPPING, "ED": "editors"}
"""What each tag is called."""

BOOKS = frozenset({"BOOK", "EBOOK", "EDBOOK"})
WHOLE = BOOKS | {
    "ANCIENT", "CLSWK", "CTLG", "DICT", "ENCYC", "GOVDOC", "MANSCPT", "MUSIC", "PAMP", "RPRT", "STAND", "THES", "UNPB",
}  # fmt: skip  # a list is read in lines
"""The types of what stands alone, so that SP says how many pages it has; of others, on which page it begins."""

TITLES = ("title", "primary_title", "short_title")

_BEGINS = re.compile(rb"^(?:\xef\xbb\xbf)?TY\s\s?-")
_ENDS = re.compile(rb"^ER\s\s?-")
_DATE = re.compile(r"(-?\d{1,4})(?:[/-](\d{1,2}))?(?:[/-](\d{1,2}))?")
_ISSNS = re.compile(r"(?:(?:e|p)?-?ISSN:?\s*)?\d{4}-?\d{3}[\dXx](?:\s*\([^()]*\))?(?:\s+|$)", re.IGNORECASE)
_ISSN = re.compile(r"\d{4}-?\d{3}[\dXx]")
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
            (said,) = _Parser(mapping={**MAPPING}, list_tags=[*MAPPING]).parse(text)
        except Exception as error:  # noqa: BLE001 - rispy raises whatever Python does
            return Entry(line=line, refusal=f"is no record of RIS: {str(error)[:200]}")
        given = _first(said.get("id"))[:200]
        key = given or sha256(content).hexdigest()
        try:
            draft = _draft(said, SourceRecord(self.source, key, FORMAT, content), warnings, has_own_key=bool(given))
        except InvalidValue as error:
            return Entry(line=line, key=key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=line, key=key, draft=draft, warnings=tuple(warnings))


class _Parser(rispy.RisParser):  # type: ignore[misc]  # rispy has no types
    """Keeps what stands under a tag that comes again; rispy keeps the first of most."""

    def _add_tag(self, record: dict[str, Any], tag: str, content: str, extend_multiline: bool = False) -> None:
        if tag == self.UNKNOWN_TAG:  # which stands for all that rispy does not know
            tag = tag.lower()
        kept = record.get(self.mapping.get(tag, ""))
        if extend_multiline and kept and tag not in rispy.config.LIST_TYPE_TAGS:
            kept[-1] = f"{kept[-1]} {content}".strip()
        else:
            super()._add_tag(record, tag, content, extend_multiline)


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
    abstracts, more = (list(dict.fromkeys(_texts(said.get(name)))) for name in ("abstract", "notes_abstract"))
    notes = [text for text in more if abstracts and text not in abstracts]
    values: dict[str, Any] = {
        "title": next((text for name in TITLES if (text := _first(said.get(name)))), ""),
        "identifiers": identifiers_of({**_numbers(said, warnings), "doi": _texts(said.get("doi"))}),
        "published": _published(said, warnings),
        "languages": _languages(_text(said.get("language")), warnings),
        "publishers": _several(said.get("publisher")),
        "places": _several(said.get("place_published")),
        "edition": ", ".join(_texts(said.get("edition"))) or None,
        "series": list(_series(said)),
        "pages": _pages(said),
        "subjects": [Subject(term=text[:500]) for text in _texts(said.get("keywords"))],
        "description": "\n\n".join(abstracts or more) or None,
        "notes": [*(text for name in ("notes", "research_notes") for text in _texts(said.get(name))), *notes],
        "links": links_of(_texts(said.get("urls")), warnings),
    }
    if tags := list(dict.fromkeys(_left_out(said, values))):
        warnings.append(f"left out, as no field takes it: {', '.join(tags)}")
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


def _first(value: Any) -> str:
    return next(iter(_texts(value)), "")


def _numbers(said: Mapping[str, Any], warnings: list[str]) -> Mapping[str, Sequence[str]]:
    """Return the numbers by their scheme: SN holds the ISBN of a book, and the ISSN of a journal or a series."""
    isbns, issns = list[str](), list[str]()
    for text in (part.strip() for each in _texts(said.get("issn")) for part in re.split("[;,|]", each) if part.strip()):
        if not _ISSNS.sub("", text):
            issns += _ISSN.findall(text)
        elif len(re.sub("[^0-9Xx]", "", text)) >= 9:
            isbns.append(text)
        else:
            warnings.append(f"SN {text[:50]!r} left out: it is neither an ISBN nor an ISSN")
    return {"isbn": isbns, "issn": issns}


def _left_out(said: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tags of what no field takes."""
    tags = {name: tag for tag, name in MAPPING.items()}
    for name, value in said.items():
        if name == MAPPING["UK"]:
            yield from (tag.upper() for tag, texts in value.items() if tag and _texts(texts))
        elif name in tags and not set(_texts(value)) <= set(_taken(name, said, values)):
            yield tags[name]


def _taken(name: str, said: Mapping[str, Any], values: Mapping[str, Any]) -> Iterable[str]:
    """Return what a field takes of that which stands under a tag."""
    texts, is_book = _texts(said.get(name)), _type(said) in BOOKS
    match name:
        case "id":
            return texts[:1]
        case "short_title":
            return [text for text in texts if values["title"].startswith(text)]
        case "title" | "primary_title":
            return [values["title"]]
        case "secondary_title" | "tertiary_title":
            return [each.title for each in values["series"]]
        case "volume":
            return texts[:1] if values["series"] and is_book else []
        case "start_page" | "end_page":
            return [] if values["pages"] is None else texts
        case _:
            return texts if name in _TAKEN else []


_TAKEN = frozenset(
    {*AUTHORS, *CONTRIBUTORS, "type_of_reference", "end_of_reference", "issn", "doi", "date", "year",
     "publication_year", "language", "publisher", "place_published", "edition", "keywords", "abstract",
     "notes_abstract", "notes", "research_notes", "urls"}
)  # fmt: skip  # a list is read in lines


def _type(said: Mapping[str, Any]) -> str:
    return str(said.get("type_of_reference", "")).strip()


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
    for part in re.split(r"[,;/]|\band\b", text):
        code = LANGUAGE_NAMES.get(part.strip().lower()) or re.split("[-_]", part.strip())[0]
        if code:
            try:
                yield Language.parse(code)
            except InvalidValue as error:
                warnings.append(f"language {part.strip()[:50]!r} left out: it {error.rule}")


def _series(said: Mapping[str, Any]) -> Iterator[Series]:
    is_book = _type(said) in BOOKS
    names = ("tertiary_title", "secondary_title") if is_book else ("tertiary_title",)
    titles: list[str] = next((texts for name in names if (texts := _texts(said.get(name)))), [])
    position = _first(said.get("volume")) if is_book else ""
    for number, title in enumerate(titles):
        yield Series(title=title[:1000], position=(position[:100] or None) if number == 0 else None)


def _pages(said: Mapping[str, Any]) -> int | None:
    """Return how many pages a whole book has: SP, or where SP is the first of them, EP."""
    if _type(said) not in WHOLE:
        return None
    first, last = _first(said.get("start_page")), _first(said.get("end_page"))
    found = _PAGES.fullmatch(last if last and first in ("", "1") else "" if last else first)
    return int(found[1]) or None if found else None
