"""Did you mean: the search that finds something, made of words that the catalogue has.

Nothing here waits for a storage: whoever drives `corrected` answers what it asks.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import Any, TypeAlias

from attrs import evolve, frozen

from .query import LONGEST_QUERY, Search
from .terms import Term
from .words import is_unspaced

MOST_CANDIDATES = 8
"""Words that are tried for one word."""

MOST_DOUBTFUL = 8
"""Words of a search that are looked up; those after them are taken for right."""

MOST_ATTEMPTS = 24
"""Searches that are counted."""


@frozen
class Slice:
    """Asks for the words of the catalogue that begin with this character, in any order."""

    first: str


@frozen
class Count:
    """Asks how many books this search finds."""

    search: Search


Question: TypeAlias = Slice | Count


def corrected(search: Search) -> Generator[Question, Any, Search | None]:
    """Return the search that was perhaps meant, where this one finds nothing; None where no other finds anything.

    Yields each Slice that is needed, and is sent its words (an iterable of str); then yields at most MOST_ATTEMPTS
    times a Count, and is sent the number. The search that finds most is returned, of two the one that was tried first.

    Words that the catalogue does not have are replaced, all at once; where it has all, one is replaced at a time.
    """
    doubtful = _doubtful_words(search)
    vocabularies: dict[str, frozenset[str]] = {}
    for first in dict.fromkeys(word[0] for word in doubtful):
        vocabularies[first] = frozenset((yield Slice(first)))
    unknown = [word for word in doubtful if word not in vocabularies[word[0]]]
    choices = {word: candidates(word, vocabularies[word[0]]) for word in unknown or doubtful}
    best, most = None, 0
    for attempt in islice(
        _attempts(search, _all_at_once(choices) if unknown else _one_at_a_time(choices)), MOST_ATTEMPTS
    ):
        found = yield Count(attempt)
        if found > most:
            best, most = attempt, found
    return best


def candidates(word: str, vocabulary: Iterable[str]) -> Sequence[str]:
    """Return words that this one could be a misspelling of, the likeliest first, at most MOST_CANDIDATES.

    A word of three to five characters may have one error, a longer one two, where an error is a character too many,
    one too few, another one, or two that changed places. Shorter words, words with digits, and scripts without spaces
    have no candidates.
    """
    if not (most := _most_errors(word)):
        return ()
    # What costs little comes first: most words are of another length, or of other letters.
    shortest, longest, letters = len(word) - most, len(word) + most, frozenset(word)
    alike = [
        other
        for other in vocabulary
        if shortest <= len(other) <= longest
        and len(letters.difference(other)) <= most
        and len(letters.union(other)) - len(letters) <= most
    ]
    errors_of = errors_from(word)
    near = {
        (errors, -_beginning(word, other), abs(len(other) - len(word)), other)
        for other in alike
        if other != word and (errors := errors_of(other)) <= most
    }
    return tuple(other for *_, other in sorted(near)[:MOST_CANDIDATES])


def errors_from(word: str) -> Callable[[str], int]:
    """Return what tells how many errors make another word of this one, which is not empty.

    It is the optimal string alignment distance: no character takes part in two errors. A column of its table is kept
    as bits, one for each character of the word, that say whether the distance grows or shrinks from one row to the
    next (Hyyrö 2003, A bit-vector algorithm for computing Levenshtein and Damerau edit distances).
    """
    places: dict[str, int] = {}
    for place, character in enumerate(word):
        places[character] = places.get(character, 0) | 1 << place
    last_row, every_row = 1 << (len(word) - 1), (1 << len(word)) - 1

    def errors(other: str) -> int:
        distance, grows, shrinks = len(word), every_row, 0
        same_before, free = 0, 0
        for character in other:
            same = places.get(character, 0)
            swapped = (~free & same) << 1 & same_before
            # Rows whose distance is no more than one row and one column before.
            free = ((same & grows) + grows ^ grows) | same | shrinks | swapped
            grows_across, shrinks_across = shrinks | ~(free | grows), free & grows
            distance += bool(grows_across & last_row) - bool(shrinks_across & last_row)
            grows_across, shrinks_across = grows_across << 1 | 1, shrinks_across << 1
            grows, shrinks = (shrinks_across | ~(free | grows_across)) & every_row, grows_across & free
            same_before = same
        return distance

    return errors


def _beginning(one: str, other: str) -> int:
    """Return how many characters both words begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (mine, its) in pairs if mine != its), min(len(one), len(other)))


def _most_errors(word: str) -> int:
    if len(word) < 3 or is_unspaced(word) or any(map(str.isdigit, word)) or not any(map(str.isalpha, word)):
        return 0
    return 1 if len(word) <= 5 else 2


def _doubtful_words(search: Search) -> Sequence[str]:
    """Return the first words of plain terms that may be misspelt, each once; the beginning of a word is none."""
    spelt = (word for term in search.plain for word in _whole_words(term))
    return list(dict.fromkeys(word for word in spelt if _most_errors(word)))[:MOST_DOUBTFUL]


def _whole_words(term: Term) -> Sequence[str]:
    spelt = term.text.split(" ")
    return spelt[:-1] if term.is_prefix else spelt


def _attempts(search: Search, replacements: Iterable[Mapping[str, str]]) -> Iterator[Search]:
    for replacement in replacements:
        attempt = evolve(search, plain=tuple(_replaced(term, replacement) for term in search.plain))
        if len(str(attempt)) <= LONGEST_QUERY:
            yield attempt


def _replaced(term: Term, replacement: Mapping[str, str]) -> Term:
    kept = term.text.split(" ")[len(_whole_words(term)) :]
    return evolve(term, text=" ".join([*(replacement.get(word, word) for word in _whole_words(term)), *kept]))


def _all_at_once(choices: Mapping[str, Sequence[str]]) -> Iterator[Mapping[str, str]]:
    """Yield a replacement for every word, the likeliest combinations first."""
    if not all(choices.values()):
        return
    lengths = [len(candidates) for candidates in choices.values()]
    for total in range(sum(lengths) - len(lengths) + 1):
        for places in _places(lengths, total):
            yield {word: choices[word][place] for word, place in zip(choices, places, strict=True)}


def _places(lengths: Sequence[int], total: int) -> Iterator[tuple[int, ...]]:
    """Yield a place in each of the sequences of these lengths, such that the places add up to the total."""
    if not lengths:
        yield ()
        return
    others = lengths[1:]
    for place in range(max(0, total - sum(others) + len(others)), min(total, lengths[0] - 1) + 1):
        yield from ((place, *rest) for rest in _places(others, total - place))


def _one_at_a_time(choices: Mapping[str, Sequence[str]]) -> Iterator[Mapping[str, str]]:
    """Yield one replacement for one word, the likeliest of every word first."""
    for row in zip_longest(*choices.values()):
        for word, other in zip(choices, row, strict=True):
            if other is not None:
                yield {word: other}
