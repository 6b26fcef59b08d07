"""Where a text shows what was searched for."""

import pytest

from catalog.domain.search import Search, SearchField, highlights


def marked(query: str, text: str, field: SearchField = SearchField.TITLE) -> str:
    for start, end in reversed(highlights(Search.parse(query), text, field)):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("hand darkness", "The Left [Hand] of [Darkness]."),
        ('"left hand"', "The [Left] [Hand] of Darkness."),
        ('"hand left"', "The Left Hand of Darkness."),
        ("dark*", "The Left Hand of [Darkness]."),
        ('"hand of da*"', "The Left [Hand] [of] [Darkness]."),
        ("dark", "The Left Hand of Darkness."),
        ("-hand", "The Left Hand of Darkness."),
        ("hand -darkness", "The Left [Hand] of Darkness."),
        ("title:hand author:left", "The Left [Hand] of Darkness."),
        ("", "The Left Hand of Darkness."),
    ],
)
def test_what_positive_terms_match_is_marked(query: str, expected: str) -> None:
    assert marked(query, "The Left Hand of Darkness.") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("miserables", "Les [Misérables]"),
        ("miserables", "Les [Mise\u0301rables], I"),
        ("obrien", "Flann [O’Brien]"),
        ("o-brien", "Flann [O]-[Brien]"),
        ("strasse", "«[Straße]»"),
        ("fin", "(la [ﬁn])"),
        ("spider man", "[Spider]-[Man]!"),
        ("jrr", "[J.R.R]. Tolkien"),
        ("r", "J.[R].[R]. Tolkien"),
        ("בראשית", "ספר [בְּרֵאשִׁית]"),
        ("ΣΙΣΥΦΟΣ", "Ο [Σίσυφος]!"),
        ("пушкин", "А. С. [Пу\u0301шкин]"),
        ("cooperate", "[co\u00adoperate]"),
        ("?", "[?]"),
        ('"-"', " [-] "),
        ("株", "[㈱]"),
    ],
)
def test_words_are_marked_as_they_are_written(query: str, expected: str) -> None:
    assert marked(query, expected.replace("[", "").replace("]", "")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("道", "[道]德經"),
        ("德", "道[德]經"),
        ("經", "道德[經]"),
        ("道德", "[道德]經"),
        ("德經", "道[德經]"),
        ("道德經", "老子[道德經]注"),
        ("道 經", "[道]德[經]"),
        ("子 注", "老[子]道德經[注]"),
        ("が", "[か\u3099]く"),
        ("第1巻", "ドラえもん [第1巻]"),
    ],
)
def test_scripts_without_spaces_are_marked_to_the_character(query: str, expected: str) -> None:
    assert marked(query, expected.replace("[", "").replace("]", "")) == expected


def test_a_term_with_a_field_is_marked_only_there() -> None:
    assert marked("author:guin", "Ursula K. Le Guin", SearchField.AUTHOR) == "Ursula K. Le [Guin]"
    assert marked("author:guin", "Guin", SearchField.TITLE) == "Guin"


@pytest.mark.parametrize("query", ["9780141439518", "0141439513", "isbn:978014*", "isbn:0141*"])
def test_an_isbn_is_marked_as_a_whole_in_whatever_form(query: str) -> None:
    assert marked(query, "978-0-14-143951-8", SearchField.ISBN) == "[978-0-14-143951-8]"
    assert marked(query, "9780141439518", SearchField.ISBN) == "[9780141439518]"
    assert marked(query, "9780441478125", SearchField.ISBN) == "9780441478125"


def test_what_is_too_far_in_to_be_found_is_not_marked() -> None:
    assert marked("yes", "no " * 200 + "yes") == "no " * 200 + "[yes]"
    assert marked("yes", "no " * 300 + "yes") == "no " * 300 + "yes"


def test_characters_that_fold_otherwise_together_are_marked_together() -> None:
    # An apostrophe is dropped, and then the marks of what follows change the letter before it.
    assert marked("が", "か'\u3099") == "[か'\u3099]"
