"""What a book must fulfil to be found: a small closed language, which each storage translates or evaluates."""

from collections.abc import Iterable
from functools import cached_property
from typing import TypeAlias

from attrs import frozen

from .fields import Indexed, SearchField
from .words import START


@frozen
class Phrase:
    """The words stand side by side, in this order, in one of the fields (None: in any field)."""

    words: tuple[str, ...]
    fields: frozenset[SearchField] | None = None
    is_prefix: bool = False
    """Whether the last word only has to begin so."""

    def holds(self, indexed: Indexed) -> bool:
        """Whether the book fulfils it."""
        return any(self._padded in text for text in indexed.padded_in(self.fields))

    @cached_property
    def _padded(self) -> str:
        return f" {' '.join(self.words)}{'' if self.is_prefix else ' '}"


@frozen
class AllOf:
    """Every part, of two or more."""

    parts: tuple["Condition", ...]

    def holds(self, indexed: Indexed) -> bool:
        """Whether the book fulfils it."""
        return all(part.holds(indexed) for part in self.parts)


@frozen
class AnyOf:
    """At least one part, of two or more."""

    parts: tuple["Condition", ...]

    def holds(self, indexed: Indexed) -> bool:
        """Whether the book fulfils it."""
        return any(part.holds(indexed) for part in self.parts)


@frozen
class AndNot:
    """The one and not the other: there is no bare "not", for FTS5 has none."""

    what: "Condition"
    without: "Condition"

    def holds(self, indexed: Indexed) -> bool:
        """Whether the book fulfils it."""
        return self.what.holds(indexed) and not self.without.holds(indexed)


Condition: TypeAlias = Phrase | AllOf | AnyOf | AndNot

EVERY_BOOK = Phrase((START,), frozenset({SearchField.TITLE}))


def all_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that all of them make, each named once; EVERY_BOOK where there is none."""
    once = tuple(dict.fromkeys(parts))
    if len(once) > 1:
        return AllOf(once)
    return next(iter(once), EVERY_BOOK)


def any_of(parts: Iterable[Condition]) -> Condition:
    """Return the condition that any of them makes, each named once; there must be one."""
    once = tuple(dict.fromkeys(parts))
    return AnyOf(once) if len(once) > 1 else next(iter(once))
