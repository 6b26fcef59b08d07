"""What holds for all searches."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from hypothesis import assume, example, given
from hypothesis import strategies as st

from catalog.domain.books import Book, BookDetails
from catalog.domain.errors import InvalidValue
from catalog.domain.search import Indexed, Phrase, Search, SearchField, highlights, rank
from catalog.domain.search.corrections import candidates, errors_from
from catalog.domain.search.highlights import _words_in
from catalog.domain.search.query import LONGEST_QUERY, MOST_TERMS
from catalog.domain.search.terms import Term
from catalog.domain.search.words import END, GAP, LONGEST_WORD, MOST_REPEATS, START, query_words, words
from catalog.domain.values import Isbn
from catalog.testing.strategies import NASTY, accepted_text, isbns

PIECES = [
    *('"', "-", "*", ":", " ", " ", "“", "”", "«", "title:", "AUTHOR:", "isbn:", "re:", "ISBN ", "isbn-13: ", "–"),
    *("le", "guin", "Émile", "O'Brien", "O-Brien", "J.R.R.", "x", "ß", "ﬁn", "C++", "σΣς", "й", "ש", "סּ", "(", ")"),
    *("道德經", "道", "が", "か", "\u3099", "ก็", "한국", "㈱", "ŉ", "ﷺ", "😀", "_", "\\", "´", "?", "..."),
    *("9780141439518", "978-0-14-143951-8", "0-8044-2957-X", "014143", "9513", "1984", "０"),
    *("\u0301", "\u0338", "\u200d", "\u00ad", "\x00", "\ue001", "\ud800", "\t", "\u00a0"),
]
spelling = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
typed = spelling | st.text(max_size=40) | st.text(st.sampled_from(NASTY), max_size=20)
title_text = accepted_text(1000) | spelling.filter(lambda text: any(c.isalnum() for c in text))
VALUES = st.sampled_from(["dune", "le", "guin", "jrr", "道德", "道", "?", "x"])


@st.composite
def books(draw: st.DrawFn) -> Indexed:
    """What some book is found by."""
    names = draw(st.lists(title_text, max_size=3))
    return indexed(draw(title_text), names, draw(st.none() | title_text), draw(st.none() | isbns()))


def indexed(title: str, names: Sequence[str] = (), subtitle: str | None = None, isbn: Isbn | None = None) -> Indexed:
    # Without the checks of a real book, for search has to bear more than what is accepted.
    details = BookDetails(title="x", author_id=None, isbn=isbn)
    book = Book.recorded(details, id=UUID(int=1), at=datetime(2026, 1, 1, tzinfo=UTC))
    object.__setattr__(book, "title", title)
    object.__setattr__(book, "subtitle", subtitle)
    return Indexed.of(book, names)


def parsed(query: str) -> Search:
    try:
        return Search.parse(query)
    except InvalidValue:
        assume(False)
        raise


@given(text=typed | st.lists(st.sampled_from(PIECES), min_size=10, max_size=300).map("".join))
def test_reading_a_query_never_fails_but_for_its_size(text: str) -> None:
    try:
        search = Search.parse(text)
    except InvalidValue as refusal:
        assert "at most" in refusal.rule  # noqa: PT017  # whether it is refused is not what is asked
        return

    assert len(text) <= LONGEST_QUERY
    assert len([*search.plain, *search.scoped, *search.without]) <= MOST_TERMS


@given(text=typed)
@example(text="01414 title:x 39513")
@example(text="０１４１４ ３９５１３")
@example(text="isbn 01414.39513")
@example(text='"?*" -"\u0301\u0323"')
def test_a_search_that_is_spelt_and_read_again_is_the_same(text: str) -> None:
    search = parsed(text)

    assert Search.parse(str(search)) == search
    assert str(Search.parse(str(search))) == str(search)


@given(text=typed)
def test_words_hold_neither_spaces_nor_marks_nor_controls(text: str) -> None:
    for found in (words(text), query_words(text)):
        assert all(word and not any(c.isspace() or c in {START, END, GAP, "\x00"} for c in word) for word in found)
        assert all(len(word) <= LONGEST_WORD for word in found)
        "".join(found).encode()


@given(text=typed)
@example(text="\u0301\u200b\u0323")  # marks that something invisible keeps from the order of their classes
def test_each_word_is_a_query_of_its_own(text: str) -> None:
    for word in words(text):
        assert query_words(word) == (word,)
        assert query_words(f'"{word}"') == (word,) or not word[0].isalnum()


@given(book=books(), text=typed)
def test_a_book_has_a_rank_exactly_where_the_condition_holds(book: Indexed, text: str) -> None:
    search = parsed(text)

    assert (rank(search, book, 7) is not None) == search.condition.holds(book)


@given(book=books(), text=st.lists(VALUES | st.just("-") | st.just("*") | st.just(" "), max_size=8).map("".join))
def test_a_tier_implies_those_after_it(book: Indexed, text: str) -> None:
    tiers = parsed(text).tiers

    assert tiers[-1] == parsed(text).condition
    for better, worse in pairwise(tiers):
        # A title that begins so, and a person who is called so, are one tier; only the first is in the second.
        if better is not tiers[0]:
            assert not better.holds(book) or worse.holds(book)
    assert all(not tier.holds(book) or tiers[-1].holds(book) for tier in tiers)


@st.composite
def parts_of_a_book(draw: st.DrawFn) -> tuple[SearchField, str, str, bool]:
    """A field, its text, a part of it that somebody may type, and whether as a beginning."""
    field = draw(st.sampled_from([SearchField.TITLE, SearchField.SUBTITLE, SearchField.AUTHOR]))
    text = draw(title_text)
    found = text.split()
    assume(found and max(map(words(text).count, words(text)), default=0) < MOST_REPEATS)
    start = draw(st.integers(0, len(found) - 1))
    part = " ".join(found[start : draw(st.integers(start, len(found)))] or found[start : start + 1])
    is_prefix = draw(st.booleans())
    return field, text, part, is_prefix


@given(drawn=parts_of_a_book())
@example(drawn=(SearchField.TITLE, "老子 道德經 abc", "道德經 abc", False))
@example(drawn=(SearchField.AUTHOR, "J.R.R. Tolkien", "J.R.R.", True))
def test_a_book_is_found_and_marked_by_each_phrase_of_its_own_text(drawn: tuple[SearchField, str, str, bool]) -> None:
    field, text, part, is_prefix = drawn
    term = Term.of(part, field, is_prefix=is_prefix)
    assume(term is not None and (any(map(str.isalnum, part)) or part.split() == text.split()))
    assert term is not None
    search = Search(scoped=(term,))
    book = indexed(
        title=text if field is SearchField.TITLE else "?",
        names=[text] if field is SearchField.AUTHOR else [],
        subtitle=text if field is SearchField.SUBTITLE else None,
    )

    assert rank(search, book, 0) is not None
    assert highlights(search, text, field)


@given(text=title_text, data=st.data())
def test_a_title_is_found_by_each_of_its_words_and_their_beginnings(text: str, data: st.DataObject) -> None:
    found = words(text)
    assume(found)
    word = data.draw(st.sampled_from(found))
    cut = data.draw(st.integers(1, len(word)))
    book = indexed(text)

    assert rank(parsed(f'title:"{word}"'), book, 0) is not None
    assert rank(parsed(f'"{word}"'), book, 0) is not None or parsed(f'"{word}"').scoped
    assert rank(Search(scoped=(Term(word[:cut], SearchField.TITLE, is_prefix=True),)), book, 0) is not None


@given(title=title_text)
def test_a_title_is_found_first_by_all_of_it(title: str) -> None:
    term = Term.of(title)
    assume(term is not None and term.field is None)
    assert term is not None

    found = rank(Search(plain=(term,)), indexed(title), 0)

    assert found is not None
    assert found[0] == 0


@given(isbn=isbns(), data=st.data())
def test_an_isbn_is_found_however_it_is_cut(isbn: Isbn, data: st.DataObject) -> None:
    digits = data.draw(st.sampled_from([number for number in (str(isbn), isbn.isbn10) if number]))
    cuts = data.draw(st.sets(st.integers(1, len(digits) - 1), max_size=5))
    separator = data.draw(st.sampled_from("- –‑"))
    typed_isbn = "".join(f"{separator}{digit}" if at in cuts else digit for at, digit in enumerate(digits))
    prefix = data.draw(st.sampled_from(["", "ISBN ", "ISBN: ", "isbn:", "isbn-13 ", "ISBN-10: "]))
    around = data.draw(st.sampled_from(["{}", '"{}"', "dune {}", "({})", "{} dune", "{}, dune"]))

    assert rank(parsed(around.format(prefix + typed_isbn)), indexed("Dune", isbn=isbn), 0) is not None


@given(text=title_text | typed)
def test_marked_words_are_the_words_that_are_found(text: str) -> None:
    assert tuple(found.word for found in _words_in(text)) == words(text)


@given(text=title_text | typed, query=typed, field=st.sampled_from(SearchField))
def test_marks_lie_in_the_text_in_order_and_apart(text: str, query: str, field: SearchField) -> None:
    spans = highlights(parsed(query), text, field)

    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(one[1] < other[0] for one, other in pairwise(spans))


@given(
    text=st.lists(st.sampled_from(PIECES), max_size=6).map(" ".join),
    query=st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
)
def test_a_text_is_marked_exactly_where_a_positive_term_matches_it(text: str, query: str) -> None:
    search, book = parsed(query), indexed(text)
    wanted = [term for term in (*search.plain, *search.scoped) if term.field in (None, SearchField.TITLE)]
    is_matched = any(term.in_fields(SearchField.TITLE).holds(book) for term in wanted)

    assert bool(highlights(search, text, SearchField.TITLE)) == is_matched


@given(one=st.text("abc", min_size=1, max_size=9), other=st.text("abc", max_size=9))
@example(one="ca", other="abc")
def test_errors_are_counted_as_by_the_book(one: str, other: str) -> None:
    assert errors_from(one)(other) == _optimal_string_alignment(one, other)


@given(word=st.text("abcd", min_size=1, max_size=9), vocabulary=st.lists(st.text("abcd", min_size=1, max_size=9)))
def test_candidates_are_exactly_the_words_that_are_near(word: str, vocabulary: list[str]) -> None:
    most = 0 if len(word) < 3 else 1 if len(word) <= 5 else 2
    near = {other for other in vocabulary if 0 < _optimal_string_alignment(word, other) <= most}
    found = candidates(word, vocabulary)

    assert set(found) <= near
    assert len(found) == min(8, len(near))


def _optimal_string_alignment(one: str, other: str) -> int:
    table = [[row + column for column in range(len(other) + 1)] for row in range(len(one) + 1)]
    for row in range(1, len(one) + 1):
        for column in range(1, len(other) + 1):
            table[row][column] = min(
                table[row - 1][column] + 1,
                table[row][column - 1] + 1,
                table[row - 1][column - 1] + (one[row - 1] != other[column - 1]),
            )
            if row > 1 < column and one[row - 2 : row] == other[column - 2 : column][::-1]:
                table[row][column] = min(table[row][column], table[row - 2][column - 2] + 1)
    return table[-1][-1]


@given(one=st.lists(VALUES, min_size=1, max_size=3), title=st.lists(VALUES, min_size=1, max_size=5))
def test_a_phrase_holds_exactly_where_its_words_stand_side_by_side(one: list[str], title: list[str]) -> None:
    book = indexed(" ".join(title))
    found = words(" ".join(title))
    phrase = Phrase(tuple(one), frozenset({SearchField.TITLE}))

    assert phrase.holds(book) == any(list(found[at : at + len(one)]) == one for at in range(len(found) - len(one) + 1))
