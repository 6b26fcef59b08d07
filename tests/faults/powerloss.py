"""Simulates power cuts while the catalogue writes, and looks for what it had promised.

    python -m tests.faults.powerloss --images 2000
    python -m tests.faults.powerloss --images 200 --synchronous NORMAL OFF

A real process writes under strace: the storage by itself (`store`), or all of `catalog serve` with clients (`serve`).
From the trace comes a disk that knows which bytes were synced when. At the moment of each promise, and at others, the
files are made as a power cut would leave them: without what was not synced, with some of it, with some of its sectors.
SQLite opens each of these images. It has to be whole, every revision that was promised before has to be in it, the log
has to be without gaps, and the records have to be what their last revisions say. Some are opened by the catalogue, too.

With NORMAL and OFF, SQLite syncs less than the catalogue tells it to. It is a test of the simulation: it has to see
that rows are lost.
"""
# ruff: noqa: T201 - a script

import argparse
import asyncio
import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import httpx
from attrs import define, field, frozen
from tests.e2e.servers import PATIENCE, Server, environment

from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import CatalogError
from catalog.domain.queries import ChangeQuery
from catalog.entrypoints.container import open_storage
from catalog.entrypoints.settings import Settings
from catalog.testing.doubles import Cataloguers

from .disk import Cut, Disk
from .tables import printed
from .traces import Event, Said, events_in, strace, traced
from .writing import PROMISE

SUBJECTS = ("store", "serve")
AS_THE_SERVICE_DOES = "as is"
CLIENTS = 6


@frozen
class Promise:
    """A revision that somebody was told to be kept."""

    id: UUID
    version: int
    says: Mapping[str, Any]
    is_removed: bool

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Promise":
        """Return it as a record, or as what the writing process tells."""
        says = {name: value for name, value in told.items() if name not in {"id", "version", "is_removed", "author"}}
        return cls(UUID(told["id"]), told["version"], says, told.get("is_removed", False))


@frozen
class Recording:
    """What a process did, and which promises it gave at which of these events."""

    file: Path
    events: Sequence[Event]
    promises: Mapping[int, Sequence[Promise]]


# ---- recording


def record_store(folder: Path, seed: int, writes: int, synchronous: str) -> Recording:
    """Let use cases write to a new file."""
    file = folder / "catalog.db"
    command = [sys.executable, "-m", "tests.faults.writing", "store", f"sqlite:///{file}", str(seed), str(writes)]
    trace = folder.parent / "trace"
    subprocess.run(
        traced(command, trace), env=_environment(synchronous), stdout=subprocess.PIPE, timeout=10 * PATIENCE, check=True
    )
    events = list(events_in(trace, folder))
    promises: dict[int, list[Promise]] = {}
    for number, event in enumerate(events):
        if isinstance(event, Said) and event.data.startswith(PROMISE):
            promises[number] = [Promise.of(told) for told in json.loads(event.data.removeprefix(PROMISE))]
    return _checked(Recording(file, events, promises))


def record_serve(folder: Path, seed: int, writes: int, synchronous: str) -> Recording:
    """Let clients write to `catalog serve` with a new file."""
    file = folder / "catalog.db"
    trace = folder.parent / "trace"
    server = TracedServer("--storage", f"sqlite:///{file}", folder=folder, trace=trace, synchronous=synchronous)
    try:
        told = asyncio.run(_written_over_http(server.address, seed, writes))
        server.stop()
    finally:
        server.kill()
    events = list(events_in(trace, folder))
    promises: dict[int, list[Promise]] = {}
    for number, event in enumerate(events):
        for name in re.findall(
            rb"HTTP/1\.1 2\d\d.*?x-request-id: ([\w-]+)", event.data if _is_answer(event) else b"", re.DOTALL
        ):
            if name.decode() in told:
                promises[number] = [*promises.get(number, []), Promise.of(told[name.decode()])]
    recording = _checked(Recording(file, events, promises))
    if sum(map(len, promises.values())) != len(told):
        raise AssertionError(f"{len(told)} answers came, and the trace has {sum(map(len, promises.values()))}")
    return recording


RECORD = {"store": record_store, "serve": record_serve}


def _is_answer(event: Event) -> bool:
    return isinstance(event, Said) and event.data.startswith(b"HTTP/1.1 2")


def _environment(synchronous: str) -> dict[str, str]:
    return environment() | ({} if synchronous == AS_THE_SERVICE_DOES else {"FAULTS_SYNCHRONOUS": synchronous})


def _checked(recording: Recording) -> Recording:
    """Refuse a recording that does not lead to the files that are there: then the simulation would be wrong."""
    disk = Disk()
    for event in recording.events:
        disk.take(event)
    there = {str(path): path.read_bytes() for path in recording.file.parent.iterdir() if not path.name.endswith("-shm")}
    if disk.after(Cut.ALL, Random()) != there:
        raise AssertionError("the trace does not lead to the files that are there")
    return recording


