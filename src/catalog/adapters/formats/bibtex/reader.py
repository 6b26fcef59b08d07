"""Entries of BibTeX and BibLaTeX to drafts of books."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, BinaryIO

from attrs import frozen
from pybtex.bibtex.utils import split_name_list, split_tex_string
from pybtex.database import Person

from catalog.adapters.formats.common import (
    LANGUAGE_NAMES,
    drafted,
    identifiers_of,
    inverted,
    links_of,
    organised,
    whole,
)
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue, UnreadableFile
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.values import Language, PartialDate, Role

from .parser import MOST_EXPANDED, Parser
from .tex import plain as _plain

FORMAT = "bibtex"

ROLES: Mapping[str, str] = {
    "editor": "edt",
    "editora": "edt",
    "editorb": "edt",
    "editorc": "edt",
    "translator": "trl",
    "annotator": "ann",
    "commentator": "cmm",
    "introduction": "win",
    "foreword": "wpr",
    "afterword": "aft",
}
"""The fields that hold names, besides `author`, and the relator code that each stands for."""

EDITOR_TYPES: Mapping[str, str] = {
    "editor": "edt", "generaleditor": "edt", "redactor": "red", "reviser": "edt", "continuator": "ctb",
    "founder": "edt", "collaborator": "ctb", "none": "ctb", "annotator": "ann", "arranger": "arr", "artist": "art",
    "commentator": "cmm", "compiler": "com", "composer": "cmp", "conductor": "cnd", "coordinator": "ctb",
    "director": "drt", "host": "hst", "illustrator": "ill", "illustrated by": "ill", "interviewer": "ivr",
    "introduction": "win", "foreword": "wpr", "afterword": "aft", "librettist": "lbt", "libretto by": "lbt",
    "narrator": "nrt", "organizer": "orm", "performer": "prf", "photographer": "pht", "producer": "pro",
    "screenwriter": "aus", "singer": "sng", "translator": "trl", "vocalist": "voc", "written by": "aut",
}  # fmt: skip  # a table is read by column
"""What `editortype` says of `editor`, `editoratype` of `editora` and so on, and the relator code that it stands for."""

IDENTIFIERS: Mapping[str, str] = {"isbn": "isbn", "issn": "issn", "doi": "doi", "lccn": "lccn"}
"""The fields that hold numbers, and the scheme of each."""

LANGUAGES = LANGUAGE_NAMES
"""The names that Babel has for languages, which langid and language hold."""

LONGEST: Mapping[str, int] = {
    **dict.fromkeys(("author", *ROLES), 250_000),
    **dict.fromkeys(("publisher", "location", "address", "keywords"), 250_000),
    **dict.fromkeys(("abstract", "note", "annote", "annotation", "addendum"), 250_000),
}
"""Characters of TeX in fields that may hold much; of one character of text, TeX may make a dozen."""
LONGEST_OTHER = 20_000
"""Characters of TeX in all other fields, and in one name."""
_READ = LONGEST.keys() | IDENTIFIERS.keys() | {
    "title", "subtitle", "date", "year", "month", "langid", "language", "edition", "series", "number", "volume",
    "pagetotal", "url", "editortype", "editoratype", "editorbtype", "editorctype",
}  # fmt: skip  # a list is read in lines
_OF_BIBLATEX = frozenset({
    "annotator", "bookauthor", "booksubtitle", "commentator", "date", "editora", "editortype",
    "editoratype", "eprinttype", "eventdate", "eventtitle", "hyphenation", "issuetitle", "journalsubtitle",
    "journaltitle", "langid", "location", "mainsubtitle", "maintitle", "origdate", "origlanguage", "origlocation",
    "origpublisher", "origtitle", "shortauthor", "shorteditor", "subtitle", "titleaddon", "urldate",
})  # fmt: skip  # a list is read in lines
"""The fields that BibTeX does not have: where one is, publishers and places are lists."""
_PARENTS_OWN = frozenset({"abstract", "doi", "isbn", "lccn", "pagetotal", "url"})
"""What the entry that crossref names says of itself alone."""
_LCCN = re.compile(
    r"[a-z]{0,3} ?(?:\d{8}|\d{10}|\d{2}-\d{1,6}|(?:19|20)\d{2}-\d{1,6})(?: ?/[a-z/ 0-9]*)?", re.IGNORECASE
)
_MONTHS: Mapping[str, int] = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_BETWEEN_KEYWORDS = r"(?<!\\)[,;]"
_YEAR = re.compile(r"(?<!\d)-?\d{4}(?!\d)")
_MOST_PROBLEMS = 20
"""How many are told of one entry."""
_PAGES = re.compile(r"(\d{1,6})\s*(?:\+\s*\d+|pp?\.?|pages)?")


@frozen
class _Said:
    """One entry: where it stands, what is written there, and its fields as they are in TeX."""

    line: int
    raw: str
    kind: str
    key: str | None
    fields: Mapping[str, str]
    warnings: tuple[str, ...]


@frozen(kw_only=True)
class BibtexReader:
    """Reads entries of any kind; macros (@string) may be defined anywhere before."""

    source: str
    biblatex: bool = False
    """Whether all of it is BibLaTeX, whatever fields there are."""

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each entry says; `line` is where it begins."""
        raw = whole(content)
        encoding = "utf-8-sig"
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            text = raw.decode(encoding := "cp1252", "replace")
        if "@" not in text:
            raise UnreadableFile("the file has no entry of BibTeX: nothing in it begins with @")
        said = list(_entries(text))
        by_key = {each.key: each for each in said if isinstance(each, _Said) and each.key}
        inherited = 0
        for each in said:
            if isinstance(each, Entry):
                yield each
                continue
            warnings = list(each.warnings)
            if encoding == "cp1252" and not each.raw.isascii():
                warnings.append("the file is not in UTF-8, and was read as cp1252")
            parent = by_key.get(each.fields.get("crossref", ""))
            missing = {} if parent is None else _inherited(parent.fields, each.fields)
            inherited += sum(map(len, missing.values()))
            if inherited > MOST_EXPANDED:
                missing.clear()
                warnings.append(
                    "the fields of the entry that crossref names left out: "
                    f"such fields make the file longer by more than {MOST_EXPANDED:,} characters"
                )
            yield self._entry(each, {**missing, **each.fields}, warnings)

    def _entry(self, said: _Said, fields: Mapping[str, str], warnings: list[str]) -> Entry:
        key = (said.key or "")[:200]
        origin = SourceRecord(self.source, key or str(said.line), FORMAT, said.raw.encode("utf-8", "replace"))
        try:
            draft = _draft(_with_room(fields, warnings), origin, warnings, self.biblatex, has_own_key=bool(key))
        except InvalidValue as error:
            reason = f"{error} ({said.warnings[0]})" if said.warnings else str(error)
            return Entry(line=said.line, key=key, refusal=reason, warnings=tuple(warnings))
        return Entry(line=said.line, key=key, draft=draft, warnings=tuple(warnings))


