"""The options and fixtures of the conformance suite: `pytest -p catalog.testing.plugin`.

A suite of your own may override `new_storage` in its `conftest.py`: it is all that is known of the storage.
"""

import inspect
import warnings
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from catalog.domain.errors import StorageUnavailable
from catalog.domain.ports import Storage
from catalog.testing.doubles import Cataloguers
from catalog.testing.storages import NewStorage, new_storages, opened, shown

SUITE = "catalog.testing.suite"
FIGURE = "catalog"
"""The name of the properties that the summary tells."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("catalog", "conformance of storages to the ports of catalog")
    group.addoption(
        "--catalog-storage",
        action="append",
        default=[],
        metavar="URL",
        help="the storage to test; {folder} stands for a new folder. Give it again for another storage.",
    )
    group.addoption(
        "--catalog-conflicts",
        type=int,
        default=2000,
        metavar="NUMBER",
        help="how many conflicting writes are made in search of a lost update (default: 2000)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse what can not be tested, before anything is."""
    # All of our asynchronous fixtures are those of one test, so either answer is right.
    warnings.filterwarnings("ignore", 'The configuration option "asyncio_default_fixture_loop_scope" is unset')
    config.addinivalue_line("markers", "slow: takes seconds")
    config.addinivalue_line("markers", "timeout(seconds): how long a test may take, where pytest-timeout is there")
    for url in _urls(config):
        try:
            new_storages(url)
        except StorageUnavailable as refusal:
            raise pytest.UsageError(f"--catalog-storage: {refusal}") from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test over each storage."""
    urls = _urls(metafunc.config)
    if "catalog_storage" in metafunc.fixturenames and urls:
        schemes = [url.partition("://")[0] for url in urls]
        names = schemes if len(set(schemes)) == len(schemes) else [shown(url) for url in urls]
        metafunc.parametrize("catalog_storage", urls, ids=names, scope="session")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(name: str, obj: object) -> None:
    """Let the suite's tests be run in an event loop, whatever the mode of pytest-asyncio is."""
    is_ours = name.startswith("test") and getattr(obj, "__module__", "").startswith(SUITE)
    if is_ours and inspect.iscoroutinefunction(obj):
        pytest.mark.asyncio(obj)


@pytest.fixture(scope="session")
def catalog_storage() -> str:
    """Return the URL that the option names."""
    return pytest.fail("name the storage to test: --catalog-storage 'mine:///{folder}/catalog'", pytrace=False)


@pytest.fixture(scope="session")
def new_storage(catalog_storage: str) -> NewStorage:
    """Make new and empty storages: each call returns an async context manager of the URL of another one."""
    return new_storages(catalog_storage)


@pytest_asyncio.fixture
async def storage(new_storage: NewStorage) -> AsyncGenerator[Storage]:
    """Open a new and empty storage."""
    async with opened(new_storage) as storage:
        yield storage


@pytest.fixture
def catalogue(storage: Storage) -> Cataloguers:
    """Return all use cases over the storage, with a clock that stands still."""
    return Cataloguers(storage)


@pytest.fixture
def conflicts(request: pytest.FixtureRequest) -> int:
    """Return how many conflicting writes to make."""
    number: Any = request.config.getoption("--catalog-conflicts")
    return int(number)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell the figures that tests have recorded."""
    reports: Sequence[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    figures = [
        f"{report.nodeid.rpartition('::')[2]}: {value}"
        for report in reports
        for name, value in report.user_properties
        if name == FIGURE
    ]
    if figures:
        terminalreporter.section("figures of the storages")
        for figure in sorted(figures):
            terminalreporter.line(figure)


def _urls(config: pytest.Config) -> Sequence[str]:
    urls: Any = config.getoption("--catalog-storage")
    return list(urls)
