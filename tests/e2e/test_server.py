"""The server process: how it starts, how it ends, and what is there afterwards."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .servers import HalfSentAuthor, Server, run_serve


def names_in(server: Server) -> list[str]:
    """Return the names of the authors that a server knows."""
    with server.client() as client:
        return [author["name"] for author in client.get("/authors", params={"pageSize": 100}).json()["items"]]


def add_author(server: Server, name: str) -> None:
    with server.client() as client:
        assert client.post("/authors", json={"name": name}).status_code == 201


@pytest.fixture
def storage_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/catalog.db"


# ---- the end


def test_it_ends_within_two_seconds_of_sigterm_though_clients_stay_connected(serve: Callable[..., Server]) -> None:
    took: list[float] = []
    while len(took) < 3 and not any(seconds < 2 for seconds in took):  # the machine may be busy, but not thrice
        server = serve("--storage", "memory://")
        with server.client() as client:
            assert client.get("/readyz").status_code == 200

            asked = time.monotonic()
            status = server.stop()
            took.append(time.monotonic() - asked)

        assert status == 0
    assert min(took) < 2


def test_a_request_in_flight_is_finished_before_the_end(serve: Callable[..., Server], storage_url: str) -> None:
    server = serve("--storage", storage_url)
    with HalfSentAuthor(server, "Slow") as slow:
        server.process.terminate()
        server.wait_for("Shutting down")
        slow.send_the_rest()
        status, headers, author = slow.answer()

    assert (status, author["name"]) == (201, "Slow")
    assert headers["location"] == f"/authors/{author['id']}"
    assert server.wait() == 0
    assert names_in(serve("--storage", storage_url)) == ["Slow"]


def test_a_request_that_does_not_end_does_not_keep_it_for_ever(serve: Callable[..., Server], tmp_path: Path) -> None:
    config = tmp_path / "impatient.toml"
    config.write_text('storage = "memory://"\nshutdown_seconds = 1\n')
    server = serve("--config", str(config))

    with HalfSentAuthor(server, "Never"):
        status = server.stop()

    assert status == 0


# ---- what is there afterwards


def test_what_was_written_is_there_after_a_restart(serve: Callable[..., Server], storage_url: str) -> None:
    first = serve("--storage", storage_url)
    add_author(first, "Jane Austen")
    first.stop()

    second = serve("--storage", storage_url)

    assert names_in(second) == ["Jane Austen"]


def test_a_kill_right_after_an_acknowledged_write_loses_nothing(serve: Callable[..., Server], storage_url: str) -> None:
    server = serve("--storage", storage_url)
    for n in range(2):
        add_author(server, f"Author {n}")

        server.kill()

        server = serve("--storage", storage_url)
        assert names_in(server) == [f"Author {m}" for m in range(n + 1)]


def test_two_that_start_at_once_on_one_new_file_both_come_up(serve: Callable[..., Server], storage_url: str) -> None:
    one, two = serve("--storage", storage_url), serve("--storage", storage_url)

    add_author(one, "From one")
    add_author(two, "From two")

    assert names_in(one) == names_in(two) == ["From one", "From two"]


# ---- the start


def test_without_any_setting_it_keeps_the_catalogue_here(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()

    add_author(server, "Jane Austen")

    assert (tmp_path / "catalog.db").is_file()


def test_it_starts_without_a_deprecation_warning(serve: Callable[..., Server], storage_url: str) -> None:
    # Advanced Alchemy 1.12 decorates its mixins with what SQLAlchemy 2.1 no longer needs; nothing of ours.
    filters = ["-Werror::DeprecationWarning", "-Wignore:The declarative_mixin decorator"]
    server = serve("--storage", storage_url, python_options=filters)

    add_author(server, "Jane Austen")

    assert server.stop() == 0
    assert "Warning" not in server.output


def refusal(*options: str, folder: Path) -> str:
    """Return the one line with which a start is refused."""
    result = run_serve(*options, folder=folder)
    assert result.returncode == 2, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("catalog: ")
    return line


def test_a_port_in_use_is_refused_and_another_suggested(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        line = refusal("--storage", "memory://", "--port", port, folder=tmp_path)

    assert port in line
    assert "--port" in line


@pytest.mark.parametrize(
    ("storage", "says"),
    [
        ("sqlite:///missing/catalog.db", "there is no folder missing; make it first"),
        ("sqlite:///folder", "folder is a folder; name a file in it"),
        ("oracle://books", "give sqlite:///FILE, postgresql://"),
        ("sqlite:///text.db", "not a database"),
    ],
    ids=["missing folder", "folder", "unknown", "no database"],
)
def test_a_storage_that_can_not_be_is_refused_with_what_to_do(tmp_path: Path, storage: str, says: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.db").write_text("This is not a database, but it is long enough to be looked at. " * 20)

    line = refusal("--port", "0", "--storage", storage, folder=tmp_path)

    assert says in line


def test_a_setting_that_can_not_be_is_refused_with_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text("prot = 8000\n")

    line = refusal(folder=tmp_path)

    assert "catalog.toml" in line
    assert "'prot'" in line
