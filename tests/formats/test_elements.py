"""Elements of XML: each that is broken is told of, once, and no more than it is lost."""

import io
from collections.abc import Sequence

import pytest

from catalog.adapters.formats.common import contents, elements_of


@pytest.fixture(params=[7, 1 << 20], autouse=True)
def _parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the parts of a file end."""
    monkeypatch.setattr(contents, "PART", request.param)


def cut(content: str, longest: int = 1_000_000) -> Sequence[str | None]:
    elements = elements_of(io.BytesIO(content.encode()), "record", "leader|datafield", longest)
    return [None if each is None else each.decode() for each in elements]


@pytest.mark.parametrize("prefix", ["", "marc:"])
def test_a_record_without_its_end_is_told_of_between_its_neighbours(prefix: str) -> None:
    first, broken, last = (
        f"<{prefix}record>{inner}" for inner in (f"1</{prefix}record>", "<leader>0</wrong>", f"2</{prefix}record>")
    )

    assert cut(first + broken + broken + last + broken) == [first, broken, broken, last, broken]


def test_what_only_wraps_records_is_no_record() -> None:
    one, two = "<record xmlns='marc'><leader/>1</record>", "<record><leader/>2</record>"

    wrapped = f"<list><record><header/><data>{one}{two}</data></record><zs:record>{one}</zs:record></list>"

    assert cut(wrapped) == [one, two, one]


def test_a_record_that_is_too_long_is_told_once_and_the_next_is_read() -> None:
    one, long = "<record>1</record>", f"<record><leader/>{'x' * 5_000}</record>"

    assert cut(one + long + one + long + one, longest=1_000)[::2] == [one, one, one]
    assert cut(one + "<record>" + "x" * 5_000 + one, longest=1_000)[-1] == one


def test_what_is_no_record_may_be_of_any_length() -> None:
    one = "<record>1</record>"

    assert cut("x" * 5_000 + one + "y" * 5_000 + one, longest=1_000) == [one, one]
