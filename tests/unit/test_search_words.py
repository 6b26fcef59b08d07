"""The words that text falls into."""

import pytest

from catalog.domain.search.words import (
    END,
    GAP,
    LONGEST_WORD,
    MOST_REPEATS,
    MOST_WORDS,
    START,
    query_words,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Left Hand of Darkness", "the left hand of darkness"),
        ("Les Misérables", "les miserables"),
        ("Œuvres complètes, ﬁn de siècle", "oeuvres completes fin de siecle"),
        ("Преступление и наказание", "преступление и наказание"),
        ("Ὀδύσσεια, ΣΊΣΥΦΟΣ", "οδυσσεια σισυφοσ"),
        ("בְּרֵאשִׁית", "בראשית"),
        ("O'Brien, O’Brien, O-Brien", "obrien obrien o brien"),
        ("Catch-22", "catch 22"),
        ("C++ & C#", "c++ c"),
    ],
)
def test_words_are_folded_and_cut_at_punctuation(text: str, expected: str) -> None:
    assert words(text) == tuple(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("經", "經"),
        ("道德", "道德 德"),
        ("道德經", "道德 德經 經"),
        ("道德 經", "道德 德 經"),
        ("ドラえもん 第1巻", "ドラ ラえ えも もん ん 第 1 巻"),
        ("abc道德def", "abc 道德 德 def"),
        ("人々", "人々 々"),
        ("채식주의자", "채식 식주 주의 의자 자"),
        ("สี่แผ่นดิน", "สี ีแ แผ ผน นด ดิ ิน น"),
    ],
)
def test_scripts_without_spaces_become_bigrams_and_the_last_character(text: str, expected: str) -> None:
    assert words(text) == tuple(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("道德經", "道德 德經"),
        ("經", "經"),
        ("道德 經", "道德 德 經"),
        ("道德經 abc", "道德 德經 經 abc"),
        ("J.R.R. Tolkien", "j r r tolkien"),
    ],
)
def test_a_query_leaves_open_how_its_last_run_goes_on(text: str, expected: str) -> None:
    assert query_words(text) == tuple(expected.split())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J.R.R. Tolkien", "j r r tolkien jrr"),
        ("J. K. Rowling & J. K. Jerome", "j k rowling j k jerome jk jk"),
        ("M*A*S*H", "m a s h mash"),
        ("I, Robot", "i robot"),
        ("経 済", "経 済"),
    ],
)
def test_initials_in_a_row_are_added_joined(text: str, expected: str) -> None:
    assert words(text) == tuple(expected.split())


@pytest.mark.parametrize("mark", [GAP, START, END])
def test_no_text_can_forge_a_mark(mark: str) -> None:
    assert words(mark) == ()
    assert words(f"{mark}?") == ("?",)
    assert words(f"Dune{mark}Messiah") == ("dune", "messiah")
    assert query_words(f'"{mark}') == ()


@pytest.mark.parametrize(
    ("text", "expected"), [("?", ("?",)), ("? !", ("?", "!")), ("...", ("...",)), ("What?", ("what",))]
)
def test_punctuation_is_a_word_where_there_is_nothing_else(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize("text", ["", "  ", "\x00", "\ud800", '"', "***", "“„”«»"])
def test_what_no_storage_keeps_and_no_query_can_ask_for_is_no_word(text: str) -> None:
    assert words(text) == ()


def test_words_are_bounded_in_number_in_length_and_in_repeats() -> None:
    assert len(words(" ".join(map(str, range(2000))))) == MOST_WORDS
    assert words("x" * 400) == ("x" * LONGEST_WORD,)
    assert words("no " * 300 + "yes") == ("no",) * MOST_REPEATS
    assert words("no " * MOST_REPEATS + "yes") == (*("no",) * MOST_REPEATS, "yes")