class TracedServer(Server):
    """A `catalog serve` under strace."""

    def __init__(self, *options: str, folder: Path, trace: Path, synchronous: str) -> None:
        what = ["-m", "catalog"] if synchronous == AS_THE_SERVICE_DOES else ["-m", "tests.faults.writing"]
        self.process = tracing = subprocess.Popen(
            traced([sys.executable, *what, "serve", "--port", "0", *options], trace),
            env=_environment(synchronous),
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracing.stderr
        self._read_from(tracing.stderr)

    def stop(self) -> int:
        """Ask the traced process to stop, not the one that traces it."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the traced process; the one that traces ends with it."""
        if self.process.poll() is None:
            self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            os.kill(int(child), how)
        return self.wait()


async def _written_over_http(address: str, seed: int, writes: int) -> Mapping[str, dict[str, Any]]:
    """Let some clients write; return what they were told, by the ids of their requests."""
    told: dict[str, dict[str, Any]] = {}
    async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, trust_env=False, verify=False) as client:
        await asyncio.gather(
            *(
                _client(client, told, f"c{number}", Random(f"{seed} {number}"), writes // CLIENTS)
                for number in range(CLIENTS)
            )
        )
    return told


async def _client(
    client: httpx.AsyncClient, told: dict[str, dict[str, Any]], who: str, chance: Random, writes: int
) -> None:
    books: dict[str, int] = {}
    for number in range(writes):
        name = f"{who}-{number}"
        text = f"{name} {'x' * chance.choice([10, 100, 450])}"
        headers = {"X-Request-Id": name}
        if chance.random() < 0.5:
            headers["Idempotency-Key"] = name
        match chance.choices(["add", "author", "revise", "remove"], [5, 3, 5, 2])[0]:
            case "author":
                response = await client.post("/authors", json={"name": text}, headers=headers)
            case "revise" if books:
                response = await client.patch(
                    f"/books/{chance.choice([*books])}", json={"title": text}, headers=headers
                )
            case "remove" if books:
                id = chance.choice([*books])
                response = await client.delete(f"/books/{id}", headers=headers)
                told[name] = {"id": id, "version": books.pop(id) + 1, "is_removed": True}
            case _:
                response = await client.post("/books", json={"title": text, "author_id": None}, headers=headers)
        response.raise_for_status()
        if response.content:
            told[name] = response.json()
            if "title" in told[name]:
                books[told[name]["id"]] = told[name]["version"]


# ---- cutting


@define(kw_only=True)
class Bench:
    """Cuts the power of one recorded process, many times."""

    recording: Recording
    folder: Path
    images: int
    chance: Random
    own_every: int = 25
    """Every how many images the catalogue itself opens one."""
    figures: Counter[str] = field(factory=Counter)
    most_lost: int = 0
    broken: list[str] = field(factory=list)

    def run(self) -> Mapping[str, Any]:
        """Look at so many images; return the figures."""
        disk = Disk()
        promised: list[Promise] = []
        points = self._points()
        for number, event in enumerate(self.recording.events):
            disk.take(event)
            promised += self.recording.promises.get(number, ())
            if number in points:
                self.figures["points, at a promise" if number in self.recording.promises else "points, others"] += 1
                # Where nothing is pending, all cuts leave the same.
                for cut in (Cut.NOTHING, Cut.SOME, Cut.TORN) if disk.has_pending() else (Cut.NOTHING,):
                    self._look(f"{cut} at event {number}", cut, disk, promised)
        self.figures["promised revisions"] = len(promised)
        return self._table()

    def _points(self) -> set[int]:
        """Choose when: at every promise, and at moments when something is pending, which give three images each."""
        disk = Disk()
        unsettled = []
        for number, event in enumerate(self.recording.events):
            disk.take(event)
            if not isinstance(event, Said) and disk.has_pending():
                unsettled.append(number)
        promises = set(self.recording.promises)
        wanted = max(20, (self.images - len(promises)) // 3)
        return promises | set(self.chance.sample(unsettled, min(len(unsettled), wanted)))

    def _look(self, where: str, cut: Cut, disk: Disk, promised: Sequence[Promise]) -> None:
        for path in self.folder.iterdir():
            path.unlink()
        for name, content in disk.after(cut, self.chance).items():
            (self.folder / Path(name).name).write_bytes(content)
        file = self.folder / self.recording.file.name
        self.figures[f"images, {cut} of what was pending"] += 1
        # The catalogue goes first, for an image must be fresh; whatever it did must not hide a loss from what follows.
        if self.figures.total() % self.own_every == 0 or not promised:
            self._open(where, file)
        try:
            lost = lost_in(file, promised)
        except (sqlite3.DatabaseError, Damaged) as error:
            self.figures["images that are damaged"] += 1
            self.broken.append(f"{where}: {error}")
            return
        self.figures["images with a loss"] += lost > 0
        self.most_lost = max(self.most_lost, lost)
        if lost:
            self.broken.append(f"{where}: {lost} of {len(promised)} promised revisions are lost")

    def _open(self, where: str, file: Path) -> None:
        self.figures["images opened by the catalogue, too"] += 1
        try:
            asyncio.run(_used(file))
        except (CatalogError, AssertionError) as error:
            self.figures["images the catalogue could not use"] += 1
            self.broken.append(f"{where}: the catalogue says: {error}")

    def _table(self) -> Mapping[str, Any]:
        names = ["promised revisions", "points, at a promise", "points, others"]
        names += [f"images, {cut} of what was pending" for cut in (Cut.NOTHING, Cut.SOME, Cut.TORN)]
        names += ["images opened by the catalogue, too", "images with a loss", "images that are damaged"]
        names += ["images the catalogue could not use"]
        images = sum(count for name, count in self.figures.items() if name.startswith("images, "))
        return {"images": images, **{name: self.figures[name] for name in names}, "most revisions lost": self.most_lost}


class Damaged(Exception):
    """An image that contradicts itself."""


def lost_in(file: Path, promised: Iterable[Promise]) -> int:
    """Return how many of the promised revisions are not there. Raises Damaged, and what SQLite raises."""
    if not file.exists():
        return len(list(promised))
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # nobody cuts the power here
        if (found := connection.execute("PRAGMA integrity_check").fetchall()) != [("ok",)]:
            raise Damaged(f"integrity_check: {found[:3]}")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'revision'").fetchone():
            return len(list(promised))
        if found := connection.execute("PRAGMA foreign_key_check").fetchall():
            raise Damaged(f"foreign_key_check: {found[:3]}")
        seqs = [seq for (seq,) in connection.execute("SELECT seq FROM revision ORDER BY seq")]
        (counts,) = connection.execute("SELECT seq, authors, books FROM log").fetchall()
        if seqs != list(range(1, counts[0] + 1)):
            raise Damaged(f"the log counts to {counts[0]}, and has the revisions {seqs}")
        standing = {}
        contents: dict[tuple[UUID, int], Any] = {}
        for kind, id, version, after in connection.execute(
            "SELECT kind, id, version, after FROM revision ORDER BY seq"
        ):
            contents[UUID(bytes=id), version] = after and json.loads(after)
            standing[kind, id] = None if after is None else version
        for number, kind in enumerate(("author", "book"), 1):
            records = dict(connection.execute(f"SELECT id, version FROM {kind}").fetchall())
            told = {id: version for (of, id), version in standing.items() if of == kind and version is not None}
            if records != told or len(records) != counts[number]:
                raise Damaged(f"the {kind}s are not what the log says")
    return sum(not _is_kept(promise, contents) for promise in promised)


def _is_kept(promise: Promise, contents: Mapping[tuple[UUID, int], Any]) -> bool:
    if (promise.id, promise.version) not in contents:
        return False
    content = contents[promise.id, promise.version]
    if promise.is_removed:
        return content is None
    return content is not None and all(content[name] == value for name, value in promise.says.items())


async def _used(file: Path) -> None:
    """Open the file with the catalogue, ask for everything, and write."""
    async with open_storage(Settings(storage=f"sqlite:///{file}")) as storage:
        await storage.check()
        before = (await storage.reader.position()).seq
        author = await Cataloguers(storage).authors.add(AuthorDetails(name="After the power cut"))
        (revision,) = await storage.reader.changes(ChangeQuery(since=before))
        assert (revision.seq, revision.after) == (before + 1, author)


def run(
    subject: str, *, images: int, synchronous: str, seed: int, writes: int
) -> tuple[Mapping[str, Any], Sequence[str]]:
    """Record a process and cut its power; return the figures, and what was broken."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made).resolve()
        for name in ("recorded", "image"):
            (folder / name).mkdir()
        recording = RECORD[subject](folder / "recorded", seed, writes, synchronous)
        chance = Random(seed)
        bench = Bench(recording=recording, folder=folder / "image", images=images, chance=chance)
        figures = bench.run()
    return {"process": subject, "synchronous": synchronous, "seed": seed, **figures}, bench.broken


def main() -> int:
    """Run the bench as the command line says; 1 if a promise was broken by the catalogue as it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000, help="about how many for each process (%(default)s)")
    parser.add_argument(
        "--writes", type=int, default=400, help="use cases, or requests, that are recorded (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--process", choices=SUBJECTS, nargs="+", default=SUBJECTS)
    parser.add_argument("--synchronous", choices=["FULL", "NORMAL", "OFF"], nargs="+", default=[AS_THE_SERVICE_DOES])
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = parser.parse_args()
    if strace() is None:
        print("NOT RUN: there is no strace here that may trace, and without it nobody sees what is synced")
        return 3
    logging.disable(logging.INFO)
    rows, broken = [], []
    for synchronous in given.synchronous:
        for subject in given.process:
            row, found = run(
                subject, images=given.images, synchronous=synchronous, seed=given.seed, writes=given.writes
            )
            rows.append(row)
            broken += found if synchronous in {AS_THE_SERVICE_DOES, "FULL"} else ()
            print(printed([row]), end="\n\n", flush=True)
    for each in broken[:20]:
        print(f"BROKEN: {each}")
    print(printed(rows))
    if given.json:
        given.json.write_text(json.dumps({"runs": rows, "broken": broken}, indent=2))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
