"""What the `catalog` command says: its help, and how it fails."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from tests.integration.databases import REVISIONS, alembic, revision_of, run_sql

from catalog.adapters.sql.migrations import VERSION_TABLE
from catalog.entrypoints.cli import main

COMMANDS = sorted(main.commands)


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, environment: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(main, arguments, env=environment)


def refusal(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """The one line with which the command ends."""
    result = run(*arguments, environment=environment)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("catalog: ")
    return line


def test_help_lists_every_command_with_what_it_does() -> None:
    result = run("--help")

    listed = {words[0]: words[1:] for line in result.stdout.splitlines() if (words := line.split())}
    assert result.exit_code == 0
    names = ("serve", "import", "undo", "duplicates", "follow", "promote", "log", "database", "version")
    assert [name for name in names if not listed.get(name)] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_explains_it_and_each_of_its_options(name: str) -> None:
    command = main.commands[name]
    options = [each for each in command.params if isinstance(each, click.Option)]

    result = run(name, "--help")

    assert result.exit_code == 0
    assert command.help
    assert [each.name for each in options if not each.help] == []
    assert [opt for each in options for opt in each.opts if opt not in result.stdout] == []


@pytest.mark.parametrize("name", ["compact", "erase"])
def test_the_help_of_what_is_done_to_the_log_explains_it_and_each_of_its_options(name: str) -> None:
    group = main.commands["log"]
    assert isinstance(group, click.Group)
    command = group.commands[name]
    options = [each for each in command.params if isinstance(each, click.Option)]

    result = run("log", name, "--help")

    assert result.exit_code == 0
    assert command.help
    assert [each.name for each in options if not each.help] == []
    assert [opt for each in options for opt in each.opts if opt not in result.stdout] == []


@pytest.mark.parametrize(
    "name", ["serve", "import", "undo", "duplicates", "follow", "promote", "log compact", "log erase", "database"]
)
def test_every_command_that_touches_storage_takes_it_as_an_option(name: str) -> None:
    assert "--storage" in run(*name.split(), "--help").stdout


def test_serve_takes_where_to_listen_as_options() -> None:
    text = run("serve", "--help").stdout

    assert [option for option in ("--host", "--port", "--storage", "--config") if option not in text] == []


def test_version_prints_the_version() -> None:
    assert run("version").stdout == f"{version('catalog')}\n"


@pytest.mark.slow
def test_the_package_can_be_run_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "catalog", "version"], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == f"{version('catalog')}\n"


def test_an_unknown_command_is_refused() -> None:
    result = run("shelve")

    assert result.exit_code == 2
    assert "No such command 'shelve'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--storage", "mongodb://here"], "'mongodb://here' is not a storage; give sqlite:///FILE, postgresql://"),
        (["--storage", "catalog.db"], "'catalog.db' is not a storage"),
        (["--storage", "sqlite:///"], "names no file"),
        (["--storage", "sqlite:///:memory:"], "names no file"),
        (["--storage", "sqlite:///nowhere/catalog.db"], "there is no folder nowhere; make it first"),
        (["--storage", "sqlite:///."], "is a folder"),
        (["--port", "99999"], "port to 99999"),
        (["--port", "-1"], "port to -1"),
        (["--port", "http"], "port to 'http'"),
        (["--host", "0.0.0.0"], "--allow-remote"),
        (["--host", "::"], "--allow-remote"),
        (["--config", "nowhere.toml"], "can not read the file nowhere.toml"),
    ],
)
def test_serve_refuses_what_it_can_not_do_in_one_line(arguments: Sequence[str], said: str) -> None:
    assert said in refusal("serve", "--port", "0", *arguments)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"colour = 'red'", "'colour', and there is no such setting; there are: storage, host, port"),
        (b"port = 'many'", "port to 'many'"),
        (b"port = true", "port to True"),
        (b"allow_remote = 'perhaps'", "it must be true or false"),
        (b"port = ", "can not read the file"),
        (b"storage = '\xff'", "can not read the file"),
    ],
)
def test_serve_refuses_a_file_of_settings_that_is_not_right(tmp_path: Path, written: bytes, said: str) -> None:
    (tmp_path / "mine.toml").write_bytes(written)

    line = refusal("serve", "--config", "mine.toml")

    assert said in line
    assert "mine.toml" in line


def test_serve_reads_the_file_of_settings_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text("storage = 'mongodb://toml'", "utf-8")

    assert "mongodb://toml" in refusal("serve", "--port", "0")


def test_the_environment_overrules_the_file(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text("storage = 'mongodb://toml'", "utf-8")

    assert "mongodb://env" in refusal("serve", "--port", "0", environment={"CATALOG_STORAGE": "mongodb://env"})


def test_an_option_overrules_the_environment() -> None:
    environment = {"CATALOG_STORAGE": "mongodb://env"}

    assert "mongodb://option" in refusal("serve", "--storage", "mongodb://option", environment=environment)


def test_a_misspelt_setting_in_the_environment_is_refused() -> None:
    assert "'prot', and there is no such setting" in refusal("serve", environment={"CATALOG_PROT": "1"})


def test_serve_refuses_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        line = refusal("serve", "--storage", "memory://", "--port", str(port))

    assert f"can not listen on 127.0.0.1 port {port}" in line


def test_serve_refuses_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "diary.db").write_bytes(b"Dear diary, " * 1000)

    assert "file is not a database" in refusal("serve", "--port", "0", "--storage", "sqlite:///diary.db")


def test_serve_refuses_a_database_of_a_newer_program(tmp_path: Path) -> None:
    alembic(tmp_path / "newer.db").upgrade()
    run_sql(tmp_path / "newer.db", f"UPDATE {VERSION_TABLE} SET version_num = '9999'")

    assert "9999" in refusal("serve", "--port", "0", "--storage", "sqlite:///newer.db")


def test_database_refuses_a_storage_that_has_no_migrations() -> None:
    assert "memory:// has no migrations" in refusal("database", "--storage", "memory://", "upgrade", "--no-prompt")


def test_database_refuses_a_storage_that_it_does_not_know() -> None:
    line = refusal("database", "--storage", "mongodb://here", "heads")

    assert "mongodb://here" in line
    assert "sqlite:///FILE" in line


BEFORE = ("--storage", "sqlite:///mine.db", "upgrade", "--no-prompt")
BEHIND = ("upgrade", "--no-prompt", "--storage", "sqlite:///mine.db")


@pytest.mark.parametrize(
    ("arguments", "otherwise"),
    [
        (BEFORE, "sqlite:///other.db"),
        (BEFORE, "memory://"),
        (BEHIND, "sqlite:///other.db"),
        (BEHIND, "memory://"),
    ],
)
def test_database_takes_its_storage_before_or_behind_the_command(
    tmp_path: Path, arguments: Sequence[str], otherwise: str
) -> None:
    result = run("database", *arguments, environment={"CATALOG_STORAGE": otherwise})

    assert result.exit_code == 0, result.stderr
    assert revision_of(tmp_path / "mine.db") == REVISIONS[-1]
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize(
    ("file", "revision", "said"),
    [
        ("nowhere/catalog.db", "head", "nowhere"),
        ("diary.db", "head", "file is not a database"),
        ("catalog.db", "shelves", "shelves"),
    ],
)
def test_database_refuses_what_it_can_not_do_in_one_line(tmp_path: Path, file: str, revision: str, said: str) -> None:
    (tmp_path / "diary.db").write_bytes(b"Dear diary, " * 1000)

    result = run("database", "--storage", f"sqlite:///{file}", "upgrade", revision, "--no-prompt")

    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
