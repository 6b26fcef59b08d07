"""The worked example of a storage adapter does what its page says: it is installed, tested by the kit, and serves."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "jsonl"
MOST_LINES = 200

pytestmark = pytest.mark.xdist_group("the example")  # which is installed once


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the example is installed, without a network."""
    folder = tmp_path_factory.mktemp("installed")
    command = ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", folder, EXAMPLE]
    subprocess.run([sys.executable, "-m", *command], check=True, timeout=120)
    return folder


def run(installed: Path, folder: Path, *command: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a module of Python where the example is installed."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment(installed),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def environment(installed: Path) -> dict[str, str]:
    settings = [name for name in os.environ if name.startswith(("CATALOG_", "PYTEST_"))]
    return {name: value for name, value in os.environ.items() if name not in settings} | {"PYTHONPATH": str(installed)}


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Generator[str]:
    """The address of a service over the example."""
    server = subprocess.Popen(
        [sys.executable, "-m", "catalog", "serve", "--storage", "jsonl:///books.jsonl", "--port", "0"],
        cwd=tmp_path,
        env=environment(installed),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr
    told = ""
    for line in server.stderr:
        told += line
        if found := re.search(r"serving jsonl:///books.jsonl at (\S+)", told):
            yield found[1]
            break
    server.send_signal(signal.SIGTERM)
    told += server.stderr.read()
    assert server.wait(timeout=30) == 0, told
    server.stderr.close()


def test_it_is_short() -> None:
    assert len((EXAMPLE / "catalog_jsonl.py").read_text("utf-8").splitlines()) < MOST_LINES


@pytest.mark.slow
def test_it_keeps_all_that_every_storage_promises(installed: Path, tmp_path: Path) -> None:
    command = ["pytest", "--pyargs", "catalog.testing.suite", "-p", "catalog.testing.plugin", "-q", "--color=no"]

    done = run(installed, tmp_path, *command, "--catalog-storage", "jsonl:///{folder}/books.jsonl")

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b[3-9]\d\d passed", done.stdout), done.stdout
    assert not re.search(r"skipped|failed", done.stdout), done.stdout
    assert re.search(r"2000 writes .* 0 lost", done.stdout), done.stdout


@pytest.mark.slow
def test_it_keeps_what_its_file_promises(installed: Path) -> None:
    done = run(installed, EXAMPLE, "pytest", "-q", "tests", "-p", "no:cacheprovider")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_a_catalogue_is_served_from_it(served: str, tmp_path: Path) -> None:
    with httpx.Client(base_url=served, timeout=10) as client:
        author = client.post("/authors", json={"name": "Ursula K. Le Guin"}).json()
        book = client.post("/books", json={"title": "The Dispossessed", "author_id": author["id"]})
        shown = client.get("/books").json()

    assert book.status_code == 201
    assert [item["title"] for item in shown["items"]] == ["The Dispossessed"]
    assert len((tmp_path / "books.jsonl").read_text("utf-8").splitlines()) == 2
