"""Backups of SQLite files: of one moment, whole or not there, and put back without anything being lost."""

import asyncio
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from attrs import frozen
from tests.integration.databases import REVISIONS, alembic, content, opened, populate, revision_of, run_sql

from catalog.adapters.sql.sqlite import backup
from catalog.adapters.sql.sqlite.backup import Copied, Restored, SqliteBackups
from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import StorageUnavailable
from catalog.domain.queries import AuthorQuery
from catalog.testing.doubles import Cataloguers

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def untold(_done: int, _of: int) -> None:
    """Show nobody."""


@frozen
class Place:
    """A folder with a catalogue, and room for backups."""

    folder: Path

    @property
    def catalogue(self) -> Path:
        return self.folder / "catalog.db"

    @property
    def backup(self) -> Path:
        return self.folder / "backups" / "monday.db"

    def back_up(self, *, force: bool = False, told: Callable[[int, int], None] = untold) -> Copied:
        return SqliteBackups(self.catalogue, 1).back_up(self.backup, force=force, told=told)

    def restore(self) -> Restored:
        return SqliteBackups(self.catalogue, 1).restore(self.backup, at=NOW, told=untold)

    def files(self) -> set[str]:
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}


@contextmanager
def stopping_at(line: int) -> Generator[Callable[[], int]]:
    """Press Ctrl-C when that many lines of the module are passed; yield what tells how many were."""
    passed = 0

    def traced(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal passed
        if frame.f_code.co_filename != backup.__file__:
            return None
        if event == "line":
            passed += 1
            if passed == line:
                raise KeyboardInterrupt
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        yield lambda: passed
    finally:
        sys.settrace(before)


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    """A catalogue with something in every table."""
    place = Place(tmp_path)
    async with opened(place.catalogue) as storage:
        await populate(storage)
    place.backup.parent.mkdir()
    return place


# ---- making one


def test_a_backup_has_every_row_and_says_how_far_its_log_goes(place: Place) -> None:
    copied = place.back_up()

    assert content(place.backup) == content(place.catalogue)
    assert revision_of(place.backup) == REVISIONS[-1]
    assert copied == Copied(place.backup.stat().st_size, 5)
    assert place.files() == {"catalog.db", "backups/monday.db"}


async def test_a_backup_has_what_stands_in_the_write_ahead_log_alone(place: Place) -> None:
    async with opened(place.catalogue) as storage:
        await Cataloguers(storage).authors.add(AuthorDetails(name="Late"))

        copied = place.back_up()

    assert copied.seq == 6


async def test_a_backup_made_while_others_write_is_of_one_moment(place: Place) -> None:
    async with opened(place.catalogue) as storage:
        catalogue = Cataloguers(storage)

        stop = asyncio.Event()

        async def write() -> None:
            while not stop.is_set():
                await catalogue.authors.add(AuthorDetails(name="New"))

        writing = [asyncio.create_task(write()) for _ in range(3)]
        await asyncio.sleep(0.1)
        known = (await storage.reader.position()).seq
        copied = await asyncio.to_thread(place.back_up)
        stop.set()
        await asyncio.gather(*writing)
        last = (await storage.reader.position()).seq

    assert copied.seq is not None
    assert known <= copied.seq <= last
    assert run_sql(place.backup, "SELECT count(*), max(seq) FROM revision") == [(copied.seq, copied.seq)]


def test_a_backup_can_be_read_by_those_who_can_read_the_catalogue_and_nobody_else(place: Place) -> None:
    place.catalogue.chmod(0o640)

    place.back_up()

    assert place.backup.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_puts_back_belongs_to_whom_it_belonged(place: Place) -> None:
    os.chown(place.catalogue, 12345, 54321)
    place.back_up()
    assert (place.backup.stat().st_uid, place.backup.stat().st_gid) == (12345, 54321)
    os.chown(place.backup, 0, 0)

    place.restore()

    assert (place.catalogue.stat().st_uid, place.catalogue.stat().st_gid) == (12345, 54321)


def test_a_file_that_is_there_is_not_replaced(place: Place) -> None:
    place.backup.write_text("precious", "utf-8")

    with pytest.raises(StorageUnavailable, match="there already; name another file, or add --force"):
        place.back_up()

    assert place.backup.read_text("utf-8") == "precious"


def test_a_file_that_is_there_is_replaced_by_force(place: Place) -> None:
    place.backup.write_text("old", "utf-8")

    place.back_up(force=True)

    assert content(place.backup) == content(place.catalogue)


@pytest.mark.parametrize("force", [True, False])
def test_the_catalogue_is_never_its_own_backup(place: Place, force: bool) -> None:
    place.backup.symlink_to(place.catalogue)
    before = content(place.catalogue)

    with pytest.raises(StorageUnavailable, match="is the catalogue itself"):
        place.back_up(force=force)

    assert content(place.catalogue) == before


def test_a_file_that_is_in_use_is_not_replaced_even_by_force(place: Place) -> None:
    place.back_up()
    Path(f"{place.backup}-wal").write_bytes(b"somebody's")

    with pytest.raises(StorageUnavailable, match="may be in use"):
        place.back_up(force=True)


def test_a_catalogue_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()

    with pytest.raises(StorageUnavailable, match="there is no file"):
        Place(tmp_path).back_up()

    assert Place(tmp_path).files() == set()


@pytest.mark.parametrize("what", ["text", "empty", "other"])
def test_what_is_not_a_catalogue_is_not_backed_up(tmp_path: Path, what: str) -> None:
    place = Place(tmp_path)
    place.backup.parent.mkdir()
    if what == "other":
        run_sql(place.catalogue, "CREATE TABLE bookmark (url)")
    else:
        place.catalogue.write_text("hello " * 1000 if what == "text" else "", "utf-8")

    with pytest.raises(StorageUnavailable):
        place.back_up()

    assert place.files() == {"catalog.db"}


def test_a_damaged_catalogue_leaves_no_backup(place: Place) -> None:
    damage(place.catalogue)

    with pytest.raises(StorageUnavailable, match="catalog doctor"):
        place.back_up()

    assert place.files() == {"catalog.db"}


def test_a_row_that_names_what_is_not_there_leaves_no_backup(place: Place) -> None:
    run_sql(place.catalogue, "UPDATE book SET author_id = x'00' WHERE author_id IS NOT NULL")

    with pytest.raises(StorageUnavailable, match="book names one of author that is not there"):
        place.back_up()

    assert place.files() == {"catalog.db"}


def test_whoever_stops_a_backup_finds_nothing_of_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.adapters.sql.sqlite.backup.SECONDS_BETWEEN_TOLD", 0.0)
    grow(place.catalogue)

    def stop(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.back_up(told=stop)

    assert place.files() == {"catalog.db"}
    assert threading.active_count() == 1 or not any("ThreadPool" in each.name for each in threading.enumerate())


def test_a_ctrl_c_at_any_line_leaves_all_of_a_backup_or_nothing(place: Place) -> None:
    with stopping_at(1_000_000) as passed:
        place.back_up()
    lines = passed()
    whole = place.backup.stat().st_size

    for line in range(1, lines + 1):
        place.backup.unlink(missing_ok=True)
        with stopping_at(line), suppress(KeyboardInterrupt):
            place.back_up()
        assert set(place.backup.parent.iterdir()) <= {place.backup}, f"stopped at the {line}th line of {lines}"
        assert not place.backup.exists() or place.backup.stat().st_size == whole
    assert lines > 50


def test_a_backup_tells_how_far_it_has_come(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.adapters.sql.sqlite.backup.SECONDS_BETWEEN_TOLD", 0.0)
    grow(place.catalogue)
    told: list[tuple[int, int]] = []

    place.back_up(told=lambda done, of: told.append((done, of)))

    assert told
    assert all(0 <= done <= of for done, of in told)


def test_a_folder_that_is_not_there_is_named(place: Place) -> None:
    place.backup.parent.rmdir()

    with pytest.raises(StorageUnavailable, match="there is no folder"):
        place.back_up()


# ---- putting it back


async def change(place: Place) -> None:
    async with opened(place.catalogue) as storage:
        await Cataloguers(storage).authors.add(AuthorDetails(name="Later"))


async def test_what_is_put_back_is_as_it_was_and_what_stood_there_is_kept(place: Place) -> None:
    place.back_up()
    before = content(place.catalogue)
    await change(place)
    after = content(place.catalogue)

    restored = place.restore()

    assert content(place.catalogue) == before
    assert restored.kept == place.folder / "catalog.db.before-20260102T030405.000000Z"
    assert content(restored.kept) == after
    assert restored.copied.seq == 5
    assert place.files() == {"catalog.db", "backups/monday.db", restored.kept.name}
    async with opened(place.catalogue) as storage:
        assert (await storage.reader.authors(AuthorQuery())).total == 2
        await Cataloguers(storage).authors.add(AuthorDetails(name="New"))


def test_what_a_killed_service_left_in_its_log_is_kept_too(place: Place) -> None:
    place.back_up()
    leave_a_write_ahead_log(place.catalogue)

    restored = place.restore()

    assert restored.kept is not None
    assert run_sql(restored.kept, "SELECT count(*) FROM author WHERE name = 'Unmerged'") == [(1,)]
    assert place.files() == {"catalog.db", "backups/monday.db", restored.kept.name}


def test_a_damaged_catalogue_is_kept_with_its_log_and_that_does_not_touch_the_new_one(place: Place) -> None:
    place.back_up()
    leave_a_write_ahead_log(place.catalogue)
    log = Path(f"{place.catalogue}-wal").read_bytes()
    place.catalogue.write_bytes(b"not a database at all " * 1000)

    restored = place.restore()

    assert restored.kept is not None
    assert content(place.catalogue) == content(place.backup)
    assert Path(f"{restored.kept}-wal").read_bytes() == log
    assert not Path(f"{place.catalogue}-wal").exists()


def test_a_catalogue_that_is_gone_comes_back(place: Place) -> None:
    place.back_up()
    before = content(place.catalogue)
    place.catalogue.unlink()

    assert place.restore().kept is None

    assert content(place.catalogue) == before


async def test_a_catalogue_that_is_open_is_not_replaced(place: Place) -> None:
    place.back_up()
    async with opened(place.catalogue) as storage:
        await Cataloguers(storage).authors.add(AuthorDetails(name="New"))

        with pytest.raises(StorageUnavailable, match="is in use; stop the service"):
            await asyncio.to_thread(place.restore)

        await Cataloguers(storage).authors.add(AuthorDetails(name="Newer"))
    assert run_sql(place.catalogue, "SELECT seq FROM log") == [(7,)]
    assert place.files() == {"catalog.db", "backups/monday.db"}


@pytest.mark.slow
async def test_a_backup_of_an_older_version_is_put_back_and_migrated_when_it_is_opened(place: Place) -> None:
    await asyncio.to_thread(alembic(place.catalogue).downgrade, REVISIONS[0])
    assert place.back_up().seq is None

    place.restore()

    assert revision_of(place.catalogue) == REVISIONS[0]
    async with opened(place.catalogue) as storage:
        assert (await storage.reader.position()).seq == 4


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE alembic_versions SET version_num = '9999'", "newer version"),
        ("DELETE FROM revision WHERE seq = 3", "its log should go to 5, goes to 5 and has 4"),
        ("DELETE FROM revision WHERE seq = 5", "its log should go to 5, goes to 4"),
        ("UPDATE book SET author_id = x'00' WHERE author_id IS NOT NULL", "names one of author"),
        ("DROP TABLE alembic_versions", "not a catalogue"),
    ],
)
def test_a_backup_that_is_not_right_is_refused_before_anything_is_touched(place: Place, sql: str, said: str) -> None:
    place.back_up()
    run_sql(place.backup, sql)
    before = place.catalogue.read_bytes()

    with pytest.raises(StorageUnavailable, match=said):
        place.restore()

    assert place.catalogue.read_bytes() == before
    assert place.files() == {"catalog.db", "backups/monday.db"}


def test_a_damaged_backup_is_refused(place: Place) -> None:
    place.back_up()
    damage(place.backup)

    with pytest.raises(StorageUnavailable):
        place.restore()

    assert place.files() == {"catalog.db", "backups/monday.db"}


def test_a_database_of_another_program_is_not_replaced(place: Place) -> None:
    place.back_up()
    place.catalogue.unlink()
    run_sql(place.catalogue, "CREATE TABLE bookmark (url)")

    with pytest.raises(StorageUnavailable, match="not a catalogue: it has the tables bookmark"):
        place.restore()


def test_the_catalogue_is_not_put_back_onto_itself(place: Place) -> None:
    place.backup.symlink_to(place.catalogue)

    with pytest.raises(StorageUnavailable, match="is the catalogue itself"):
        place.restore()


def test_a_backup_that_can_only_be_read_is_enough(place: Place) -> None:
    place.back_up()
    run_sql(place.backup, "PRAGMA journal_mode=WAL")
    place.backup.chmod(0o440)

    place.restore()

    assert content(place.catalogue)["author"]


def test_two_restores_keep_both_that_stood_there(place: Place) -> None:
    place.back_up()
    first = SqliteBackups(place.catalogue, 1).restore(place.backup, at=NOW, told=untold).kept
    second = SqliteBackups(place.catalogue, 1).restore(place.backup, at=NOW.replace(second=6), told=untold).kept

    assert {first, second} <= set(place.folder.iterdir())


def damage(file: Path) -> None:
    """Lose some pages in the middle."""
    content = bytearray(file.read_bytes())
    content[2 * 4096 : 6 * 4096] = os.urandom(4 * 4096)
    file.write_bytes(content)


def grow(file: Path) -> None:
    """Make the file so large that a copy takes a while."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 60000) "
            "INSERT INTO author (id, version, created_at, updated_at, sort_key, name, name_key) "
            "SELECT randomblob(16), 1, '2026', '2026', n, hex(randomblob(100)), n FROM number"
        )


def leave_a_write_ahead_log(file: Path) -> None:
    """Write something, and leave the file as a service that is killed does."""
    subprocess.run([sys.executable, "-c", LEAVING, str(file)], check=True)
    assert Path(f"{file}-wal").stat().st_size


LEAVING = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("UPDATE author SET name = 'Unmerged' WHERE sort_key = (SELECT max(sort_key) FROM author)")
os._exit(0)
"""
