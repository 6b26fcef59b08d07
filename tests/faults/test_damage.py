"""What the catalogue does when its file, or its disk, is not as it was: it says so, and answers no write wrongly."""

import asyncio
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import httpx
import pytest
from tests.e2e.servers import PATIENCE, Server
from tests.integration.databases import run_sql

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails
from catalog.domain.callers import Caller
from catalog.domain.errors import StorageUnavailable
from catalog.entrypoints.container import open_storage
from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import Cataloguers

from .conftest import SmallDisk
from .traces import strace

pytestmark = pytest.mark.slow

PAGE = 4096
BOOKS = 150

Serve = Callable[..., Server]


def settings(file: Path) -> Settings:
    return Settings(storage=f"sqlite:///{file}")


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of some books, closed."""
    file = tmp_path_factory.mktemp("original") / "catalog.db"
    asyncio.run(_fill(file))
    return file


async def _fill(file: Path) -> None:
    async with open_storage(settings(file)) as storage:
        cataloguers = Cataloguers(storage)
        author = await cataloguers.authors.add(AuthorDetails(name="Jane Austen"))
        for number in range(BOOKS):
            await cataloguers.books.add(BookDetails(title=f"{number} {'x' * 200}", author_id=author.id))


@pytest.fixture
def file(original: Path, tmp_path: Path) -> Path:
    """The same catalogue, for one test to spoil."""
    return Path(shutil.copy(original, tmp_path / "catalog.db"))


def pages_of(file: Path) -> int:
    return file.stat().st_size // PAGE


def overwrite(file: Path, offset: int, data: bytes) -> None:
    """Write into the middle of a file, which stays the same file."""
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(data)


# ---- a start that is refused


def refusal(server: Server) -> str:
    """The one line with which a start is refused."""
    said = server.wait_for("^catalog: ").string
    assert "catalog: serving" not in said, "it started"
    assert server.wait() == 2
    assert server.lines == [said]
    return said


DAMAGES: Mapping[str, Callable[[Path], object]] = {
    "a page of zeros in the middle": lambda file: overwrite(file, pages_of(file) // 2 * PAGE, bytes(PAGE)),
    "a page of noise in the middle": lambda file: overwrite(
        file, pages_of(file) // 2 * PAGE, Random(1).randbytes(PAGE)
    ),
    "a last page of noise": lambda file: overwrite(file, (pages_of(file) - 1) * PAGE, Random(1).randbytes(PAGE)),
    "cut in half": lambda file: os.truncate(file, pages_of(file) // 2 * PAGE),
    "cut in the middle of a page": lambda file: os.truncate(file, file.stat().st_size - PAGE // 2),
    "cut to its first page": lambda file: os.truncate(file, PAGE),
    "cut in the middle of its header": lambda file: os.truncate(file, 50),
    "a header without what it says of the file": lambda file: overwrite(file, 16, bytes(84)),
    "a header of noise": lambda file: overwrite(file, 0, Random(1).randbytes(100)),
    "a list of tables that is noise": lambda file: overwrite(file, 100, Random(1).randbytes(PAGE - 100)),
    "a format that only newer versions of SQLite read": lambda file: overwrite(file, 18, b"\x03\x03"),
    "a table that somebody dropped": lambda file: run_sql(file, "DROP TABLE source"),
    "no migration noted": lambda file: run_sql(file, "DELETE FROM alembic_versions"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_at_the_start_and_left_as_it_is(serve: Serve, file: Path, damage: str) -> None:
    DAMAGES[damage](file)
    before = file.read_bytes()

    refusal(serve(file))

    assert file.read_bytes() == before


@pytest.mark.parametrize("damage", ["cut in half", "a header of noise"])
def test_the_refusal_of_a_damaged_file_says_which_file_it_is(serve: Serve, file: Path, damage: str) -> None:
    DAMAGES[damage](file)

    assert "catalog.db" in refusal(serve(file))


def test_whichever_page_is_damaged_the_start_is_refused(original: Path, tmp_path: Path) -> None:
    accepted = []
    for page in range(1, pages_of(original)):
        file = Path(shutil.copy(original, tmp_path / f"{page}.db"))
        overwrite(file, page * PAGE, b"\xff" * PAGE)
        if asyncio.run(_opens(file)):
            accepted.append(page)

    assert accepted == []


async def _opens(file: Path) -> bool:
    try:
        async with open_storage(settings(file)):
            return True
    except StorageUnavailable:
        return False


def test_a_database_of_another_program_is_refused_at_the_start_and_left_as_it_is(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "photos.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    before = file.read_bytes()

    line = refusal(serve(file))

    assert "photos.db is not a catalogue" in line
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["photos.db"]


def test_a_file_on_a_disk_that_can_only_be_read_is_refused_at_the_start(
    serve: Serve, file: Path, small_disk: SmallDisk
) -> None:
    there = Path(shutil.copy(file, small_disk.folder / "catalog.db"))
    small_disk.remount("ro")

    line = refusal(serve(there))

    assert re.search("read-?only|unable to open", line)


def test_a_new_catalogue_on_a_full_disk_is_refused_at_the_start(serve: Serve, small_disk: SmallDisk) -> None:
    fill(small_disk)

    line = refusal(serve(small_disk.folder / "catalog.db"))

    assert "full" in line


def test_a_start_that_a_full_disk_refused_goes_well_once_there_is_room(serve: Serve, small_disk: SmallDisk) -> None:
    file = small_disk.folder / "catalog.db"
    (small_disk.folder / "filler").write_bytes(bytes(980 * 1024))
    refusal(serve(file))

    small_disk.remount("size=8m")

    with serve(file).client() as client:
        assert added(client, "Jane Austen").status_code == 201


def test_an_empty_file_becomes_a_catalogue(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    file.touch()

    with serve(file).client() as client:
        assert added(client, "Jane Austen").status_code == 201


# ---- faults under a running service


def added(client: httpx.Client, name: str) -> httpx.Response:
    return client.post("/authors", json={"name": name})


def must_be(problem: httpx.Response, status: int, slug: str) -> None:
    assert (problem.status_code, problem.headers["content-type"]) == (status, "application/problem+json"), problem.text
    assert problem.json()["type"] == f"/problems/{slug}"


def names_in(client: httpx.Client) -> set[str]:
    names: set[str] = set()
    number = 0
    while True:
        number += 1
        page = client.get("/authors", params={"pageSize": 100, "currentPage": number}).json()
        names |= {author["name"] for author in page["items"]}
        if len(page["items"]) < page["limit"]:
            return names


def fill(disk: SmallDisk) -> Path:
    """Let nothing more go onto the disk."""
    filler = disk.folder / "filler"
    with filler.open("wb", buffering=0) as opened:
        try:
            while opened.write(bytes(PAGE)):
                pass
        except OSError:
            return filler


class Writer:
    """Adds authors one after the other, and knows which of them the server said to have kept."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self._number = 0

    def write(self, times: int = 1) -> httpx.Response:
        """Write some; return the last answer."""
        for _ in range(times):
            self._number += 1
            name = f"{self._number} {'x' * 400}"
            response = added(self.client, name)
            (self.acknowledged if response.is_success else self.refused).add(name)
        return response

    def write_until_refused(self) -> httpx.Response:
        """Write until an answer is none that is hoped for; return that."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if not (response := self.write()).is_success:
                return response
        raise AssertionError("every write was taken")


def must_all_be_kept(writer: Writer, server: Server, serve: Serve, file: Path) -> None:
    """Kill the server and start another: it has what was acknowledged, and nothing that was refused."""
    server.kill()
    with serve(file).client() as client:
        names = names_in(client)
    assert writer.acknowledged - names == set()
    assert writer.refused & names == set()


@contextmanager
def writing_to(server: Server) -> Generator[Writer]:
    with server.client() as client:
        yield Writer(client)


def test_on_a_full_disk_writes_are_refused_reads_go_on_and_what_was_taken_is_kept(
    serve: Serve, small_disk: SmallDisk
) -> None:
    file = small_disk.folder / "catalog.db"
    server = serve(file)
    with writing_to(server) as writer:
        refused = writer.write_until_refused()

        must_be(refused, 507, "storage-full")
        assert names_in(writer.client) == writer.acknowledged
        assert writer.acknowledged
    small_disk.remount("size=8m")
    must_all_be_kept(writer, server, serve, file)


def test_once_a_full_disk_has_room_writes_are_taken_again(serve: Serve, small_disk: SmallDisk) -> None:
    file = small_disk.folder / "catalog.db"
    server = serve(file)
    with writing_to(server) as writer:
        writer.write_until_refused()

        small_disk.remount("size=8m")

        assert writer.write(20).status_code == 201
        assert writer.client.get("/readyz").status_code == 200
    must_all_be_kept(writer, server, serve, file)


def test_a_service_that_is_killed_on_a_full_disk_comes_back_once_there_is_room(
    serve: Serve, small_disk: SmallDisk
) -> None:
    file = small_disk.folder / "catalog.db"
    server = serve(file)
    with writing_to(server) as writer:
        writer.write_until_refused()
    fill(small_disk)
    server.kill()

    hampered = serve(file)
    said = hampered.wait_for("^catalog: ").string

    if "catalog: serving" in said:
        with writing_to(hampered) as other:
            assert names_in(other.client) == writer.acknowledged
            must_be(other.write(), 507, "storage-full")
    else:
        assert hampered.wait() == 2
    small_disk.remount("size=8m")
    must_all_be_kept(writer, hampered, serve, file)


def test_a_service_that_is_killed_is_there_to_read_on_a_disk_that_became_read_only(
    serve: Serve, small_disk: SmallDisk
) -> None:
    file = small_disk.folder / "catalog.db"
    server = serve(file)
    with writing_to(server) as writer:
        writer.write(3)
    server.kill()
    small_disk.remount("ro")

    hampered = serve(file)

    with writing_to(hampered) as other:
        assert names_in(other.client) == writer.acknowledged
        must_be(other.write(), 503, "unavailable")
    small_disk.remount("rw")
    must_all_be_kept(writer, hampered, serve, file)


def limit_files_of(server: Server, size: int) -> None:
    """Let no file of the process grow beyond that; without the need to be root."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("this system limits only the process that asks for it")
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def test_a_limit_on_the_size_of_files_refuses_writes_keeps_what_was_taken_and_can_be_lifted(
    serve: Serve, file: Path
) -> None:
    server = serve(file)
    with writing_to(server) as writer:
        writer.write(3)
        limit_files_of(server, file.with_name("catalog.db-wal").stat().st_size + 5 * PAGE)

        refused = writer.write_until_refused()
        again = writer.write()

        assert {refused.status_code, again.status_code} <= {503, 507}
        assert writer.client.get("/authors").status_code == 200
        limit_files_of(server, resource.RLIM_INFINITY)
        assert writer.write(20).status_code == 201
    must_all_be_kept(writer, server, serve, file)


