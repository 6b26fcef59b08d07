"""Dependencies point the right way, and whoever turns one round is told so."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from attrs import frozen

WORKING_COPY = Path(__file__).parents[2]
CONFIG = WORKING_COPY / "pyproject.toml"
CONTRACTS = [
    contract["name"] for contract in tomllib.loads(CONFIG.read_text("utf-8"))["tool"]["importlinter"]["contracts"]
]

LAYERS, CORE_LAYERS, STANDARD_LIBRARY, SIBLINGS, CONTAINER, NO_STORAGE = CONTRACTS


@frozen
class Planted:
    """A line that has no business in a module."""

    module: str
    line: str
    contract: str


PLANTED = [
    Planted("domain/books.py", "import sqlalchemy", STANDARD_LIBRARY),
    Planted("domain/use_cases/books.py", "import catalog.adapters.memory", LAYERS),
    Planted("adapters/memory/storage.py", "from catalog.entrypoints import settings", LAYERS),
    Planted("utilities.py", "", LAYERS),
    Planted("entrypoints/storages.py", "import catalog.testing.doubles", LAYERS),
    Planted("testing/storages.py", "import catalog.adapters.memory", CONTAINER),
    Planted("adapters/memory/storage.py", "from catalog.adapters import sql", SIBLINGS),
    Planted("adapters/sql/reader.py", "from catalog.adapters.memory.storage import MemoryStorage", SIBLINGS),
    Planted("entrypoints/http/books.py", "from catalog.adapters.memory import MemoryStorage", CONTAINER),
    Planted("entrypoints/cli/serve.py", "import catalog.adapters.sql.storage", CONTAINER),
    Planted("entrypoints/cli/serve.py", "import sqlalchemy", NO_STORAGE),
    Planted("entrypoints/http/health.py", "import aiosqlite", NO_STORAGE),
    Planted("domain/values.py", "from . import books", CORE_LAYERS),
    Planted("domain/errors.py", "from .values import Isbn", CORE_LAYERS),
    Planted("domain/helpers.py", "", CORE_LAYERS),
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its contracts, to spoil."""
    shutil.copytree(
        WORKING_COPY / "src" / "catalog", tmp_path / "catalog", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(CONFIG, tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Judge the package in that folder, and not the one that is installed."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", folder / "pyproject.toml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def broken(judgement: "subprocess.CompletedProcess[str]") -> Sequence[str]:
    """The contracts that were found broken."""
    # A long name touches the word after it.
    lines = [line.removesuffix("BROKEN").rstrip() for line in judgement.stdout.splitlines() if line.endswith("BROKEN")]
    return [contract for contract in CONTRACTS if contract in lines]


def test_every_dependency_points_the_right_way(copy: Path) -> None:
    judgement = lint_imports(copy)

    assert judgement.returncode == 0, judgement.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in judgement.stdout


@pytest.mark.parametrize("planted", PLANTED, ids=lambda p: f"{p.module}-{p.line}")
def test_a_dependency_that_points_the_wrong_way_is_found(copy: Path, planted: Planted) -> None:
    with (copy / "catalog" / planted.module).open("a", encoding="utf-8") as module:
        module.write(f"\n{planted.line}\n")

    judgement = lint_imports(copy)

    assert judgement.returncode == 1, judgement.stdout + judgement.stderr
    assert planted.contract in broken(judgement), judgement.stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_contract_was_seen_broken(contract: str) -> None:
    assert contract in {planted.contract for planted in PLANTED}
