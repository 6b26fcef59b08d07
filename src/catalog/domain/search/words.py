"""Words: what folded text falls into, so that every storage finds the same."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from catalog.domain.text import fold

MOST_WORDS = 1000
"""Words of one field that are searched; what comes after them is not found."""

MOST_REPEATS = 255
"""How often one word of a field is counted, which is as often as PostgreSQL keeps a word's place."""

LONGEST_WORD = 250
"""Characters of a word that are compared; PostgreSQL keeps words of 2046 bytes."""

GAP, START, END = "\ue000", "\ue001", "\ue002"
"""What stands between two people, before a title and after it: no word holds a private use character."""

QUOTES = '"“”„«»'
STAR = "*"

# Written without spaces between words, or with endings that only a dictionary could take off.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e"  # Thai
    "\u0e81-\u0ecf\u0edc-\u0edf"  # Lao
    "\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f"  # Myanmar
    "\u1780-\u17d3\u17d7\u17dc\u17dd"  # Khmer
    "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"  # Hangul
    "\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f"  # Hiragana, Katakana
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303b"  # Han, to the end
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_UNSPACED}]+|[^ {_UNSPACED}]+")
_INITIALS = re.compile(r"(?:^| )[^ ] [^ ](?: |$)")
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")


def words(text: str) -> tuple[str, ...]:
    """Return the words under which a text is found, in its order, at most MOST_WORDS.

    A run of a script without spaces becomes its bigrams and its last character: 道德經 is 道德, 德經, 經. Initials
    in a row are added joined, at the end: J.R.R. Tolkien is j, r, r, tolkien, jrr.
    """
    folded = searchable(text)
    if folded.isascii():  # as most are, and then there are no scripts to tell apart
        found = folded.split()
        if len(folded) > LONGEST_WORD:
            found = [word[:LONGEST_WORD] for word in found]
        if _INITIALS.search(folded) is None:
            return bounded(found)
    else:
        found = [run[part] for run in _runs(folded) for part in parts(run)]
    found += [joined(found[row]) for row in rows_of_initials(found)]
    return bounded(found)


def query_words(text: str) -> tuple[str, ...]:
    """Return the words that stand side by side in every text that goes on after this one.

    They are those of `words`, but without what is joined, and without the lone character after the last bigrams: a
    longer run has none there. A lone character that is left at the end may begin a bigram, see `is_unspaced`.
    """
    found = runs(text)
    cut = [run[part] for run in found for part in parts(run)]
    return tuple(cut[:-1] if found and is_unspaced(found[-1]) and len(found[-1]) > 1 else cut)


def runs(text: str) -> list[str]:
    """Fold the text, and cut it at spaces and where a script without spaces begins or ends."""
    return _runs(searchable(text))


def _runs(folded: str) -> list[str]:
    return [run[0] if is_unspaced(run[0]) else run[0][:LONGEST_WORD] for run in runs_of(folded)]


def runs_of(folded: str) -> Iterator[re.Match[str]]:
    """Yield where the runs of folded text are in it."""
    return _RUN.finditer(folded)


def parts(run: str) -> list[slice]:
    """Return where the words of a run are in it."""
    return [slice(at, at + 2) for at in range(len(run))] if is_unspaced(run) else [slice(0, LONGEST_WORD)]


def rows_of_initials(found: Sequence[str]) -> list[slice]:
    """Return where two or more words of one letter stand in a row."""
    rows: list[slice] = []
    if sum(len(word) == 1 for word in found) < 2:
        return rows
    for is_row, group in groupby(range(len(found)), key=lambda at: _is_initial(found[at])):
        places = list(group)
        if is_row and len(places) > 1:
            rows.append(slice(places[0], places[-1] + 1))
    return rows


def joined(initials: Iterable[str]) -> str:
    """Return the one word that people make of initials."""
    return "".join(initials)[:LONGEST_WORD]


def bounded(found: Sequence[str]) -> tuple[str, ...]:
    """Return the words up to where there are too many, or too many of one."""
    if len(found) > MOST_WORDS:
        found = found[:MOST_WORDS]
    if len(found) > MOST_REPEATS and Counter(found).most_common(1)[0][1] > MOST_REPEATS:
        seen: Counter[str] = Counter()
        for place, word in enumerate(found):
            seen[word] += 1
            if seen[word] > MOST_REPEATS:
                return tuple(found[:place])
    return tuple(found)


def searchable(text: str) -> str:
    """Return the folded text without what no storage keeps, or what no query can ask for.

    Only text of punctuation alone, which folds to itself, can hold any.
    """
    folded = fold(text)
    if folded.replace(" ", "").isalnum():
        return folded
    if not (dropped := {ord(c): None for c in set(folded) if _is_unsearchable(c)}):
        return folded
    # Marks that the dropped characters kept apart may change places now.
    return fold(folded.translate(dropped))


def has_words(text: str) -> bool:
    """Whether the text holds more than punctuation, which is searched only where there is nothing else."""
    return fold(f"x {text}") != "x"


def is_unspaced(word: str) -> bool:
    """Whether the word is of a script that is searched by bigrams; then a lone character is the beginning of one."""
    return _IS_UNSPACED.match(word) is not None


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha() and not is_unspaced(word)


def _is_unsearchable(character: str) -> bool:
    return character in QUOTES or character == STAR or unicodedata.category(character)[0] == "C"
