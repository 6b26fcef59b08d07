"""How text is kept, compared and ordered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.errors import InvalidValue
from catalog.domain.text import SORT_KEY_LENGTH, fold, fold_unicode, normalised, sort_key


def refusal_of(text: str, longest: int = 100) -> str:
    with pytest.raises(InvalidValue) as refusal:
        normalised(text, longest=longest)
    return refusal.value.rule


def test_text_is_kept_in_nfc() -> None:
    assert normalised("E\u0301mile", longest=100) == "\u00c9mile"


def test_surrounding_space_is_dropped_and_inner_space_is_kept() -> None:
    assert normalised(" \t\u00a0War  and Peace\u3000\n", longest=100) == "War  and Peace"


def test_kept_text_is_kept_as_it_is() -> None:
    once = normalised("  Cafe\u0301 ", longest=100)

    assert normalised(once, longest=100) == once


@pytest.mark.parametrize(
    "blank", ["", " ", "\t\n", "\u00a0", "\u3000", "\u200b", "\u200e\u200f", "\ufeff", "\u2060 \u200d"]
)
def test_what_nobody_can_see_is_blank(blank: str) -> None:
    assert refusal_of(blank) == "must not be blank"


@pytest.mark.parametrize("visible", ["0", "?", "-", "あ", "😀", "\u200bx"])
def test_one_visible_character_is_enough(visible: str) -> None:
    assert normalised(visible, longest=100) == visible


@pytest.mark.parametrize(
    "control",
    ["\x00", "\x07", "\n", "\t", "\x1b", "\x7f", "\x80", "\x85", "\x9f", "\u2028", "\u2029", "\ufffe", "\uffff"],
)
def test_control_characters_are_refused_with_name_and_place(control: str) -> None:
    assert refusal_of(f"ab{control}c") == (
        f"must not hold control characters, and this holds U+{ord(control):04X} at position 2"
    )


@pytest.mark.parametrize("surrogate", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_lone_surrogates_are_refused(surrogate: int) -> None:
    assert f"U+{surrogate:04X}" in refusal_of(f"a{chr(surrogate)}b")


def test_text_may_be_as_long_as_its_field() -> None:
    assert normalised("x" * 100, longest=100) == "x" * 100
    assert refusal_of("x" * 101) == "must have at most 100 characters, and this has 101"


def test_length_is_counted_as_the_text_is_kept() -> None:
    decomposed = " " + "e\u0301" * 100 + " "

    assert normalised(decomposed, longest=100) == "\u00e9" * 100


def test_megabytes_are_refused_before_anything_is_done_with_them() -> None:
    nine_million_characters = "e\u0301" * 4_500_000

    # Had it been normalised first, the number would be half of that.
    assert refusal_of(nine_million_characters, longest=1000).endswith("and this has 9000000")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Emile Zola", "ÉMILE ZOLA", id="case and accents"),
        pytest.param("\u00c9mile", "E\u0301mile", id="composed or decomposed"),
        pytest.param("J.R.R. Tolkien", "j r r  tolkien", id="full stops and spaces"),
        pytest.param("Straße", "STRASSE", id="sharp s"),
        pytest.param("Σίσυφος", "ΣΙΣΥΦΟΣ", id="final sigma"),
        pytest.param("İstanbul", "istanbul", id="dotted I"),
        pytest.param("Kadıköy", "KADIKÖY", id="dotless i"),
        pytest.param("ﬁnal oﬃce", "final office", id="ligatures of type"),
        pytest.param("Æsop œuvre", "Aesop oeuvre", id="ligatures of letters"),
        pytest.param("Ibsen, Øre", "ibsen ore", id="stroke"),
        pytest.param("Stanisław Lem", "Stanislaw Lem", id="barred l"),
        pytest.param("Þórður", "thordur", id="Icelandic"),
        pytest.param("O'Brien", "OBrien", id="apostrophe"),
        pytest.param("O’Brien", "O'Brien", id="typographic apostrophe"),
        pytest.param("O`Brien", "O'Brien", id="grave as apostrophe"),
        pytest.param("O´Brien", "O'Brien", id="acute as apostrophe"),
        pytest.param("Ｏ\uff07Ｂrien", "O'Brien", id="full width"),
        pytest.param("Saint-Exupéry", "Saint Exupery", id="hyphen"),
        pytest.param("Catch-22", "catch — 22", id="dash"),
        pytest.param("Emma\u00a0Bovary\u200b", " Emma Bovary ", id="unusual spaces"),
        pytest.param("\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd", id="Hebrew points"),
        pytest.param("\u30ab\u3099", "\u30ac", id="kana composed or decomposed"),
        pytest.param("ｶ\uff9e", "ガ", id="half-width kana"),
    ],
)
def test_spellings_of_one_name_fold_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("か", "が", id="kana ka and ga"),
        pytest.param("は", "ぱ", id="kana ha and pa"),
        pytest.param("क", "क़", id="Devanagari nukta"),
        pytest.param("क\u093f", "क\u0940", id="Devanagari vowel signs"),
        pytest.param("क\u094dष", "कष", id="Devanagari virama"),
        pytest.param("ก\u0e34", "ก\u0e35", id="Thai vowel signs"),
        pytest.param("가", "나", id="Hangul"),
        pytest.param("ab", "a b", id="one word or two"),
        pytest.param("1984", "1985", id="digits"),
        pytest.param("😀", "😢", id="emoji"),
    ],
)
def test_different_letters_stay_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_titles_of_punctuation_only_stay_apart() -> None:
    titles = ["?", "!", "...", "'", "—", "«»", "$ !"]

    assert len({fold(title) for title in titles}) == len(titles)


@pytest.mark.parametrize("accent", ["´", "¨", "¸", "˜", "‾"])
def test_a_title_that_is_one_spacing_accent_folds_to_something(accent: str) -> None:
    assert fold(accent) != ""


def test_punctuation_beside_letters_is_folded_away() -> None:
    assert fold("?Emma!") == "emma"


def test_a_sort_key_is_the_beginning_of_the_folded_text() -> None:
    assert sort_key("Émile Zola") == "emile zola"
    assert sort_key("x" * 1000) == "x" * SORT_KEY_LENGTH


def test_a_sort_key_stays_bounded_where_folding_makes_text_longer() -> None:
    # One character that unfolds to eighteen.
    assert len(sort_key("ﷺ" * 500)) == SORT_KEY_LENGTH


@pytest.mark.parametrize("invisible", ["\u00ad", "\u200b", "\u200c", "\u200d", "\ufe0f", "\ufeff"])
def test_what_cannot_be_seen_neither_joins_nor_separates(invisible: str) -> None:
    assert fold(f"Gesell{invisible}schaft") == "gesellschaft"


@pytest.mark.parametrize("character", ["\u202e", "\u202d", "\ufdd0", "\U0001ffff"])
def test_overrides_and_noncharacters_are_refused(character: str) -> None:
    with pytest.raises(InvalidValue, match=f"{ord(character):04X}"):
        normalised(f"a{character}b", longest=10)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_short_way_for_ascii_folds_as_the_long_one(text: str) -> None:
    assert fold(text) == fold_unicode(text)
