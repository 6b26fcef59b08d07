"""Searches: what people ask the catalogue for, in their own words."""

from collections.abc import Iterable
from functools import cached_property
from typing import Self

from attrs import field, frozen

from catalog.domain.errors import InvalidValue

from .conditions import AndNot, Condition, Phrase, all_of, any_of
from .fields import SearchField
from .grammar import read
from .terms import Term, phrase
from .words import START, has_words

LONGEST_QUERY = 500
"""Characters of a query, as it is typed and as `str` spells it."""

MOST_TERMS = 32
MOST_BEGINNINGS = 8
"""Terms that only begin a word: each may stand for a tenth of all words there are, and storages read them all."""


def _in_one_order(terms: Iterable[Term]) -> tuple[Term, ...]:
    return tuple(sorted(set(terms), key=str))


@frozen
class Search:
    """What must be found, and what must not. Searches that mean the same are equal."""

    plain: tuple[Term, ...] = ()
    """Terms that may stand in any field, in the order in which they were typed."""
    scoped: tuple[Term, ...] = field(default=(), converter=_in_one_order)
    """Terms that must stand in one field."""
    without: tuple[Term, ...] = field(default=(), converter=_in_one_order)
    """Terms that must not stand in the book, or not in one field."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a person typed.

        Raises InvalidValue for more than LONGEST_QUERY characters, as typed or as `str` spells them, for more than
        MOST_TERMS terms or MOST_BEGINNINGS beginnings of words, and for nothing else.
        """
        _must_be_short(text)
        search = cls._of(text)
        terms = (*search.plain, *search.scoped, *search.without)
        if len(terms) > MOST_TERMS:
            raise InvalidValue(f"must have at most {MOST_TERMS} terms, and this has {len(terms)}")
        if (count := sum(term.is_prefix for term in terms)) > MOST_BEGINNINGS:
            raise InvalidValue(f"must have at most {MOST_BEGINNINGS} beginnings of words, and this has {count}")
        _must_be_short(str(search))
        return search

    @classmethod
    def _of(cls, text: str) -> Self:
        terms = list(read(text))
        # Punctuation is a title's whole text, or says nothing.
        spoken = [each for each in terms if has_words(each.term.text)] or terms
        wanted = [each.term for each in spoken if not each.is_unwanted]
        return cls(
            plain=tuple(term for term in wanted if term.field is None),
            scoped=tuple(term for term in wanted if term.field is not None),
            without=tuple(each.term for each in spoken if each.is_unwanted),
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to search for: then every book will do."""
        return not (self.plain or self.scoped or self.without)

    @cached_property
    def condition(self) -> Condition:
        """What a book must fulfil to be found."""
        return self._restricted(term.phrase for term in self.plain)

    @cached_property
    def tiers(self) -> tuple[Condition, ...]:
        """What a book can fulfil, best first; the last is `condition`, and each of the others implies it."""
        if not self.plain:
            return (self.condition,)
        title, author = SearchField.TITLE, SearchField.AUTHOR
        return (
            *(self._restricted([beginning]) for beginning in self._in_typed_order()),
            self._restricted(term.in_fields(title) for term in self.plain),
            self._restricted(term.in_fields(title, author) for term in self.plain),
            self.condition,
        )

    def _in_typed_order(self) -> Iterable[Condition]:
        """Yield the condition that a title begins so, or that a person is called so, where a phrase can say it."""
        if any(term.is_prefix for term in self.plain[:-1]):
            return
        typed = " ".join(term.text for term in self.plain)
        named = phrase(typed, frozenset({SearchField.AUTHOR}), is_prefix=self.plain[-1].is_prefix)
        yield any_of([Phrase((START, *named.words), frozenset({SearchField.TITLE}), named.is_prefix), named])

    def _restricted(self, conditions: Iterable[Condition]) -> Condition:
        wanted = all_of([*conditions, *(term.phrase for term in self.scoped)])
        return AndNot(wanted, any_of([term.phrase for term in self.without])) if self.without else wanted

    def __str__(self) -> str:
        query = self._spelt()
        # Numbers side by side can happen to be an ISBN; quotes keep them apart.
        return query if Search._of(query) == self else self._spelt(is_quoted=True)

    def _spelt(self, *, is_quoted: bool = False) -> str:
        plain = (term.spelt(is_quoted=is_quoted) for term in self.plain)
        return " ".join([*plain, *map(str, self.scoped), *(f"-{term}" for term in self.without)])


def _must_be_short(query: str) -> None:
    if len(query) > LONGEST_QUERY:
        raise InvalidValue(f"must have at most {LONGEST_QUERY} characters, and this has {len(query)}")
