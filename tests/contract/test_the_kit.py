"""The conformance kit finds what it is there to find, and touches nobody's catalogue."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.domain.errors import StorageUnavailable
from catalog.testing import suite
from catalog.testing.storages import new_storages

BROKEN = '''
"""Storages that break a promise each."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from attrs import evolve
from catalog.domain.snapshots import SnapshotStorage
from catalog.domain.snapshots.unit_of_work import SnapshotUnitOfWork


class LosesUpdates(SnapshotStorage):
    """Whoever commits last wins."""

    @asynccontextmanager
    async def unit_of_work(self, caller):
        unit = SnapshotUnitOfWork(self._snapshot, caller)
        yield unit
        if commit := unit.result():
            now = self._snapshot
            revisions = [evolve(r, seq=now.seq + n) for n, r in enumerate(commit.revisions, 1)]
            after = evolve(commit.after, authors={**now.authors, **commit.after.authors}, seq=now.seq + len(revisions))
            self._commit(evolve(commit, before=now, after=after, revisions=revisions))


class LeavesGaps(SnapshotStorage):
    """A seq that nobody got."""

    def _commit(self, commit):
        if commit.revisions and commit.revisions[0].seq > 1:
            commit = evolve(commit, revisions=[evolve(r, seq=r.seq + 1) for r in commit.revisions])
        super()._commit(commit)


class KeepsWhatWasRolledBack(SnapshotStorage):
    """A unit that fails is committed all the same."""

    @asynccontextmanager
    async def unit_of_work(self, caller):
        begun = self._snapshot
        unit = SnapshotUnitOfWork(begun, caller)
        try:
            yield unit
        finally:
            if (commit := unit.result()) and self._snapshot is begun:
                self._commit(commit)


class LosesReceipts(SnapshotStorage):
    """The receipt is not part of the unit."""

    def _commit(self, commit):
        super()._commit(evolve(commit, after=evolve(commit.after, receipts={})))


class SortsByCase(SnapshotStorage):
    """The order of a database, not of the domain."""

    def __init__(self):
        super().__init__()
        self.reader = Sorting(self._current)


def _sorting():
    from catalog.domain.scanning import ScanningReader

    class Reader(ScanningReader):
        async def authors(self, query):
            page = await super().authors(evolve(query, page=type(query.page)(number=1, size=100)))
            items = sorted(page.items, key=lambda author: (author.name.casefold(), author.id.bytes))
            part = items[query.page.offset : query.page.offset + query.page.size]
            return evolve(page, items=part, limit=query.page.size, offset=query.page.offset)

    return Reader


Sorting = _sorting()
KINDS = {kind.__name__.lower(): kind for kind in SnapshotStorage.__subclasses__() if kind.__module__ == __name__}


@asynccontextmanager
async def open_broken(url: str) -> AsyncGenerator[SnapshotStorage]:
    yield KINDS[url.partition("://")[2]]()


@asynccontextmanager
async def scratch(url):
    yield url


open_broken.scratch = scratch
'''

FOUND_BY = {
    "losesupdates": "test_every_acknowledged_write_counts_once_and_refused_ones_not_at_all",
    "leavesgaps": "test_the_log_has_no_gaps_and_keeps_units_together_under_many_writers",
    "keepswhatwasrolledback": "test_an_exception_leaves_nothing_behind",
    "losesreceipts": "test_requests_with_one_key_that_meet_are_done_once",
    "sortsbycase": "test_any_names_are_listed_folded_and_paired_as_the_domain_does",
}
"""Which test has to fail over which of the broken storages, among others."""

pytestmark = pytest.mark.xdist_group("the kit")  # which is run once over all of them


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package of broken storages."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "broken.py").write_text(BROKEN, "utf-8")
    about = folder / "broken-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n", "utf-8")
    (about / "entry_points.txt").write_text("[catalog.storage]\nbroken = broken:open_broken\n", "utf-8")
    return folder


def run_the_kit(installed: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", "-p", "catalog.testing.plugin", "--color=no", "--tb=no", "--pyargs"]
    return subprocess.run(
        [*command, "catalog.testing.suite", "-p", "no:cacheprovider", *options],
        cwd=installed,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


@pytest.fixture(scope="session")
def told(installed: Path) -> str:
    """What the kit tells of the broken storages and of a good one, each under those tests that find one of them out."""
    urls = ["memory://", *(f"broken://{kind}" for kind in FOUND_BY)]
    options = [option for url in urls for option in ("--catalog-storage", url)]
    return run_the_kit(installed, *options, "-k", " or ".join(FOUND_BY.values()), "-rA").stdout


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "test"), FOUND_BY.items(), ids=FOUND_BY)
def test_a_broken_storage_is_found_out(told: str, kind: str, test: str) -> None:
    assert re.search(rf"^FAILED .*{test}\[.*broken://{kind}", told, re.MULTILINE), told


@pytest.mark.slow
@pytest.mark.parametrize("test", FOUND_BY.values())
def test_a_good_storage_beside_them_is_not(told: str, test: str) -> None:
    assert re.search(rf"^PASSED .*{test}\[memory://", told, re.MULTILINE), told


@pytest.mark.parametrize("url", ["sqlite:///catalog.db", "sqlite:////var/lib/catalog.db", "nonsense://", "nonsense"])
def test_what_may_be_somebodys_catalogue_or_is_no_storage_is_refused(url: str) -> None:
    with pytest.raises(StorageUnavailable):
        new_storages(url)


@pytest.mark.slow
def test_a_refusal_is_one_clear_line(installed: Path) -> None:
    done = run_the_kit(installed, "--catalog-storage", "sqlite:///catalog.db")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = done.stderr.strip().splitlines()
    assert "--catalog-storage: sqlite:///catalog.db may be somebody's catalogue" in line
    assert not (installed / "catalog.db").exists()


def test_the_whole_suite_has_one_name() -> None:
    assert len([name for name in vars(suite) if name.startswith("test_")]) > 200
