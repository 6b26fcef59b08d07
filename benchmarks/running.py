"""Servers that run beside each other over copies of the same books."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from attrs import define

from .contenders import DATASETTE, OFF, READY, Contender, Question, by_static_path, contenders, memory
from .data import FOLDER, Data
from .processes import HOST, free_port, started
from .workloads import Workload


@define(eq=False)
class Server:
    """A server that runs, and what was measured of it: seconds to its first answer, MiB, and books that it has made."""

    contender: Contender
    port: int
    process: int
    file: Path
    start_up: float
    memory_at_start: float
    memory_at_end: float = 0.0
    created: int = 0

    @property
    def name(self) -> str:
        """Whose it is."""
        return self.contender.name

    def ask(self, question: Question) -> Any:
        """Return what it answers, read as JSON."""
        connection = HTTPConnection(HOST, self.port, timeout=60)
        try:
            return _answer(connection, self.contender.ask(question))
        finally:
            connection.close()

    def books(self) -> int:
        """Return how many books its file has, whatever it says itself."""
        with closing(sqlite3.connect(self.file, timeout=10)) as connection:
            ((books,),) = connection.execute("SELECT count(*) FROM book")
        return int(books)


def _answer(connection: HTTPConnection, path: str) -> Any:
    connection.request("GET", path)
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise RuntimeError(f"{path} was answered with {response.status}: {content[:300]!r}")
    return json.loads(content)


@contextmanager
def run_folder(name: str = "all") -> Generator[Path]:
    """Make a folder for the copies of this run, removed when it ends."""
    folder = FOLDER / f"run-{os.getpid()}-{name}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(contender: Contender, data: Data, folder: Path) -> Generator[Server]:
    """Start a server over a copy of the books of its kind, or over the recorded answers in the folder."""
    file = folder / "answers.json"
    if contender.kind:
        # Datasette names a database as its file is named.
        own = folder / contender.name.replace(" ", "-").replace(",", "")
        own.mkdir()
        file = data.copy(contender.kind, own / ("books.db" if contender.name == DATASETTE else "catalog.db"))
    port = free_port()
    began = time.perf_counter()
    with started(contender.command(port, file), port, READY, contender.environment(port, file)) as process:
        took = time.perf_counter() - began
        yield Server(contender, port, process.pid, file, took, memory(process.pid))


def record(data: Data, chosen: Sequence[Workload], folder: Path) -> None:
    """Keep what the catalogue answers, for the ceilings to say the same bytes."""
    (catalog,) = (contender for contender in contenders() if contender.name == OFF)
    (folder / "recording").mkdir()
    answers: dict[str, str] = {}
    with running(catalog, data, folder / "recording") as server:
        connection = HTTPConnection(HOST, server.port, timeout=60)
        for workload in chosen:
            for question in workload.stand_in or workload.questions:
                path = by_static_path(question)
                if path not in answers:
                    connection.request("GET", catalog.ask(question))
                    answers[path] = connection.getresponse().read().decode()
        connection.close()
    shutil.rmtree(folder / "recording")
    (folder / "answers.json").write_text(json.dumps(answers), "utf-8")


def must_agree(servers: Sequence[Server], data: Data) -> None:
    """Raise RuntimeError unless all who have the books say the same of them."""
    page = Question("list 10", size=10)
    told = {}
    for server in servers:
        if server.contender.kind:
            listed = server.ask(page)
            items = listed if isinstance(listed, list) else listed["items"]
            total = items[0]["total"] if isinstance(listed, list) else listed["total"]
            one = server.ask(Question("GET one", id=_hyphened(str(items[0]["id"]))))
            one = one[0] if isinstance(one, list) else one
            titles = [item["title"] for item in items]
            # The guide lists in whatever order its rows come.
            told[server.name] = (total, titles if server.contender.is_full else None, one["title"] == titles[0])
    lists = {name: titles for name, (_, titles, _) in told.items() if titles is not None}
    if len({json.dumps(titles) for titles in lists.values()}) > 1:
        raise RuntimeError(f"the first page differs: {lists}")
    if wrong := {name: each for name, each in told.items() if each[0] != data.books or not each[2]}:
        raise RuntimeError(f"these have other books: {wrong}")


def _hyphened(id: str) -> str:
    return id if "-" in id else f"{id[:8]}-{id[8:12]}-{id[12:16]}-{id[16:20]}-{id[20:]}"


def must_be_written(servers: Sequence[Server], data: Data) -> None:
    """Raise RuntimeError where a book that was acknowledged is not in the file."""
    for server in servers:
        if server.contender.kind and server.books() < data.books + server.created:
            raise RuntimeError(f"{server.name} has made {server.created} books, and has {server.books()} in all")
