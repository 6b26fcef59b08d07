"""What holds for all text."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st

from catalog.domain.errors import InvalidValue
from catalog.domain.text import SORT_KEY_LENGTH, fold, normalised, sort_key
from catalog.testing.strategies import NASTY, accepted_text

any_text = st.text() | st.text(st.sampled_from(NASTY)) | accepted_text(1000)


@given(text=accepted_text(1000))
def test_text_that_was_taken_once_is_taken_again_as_it_is(text: str) -> None:
    once = normalised(text, longest=1000)

    assert normalised(once, longest=1000) == once


@given(text=st.text(st.characters()) | st.text(st.sampled_from(NASTY)), longest=st.integers(1, 20))
def test_text_that_is_taken_is_bounded_trimmed_and_in_nfc(text: str, longest: int) -> None:
    try:
        kept = normalised(text, longest=longest)
    except InvalidValue:
        return

    assert 0 < len(kept) <= longest
    assert kept == kept.strip()
    assert unicodedata.is_normalized("NFC", kept)
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in kept)


@given(text=any_text)
@example(text="か'\u3099")  # what an apostrophe kept apart composes once it is dropped
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(text=any_text)
@example(text="Straße İstanbul Kadıköy ΣΊΣΥΦΟΣ ŉ ǰ ΰ ﬁ")
def test_folding_is_blind_to_case(text: str) -> None:
    assert fold(text.casefold()) == fold(text)
    assert fold(text.upper()) == fold(text)
    assert fold(text.lower()) == fold(text)


@given(text=any_text)
@example(text="Éo´か゛が")
def test_folding_is_blind_to_normal_forms(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert fold(decomposed) == fold(composed)


@given(text=any_text, accent=st.sampled_from("\u0300\u0301\u0302\u0303\u0308\u030c\u0323\u0327"))
def test_folding_is_blind_to_accents(text: str, accent: str) -> None:
    assert fold(f"a{accent} {text}") == fold(f"a {text}")


@given(text=any_text)
def test_folded_text_has_no_space_to_spare(text: str) -> None:
    folded = fold(text)

    assert folded == " ".join(folded.split())


@given(text=any_text)
def test_a_sort_key_is_bounded_and_begins_the_folded_text(text: str) -> None:
    key = sort_key(text)

    assert len(key) <= SORT_KEY_LENGTH
    assert fold(text).startswith(key)


@given(one=accepted_text(300), other=accepted_text(300))
def test_the_order_of_sort_keys_is_the_order_of_their_bytes(one: str, other: str) -> None:
    keys = [sort_key(one), sort_key(other)]

    assert sorted(keys) == sorted(keys, key=str.encode)
