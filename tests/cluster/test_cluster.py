"""A cluster under Patroni is crashed, frozen and switched over under the service: the short version of the chaos."""

import random
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cluster.chaos import Chaos, broken
from tests.cluster.patroni import Cluster
from tests.cluster.shared import unavailable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def folder() -> Generator[Path]:
    """A folder that other users may look into, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="catalog-cluster-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_what_is_acknowledged_outlives_a_crash_a_freeze_and_a_switch_of_the_leader(folder: Path) -> None:
    faults = ["leader crash", "leader freeze", "switchover"]
    try:
        cluster = Cluster.made(folder)
    except LookupError as error:
        unavailable(str(error))

    with cluster:
        figures = await Chaos(cluster, folder, random.Random(1)).run(len(faults), faults)

    assert broken(figures) == []
    assert figures["acknowledged"] > 100
    assert max(figures["outage (s), by fault: count, median, longest"]["leader crash"][1:]) <= 30
