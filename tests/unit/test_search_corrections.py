"""What was perhaps meant."""

import random
import time
from collections.abc import Mapping, Sequence

import pytest

from catalog.domain.search import Count, Search, Slice, corrected
from catalog.domain.search.corrections import MOST_ATTEMPTS, MOST_CANDIDATES, MOST_DOUBTFUL, candidates


class Library:
    """Answers the questions of a correction, and remembers them."""

    def __init__(self, vocabulary: str, counts: Mapping[str, int]) -> None:
        self.vocabulary = vocabulary.split()
        self.counts = counts
        self.slices: list[str] = []
        self.counted: list[str] = []

    def corrected(self, query: str) -> str | None:
        correction = corrected(Search.parse(query))
        answer: object = None
        while True:
            try:
                question = correction.send(answer)
            except StopIteration as end:
                return None if end.value is None else str(end.value)
            answer = self._slice(question) if isinstance(question, Slice) else self._count(question)

    def _slice(self, question: Slice) -> Sequence[str]:
        self.slices.append(question.first)
        return [word for word in self.vocabulary if word.startswith(question.first)]

    def _count(self, question: Count) -> int:
        self.counted.append(str(question.search))
        return self.counts.get(str(question.search), 0)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("autsen", "austen"),
        ("austin", "austen"),
        ("auste", "austen"),
        ("austenn", "austen"),
        ("tolkein", "tolkien"),
        ("shakspere", "shakespeare"),
        ("emmma", "emma"),
        ("dnue", "dune"),
        ("толстоы", "толстой"),
    ],
)
def test_a_misspelt_word_has_the_right_one_as_candidate(word: str, other: str) -> None:
    assert candidates(word, ["unrelated", other]) == (other,)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("emma", "edna"),  # two errors in a short word
        ("austen", "hamlet"),
        ("au", "a"),
        ("1984", "1985"),
        ("道德經", "道德"),
        ("austen", "austen"),
        ("???", "??!"),
        ("nca", "anc"),  # a character takes part in one error only
    ],
)
def test_a_word_that_is_too_different_or_too_short_is_no_candidate(word: str, other: str) -> None:
    assert candidates(word, [other]) == ()


def test_candidates_are_in_the_order_of_their_likeliness() -> None:
    vocabulary = ["austem", "austins", "fusten", "austens", "auste", "austen", "aust", "zzz", "\ue001"]

    assert candidates("austen", vocabulary) == ("austens", "austem", "auste", "fusten", "austins", "aust")
    assert candidates("austen", reversed(vocabulary)) == candidates("austen", vocabulary)


def test_candidates_are_few() -> None:
    assert len(candidates("dune", [f"dun{letter}" for letter in "abcdfghijklmn"])) == MOST_CANDIDATES


def test_candidates_are_found_quickly_among_many_words() -> None:
    draw = random.Random(5)
    syllables = [consonant + vowel for consonant in "bcdfghjklmnprstvw" for vowel in "aeiou"]
    vocabulary = ["t" + "".join(draw.choices(syllables, k=draw.randint(1, 5))) for _ in range(20_000)]
    candidates("tolasire", vocabulary)

    fastest = min(_seconds("tolasire", vocabulary) for _ in range(5))

    assert fastest < 0.1  # seen: 0.01; the machine may be busy


def _seconds(word: str, vocabulary: Sequence[str]) -> float:
    started = time.perf_counter()
    candidates(word, vocabulary)
    return time.perf_counter() - started


def test_an_unknown_word_is_replaced_by_the_one_that_finds_most() -> None:
    library = Library("jane austen austin auster", {"jane austen": 7, "jane auster": 7, "jane austin": 2})

    assert library.corrected("Jane Austem") == "jane austen"
    assert library.slices == ["j", "a"]
    assert library.counted == ["jane austen", "jane auster", "jane austin"]


def test_all_unknown_words_are_replaced_at_once_the_likeliest_first() -> None:
    library = Library("jane jans austen austin", {"jans austen": 3})

    assert library.corrected("janes austem") == "jans austen"
    assert library.counted == ["jane austen", "jane austin", "jans austen", "jans austin"]


def test_where_all_words_are_known_one_is_replaced_at_a_time() -> None:
    library = Library("lord rings kings ring word lore of the then", {"lord of the ring": 1, "lore of the rings": 2})

    assert library.corrected("lord of the rings") == "lore of the rings"
    assert library.counted == ["lore of the rings", "lord of then rings", "lord of the ring"]


def test_a_word_in_a_phrase_is_replaced_and_all_else_stays() -> None:
    library = Library("left hand light", {'"left hand" dar* title:x -light': 1})

    assert library.corrected('"lefft hand" dar* title:x -light') == '"left hand" dar* title:x -light'


def test_nothing_is_said_where_nothing_else_finds_anything() -> None:
    assert Library("austen", {}).corrected("austem") is None


@pytest.mark.parametrize("query", ["", "-austem", "author:austem", "aust*", "1984", "道德經", "ab", "?"])
def test_what_is_not_corrected_asks_for_nothing(query: str) -> None:
    library = Library("austen", {"austen": 1})

    assert library.corrected(query) is None
    assert library.slices == library.counted == []


def test_a_word_that_resembles_nothing_ends_the_search_for_a_correction() -> None:
    library = Library("austen jane", {"austen": 1, "jane austen": 1})

    assert library.corrected("qwertyuiop austem") is None
    assert library.counted == []


def test_one_word_that_resembles_nothing_does_not_cost_all_combinations_of_the_others() -> None:
    library = Library(" ".join(f"{a}zz{b}" for a in "abcdefg" for b in "abcdefgh"), {})
    started = time.perf_counter()

    assert library.corrected("azzz bzzz czzz dzzz ezzz fzzz gzzz qwertyuiop") is None
    assert library.counted == []
    assert time.perf_counter() - started < 1


def test_a_correction_is_no_longer_than_a_query_may_be() -> None:
    library = Library(f"{'a' * 250} {'b' * 250}", {})

    assert library.corrected(f"{'a' * 249} {'b' * 249}") is None
    assert library.counted == []


def test_what_is_asked_is_bounded() -> None:
    alphabet = "abcdefghijklmnopqrst"
    library = Library(" ".join(f"{a}zz{b}" for a in alphabet for b in alphabet), {})

    assert library.corrected(" ".join(f"{letter}zzz" for letter in alphabet)) is None
    assert len(library.slices) == MOST_DOUBTFUL
    assert len(library.counted) == len(set(library.counted)) == MOST_ATTEMPTS
