"""Where a text shows what was searched for."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from attrs import frozen

from catalog.domain.books import BookRecord
from catalog.domain.text import fold

from .conditions import Phrase
from .fields import SearchField, isbn_words
from .isbns import isbn_of
from .query import Search
from .words import bounded, joined, parts, rows_of_initials, runs, runs_of, searchable

Span: TypeAlias = tuple[int, int]
"""From one place of a text to the place before another, in code points."""

_CHUNK = re.compile(r"\S+")


def highlights(search: Search, text: str, field: SearchField) -> tuple[Span, ...]:
    """Return which parts of a text, which is a field or one person of it, the search asks for, in order.

    Words are marked as a whole, scripts without spaces to the character, and a phrase only where all of it stands.
    Parts neither overlap nor touch.
    """
    phrases = [term.phrase for term in (*search.plain, *search.scoped) if term.field in (None, field)]
    if not phrases:
        return ()
    found = _isbn_in(text) if field is SearchField.ISBN else _words_in(text)
    return _merged(span for phrase in phrases for span in _matched(phrase, found))


def marked(search: Search, book: BookRecord) -> Mapping[str, Sequence[Span]]:
    """Return the highlights of each field of a book that has any; those of `author` are in the author's name."""
    texts = {
        SearchField.TITLE: book.title,
        SearchField.SUBTITLE: book.subtitle,
        SearchField.AUTHOR: book.author and book.author.name,
        SearchField.ISBN: book.isbn,
    }
    found = {field.value: highlights(search, text, field) for field, text in texts.items() if text}
    return {name: spans for name, spans in found.items() if spans}


@frozen
class _Found:
    """A word, and where its text stands: one span, or one for each character of a bigram."""

    word: str
    spans: tuple[Span, ...]


def _matched(phrase: Phrase, found: Sequence[_Found]) -> Iterator[Span]:
    *before, last = phrase.words
    for start in range(len(found) - len(before)):
        end = start + len(before)
        if all(each.word == word for each, word in zip(found[start:end], before, strict=True)) and (
            found[end].word.startswith(last) if phrase.is_prefix else found[end].word == last
        ):
            for each in found[start:end]:
                yield from each.spans
            # Of a bigram that only begins so, the one character that was asked for.
            yield from found[end].spans[: len(last)]


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _isbn_in(text: str) -> Sequence[_Found]:
    isbn = isbn_of(" ".join(runs(text)))
    return [] if isbn is None else [_Found(word, (_whole(text),)) for word in isbn_words(isbn)]


def _words_in(text: str) -> Sequence[_Found]:
    """Return what `words` returns, with its places."""
    found = [_found(run, spans, part) for run, spans in _runs_in(text) for part in parts(run)]
    for row in rows_of_initials([each.word for each in found]):
        initials = found[row]
        around = (initials[0].spans[0][0], initials[-1].spans[0][1])
        found.append(_Found(joined(each.word for each in initials), (around,)))
    return found[: len(bounded([each.word for each in found]))]


def _found(run: str, spans: Sequence[Span], part: slice) -> _Found:
    characters = spans[part]
    if len(parts(run)) > 1 or len(run) == 1:
        return _Found(run[part], tuple(characters))
    return _Found(run[part], ((characters[0][0], spans[-1][1]),))


def _runs_in(text: str) -> Iterator[tuple[str, Sequence[Span]]]:
    """Yield the runs of the text, each with the span of each of its characters."""
    is_nothing = True
    for chunk in _CHUNK.finditer(text):
        folded, spans = _folded(chunk[0])
        for run in runs_of(folded):
            is_nothing = False
            yield run[0], [(chunk.start() + a, chunk.start() + b) for a, b in spans[run.start() : run.end()]]
    if is_nothing:
        for run in runs_of(searchable(text)):
            yield run[0], [_whole(text)] * len(run[0])


def _folded(chunk: str) -> tuple[str, Sequence[Span]]:
    """Fold text without spaces, and tell where each character comes from; punctuation alone is nothing here."""
    folded = fold(f"x {chunk}")[2:]
    pieces = [(piece, span) for span in _clusters(chunk) for piece in _piece(chunk[slice(*span)])]
    rebuilt = "".join(piece for piece, _ in pieces)
    if rebuilt.split() == folded.split():
        return rebuilt, [span for _, span in pieces]
    # Its characters fold otherwise together than one by one, which is rare: then all of it is one place.
    return folded, [(0, len(chunk))] * len(folded)


def _clusters(chunk: str) -> Iterator[Span]:
    """Yield where the characters of the chunk are, each with its marks, which fold together."""
    start = 0
    for at in range(1, len(chunk)):
        if unicodedata.category(chunk[at])[0] != "M":
            yield start, at
            start = at
    yield start, len(chunk)


@lru_cache(maxsize=4096)
def _piece(cluster: str) -> str:
    """Return what becomes of a character within a word; of what separates words, a space."""
    return fold(f"x{cluster}x")[1:-1]


def _whole(text: str) -> Span:
    return len(text) - len(text.lstrip()), len(text.rstrip())
