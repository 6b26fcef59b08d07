"""What a book is found by."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Self

from attrs import frozen

from catalog.domain.books import Book
from catalog.domain.values import Isbn

from .words import END, GAP, START, bounded, words


class SearchField(StrEnum):
    """A part of a record that can be searched alone."""

    TITLE = "title"
    SUBTITLE = "subtitle"
    AUTHOR = "author"
    ISBN = "isbn"


@frozen
class Indexed:
    """The words of one book, field by field."""

    padded: tuple[str, ...]
    """Each field's words with a space before, between and after them, in the order of SearchField."""
    title_words: int
    """How many words the title has, START and END not counted; at most MOST_WORDS."""

    @classmethod
    def of(cls, book: Book, names: Sequence[str]) -> Self:
        """Return what the book is found by, given the names of its people in order, each person once."""
        found = [tuple(words_of(book, names)) for words_of in _WORDS.values()]
        title = found[_PLACES[SearchField.TITLE]]
        title_words = len(title) - title.count(START) - title.count(END)
        return cls(tuple([f" {' '.join(words)} " for words in found]), title_words)

    def text(self, field: SearchField) -> str:
        """Return the words of the field with a space between them: what a storage keeps."""
        return self.padded[_PLACES[field]][1:-1]

    def texts(self) -> Mapping[str, str]:
        """Return the words of each field by its name."""
        return {name: words[1:-1] for name, words in zip(_NAMES, self.padded, strict=True)}

    def words(self, field: SearchField) -> tuple[str, ...]:
        """Return the words of the field."""
        return tuple(self.text(field).split())

    def padded_in(self, fields: frozenset[SearchField] | None) -> Iterable[str]:
        """Return the padded words of these fields, or of every field."""
        return self.padded if fields is None else [self.padded[_PLACES[field]] for field in fields]


def isbn_words(isbn: Isbn) -> tuple[str, ...]:
    """Return the 13 digits and, where there are, the ten."""
    ten = isbn.isbn10
    return (str(isbn),) if ten is None else (str(isbn), ten.lower())


def _credited(book: Book) -> Iterable[str]:
    """Return the names under which the book itself credits people, each once."""
    return dict.fromkeys(each.credited_as for each in book.contributors if each.credited_as is not None)


def _words_of_people(names: Iterable[str]) -> tuple[str, ...]:
    """Return the words of all names with a GAP between people, which no phrase crosses."""
    found: list[str] = []
    for name in names:
        if found:
            found.append(GAP)
        found += _words_of_name(name)
    return bounded(found)


_words_of_name = lru_cache(maxsize=4096)(words)
"""Who wrote one book has often written others."""


_WORDS: Mapping[SearchField, Callable[[Book, Sequence[str]], Iterable[str]]] = MappingProxyType(
    {
        SearchField.TITLE: lambda book, _: (START, *words(book.title), END),
        SearchField.SUBTITLE: lambda book, _: words(book.subtitle or ""),
        SearchField.AUTHOR: lambda book, names: _words_of_people(chain(names, _credited(book))),
        SearchField.ISBN: lambda book, _: chain.from_iterable(map(isbn_words, book.isbns())),
    }
)
_NAMES = tuple(field.value for field in SearchField)
_PLACES: Mapping[SearchField, int] = MappingProxyType({field: place for place, field in enumerate(SearchField)})