@pytest.mark.parametrize(
    ("call", "error", "status", "slug"),
    [
        ("fdatasync,fsync", "EIO", 503, "unavailable"),
        ("fdatasync,fsync", "ENOSPC", 503, "unavailable"),
        ("pwrite64", "EIO", 503, "unavailable"),
        ("pwrite64", "EROFS", 503, "unavailable"),  # how a disk goes on that the system made read-only for its errors
        ("pwrite64", "ENOSPC", 507, "storage-full"),
    ],
)
def test_a_disk_that_fails_refuses_writes_keeps_what_was_taken_and_recovers(
    serve: Serve, file: Path, call: str, error: str, status: int, slug: str
) -> None:
    server = serve(file)
    with writing_to(server) as writer:
        writer.write(3)
        with failing(server, call, error):
            refused = writer.write(3)
        recovered = writer.write(3)

        must_be(refused, status, slug)
        assert recovered.status_code == 201
    must_all_be_kept(writer, server, serve, file)


@contextmanager
def failing(server: Server, call: str, error: str) -> Generator[None]:
    """Let this system call of the server fail."""
    if (program := strace()) is None:
        pytest.skip("there is no strace here that may trace, and so make system calls fail")
    options = ["-f", "-e", f"trace={call}", "-e", f"inject={call}:error={error}", "-o", os.devnull]
    tracing = subprocess.Popen([program, *options, "-p", str(server.process.pid)], stderr=subprocess.PIPE, text=True)
    assert tracing.stderr
    attached = tracing.stderr.readline()
    if "attached" not in attached:
        pytest.skip(f"strace can not trace here: {attached.strip()}")
    try:
        yield
    finally:
        tracing.terminate()
        tracing.wait(PATIENCE)
        tracing.stderr.close()


