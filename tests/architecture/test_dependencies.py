"""What the source imports: the core next to nothing, and nobody what is not declared."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

TOP = Path(__file__).parents[2]
SOURCE = TOP / "src" / "catalog"
STANDARD = set(sys.stdlib_module_names) | {"compression"}
"""`compression` is standard since Python 3.14; before, its backport is imported."""


def imports_below(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the top-level module of each absolute import."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                yield str(file.relative_to(SOURCE)), name.partition(".")[0]


def normalised(name: str) -> str:
    """Return the name of a distribution as all tools spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(requirements: list[str]) -> set[str]:
    return {normalised(re.split(r"[^A-Za-z0-9_.-]", requirement)[0]) for requirement in requirements}


def test_the_core_imports_the_standard_library_and_attrs_and_nothing_else() -> None:
    allowed = STANDARD | {"attrs", "catalog"}

    strangers = {(file, module) for file, module in imports_below(SOURCE / "domain") if module not in allowed}

    assert strangers == set()


def test_every_package_that_is_imported_is_declared() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    for_all, for_testing = names_of(project["dependencies"]), names_of(project["optional-dependencies"]["testing"])
    distributions = packages_distributions()

    undeclared = {
        (file, module)
        for file, module in imports_below(SOURCE)
        if module not in STANDARD | {"catalog"}
        and not {normalised(d) for d in distributions[module]}
        & (for_all | for_testing if file.startswith("testing/") else for_all)
    }

    assert undeclared == set()
