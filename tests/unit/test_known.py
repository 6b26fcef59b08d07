"""What is remembered of lists."""

from catalog.adapters.sql.known import Known


def test_a_part_is_known_until_too_much_was_asked_for_since() -> None:
    known = Known(most=4)
    known.keep("first", {1: "a", 2: "b"})
    known.keep("second", {3: "c", 4: "d"})

    assert known.of("first") == {1: "a", 2: "b"}
    known.keep("third", {5: "e"})

    assert known.of("second") is None
    assert known.of("first") is not None
    assert known.of("third") is not None


def test_a_part_that_is_remembered_anew_takes_the_place_of_the_old() -> None:
    known = Known(most=4)
    for version in range(10):
        known.keep("first", {(1, version): "a", (2, version): "b"})
    known.keep("second", {3: "c"})

    assert known.of("first") == {(1, 9): "a", (2, 9): "b"}
    assert known.of("second") == {3: "c"}


def test_a_part_that_is_too_big_is_not_remembered() -> None:
    known = Known(most=2)
    known.keep("first", {1: "a"})
    known.keep("big", {2: "b", 3: "c", 4: "d"})

    assert known.of("big") is None
    known.keep("first", {1: "a"})
    assert known.of("first") == {1: "a"}