def _entries(text: str) -> Iterator[_Said | Entry]:
    """Yield the entries, and for what can not be read, why."""
    problems: list[str] = []

    def note(error: Exception) -> None:
        if len(problems) < _MOST_PROBLEMS:
            problems.append(str(error)[:200])

    parser: Any = Parser(text, note)
    line, counted = 1, 0
    for kind, said in parser:
        begins = parser.command_start
        line, counted = line + text.count("\n", counted, begins), begins
        if kind.lower() == "string" or kind.lower() == "preamble":
            continue
        key, pairs = said
        fields: dict[str, str] = {}
        for name, values in pairs:
            fields.setdefault(name.lower(), " ".join("".join(values).split()))
        yield _Said(line, text[begins : parser.pos], kind.lower(), key, fields, tuple(problems))
        problems.clear()
    if problems:
        yield Entry(line=line, refusal=f"can not be read: {problems[0]}")


def _inherited(parent: Mapping[str, str], child: Mapping[str, str]) -> dict[str, str]:
    """Return what a child says because its parent does: a subtitle only where the title is its parent's, too."""
    missing = {name: text for name, text in parent.items() if name not in child and name not in _PARENTS_OWN}
    if "title" in child:
        missing.pop("subtitle", None)
    if child.keys() & {"date", "year"}:
        missing = {name: text for name, text in missing.items() if name not in ("date", "year", "month")}
    return missing


