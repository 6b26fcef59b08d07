"""`catalog backup`, `restore`, `doctor` and `copy`, beside a service that is used."""

import asyncio
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from tests.cluster.shared import shared_server
from tests.integration.databases import opened, run_sql

from catalog.adapters.sql.postgresql.scratch import scratch
from catalog.domain.authors import Author, AuthorDetails
from catalog.testing.doubles import Cataloguers

from .clients import problem_in
from .servers import PATIENCE, Server, command, environment, run_catalog

pytestmark = pytest.mark.slow


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/catalog.db"


@pytest.fixture
async def postgresql() -> AsyncGenerator[str]:
    """The URL of an empty catalogue on a server of the tests."""
    async with scratch(shared_server().url()) as url:
        yield url


@pytest.fixture
def service(serve: Callable[..., Server], url: str) -> Server:
    return serve("--storage", url)


def added(client: httpx.Client, name: str) -> None:
    assert client.post("/authors", json={"name": name}).status_code == 201


def names(client: httpx.Client) -> list[str]:
    return [author["name"] for author in client.get("/authors?pageSize=100").json()["items"]]


def done(*arguments: str, folder: Path, status: int = 0) -> str:
    """Run a command to its end, and return what it prints."""
    result = run_catalog(*arguments, folder=folder)
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


def refusal(*arguments: str, folder: Path) -> str:
    """Return the one line with which a command refuses."""
    result = run_catalog(*arguments, folder=folder)
    assert (result.returncode, result.stdout) == (2, ""), result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("catalog: ")
    return line


# ---- backups


def test_what_was_backed_up_comes_back_and_the_service_goes_on_with_it(
    service: Server, serve: Callable[..., Server], url: str, tmp_path: Path
) -> None:
    with service.client() as client:
        added(client, "First")

        said = done("backup", "monday.db", "--storage", url, folder=tmp_path)

        assert re.fullmatch(r"monday\.db: [\d,]+ bytes, up to seq 1\n", said)
        added(client, "Second")
    assert "is in use; stop the service" in refusal("restore", "monday.db", "--storage", url, folder=tmp_path)
    service.stop()

    said = done("restore", "monday.db", "--storage", url, folder=tmp_path)

    assert "up to seq 1" in said
    kept = re.search(r"what was there before is kept as (.+)", said)
    assert kept
    with serve("--storage", url).client() as client:
        assert names(client) == ["First"]
        added(client, "Other second")
    with serve("--storage", f"sqlite:///{kept[1]}").client() as client:
        assert names(client) == ["First", "Second"]


def test_a_backup_that_is_there_is_refused_unless_forced(service: Server, url: str, tmp_path: Path) -> None:
    assert service.address
    done("backup", "copy.db", "--storage", url, folder=tmp_path)

    assert "--force" in refusal("backup", "copy.db", "--storage", url, folder=tmp_path)

    done("backup", "copy.db", "--storage", url, "--force", folder=tmp_path)


