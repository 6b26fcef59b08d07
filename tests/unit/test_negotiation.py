"""Which of several media types is meant by an Accept."""

import pytest

from catalog.entrypoints.http.negotiation import most_wanted

OFFERED = ("application/json", "application/marc", "text/csv")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "application/json"),
        ("nonsense", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/csv"),
        ("application/marc", "application/marc"),
        ("Application/MARC", "application/marc"),
        ("application/marc, */*", "application/marc"),
        ("*/*, text/csv", "text/csv"),
        ("text/csv, application/marc", "text/csv"),
        ("text/csv;q=0.5, application/marc;q=0.6", "application/marc"),
        ("text/csv;header=present;q=0.5, application/marc ; q=0.4", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=0.1, */*;q=0.5", "application/marc"),
        ("application/json;q=0, */*", "application/marc"),
        ("application/*;q=0, */*", "text/csv"),
        ("application/marc;q=0", None),
        ("*/*;q=0", None),
        ("*/*;q=0.000, text/csv;q=0.001", "text/csv"),
        ("image/png", None),
        ("image/png, text/csv", "text/csv"),
        (", , application/marc ,", "application/marc"),
    ],
)
def test_the_most_precise_range_says_what_holds_and_the_greatest_weight_wins(accept: str, wanted: str | None) -> None:
    assert most_wanted(accept, OFFERED) == wanted


def test_an_accept_of_any_length_is_read_in_no_time() -> None:
    accept = ",".join(['application/x;a="b'] * 10_000 + [" " * 10_000, ";" * 10_000, "text/csv"])

    assert most_wanted(accept, OFFERED) == "text/csv"