def move_away(file: Path) -> Path:
    return file.rename(file.with_name("away.db"))


def test_a_file_that_was_moved_away_and_back_is_written_to_again(serve: Serve, file: Path) -> None:
    server = serve(file)
    with writing_to(server) as writer:
        writer.write()
        away = move_away(file)
        refused, ready = writer.write(), writer.client.get("/readyz")
        away.rename(file)
        taken = writer.write()

        must_be(refused, 503, "unavailable")
        must_be(ready, 503, "unavailable")
        assert taken.status_code == 201
    must_all_be_kept(writer, server, serve, file)


def test_a_folder_that_was_moved_away_and_back_is_written_to_again(
    serve: Serve, original: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    file = Path(shutil.copy(original, folder / "catalog.db"))
    server = serve(file)
    with writing_to(server) as writer:
        writer.write()
        away = folder.rename(tmp_path / "elsewhere")
        refused = writer.write()
        away.rename(folder)
        taken = writer.write()

        must_be(refused, 503, "unavailable")
        assert taken.status_code == 201
    must_all_be_kept(writer, server, serve, file)


LOSE: Mapping[str, Callable[[Path], object]] = {
    "removed": lambda file: file.unlink(),
    "moved away": move_away,
    "replaced": lambda file: move_away(file).with_name("catalog.db").touch(),
}


@pytest.mark.parametrize("lost", LOSE)
async def test_a_unit_whose_file_is_lost_before_the_end_is_not_said_to_be_kept(file: Path, lost: str) -> None:
    async with open_storage(settings(file)) as storage:
        author = await Cataloguers(storage).authors.add(AuthorDetails(name="Jane Austen"))

        with pytest.raises(StorageUnavailable):  # noqa: PT012 - what raises is the end of the unit
            async with storage.unit_of_work(Caller(actor="tester")) as unit:
                await unit.authors.remove(author, at=author.updated_at)
                LOSE[lost](file)


def test_a_write_is_not_taken_once_the_write_ahead_log_is_removed(serve: Serve, file: Path) -> None:
    server = serve(file)
    with writing_to(server) as writer:
        writer.write(3)
        before = set(writer.acknowledged)
        file.with_name("catalog.db-wal").unlink()
        writer.write(3)
    server.kill()
    with serve(file).client() as client:
        names = names_in(client)

    # What was written before it was removed is lost by whoever removed it.
    assert writer.acknowledged - before - names == set()


def test_a_write_is_not_taken_once_the_file_is_cut_off(serve: Serve, file: Path) -> None:
    server = serve(file)
    with writing_to(server) as writer:
        os.truncate(file, pages_of(file) // 2 * PAGE)

        must_be(writer.write(), 503, "unavailable")
        must_be(writer.client.get("/readyz"), 503, "unavailable")


def test_writes_are_still_taken_once_somebody_else_has_made_the_file_smaller(serve: Serve, file: Path) -> None:
    server = serve(file)
    with writing_to(server) as writer:
        writer.write(3)
        for book in writer.client.get("/books", params={"pageSize": 100}).json()["items"]:
            writer.client.delete(f"/books/{book['id']}")
        before = file.stat().st_size
        run_sql(file, "UPDATE revision SET after = NULL, withheld = 'compacted' WHERE kind = 'book'")
        run_sql(file, "VACUUM")
        run_sql(file, "PRAGMA wal_checkpoint(TRUNCATE)")

        assert file.stat().st_size < before
        assert writer.write(3).status_code == 201
    must_all_be_kept(writer, server, serve, file)


def test_a_file_that_is_damaged_while_it_is_in_use_is_said_to_be_unavailable(serve: Serve, file: Path) -> None:
    server = serve(file)
    with writing_to(server) as writer:
        overwrite(file, PAGE, b"\xff" * (file.stat().st_size - PAGE))

        answers = [writer.client.get(path) for path in ("/books?pageSize=100", "/changes?limit=1000", "/readyz")]

        for answer in answers:
            must_be(answer, 503, "unavailable")


def test_a_log_file_of_noise_hides_nothing_that_was_in_the_catalogue(serve: Serve, file: Path) -> None:
    file.with_name("catalog.db-wal").write_bytes(Random(1).randbytes(20 * PAGE))

    with serve(file).client() as client:
        assert client.get("/books").json()["total"] == BOOKS
