"""Kills `catalog serve` with SIGKILL under load, over and over, and looks for what it had promised.

    python -m tests.faults.kill --rounds 1000

One catalogue file lives through many kills. Before each of them several clients write; each waits for its answers.
After it the server is started again on the same file, and all that was answered 2xx has to be there: the revision in
the log, and the record as its last revision says. Requests with an idempotency key that got no answer are sent again,
and have to be done once. The log has no gaps, and nothing in it that nobody asked for.

A kill leaves what was written to the page cache of the system: what a power cut leaves is another question (powerloss).
"""
# ruff: noqa: T201 - a script

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field
from tests.e2e.servers import PATIENCE, Server

from .tables import printed, quantile

SHARED = "shared"
"""The writer that owns the book which all of them change."""

MOST_STANDING = 20
"""How many records a writer keeps, before it rather changes and removes."""

Json = dict[str, Any]


@define(eq=False)
class Write:
    """One request that writes, and what became of it."""

    name: str
    """Its X-Request-Id, which the log repeats."""
    writer: str
    method: str
    path: str
    body: Json | None = None
    if_match: str | None = None
    key: str | None = None
    status: int | None = None
    answer: Json | None = None

    @property
    def is_acknowledged(self) -> bool:
        """Whether the server promised that it is kept."""
        return self.status is not None and self.status < 300

    @property
    def names(self) -> tuple[str, str]:
        """The X-Request-Id of the first try, and of the one after the restart."""
        return self.name, f"{self.name}-again"


@define
class Standing:
    """What a writer knows of a record: enough to change it on condition that nobody else did."""

    path: str
    etag: str
    writer: str


@define
class Tally:
    """What happened, counted."""

    counts: Counter[str] = field(factory=Counter)
    restarts: dict[str, list[float]] = field(factory=lambda: {"cold": [], "warm": []})
    broken: list[str] = field(factory=list)

    def breaks(self, what: str, promise: str) -> None:
        """Note a broken promise, under what the table counts it as."""
        self.counts[what] += 1
        self.broken.append(promise)
        print(f"BROKEN: {promise}", flush=True)

    def as_dict(self) -> Json:
        """For JSON, and for the table."""
        names = ["kills under load", "kills during the start", "files", "acknowledged writes", "lost", "applied twice"]
        names += ["differing", "other broken promises", "ambiguous", "ambiguous, and applied", "sent again with a key"]
        names += ["refused (412)", "refused (503 busy)"]
        figures: Json = {name: self.counts[name] for name in names}
        for kind, seconds in self.restarts.items():
            if seconds:
                figures[f"{kind} starts"] = len(seconds)
                for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
                    figures[f"{kind} start to first GET, {name} (s)"] = round(quantile(seconds, share), 2)
        return figures


