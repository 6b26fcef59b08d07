"""Every database command of the guide, asked of `litestar database` and of `catalog database`."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from advanced_alchemy.base import DefaultBase
from tests.e2e.servers import run_catalog
from tests.integration.databases import (
    REVISIONS,
    alembic,
    content,
    copied_migrations,
    opened,
    plant_migration,
    populate,
    revision_of,
    tables,
)

import catalog
from catalog.adapters.sql.migrations import VERSION_TABLE

pytestmark = pytest.mark.slow

HEAD = REVISIONS[-1]

GUIDE = {
    "upgrade",
    "downgrade",
    "make-migrations",
    "merge-migrations",
    "stamp-migration",
    "init",
    "drop-all",
    "dump-data",
}
GUIDE |= {"show-current-revision", "merge", "stamp", "check", "history", "heads"}

WAYS: Mapping[str, Callable[[Path], list[str]]] = {
    "litestar": lambda _path: ["litestar", "--app", "catalog.entrypoints.asgi:app", "database"],
    "catalog": lambda path: ["catalog", "database", "--storage", f"sqlite:///{path}"],
}
"""How the commands are called for a file."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is, or will be."""
    return tmp_path / "catalog.db"


@pytest.fixture
def migrated(path: Path) -> Path:
    """A database at the newest migration."""
    alembic(path).upgrade()
    return path


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A working copy in which commands may write: our package, and a copy of our migrations."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "catalog").symlink_to(Path(catalog.__file__).parent)
    copied_migrations(tmp_path)
    return tmp_path


@pytest.fixture(params=WAYS)
def run(request: pytest.FixtureRequest, path: Path, tmp_path: Path) -> Run:
    """Run a database command as people do, in an empty folder."""

    def run(*arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        program, *options = WAYS[request.param](path)
        if program == "catalog" and "workshop" not in request.fixturenames:
            done = run_catalog(*options, *arguments, folder=tmp_path, COLUMNS="200")
            assert done.returncode == status, done.stdout + done.stderr
            return done
        environment = os.environ | {
            "CATALOG_STORAGE": f"sqlite:///{path}",
            "PYTHONPATH": str(tmp_path / "src"),  # empty but for the workshop
            "COLUMNS": "200",
        }
        done = subprocess.run(
            [Path(sys.executable).parent / program, *options, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return run


def test_every_command_of_the_guide_is_there(run: Run) -> None:
    listed = {words[0] for line in run("--help").stdout.splitlines() if (words := line.strip("│ ").split())}

    assert listed >= GUIDE


def test_upgrade_brings_a_new_file_to_the_newest_migration(run: Run, path: Path) -> None:
    run("upgrade", "--no-prompt")

    assert revision_of(path) == HEAD
    kept = {table.name for table in DefaultBase.metadata.sorted_tables} | {VERSION_TABLE}
    assert {name for name in tables(path) if not name.startswith("card_words")} == kept


def test_downgrade_takes_migrations_back(run: Run, migrated: Path) -> None:
    run("downgrade", "base", "--no-prompt")

    assert revision_of(migrated) is None
    assert tables(migrated) == {VERSION_TABLE}


@pytest.mark.usefixtures("migrated")
def test_show_current_revision_names_it(run: Run) -> None:
    assert f"{HEAD} (head)" in run("show-current-revision").stdout


@pytest.mark.usefixtures("migrated")
def test_check_finds_nothing_to_do(run: Run) -> None:
    assert "No new upgrade operations detected" in run("check").stdout


def test_history_lists_every_migration(run: Run) -> None:
    history = run("history").stdout

    assert [revision for revision in REVISIONS if f"-> {revision}" not in history] == []


def test_heads_names_the_newest_migration(run: Run) -> None:
    assert f"{HEAD} (head)" in run("heads").stdout


def test_stamp_migration_sets_the_revision_and_nothing_else(run: Run, path: Path) -> None:
    run("stamp-migration", "head")

    assert revision_of(path) == HEAD
    assert tables(path) == {VERSION_TABLE}


def test_make_migrations_writes_what_the_database_lacks(run: Run, workshop: Path, path: Path) -> None:
    versions = workshop / "migrations" / "versions"
    for version in versions.glob("*.py"):
        version.unlink()

    run("make-migrations", "--no-prompt", "-m", "everything")

    (made,) = versions.glob("*_everything.py")
    alembic(path, workshop / "migrations").upgrade()
    alembic(path, workshop / "migrations").check()
    assert "autocommit_block" not in made.read_text("utf-8")


def test_merge_migrations_joins_two_heads(run: Run, workshop: Path, path: Path) -> None:
    folder = workshop / "migrations"
    ours, theirs = plant_migration(folder, "pass", revision="ours"), plant_migration(folder, "pass", revision="theirs")

    run("merge-migrations", "heads", "--no-prompt", "--rev-id", "joined")

    alembic(path, folder).upgrade()
    (made,) = (folder / "versions").glob("joined_*.py")
    assert all(f'"{revision}"' in made.read_text("utf-8") for revision in (ours, theirs))
    assert revision_of(path) == "joined"


def test_init_makes_a_folder_for_migrations(run: Run, tmp_path: Path) -> None:
    run("init", "fresh", "--no-prompt")

    assert {"env.py", "script.py.mako", "versions"} <= {path.name for path in (tmp_path / "fresh").iterdir()}


def test_drop_all_drops_every_table(run: Run, migrated: Path) -> None:
    run("drop-all", "--no-prompt")

    assert tables(migrated) == set()


def test_dump_data_writes_every_row(run: Run, path: Path, tmp_path: Path) -> None:
    async def fill() -> None:
        async with opened(path) as storage:
            await populate(storage)

    asyncio.run(fill())

    run("dump-data", "--table", "author", "--table", "contributor", "--dir", "dumped")

    dumped = {file.stem: json.loads(file.read_text("utf-8")) for file in (tmp_path / "dumped").glob("*.json")}
    rows = content(path)
    assert {author["name"] for author in dumped["author"]} == {author["name"] for author in rows["author"]}
    assert len(dumped["contributor"]) == len(rows["contributor"])


def test_a_storage_without_migrations_says_so_in_one_line(tmp_path: Path) -> None:
    command = [Path(sys.executable).parent / "catalog", "database", "--storage", "memory://", "upgrade", "--no-prompt"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == "catalog: memory:// has no migrations; name a database with --storage sqlite:///FILE\n"