def _draft(
    fields: Mapping[str, str], origin: SourceRecord, warnings: list[str], is_biblatex: bool, *, has_own_key: bool
) -> BookDraft:
    is_biblatex = is_biblatex or not _OF_BIBLATEX.isdisjoint(fields)
    authors = list(_people(fields.get("author", ""), warnings))
    others = [DraftContributor(author) for author in authors[1:]]
    for name, usual in ROLES.items():
        if people := list(_people(fields.get(name, ""), warnings)):
            kind = _plain(fields.get(f"{name}type", "")) if name.startswith("editor") else ""
            role = _role_of_type(kind, warnings) if kind else usual
            others += [DraftContributor(author, Role(role)) for author in people]

    def plain(*names: str) -> str:
        return next((text for name in names if (text := _plain(fields.get(name, "")))), "")

    lccns, more = _numbers_of_congress(plain("lccn"), warnings)
    values: dict[str, Any] = {
        "title": plain("title"),
        "subtitle": plain("subtitle") or None,
        "identifiers": identifiers_of(
            {**{scheme: fields.get(name, "") for name, scheme in IDENTIFIERS.items()}, "lccn": lccns}
        ),
        "published": _published(fields, warnings),
        "languages": _languages(plain("langid", "language"), warnings),
        "publishers": _several(fields.get("publisher", ""), is_list=is_biblatex),
        "places": _several(fields.get("location", fields.get("address", "")), is_list=is_biblatex),
        "edition": plain("edition") or None,
        "series": _series(plain("series"), plain("number", "volume")),
        "pages": _pages(plain("pagetotal")),
        "subjects": [
            Subject(term=term[:500])
            for each in split_tex_string(fields.get("keywords", ""), _BETWEEN_KEYWORDS)
            if (term := _plain(each))
        ],
        "description": plain("abstract") or None,
        "notes": [plain("note"), plain("annote", "annotation"), plain("addendum"), *more, *_volumes(fields, warnings)],
        "links": links_of([_address(fields.get("url", ""))], warnings),
    }
    return drafted(
        origin, values, warnings, author=authors[0] if authors else None, contributors=others, has_own_key=has_own_key
    )


def _with_room(fields: Mapping[str, str], warnings: list[str]) -> Mapping[str, str]:
    """Return the fields without those that are too long, even for TeX: to make plain text of them takes too much."""
    kept: dict[str, str] = {}
    for name, text in fields.items():
        if len(text) <= (most := LONGEST.get(name, LONGEST_OTHER)):
            kept[name] = text
        elif name == "title":
            raise InvalidValue(f"title must have at most {most:,} characters of TeX, and this has {len(text):,}")
        elif name in _READ:
            warnings.append(f"{name} left out: it must have at most {most:,} characters of TeX, and has {len(text):,}")
    return kept


def _several(text: str, *, is_list: bool) -> list[str]:
    """Return the publishers or places: BibLaTeX has lists of them, BibTeX only where each is within braces."""
    names = _names(text)
    return [_plain(part) for part in (names if is_list or all(map(_is_braced, names)) else [text])]


def _is_braced(text: str) -> bool:
    """Whether all of the text is within one pair of braces."""
    depths = [*accumulate((mark == "{") - (mark == "}") for mark in text)]
    return text.startswith("{") and depths[-1] == 0 and 0 not in depths[:-1]


def _role_of_type(said: str, warnings: list[str]) -> str:
    if (role := EDITOR_TYPES.get(said.lower())) is None:
        warnings.append(f"editortype {said[:50]!r} read as contributor: no role of that name is known")
    return role or "ctb"


