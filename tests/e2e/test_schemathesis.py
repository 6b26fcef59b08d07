"""schemathesis finds no disagreement between the OpenAPI document and what the service does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .servers import Server, environment

TOP = Path(__file__).parents[2]

CONFIG = """
hooks = "tests.e2e.schemathesis_checks"

[checks]
# Replaced by refused_only_for_what_the_schema_can_not_say, which says why.
positive_data_acceptance.enabled = false
"""


@pytest.mark.slow
def test_schemathesis_finds_no_disagreement(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve("--storage", "memory://")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    schema = f"{server.address}/schema/openapi.json"
    options = ["--phases=examples,coverage,fuzzing,stateful", "--max-examples=10", "--seed=1", "--no-color"]

    result = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", schema, *options],
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": str(TOP), "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "ERROR" not in server.output
