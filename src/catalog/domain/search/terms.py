"""Terms: the pieces of what a person typed."""

from typing import Self

from attrs import frozen

from .conditions import Phrase
from .fields import SearchField
from .isbns import digits_of, isbn_of
from .words import has_words, is_unspaced, query_words, runs


@frozen
class Term:
    """One word or phrase, which stands in one field (None: in any)."""

    text: str
    """Folded, with a space between any two runs."""
    field: SearchField | None = None
    is_prefix: bool = False
    """Whether the last word was typed as a beginning. A run without spaces never is: it always can go on."""

    @classmethod
    def of(cls, typed: str, field: SearchField | None = None, *, is_prefix: bool = False) -> Self | None:
        """Return the term that somebody typed; an ISBN is one of the field ISBN; None where there is no word."""
        text = " ".join(runs(typed))
        if not text:
            return None
        if field in (None, SearchField.ISBN):
            if isbn := isbn_of(text):
                return cls(str(isbn), SearchField.ISBN)
            if field is not None:
                text = digits_of(text)
        return cls(text, field, is_prefix and not is_unspaced(text[-1]))

    def in_fields(self, *fields: SearchField) -> Phrase:
        """Return the condition that the term stands in one of these fields (none: in any)."""
        return phrase(self.text, frozenset(fields) or None, is_prefix=self.is_prefix)

    @property
    def phrase(self) -> Phrase:
        """The condition that the term stands where it should."""
        return self.in_fields() if self.field is None else self.in_fields(self.field)

    def spelt(self, *, is_quoted: bool = False) -> str:
        """Return the query that asks for this term; in quotes where it needs them, or where that is wanted."""
        needs_quotes = " " in self.text or not has_words(self.text)
        query = f"{self.text}{'*' if self.is_prefix else ''}"
        query = f'"{query}"' if is_quoted or needs_quotes else query
        return query if self.field is None else f"{self.field}:{query}"

    def __str__(self) -> str:
        return self.spelt()


def phrase(text: str, fields: frozenset[SearchField] | None, *, is_prefix: bool) -> Phrase:
    """Return the condition that the words of a folded text stand in one of these fields (None: in any)."""
    found = query_words(text)
    return Phrase(found, fields, is_prefix or (is_unspaced(found[-1]) and len(found[-1]) == 1))