@define(eq=False)
class Catalogue:
    """The story of one file: what was asked of it, and what its log says."""

    file: Path
    client: httpx.AsyncClient
    chance: random.Random
    tally: Tally
    address: str = ""
    log: list[Json] = field(factory=list)
    standing: dict[str, Standing] = field(factory=dict)
    writes: list[Write] = field(factory=list)
    """Those whose outcome was not yet compared with the log."""
    made: int = 0
    stops: bool = False

    # ---- the load

    async def prepare(self) -> None:
        """Make the book that everybody changes."""
        if not any(known.writer == SHARED for known in self.standing.values()):
            await self._send(self._write(SHARED, "POST", "/books", body={"title": "Shared", "author_id": None}))

    async def keep_writing(self, writer: str) -> None:
        """Send one request after the other until the server is gone."""
        while not self.stops:
            try:
                await self._send(self._planned(writer))
            except httpx.TransportError:
                return

    def _planned(self, writer: str) -> Write:
        own = {id: known for id, known in self.standing.items() if known.writer == writer}
        key = f"key-{writer}-{self.made}" if self.chance.random() < 0.5 else None
        text = f"{writer} {self.made} {'x' * self.chance.choice([0, 10, 100, 400])}"
        match self.chance.choices(
            ["add", "revise", "remove", "share"], [4, 4, 2 if len(own) < MOST_STANDING else 6, 1]
        )[0]:
            case "revise" if own:
                return self._revision(writer, self.chance.choice([*own.values()]), text, key)
            case "remove" if own:
                known = self.chance.choice([*own.values()])
                return self._write(writer, "DELETE", known.path, if_match=known.etag)
            case "share":
                known = next(known for known in self.standing.values() if known.writer == SHARED)
                return self._revision(writer, known, text, None)
            case _ if self.chance.random() < 0.4:
                return self._write(writer, "POST", "/authors", body={"name": text}, key=key)
            case _:
                return self._write(writer, "POST", "/books", body={"title": text, "author_id": None}, key=key)

    def _revision(self, writer: str, known: Standing, text: str, key: str | None) -> Write:
        body = {"name" if known.path.startswith("/authors") else "title": text}
        return self._write(writer, "PATCH", known.path, body=body, if_match=known.etag, key=key)

    def _write(self, writer: str, method: str, path: str, **how: Any) -> Write:
        self.made += 1
        return Write(f"write-{self.made}", writer, method, path, **how)

    async def _send(self, write: Write, *, again: bool = False) -> httpx.Response:
        """Send it and note the answer; raises TransportError, which leaves it ambiguous."""
        if not again:
            self.writes.append(write)
        headers = {"X-Request-Id": write.names[again]}
        if write.if_match is not None:
            headers["If-Match"] = write.if_match
        if write.key is not None:
            headers["Idempotency-Key"] = write.key
        response = await self.client.request(write.method, self.address + write.path, json=write.body, headers=headers)
        write.status = response.status_code
        if write.is_acknowledged:
            write.answer = response.json() if response.content else None
            self._learn(write, response)
        elif response.status_code == 412 and write.if_match is not None:
            if write.key is None and not again:
                await self._get_anew(write.path)
        elif response.json()["type"] == "/problems/outcome-unknown":
            write.status = None
        elif response.json()["type"] != "/problems/busy":
            self.tally.breaks("other broken promises", f"{write.method} {write.path} was answered {response.text}")
        return response

    def _learn(self, write: Write, response: httpx.Response) -> None:
        if write.answer is None:
            self.standing.pop(write.path.rpartition("/")[2], None)
        else:
            path = write.path if write.method == "PATCH" else f"{write.path}/{write.answer['id']}"
            known = self.standing.get(write.answer["id"])
            self.standing[write.answer["id"]] = Standing(
                path, response.headers["etag"], known.writer if known else write.writer
            )

    async def _get_anew(self, path: str) -> httpx.Response:
        response = await self.client.get(self.address + path)
        id = path.rpartition("/")[2]
        if response.status_code == 200 and id in self.standing:
            self.standing[id].etag = response.headers["etag"]
        return response

    # ---- the proof

    async def settle(self) -> None:
        """Compare all that was asked since the last time with what the log says and the records are."""
        known = len(self.log)
        await self._read_on()
        unanswered = [write for write in self.writes if write.status is None]
        answered = [write for write in self.writes if write.key is not None and write.is_acknowledged]
        for write in unanswered:
            self.tally.counts["ambiguous"] += 1
            applied = self._revisions_of(write, known)
            self.tally.counts["ambiguous, and applied"] += bool(applied)
            if write.key is not None:
                await self._send_again(write, applied)
        for write in self.chance.sample(answered, min(2, len(answered))):
            await self._send_again(write, self._revisions_of(write, known))
        await self._read_on()
        for write in self.writes:
            self._must_be_as_answered(write, self._revisions_of(write, known))
        self._must_be_asked_for(self.log[known:])
        await self._records_must_be_as_in_the_log({revision["id"] for revision in self.log[known:]})
        self.writes.clear()

    async def _send_again(self, write: Write, applied: Sequence[Json]) -> None:
        self.tally.counts["sent again with a key"] += 1
        before = write.answer
        response = await self._send(write, again=True)
        is_replay = response.headers.get("idempotency-replayed") == "true"
        if not write.is_acknowledged:
            self.tally.breaks("lost", f"{write.name}, sent again with its key, was answered {response.text}")
        elif is_replay != bool(applied):
            found = "in the log" if applied else "not in the log"
            self.tally.breaks(
                "other broken promises", f"{write.name} was {found}, and sent again: replayed={is_replay}"
            )
        elif before is not None and before != write.answer:
            self.tally.breaks("differing", f"{write.name}, sent again, was answered {write.answer}, not {before}")

    async def _read_on(self) -> None:
        """Read the log from where it was known to end."""
        path: str | None = f"/changes?since={len(self.log)}&limit=1000"
        while path is not None:
            response = await self.client.get(self.address + path)
            if response.status_code != 200:
                self.tally.breaks("lost", f"the log had come to {len(self.log)}, and now says {response.text}")
                return
            for revision in response.json()["items"]:
                if revision["seq"] != len(self.log) + 1:
                    gap = f"in the log, {revision['seq']} follows {len(self.log)}"
                    self.tally.breaks("other broken promises", gap)
                self.log.append(revision)
            path = response.json()["next"]

    def _revisions_of(self, write: Write, since: int) -> list[Json]:
        return [revision for revision in self.log[since:] if revision["request_id"] in write.names]

    def _must_be_as_answered(self, write: Write, revisions: Sequence[Json]) -> None:
        self.tally.counts["acknowledged writes"] += write.is_acknowledged
        self.tally.counts["refused (412)"] += write.status == 412
        self.tally.counts["refused (503 busy)"] += write.status == 503
        if len(revisions) > 1:
            self.tally.breaks("applied twice", f"{write.name} is in the log {len(revisions)} times")
        elif write.is_acknowledged and not revisions:
            self.tally.breaks("lost", f"{write.name} was answered {write.status}, and is not in the log")
        elif write.is_acknowledged and not _is_answer(write, revisions[0]):
            self.tally.breaks("differing", f"{write.name} was answered {write.answer}, and the log has {revisions[0]}")
        elif write.status is not None and not write.is_acknowledged and revisions:
            self.tally.breaks("other broken promises", f"{write.name} was refused, and is in the log")

    def _must_be_asked_for(self, revisions: Iterable[Json]) -> None:
        asked = {name for write in self.writes for name in write.names}
        for revision in revisions:
            if revision["request_id"] not in asked:
                self.tally.breaks("other broken promises", f"nobody asked for {revision}")

    async def _records_must_be_as_in_the_log(self, ids: Iterable[str]) -> None:
        last = {revision["id"]: revision for revision in self.log}
        for id in ids:
            revision = last[id]
            path = f"/{revision['kind']}s/{id}"
            if revision["after"] is not None:
                owner = next((w.writer for w in self.writes if revision["request_id"] in w.names), SHARED)
                self.standing.setdefault(id, Standing(path, "", owner))
            else:
                self.standing.pop(id, None)
            response = await self._get_anew(path)
            found = None if response.status_code == 410 else response.json()
            if _without_author(found) != revision["after"]:
                self.tally.breaks("lost", f"{path} is {response.text}, and the last revision is {revision}")

    async def must_be_whole(self) -> None:
        """Look at everything there is: the log from its beginning, every list, and the file itself."""
        log, self.log = self.log, []
        await self._read_on()
        if self.log != log:
            self.tally.breaks("differing", f"the log of {self.file} is not what it was")
        last = {revision["id"]: revision["after"] for revision in self.log}
        for kind in ("authors", "books"):
            listed = await self._listed(f"/{kind}")
            expected = {r["id"]: last[r["id"]] for r in self.log if f"{r['kind']}s" == kind and last[r["id"]]}
            if listed != expected:
                self.tally.breaks("differing", f"the list of {kind} in {self.file} is not what the log says")
        with closing(sqlite3.connect(self.file)) as connection:
            for pragma in ("integrity_check", "foreign_key_check"):
                if (found := connection.execute(f"PRAGMA {pragma}").fetchall()) not in ([], [("ok",)]):
                    self.tally.breaks("other broken promises", f"{self.file}: {pragma} says {found}")

    async def _listed(self, path: str) -> Mapping[str, Json | None]:
        items: list[Json] = []
        number = 0
        while True:
            number += 1
            page = (await self.client.get(f"{self.address}{path}?pageSize=100&currentPage={number}")).json()
            items += page["items"]
            if len(page["items"]) < page["limit"]:
                return {item["id"]: _without_author(item) for item in items}


