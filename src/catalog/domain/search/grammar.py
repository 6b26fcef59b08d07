"""How a typed query is read: words, "phrases", prefix*, -not, field:word. What is no operator is text."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from attrs import frozen

from catalog.domain.text import fold

from .fields import SearchField
from .isbns import isbn_at
from .terms import Term
from .words import QUOTES, STAR

# A straight quote between two Hebrew letters is a gershayim, and part of the word.
_QUOTE = f"""(?:(?<![א-ת])"|"(?![א-ת])|[{QUOTES.replace('"', "")}])"""
_SPACE = re.compile(r"\s*")
_MINUS = re.compile(r"-(?=[^\s-])")
_FIELD = re.compile(rf"((?:(?!{_QUOTE})[^\s:])+):(?=\S)")
_PHRASE = re.compile(rf"{_QUOTE}((?:(?!{_QUOTE}).)*)(?:{_QUOTE})?", re.DOTALL)
_WORD = re.compile(rf"(?:(?!{_QUOTE})\S)+")
_OPERATORS = f"{QUOTES}{STAR}-:"

_FIELDS: Mapping[str, SearchField] = MappingProxyType({field.value: field for field in SearchField})


@frozen
class Read:
    """A term, and whether a minus stood before it."""

    term: Term
    is_unwanted: bool


def read(text: str) -> Iterator[Read]:
    """Yield the terms of a typed query, in its order; there is no text that can not be read."""
    at = 0
    while (at := _end(_SPACE, text, at)) < len(text):
        is_unwanted = (after := _end(_MINUS, text, at)) > at
        term, at = _term(text, after)
        if term is not None:
            yield Read(term, is_unwanted)


def _term(text: str, at: int) -> tuple[Term | None, int]:
    """Return the term that begins there, if any, and where it ends, which is further on."""
    if found := isbn_at(text, at):
        isbn, end = found
        return Term(str(isbn), SearchField.ISBN), end
    field, at = _field(text, at)
    if phrase := _PHRASE.match(text, at):
        return _starred(phrase[1].rstrip(), field), phrase.end()
    end = _end(_WORD, text, at)
    typed = text[at:end]
    return (_starred(typed, field) if typed.strip(_OPERATORS) else None), end


def _field(text: str, at: int) -> tuple[SearchField | None, int]:
    """Return the field that is named there, and where its term begins."""
    if (name := _FIELD.match(text, at)) and (field := _FIELDS.get(fold(name[1]))):
        return field, name.end()
    return None, at


def _starred(typed: str, field: SearchField | None) -> Term | None:
    return Term.of(typed.rstrip(STAR), field, is_prefix=typed.endswith(STAR))


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a match that begins there ends; there, if nothing matches."""
    match = pattern.match(text, at)
    return match.end() if match else at
