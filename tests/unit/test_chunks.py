"""How the records of a file are parted."""

from collections.abc import Iterator

import pytest

from catalog.domain.errors import UnreadableFile
from catalog.domain.sources import Entry
from catalog.domain.use_cases.importing import chunks_of


def entries(count: int) -> Iterator[Entry]:
    return (Entry(line=line) for line in range(1, count + 1))


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (2, [2]), (7, [2, 3, 2]), (8, [2, 3, 3])])
def test_the_first_chunk_may_be_smaller_and_nothing_is_left_out(count: int, sizes: list[int]) -> None:
    chunks = list(chunks_of(entries(count), 3, first=2))

    assert [len(chunk) for chunk in chunks] == sizes
    assert [entry.line for chunk in chunks for entry in chunk] == list(range(1, count + 1))


def test_what_comes_before_a_damage_is_a_chunk_too() -> None:
    def damaged() -> Iterator[Entry]:
        yield from entries(4)
        raise UnreadableFile("is cut off")

    chunks = chunks_of(damaged(), 3, first=2)

    assert [len(next(chunks)), len(next(chunks))] == [2, 2]
    with pytest.raises(UnreadableFile):
        next(chunks)
