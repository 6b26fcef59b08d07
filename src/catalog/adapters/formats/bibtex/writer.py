"""Books to entries of BibTeX and BibLaTeX."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import accumulate

from attrs import define, field
from pylatexenc.latexencode import UnicodeToLatexEncoder

from catalog.adapters.formats.common import name_parts
from catalog.domain.authors import Author
from catalog.domain.exports import Exported
from catalog.domain.values import Role

from .reader import LANGUAGES, ROLES

_FIELDS: Mapping[str, str] = {role: name for name, role in reversed([*ROLES.items()])}
_BABEL: Mapping[str, str] = {code: name for name, code in reversed([*LANGUAGES.items()])} | {
    "eng": "english", "fre": "french", "ger": "german", "por": "portuguese", "nor": "norwegian",
}  # fmt: skip  # a table is read by column
_SPECIAL = re.compile(r"[\\{}%&$#_^~]")
_ESCAPES: Mapping[str, str] = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "%": r"\%", "&": r"\&", "$": r"\$", "#": r"\#", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip  # a table is read by column
_ENDS = (".", "!", "?", "…")
_SMALL = {"a", "an", "the", "der", "die", "das", "le", "la", "les", "el", "il", "of", "on", "and"}
_ENCODER = UnicodeToLatexEncoder(
    unknown_char_policy="keep", unknown_char_warning=False, replacement_latex_protection="braces-all"
)


@define
class BibtexWriter:
    """Writes one file: for BibTeX what has a macro of TeX is written with it, for BibLaTeX as it is, in UTF-8."""

    biblatex: bool = False
    tells_authors: bool = False
    wants_sources: bool = False
    _keys: set[str] = field(factory=set[str], init=False)

    def head(self) -> bytes:
        """Return nothing: the first entry begins the file."""
        return b""

    def author(self, author: Author, /) -> bytes:
        """Return nothing: an author is told in the entries of books."""
        return b""

    def book(self, exported: Exported, /) -> bytes:
        """Return the entry of a book."""
        fields = "".join(f"  {name} = {{{value}}},\n" for name, value in self._fields(exported))
        has_author = any(name == "author" for name, _, _ in self._cited(exported))
        kind = "book" if has_author or not self.biblatex else "collection"
        return f"@{kind}{{{self._key(exported)},\n{fields}}}\n\n".encode("utf-8", "replace")

    def tail(self) -> bytes:
        """Return nothing: the last entry ends the file."""
        return b""

    def _fields(self, exported: Exported) -> Iterator[tuple[str, str]]:
        book, is_biblatex = exported.book, self.biblatex
        people: dict[str, list[str]] = {}
        others = []
        for name, author, role in self._cited(exported):
            if name:
                people.setdefault(name, []).append(self._name(author))
            else:
                others.append(f"{author.name} ({role})")
        yield from ((name, " and ".join(names)) for name, names in people.items())
        title = book.title if is_biblatex or book.subtitle is None else f"{book.title}: {book.subtitle}"
        yield "title", f"{{{self._text(title)}}}"
        if is_biblatex and book.subtitle is not None:
            yield "subtitle", f"{{{self._text(book.subtitle)}}}"
        if book.published is not None:
            yield from self._date(str(book.published))
        if book.publishers:
            yield "publisher", self._several(book.publishers)
        if book.places:
            yield "location" if is_biblatex else "address", self._several(book.places)
        if book.edition is not None:
            yield "edition", self._text(book.edition)
        for series in book.series[:1]:
            yield "series", self._text(series.title)
            if series.position is not None:
                yield "number", self._text(series.position)
        if book.isbn is not None:
            yield "isbn", str(book.isbn)  # there is room for one
        yield from [("doi", _verbatim(each.value)) for each in book.identifiers if str(each.scheme) == "doi"][:1]
        if book.pages is not None:
            yield "pagetotal", str(book.pages)
        if book.languages:
            names = [_BABEL.get(str(each), str(each)) for each in book.languages]
            yield from ((("langid", names[0]),) if is_biblatex else (("language", ", ".join(names)),))
        if terms := dict.fromkeys([*(subject.term for subject in book.subjects), *book.tags]):
            yield "keywords", ", ".join(map(self._keyword, terms))
        if book.description is not None:
            yield "abstract", self._text(book.description)
        if notes := [*book.notes, *others]:
            *others, last = notes
            yield (
                "note",
                self._text(" ".join([*(note if note.endswith(_ENDS) else f"{note}." for note in others), last])),
            )
        for link in book.links[:1]:
            yield "url", _verbatim(link.url)

    def _cited(self, exported: Exported) -> Iterator[tuple[str, Author, Role | None]]:
        fields = _FIELDS if self.biblatex else {role: name for role, name in _FIELDS.items() if name == "editor"}
        return exported.cited(fields, author="author", as_credited=True)

    def _date(self, published: str) -> Iterator[tuple[str, str]]:
        if self.biblatex:
            yield "date", published
            return
        sign, rest = ("-", published[1:]) if published.startswith("-") else ("", published)
        year, *others = rest.split("-")
        yield "year", sign + year
        if others:
            yield "month", str(int(others[0]))

    def _several(self, names: tuple[str, ...]) -> str:
        """Return the names: several each within braces, for BibTeX has no lists and is told of one so."""
        if len(names) == 1 and not re.search(r"\sand\s", names[0], re.IGNORECASE):
            return self._text(names[0])
        return " and ".join(f"{{{self._text(name)}}}" for name in names)

    def _keyword(self, term: str) -> str:
        """Return the term; within braces, what would end it is part of it."""
        return f"{{{self._text(term)}}}" if re.search("[,;]", term) else self._text(term)

    def _name(self, author: Author) -> str:
        if (parts := name_parts(author)) is not None:
            told = [part for part in (parts.family, parts.suffix, parts.given) if part]
            if not any(mark in part for part in told for mark in ",="):
                return ", ".join(map(self._text, told))
        is_person = author.kind in (None, "person") and not re.search(r"[,=]|\band\b", author.name)
        return self._text(author.name) if is_person else f"{{{self._text(author.name)}}}"

    def _text(self, text: str) -> str:
        text = " ".join(text.split())
        if self.biblatex:
            written = _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)
        else:
            parts: list[str] = [_ENCODER.unicode_to_latex(part) for part in text.split('"')]
            written = r"{\textquotedbl}".join(parts)
        if not _is_balanced(text):  # BibTeX counts braces, also where TeX does not
            written = written.replace(r"\{", r"\textbraceleft{}").replace(r"\}", r"\textbraceright{}")
        return written

    def _key(self, exported: Exported) -> str:
        """Return the surname, the year and a word of the title; a letter more for who comes later with the same."""
        author, book = exported.author, exported.book
        parts = None if author is None else name_parts(author)
        surname = "" if author is None else parts.family if parts else author.name.split()[-1]
        words = [word for word in _ascii(book.title).lower().split() if word not in _SMALL]
        year = "" if book.published is None else str(book.published).lstrip("-")[:4]
        key = _ascii(surname).lower().replace(" ", "") + year + (words[0] if words else "")
        key = key or str(book.id)
        unique, number = key, 0
        while unique in self._keys:
            number += 1
            unique = f"{key}{_letters(number)}"
        self._keys.add(unique)
        return unique


def _is_balanced(text: str) -> bool:
    """Whether each brace that is opened is closed."""
    depths = accumulate((brace == "{") - (brace == "}") for brace in text if brace in "{}")
    return text.count("{") == text.count("}") and min(depths, default=0) >= 0


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.sub("[^A-Za-z0-9 ]", " ", plain.replace("'", "")).split())


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(ord("a") + place) + letters
    return letters


def _verbatim(address: str) -> str:
    """Return an address as it stands where TeX is not read, but for what would end the field."""
    return _SPECIAL.sub(lambda found: f"%{ord(found[0]):02X}" if found[0] in "{}\\" else found[0], address)
