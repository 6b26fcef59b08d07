"""The parser of pybtex, kept within bounds: what it is given, strangers wrote."""

import re
from collections.abc import Callable, Sequence
from functools import cache

from pybtex.database.input.bibtex import LowLevelParser, month_names
from pybtex.scanner import Literal, PybtexSyntaxError, Token
from pybtex.utils import CaseInsensitiveDict

LONGEST_EXPANDED = 100_000
"""Characters that macros may put into one value."""

MOST_EXPANDED = 50_000_000
"""Characters that macros may put into the values of a file, and cross references into its entries."""


class Parser(LowLevelParser):  # type: ignore[misc]  # pybtex has no types
    """Refuses values that macros let grow without end, and looks at no part of the text twice."""

    text: str
    pos: int

    def __init__(self, text: str, handle_error: Callable[[Exception], None]) -> None:
        super().__init__(text, handle_error=handle_error, macros=CaseInsensitiveDict(month_names))
        self._in_value = self._in_file = 0

    def parse_value(self) -> None:
        """Read a value, of which macros may be parts."""
        self._in_value = 0
        super().parse_value()

    def substitute_macro(self, name: str) -> str:
        """Return what the macro stands for."""
        text: str = super().substitute_macro(name)
        self._in_value += len(text)
        self._in_file += len(text)
        if self._in_value > LONGEST_EXPANDED:
            raise PybtexSyntaxError(f"macros make the value longer than {LONGEST_EXPANDED:,} characters", self)
        if self._in_file > MOST_EXPANDED:
            raise PybtexSyntaxError(f"macros make the file longer by more than {MOST_EXPANDED:,} characters", self)
        return text

    def skip_to(self, patterns: Sequence[Literal]) -> Token | None:
        """Go to the nearest of the marks; pybtex goes to each of them, through all of the file where there is none."""
        found = _any_of(tuple(pattern.description[1:-1] for pattern in patterns)).search(self.text, self.pos)
        if found is None:
            return None
        value = self.text[self.pos : found.end()]
        self.pos = found.end()
        self.update_lineno(value)
        return Token(value, next(pattern for pattern in patterns if pattern.match(found[0])))


@cache
def _any_of(marks: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, marks)))
