"""The wheel: what is in it, and that a catalogue can be served from nothing else."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from threading import Timer
from zipfile import ZipFile

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this working copy."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    """The names of the files in the wheel."""
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel, and with our dependencies but not with our working copy."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=120)
    python = environment / "bin" / "python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True, timeout=120)
    # A folder that a .pth file names is searched, but its own .pth files, an editable install among them, are not read.
    packages = environment / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("\n".join(sorted(ours)), "utf-8")
    return environment


def in_(environment: Path, program: str, *arguments: str, folder: Path) -> str:
    """What a program of the environment prints when it is run in the folder."""
    command = [environment / "bin" / program, *arguments]
    done = subprocess.run(command, cwd=folder, env=clean(), capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def clean() -> dict[str, str]:
    """Our environment variables, but for those that say where packages are or what to serve."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CATALOG_", "VIRTUAL"))}


@contextmanager
def served(environment: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve a new catalogue; yield the process and its address."""
    command = [environment / "bin" / "catalog", "serve", "--port", "0", "--storage", "sqlite:///x.db"]
    with subprocess.Popen(command, cwd=folder, env=clean(), stderr=subprocess.PIPE, text=True) as process:
        too_long = Timer(60, process.kill)
        too_long.start()
        try:
            yield process, address_in(process.stderr or [])
        finally:
            too_long.cancel()
            process.kill()


def address_in(lines: Iterable[str]) -> str:
    """The address that the service says it serves at."""
    said = []
    for line in lines:
        said.append(line)
        if line.startswith("catalog: serving") and (address := re.search(r"http://[\d.]+:\d+", line)):
            return address[0]
    raise AssertionError(f"the service did not say where it serves: {''.join(said)}")


@pytest.fixture
def folder(tmp_path: Path) -> Generator[Path]:
    """An empty folder."""
    yield tmp_path
    assert {path.name.partition(".")[0] for path in tmp_path.iterdir()} <= {"x"}, "something else was written"


def test_the_wheel_carries_the_migrations(contents: set[str]) -> None:
    versions = {f"catalog/migrations/versions/{path.name}" for path in (ROOT / "migrations" / "versions").glob("*.py")}

    assert versions
    assert contents >= {"catalog/migrations/env.py", "catalog/migrations/script.py.mako"} | versions


def test_the_wheel_carries_every_file_of_the_package(contents: set[str]) -> None:
    package = ROOT / "src"
    files = {str(path.relative_to(package)) for path in (package / "catalog").rglob("*") if path.is_file()}

    assert {name for name in files if "__pycache__" not in name} - contents == set()


def test_the_wheel_carries_nothing_else(contents: set[str]) -> None:
    assert {name.partition("/")[0] for name in contents} == {"catalog", f"catalog-{version('catalog')}.dist-info"}
    others = [name for name in contents if not name.startswith("catalog/testing/suite/")]
    assert [name for name in others if "test_" in name or name.endswith((".db", ".pyc"))] == []


def test_the_installed_package_is_the_wheel_s(installed: Path, folder: Path) -> None:
    program = (
        "import catalog; from catalog.adapters.sql.migrations import folder; print(catalog.__file__); print(folder())"
    )

    package, migrations = in_(installed, "python", "-c", program, folder=folder).splitlines()

    assert Path(package).is_relative_to(installed)
    assert Path(migrations).is_relative_to(installed)


def test_the_installed_command_says_its_version(installed: Path, folder: Path) -> None:
    assert in_(installed, "catalog", "version", folder=folder) == version("catalog")


def test_a_catalogue_is_served_from_the_wheel(installed: Path, folder: Path) -> None:
    with served(installed, folder) as (process, address), httpx.Client(base_url=address, timeout=10) as client:
        posted = client.post("/authors", json={"name": "Ursula K. Le Guin", "dob": "1929-10-21"})
        got = client.get(posted.headers["location"])
        ready = client.get("/readyz")
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=30)

    assert (posted.status_code, got.status_code, ready.status_code) == (201, 200, 200)
    assert got.json() == posted.json()
    assert status == 0


def test_what_the_service_wrote_is_there_when_it_is_served_again(installed: Path, folder: Path) -> None:
    with served(installed, folder) as (process, address):
        posted = httpx.post(f"{address}/authors", json={"name": "Homer"}, timeout=10).json()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)

    with served(installed, folder) as (_, address):
        got = httpx.get(f"{address}/authors/{posted['id']}", timeout=10)

    assert got.json() == posted


def test_the_documentation_page_is_served_from_the_wheel(installed: Path, folder: Path) -> None:
    with served(installed, folder) as (_, address), httpx.Client(base_url=address, timeout=10) as client:
        page = client.get("/schema")
        assets = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        missing = [path for path in assets if client.get(path).status_code != 200]

    assert page.status_code == 200
    assert assets
    assert missing == []