def _is_answer(write: Write, revision: Json) -> bool:
    if write.answer is None:
        return bool(revision["operation"] == "remove" and write.path.endswith(revision["id"]))
    return bool(revision["version"] == write.answer["version"] and revision["after"] == _without_author(write.answer))


def _without_author(record: Json | None) -> Json | None:
    return None if record is None else {name: value for name, value in record.items() if name != "author"}


@define(kw_only=True)
class Bench:
    """Starts, loads, kills and starts again."""

    folder: Path
    rounds: int
    seed: int = 1
    writers: int = 8
    longest: float = 0.5
    """Seconds under load before a kill, at most."""
    rounds_per_file: int = 25
    cold_every: int = 10
    """Every how many rounds `catalog serve` is started as people start it; else as a fork."""
    during_start: float = 0.15
    """In which part of the rounds the start is killed, too."""
    aimed: float = 0.5
    """In which part of the rounds the kill comes right after the beginning of a commit."""
    report_every: int = 50
    seconds: float = float("inf")
    between: Callable[[Path], object] = lambda _file: None
    """What is done to the file between a kill and the next start: nothing, but in a test of the bench."""
    tally: Tally = field(factory=Tally)

    async def run(self) -> Tally:
        """Run all rounds, or as many as there is time for; each promise that does not hold is in the tally."""
        began = time.monotonic()
        chance = random.Random(self.seed)
        done = 0
        # No TLS here: without `verify`, each client would read all certificates of the machine.
        limits = httpx.Limits(max_connections=self.writers + 1)
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False, verify=False, limits=limits) as client:
            while done < self.rounds and time.monotonic() - began < self.seconds:
                self.tally.counts["files"] += 1
                file = self.folder / f"catalog-{self.tally.counts['files']}.db"
                catalogue = Catalogue(file, client, chance, self.tally)
                server = await self._started(catalogue, done)
                for _ in range(min(self.rounds_per_file, self.rounds - done)):
                    await self._killed_under_load(catalogue, server)
                    done += 1
                    self.between(file)
                    server = await self._started(catalogue, done)
                    await catalogue.settle()
                    if done % self.report_every == 0:
                        self._report(done, time.monotonic() - began)
                    if time.monotonic() - began >= self.seconds:
                        break
                await catalogue.must_be_whole()
                await self._must_end_well(server, catalogue)
        return self.tally

    async def _started(self, catalogue: Catalogue, number: int) -> Server:
        """Start it, sometimes only after a start that was killed; return once it has answered a GET."""
        options = ("--storage", f"sqlite:///{catalogue.file}")
        if catalogue.chance.random() < self.during_start:
            hasty = Server(*options, folder=self.folder)
            await asyncio.sleep(catalogue.chance.uniform(0, 0.3))
            hasty.kill()
            self.tally.counts["kills during the start"] += 1
        began = time.monotonic()
        is_cold = (number + 1) % self.cold_every == 0
        server = Server(*options, folder=self.folder, python_options=[] if is_cold else None)
        try:
            catalogue.address = await asyncio.to_thread(lambda: server.address)
            response = await catalogue.client.get(f"{catalogue.address}/books?pageSize=1")
        except BaseException:
            server.kill()
            raise
        self.tally.restarts["cold" if is_cold else "warm"].append(time.monotonic() - began)
        if response.status_code != 200:
            self.tally.breaks("other broken promises", f"after a restart, /books was answered {response.text}")
        return server

    async def _killed_under_load(self, catalogue: Catalogue, server: Server) -> None:
        await catalogue.prepare()
        catalogue.stops = False
        writing = [asyncio.create_task(catalogue.keep_writing(f"w{number}")) for number in range(self.writers)]
        try:
            await asyncio.sleep(catalogue.chance.uniform(0.01, self.longest))
            if catalogue.chance.random() < self.aimed:
                _wait_for_a_commit(catalogue.file)
                time.sleep(catalogue.chance.uniform(0, 0.004))  # noqa: ASYNC251 - requests under way need nobody here
        finally:
            server.kill()
            catalogue.stops = True
        await asyncio.gather(*writing)
        self.tally.counts["kills under load"] += 1

    async def _must_end_well(self, server: Server, catalogue: Catalogue) -> None:
        status = await asyncio.to_thread(server.stop)
        beside = sorted(path.name for path in self.folder.glob(f"{catalogue.file.name}-*"))
        if status != 0 or beside:
            self.tally.breaks("other broken promises", f"a clean stop ended with {status} and left {beside}")
        catalogue.file.unlink()

    def _report(self, done: int, seconds: float) -> None:
        counts = self.tally.counts
        print(
            f"{done} rounds in {seconds:.0f} s: {counts['acknowledged writes']} acknowledged, {counts['lost']} lost, "
            f"{counts['applied twice']} applied twice, {counts['ambiguous']} ambiguous",
            flush=True,
        )


