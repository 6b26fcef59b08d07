"""What a client can make the service do, or store, or say, is bounded."""

import logging
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import uvicorn

from catalog.adapters.sql.sqlite.database import upgrade
from catalog.domain.books import BookDetails
from catalog.domain.errors import StorageUnavailable
from catalog.entrypoints.container import build_app
from catalog.entrypoints.http import wire
from catalog.entrypoints.http.problems import MOST_VIOLATIONS, InvalidBody
from catalog.entrypoints.server import Server
from catalog.entrypoints.settings import Settings

from .clients import in_process


def refused(body: dict[str, Any]) -> InvalidBody:
    with pytest.raises(InvalidBody) as refusal:
        wire.decode(msgspec.json.encode(body), BookDetails)
    return refusal.value


def test_a_list_that_is_too_long_is_not_looked_at() -> None:
    refusal = refused({"title": "x", "author_id": None, "languages": [0] * 300_000})

    assert [(v.pointer, v.detail) for v in refusal.violations] == [
        ("/languages", "must have at most 50 items, and this has 300000")
    ]


def test_no_more_errors_are_told_than_anybody_reads() -> None:
    refusal = refused({f"field {n}": n for n in range(50_000)})

    assert len(refusal.violations) == MOST_VIOLATIONS + 1
    assert "more" in refusal.violations[-1].detail


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "\x7f"])
async def test_an_origin_that_is_none_is_refused_as_a_foreign_one(origin: str) -> None:
    async with in_process(Settings(storage="memory://")) as client:
        response = await client.post("/authors", json={"name": "x"}, headers={"origin": origin})

    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_stored_value_that_can_not_be_read_is_the_servers_fault_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "catalog.db"
    async with in_process(Settings(storage=f"sqlite:///{file}")) as client:
        id = UUID((await client.post("/books", json={"title": "x", "author_id": None})).json()["id"])
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("UPDATE book SET languages = '[\"xqx'")
            connection.commit()

        with caplog.at_level(logging.ERROR):
            response = await client.get(f"/books/{id}")

    assert response.status_code == 500
    assert "xqx" not in response.text
    assert str(id) in caplog.text


def test_a_signal_to_stop_tells_open_streams_first() -> None:
    app = build_app(Settings(storage="memory://"))
    server = Server(uvicorn.Config(app), app)

    server.handle_exit(signal.SIGTERM, None)

    assert app.state.stopping.is_set()
    assert server.should_exit


@pytest.mark.parametrize("lost", ["removed", "replaced"])
async def test_nothing_is_written_to_a_file_that_nobody_would_find(tmp_path: Path, lost: str) -> None:
    file = tmp_path / "catalog.db"
    async with in_process(Settings(storage=f"sqlite:///{file}")) as client:
        await client.post("/authors", json={"name": "x"})
        file.rename(tmp_path / "away.db")
        if lost == "replaced":
            file.touch()

        write, ready = await client.post("/authors", json={"name": "ghost"}), await client.get("/readyz")

    assert (write.status_code, ready.status_code) == (503, 503)
    assert "removed or replaced" in ready.json()["detail"]


def test_another_programs_database_is_not_made_a_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "photos.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")

    with pytest.raises(StorageUnavailable, match="photos"):
        upgrade(str(file), 1.0)

    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("photos",)]


async def test_parameters_are_told_of_by_name_and_not_without_end() -> None:
    async with in_process(Settings(storage="memory://")) as client:
        zero = await client.get("/authors?currentPage=01")
        braces = await client.get("/books?author_id={00000000-0000-7000-8000-000000000000}")
        many = await client.get("/authors?" + "&".join(str(n) for n in range(5_000)))

    assert zero.json()["errors"][0]["parameter"] == "currentPage"
    assert braces.json()["errors"][0]["parameter"] == "author_id"
    assert len(many.json()["errors"]) == MOST_VIOLATIONS
    assert len(many.content) < 20_000
