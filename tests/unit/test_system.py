"""The clock and the ids of this machine."""

from uuid import UUID

from catalog.adapters.system import Uuid7Generator


def test_ids_are_version_7_and_in_order() -> None:
    ids = Uuid7Generator()
    made = [ids.new() for _ in range(1000)]

    assert {type(id) for id in made} == {UUID}
    assert {id.version for id in made} == {7}
    assert sorted(made) == made