def _wait_for_a_commit(file: Path) -> None:
    """Return as soon as something is written to the write-ahead log, or nothing was for a while."""
    log = file.with_name(f"{file.name}-wal")
    end = time.monotonic() + 0.1
    with suppress(FileNotFoundError):
        before = log.stat().st_mtime_ns
        while log.stat().st_mtime_ns == before and time.monotonic() < end:
            pass


def main() -> int:
    """Run the bench as the command line says; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1000, help="kills under load (%(default)s)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no round after so long")
    parser.add_argument("--seed", type=int, default=1, help="of what is random in the bench (%(default)s)")
    parser.add_argument("--writers", type=int, default=8, help="clients that write at once (%(default)s)")
    parser.add_argument("--rounds-per-file", type=int, default=25, help="kills until a new file (%(default)s)")
    parser.add_argument("--cold-every", type=int, default=10, help="start anew and not as a fork, each so many rounds")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(
            folder=Path(folder),
            rounds=given.rounds,
            seconds=given.seconds,
            seed=given.seed,
            writers=given.writers,
            rounds_per_file=given.rounds_per_file,
            cold_every=given.cold_every,
        )
        tally = asyncio.run(bench.run())
    print(printed([tally.as_dict()]))
    if given.json:
        given.json.write_text(json.dumps({"seed": given.seed, **tally.as_dict(), "broken": tally.broken}, indent=2))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
