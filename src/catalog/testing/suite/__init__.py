"""What every storage promises, one module for each chapter.

`pytest --pyargs catalog.testing.suite` runs it. In a suite of your own, one file does so that says
`from catalog.testing.suite import *`, beside a `conftest.py` with a fixture `new_storage`.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

_Fixture = type(pytest.fixture(lambda: None))


def _is_of_the_suite(name: str, thing: object) -> bool:
    return name.startswith("test_") or isinstance(thing, _Fixture)


def _suite() -> dict[str, Any]:
    """Return all tests, with the fixtures that only they need, by names of which none comes twice."""
    found: dict[str, Any] = {}
    for module in iter_modules(__path__, f"{__name__}."):
        own = {name: thing for name, thing in vars(import_module(module.name)).items() if _is_of_the_suite(name, thing)}
        if twice := found.keys() & own.keys():
            raise ImportError(f"{module.name} says again what another module of the suite says: {sorted(twice)}")
        found |= own
    return found


_found = _suite()
globals().update(_found, __all__=list(_found))
