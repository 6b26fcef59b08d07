"""Real bibliographic files, which stand beside the working copy on some machines and are never committed."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "data"


def shared_file(path: str) -> Path:
    """Return the file, or skip the test where the folder is missing."""
    file = FOLDER / path
    if not file.exists():
        pytest.skip(f"needs {path} in ../shared/data beside the working copy")
    return file