def test_ctrl_c_leaves_nothing_of_a_backup(service: Server, url: str, tmp_path: Path) -> None:
    assert service.address
    with closing(sqlite3.connect(tmp_path / "catalog.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE big AS SELECT randomblob(200000000) AS content")
    process = subprocess.Popen(
        ["nice", "-n", "19", *command("backup", "copy.db", "--storage", url)],  # else it may be done before the signal
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE
    while not list(tmp_path.glob(".copy.db.*.part")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.001)

    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, ""), err
    assert err.splitlines()[-1] == "catalog: stopped; there is no copy.db"
    assert list(tmp_path.glob("*copy.db*")) + list(tmp_path.glob(".copy.db*")) == []


@pytest.mark.parametrize("what", ["backup", "restore"])
def test_what_is_not_a_file_is_said_to_have_tools_of_its_own(what: str, tmp_path: Path) -> None:
    (tmp_path / "x.db").touch()

    line = refusal(what, "x.db", "--storage", "postgresql://ada:secret@nowhere/books", folder=tmp_path)

    assert "pg_dump" in line
    assert "secret" not in line
    assert "ends with this command" in refusal(what, "x.db", "--storage", "memory://", folder=tmp_path)


# ---- the doctor


def test_the_doctor_finds_a_catalogue_well_while_it_is_served(service: Server, url: str, tmp_path: Path) -> None:
    with service.client() as client:
        added(client, "First")

        said = done("doctor", "--storage", url, folder=tmp_path)

        assert "FAILED" not in said
        assert re.search(r"^ok +log: no gaps: seq 1 to 1$", said, re.MULTILINE)
        assert re.search(r"^\d+ checks: .*, 0 failed$", said, re.MULTILINE)
        added(client, "Second")


def test_the_doctor_names_what_is_wrong_and_tells_it_by_its_status(service: Server, url: str, tmp_path: Path) -> None:
    with service.client() as client:
        added(client, "First")
    run_sql(tmp_path / "catalog.db", "UPDATE author SET dob = '1900-01-01'")

    said = done("doctor", "--storage", url, folder=tmp_path, status=1)

    assert re.search(
        r"^FAILED +authors: as the log says: \S+ is otherwise than seq 1 tells; put back", said, re.MULTILINE
    )


def test_the_doctor_refuses_what_can_not_be_examined(tmp_path: Path) -> None:
    said = refusal("doctor", "--storage", "sqlite:///no.db", folder=tmp_path)

    assert said == "catalog: there is no file no.db; name a catalogue with --storage"
    assert list(tmp_path.iterdir()) == []
    line = refusal("doctor", "--storage", "postgresql://ada:secret@127.0.0.1:1/x", folder=tmp_path)
    assert "can not reach" in line
    assert "secret" not in line


def test_the_doctor_goes_no_further_than_a_damage(service: Server, url: str, tmp_path: Path) -> None:
    with service.client() as client:
        added(client, "First")
    service.stop()
    file = tmp_path / "catalog.db"
    content = bytearray(file.read_bytes())
    content[3 * 4096 : 8 * 4096] = bytes(5 * 4096)
    file.write_bytes(content)

    said = done("doctor", "--storage", url, folder=tmp_path, status=1)

    assert "FAILED   file: whole: " in said
    assert said.endswith("nothing more can be examined before that is mended\n")


def test_the_doctor_examines_postgresql(postgresql: str, tmp_path: Path) -> None:
    said = done("doctor", "--storage", postgresql, folder=tmp_path)

    assert "warning  server: durability: fsync off" in said
    assert "ok       log: no gaps: it is empty" in said


# ---- copying


def test_a_catalogue_moves_to_postgresql_and_back(
    service: Server, serve: Callable[..., Server], url: str, postgresql: str, tmp_path: Path
) -> None:
    with service.client() as client:
        for name in ("First", "Second"):
            added(client, name)
        changes = client.get("/changes").json()

    there = done("copy", url, postgresql, folder=tmp_path)
    back = done("copy", postgresql, f"sqlite:///{tmp_path}/back.db", folder=tmp_path)

    assert re.findall("SHA-256 .*", there) == re.findall("SHA-256 .*", back)
    assert f"It is equal to {url}, takes writes and follows nobody" in there
    assert "s3cret" not in there + back
    for storage in (postgresql, f"sqlite:///{tmp_path}/back.db"):
        with serve("--storage", storage).client() as client:
            assert client.get("/changes").json() == changes
            added(client, "Third")


async def add_authors(file: Path, count: int) -> None:
    """Add many authors at once."""
    async with opened(file) as storage:
        catalogue = Cataloguers(storage)
        async with storage.unit_of_work(catalogue.caller) as unit:
            details = [AuthorDetails(name=f"Author {number}") for number in range(count)]
            await unit.authors.add(
                *(Author.recorded(each, id=catalogue.ids.new(), at=catalogue.clock.now()) for each in details)
            )


def test_a_copy_that_is_killed_takes_no_writes_and_goes_on(
    serve: Callable[..., Server], url: str, tmp_path: Path
) -> None:
    count = 20_000
    asyncio.run(add_authors(tmp_path / "catalog.db", count))
    target = f"sqlite:///{tmp_path}/copy.db"
    with subprocess.Popen(
        command("copy", url, target), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while not 0 < seq_in(tmp_path / "copy.db") < count:
            assert time.monotonic() < deadline
            assert process.poll() is None
        process.kill()
    reached = seq_in(tmp_path / "copy.db")
    assert 0 < reached < count
    replica = serve("--storage", target)
    with replica.client() as client:
        problem_in(client.post("/authors", json={"name": "x"}), 403, "read-only-replica")
    replica.stop()

    said = done("copy", url, target, folder=tmp_path)

    assert f"It is equal to {url}" in said
    assert seq_in(tmp_path / "copy.db") == count


def seq_in(file: Path) -> int:
    """How far the log in the file goes; 0 while it is being made."""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT seq FROM log").fetchone()[0])
    except (sqlite3.OperationalError, TypeError):
        return 0


def test_a_copy_refuses_what_it_can_not_do(service: Server, url: str, tmp_path: Path) -> None:
    with service.client() as client:
        added(client, "First")
    for to, said in (
        (url, "both are the same storage"),
        (url.replace(str(tmp_path), f"{tmp_path}/."), "itself; name another storage"),
        ("memory://", "ends with this command"),
        ("sqlite:///nowhere/x.db", "there is no folder"),
        ("postgresql://ada:secret@127.0.0.1:1/x", "can not reach"),
    ):
        line = refusal("copy", url, to, folder=tmp_path)
        assert said in line
        assert "secret" not in line
    assert "there is no file" in refusal("copy", "sqlite:///no.db", "sqlite:///x.db", folder=tmp_path)
    assert not (tmp_path / "no.db").exists()


async def test_a_postgresql_database_that_was_not_migrated_is_refused(
    service: Server, url: str, postgresql: str, tmp_path: Path
) -> None:
    assert service.address
    done("database", "--storage", postgresql, "downgrade", "base", "--no-prompt", folder=tmp_path)

    line = refusal("copy", url, postgresql, folder=tmp_path)

    assert "catalog database upgrade" in line
    assert "***" in line


def test_a_storage_with_another_catalogue_is_refused_and_serves_on(
    service: Server, serve: Callable[..., Server], url: str, tmp_path: Path
) -> None:
    other_url = f"sqlite:///{tmp_path}/other.db"
    other = serve("--storage", other_url)
    with service.client() as client, other.client() as there:
        added(client, "First")
        added(there, "Other")

        line = refusal("copy", url, other_url, folder=tmp_path)

        assert "holds another catalogue" in line
        added(there, "Another")