def _numbers_of_congress(text: str, warnings: list[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return the control numbers of the Library of Congress, and as notes what else stands there: call numbers."""
    numbers = [part.strip() for part in re.split("[,;]", text) if part.strip()]
    if all(map(_LCCN.fullmatch, numbers)):
        return numbers, ()
    if re.search(r"\w", text):
        return (), [f"LCCN: {text}"]
    warnings.append(f"lccn {text[:50]!r} left out: it is no number")
    return (), ()


def _volumes(fields: Mapping[str, str], warnings: list[str]) -> Iterator[str]:
    """Yield as notes which volume and number the book is, as far as that is no place in a series."""
    is_series = bool(_plain(fields.get("series", "")))
    left = {"volume": is_series and not _plain(fields.get("number", "")), "number": is_series}
    for name, is_position in left.items():
        if (text := _plain(fields.get(name, ""))) and not is_position:
            if fields.keys() & {"journal", "journaltitle"}:
                warnings.append(f"{name} {text[:50]!r} left out: it is that of a journal")
            else:
                yield f"{name.title()} {text}"


def _people(text: str, warnings: list[str]) -> Iterator[AuthorDetails]:
    for name in _names(text):
        if name.lower() == "others":
            continue
        if len(name) > LONGEST_OTHER:
            warnings.append(f"a name left out: it must have at most {LONGEST_OTHER:,} characters of TeX")
            continue
        try:
            if _is_braced(name):
                yield organised(_plain(name))
            elif (author := _person(name)) is not None:
                yield author
        except InvalidValue as error:
            warnings.append(f"the name {name[:100]!r} left out: it {error.rule}")


def _names(text: str) -> Sequence[str]:
    names: list[str] = split_name_list(text) if text.strip() else []
    return [name.strip() for name in names]


def _person(name: str) -> AuthorDetails | None:
    try:
        person: Any = Person(name)
    except Exception:  # noqa: BLE001 - more commas than a name has; what there is, is its name
        return AuthorDetails(name=plain) if (plain := _plain(name)) else None
    given = _plain(" ".join([*person.first_names, *person.middle_names]))
    family = _plain(" ".join([*person.prelast_names, *person.last_names]))
    if not family and not given:
        return None
    if not family or not given:
        return AuthorDetails(name=family or given)
    return inverted(family, given, suffix=_plain(" ".join(person.lineage_names)))


def _published(fields: Mapping[str, str], warnings: list[str]) -> PartialDate | None:
    text = _plain(fields.get("date", "") or fields.get("year", "")).partition("/")[0].strip()
    if not text:
        return None
    try:
        date = PartialDate.parse(text)
    except InvalidValue:
        found = _YEAR.search(text)
        if found is None:
            warnings.append(f"date {text[:50]!r} left out: there is no year in it")
            return None
        date = PartialDate.of_year(int(found[0]))
    month = _plain(fields.get("month", ""))
    number = _MONTHS.get(month[:3].lower()) or (int(month) if re.fullmatch("0?[1-9]|1[0-2]", month) else None)
    if number is not None and "-" not in date[1:]:
        return PartialDate(f"{date}-{number:02d}")
    return date


def _languages(text: str, warnings: list[str]) -> Iterator[Language]:
    for name in re.split(r",|\band\b", text):
        if name.strip():
            try:
                yield Language.parse(LANGUAGES.get(name.strip().lower(), name.strip()))
            except InvalidValue as error:
                warnings.append(f"language {name.strip()[:50]!r} left out: it {error.rule}")


def _series(title: str, number: str) -> Iterator[Series]:
    if title:
        yield Series(title=title[:1000], position=number[:100] or None)


def _pages(text: str) -> int | None:
    found = _PAGES.fullmatch(text)
    return int(found[1]) or None if found else None


def _address(text: str) -> str:
    """Return the address without the marks of TeX, and with what people leave out of it."""
    address = text.replace("\\", "")
    return f"http://{address}" if address.startswith("www.") else address
