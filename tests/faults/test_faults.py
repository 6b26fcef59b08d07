"""Short runs of the fault benches: nothing that was promised is lost. The benches themselves can run for hours."""

from pathlib import Path
from random import Random

import pytest

from . import powerloss
from .disk import Cut, Disk
from .kill import Bench
from .traces import Event, Removed, Synced, Syncing, Truncated, Written, strace

pytestmark = pytest.mark.slow

needs_strace = pytest.mark.skipif(
    strace() is None, reason="there is no strace here that may trace: nobody sees what is synced"
)

# ---- kills


async def test_a_server_that_is_killed_over_and_over_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    tally = await Bench(folder=tmp_path, rounds=10, rounds_per_file=5, cold_every=100).run()

    assert tally.broken == []
    assert tally.counts["kills under load"] == 10
    assert tally.counts["acknowledged writes"] > 20


async def test_the_bench_of_kills_sees_a_loss(tmp_path: Path) -> None:
    def lose_the_last_writes(file: Path) -> None:
        file.with_name(f"{file.name}-wal").unlink(missing_ok=True)

    tally = await Bench(
        folder=tmp_path, rounds=2, rounds_per_file=2, cold_every=100, between=lose_the_last_writes
    ).run()

    assert tally.counts["lost"] > 0


# ---- power cuts


@needs_strace
@pytest.mark.parametrize("process", powerloss.SUBJECTS)
def test_a_power_cut_at_any_moment_loses_nothing_that_was_promised(process: str) -> None:
    figures, broken = powerloss.run(process, images=150, synchronous=powerloss.AS_THE_SERVICE_DOES, seed=1, writes=48)

    assert broken == []
    assert figures["images"] > 100
    assert figures["promised revisions"] > 40


@needs_strace
@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_the_simulation_sees_what_is_lost_where_less_is_synced(synchronous: str) -> None:
    figures, _ = powerloss.run("store", images=20, synchronous=synchronous, seed=1, writes=16)

    assert figures["images with a loss"] + figures["images that are damaged"] > 10


# ---- the simulated disk

FILE = "/disk/file"


SYNC = (Syncing(FILE, "1"), Synced(FILE, "1"))
SYNC_FOLDER = (Syncing("/disk", "1"), Synced("/disk", "1"))


def disk_after(*events: Event) -> Disk:
    """A disk on which the file was made, and found in its folder, before these events."""
    disk = Disk()
    for event in (Written(FILE, 0, b""), *SYNC_FOLDER, *SYNC, *events):
        disk.take(event)
    return disk


def left_of(disk: Disk, cut: Cut) -> list[bytes | None]:
    """What may be left of the file, in an order that does not count."""
    found = {disk.after(cut, Random(seed)).get(FILE) for seed in range(50)}
    return sorted(found, key=lambda content: (content is not None, content))


def test_a_disk_keeps_what_was_synced() -> None:
    disk = disk_after(Written(FILE, 0, b"kept"), *SYNC)

    assert left_of(disk, Cut.NOTHING) == left_of(disk, Cut.SOME) == left_of(disk, Cut.TORN) == [b"kept"]


def test_a_disk_may_lose_what_was_not_synced() -> None:
    disk = disk_after(Written(FILE, 0, b"lost"))

    assert left_of(disk, Cut.NOTHING) == [b""]
    assert left_of(disk, Cut.SOME) == [b"", b"lost"]
    assert left_of(disk, Cut.ALL) == [b"lost"]


def test_a_disk_may_lose_what_was_written_while_it_was_syncing() -> None:
    disk = disk_after(Written(FILE, 0, b"kept"), Syncing(FILE, "1"), Written(FILE, 4, b" not"), Synced(FILE, "1"))

    assert left_of(disk, Cut.NOTHING) == [b"kept"]


def test_a_disk_may_keep_the_later_of_two_writes_and_lose_the_earlier() -> None:
    disk = disk_after(Written(FILE, 0, b"one"), Written(FILE, 3, b"two"))

    assert left_of(disk, Cut.SOME) == [b"", b"\0\0\0two", b"one", b"onetwo"]


def test_a_disk_may_tear_a_write_at_its_sectors() -> None:
    disk = disk_after(Written(FILE, 256, b"a" * 1024))

    lengths = {len(content or b"") for content in left_of(disk, Cut.TORN)}

    assert lengths == {0, 512, 1024, 1280}


def test_a_disk_may_lose_a_file_that_was_made_until_its_folder_is_synced() -> None:
    made = Written("/disk/new", 0, b""), Syncing("/disk/new", "1"), Synced("/disk/new", "1")

    assert "/disk/new" not in disk_after(*made).after(Cut.NOTHING, Random())
    assert "/disk/new" in disk_after(*made, *SYNC_FOLDER).after(Cut.NOTHING, Random())


def test_a_disk_may_bring_a_removed_file_back_until_its_folder_is_synced() -> None:
    removed = (Written(FILE, 0, b"back"), *SYNC, Removed(FILE))

    assert left_of(disk_after(*removed), Cut.SOME) == [None, b"back"]
    assert left_of(disk_after(*removed, *SYNC_FOLDER), Cut.SOME) == [None]


def test_a_disk_may_lose_that_a_file_was_cut() -> None:
    disk = disk_after(Written(FILE, 0, b"long"), *SYNC, Truncated(FILE, 1))

    assert left_of(disk, Cut.SOME) == [b"l", b"long"]
