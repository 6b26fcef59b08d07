"""Crashes, freezes, switches and restarts a cluster under the service, and looks for what the service had promised.

    python -m tests.cluster.chaos --faults 100

Writers send one request after the other to a `catalog serve` over the cluster, most with an Idempotency-Key, which they
send again until they have a definite answer. In the end the catalogue is compared with all answers: what was answered
2xx is there, once; what was refused is not; and the log has no gaps.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from attrs import define, field

from tests.e2e.servers import Server, run_catalog
from tests.faults.tables import printed, quantile

from .patroni import Cluster, Node

WRITERS = 4
PAUSE = 0.02
"""Seconds between two requests of a writer: the cluster and its writers share two processors."""

FROZEN = 26.0
"""Seconds that a leader stays frozen: longer than the cluster waits for it."""

LONGEST_REQUEST = 10.0

LONGEST_OUTAGE = 60.0
"""Seconds that a service may take to write again once the cluster is whole."""

Json = dict[str, Any]


@define
class Story:
    """What was asked for, and what was answered."""

    made: dict[str, str] = field(factory=dict)
    """Acknowledged: from the name to the id."""
    refused: set[str] = field(factory=set)
    """Answered that nothing was written."""
    unknown: set[str] = field(factory=set)
    revised: dict[str, int] = field(factory=dict)
    """From the id to the last version that was acknowledged."""
    acknowledged: list[float] = field(factory=list)
    patched: dict[tuple[str, int], str] = field(factory=dict)
    """Acknowledged: from the id and the version to the name it then had."""
    took: list[float] = field(factory=list)
    refusals_took: list[float] = field(factory=list)
    """Seconds until a 503."""
    answers: Counter[str] = field(factory=Counter)


@define
class Chaos:
    """The service, its writers, and the faults."""

    cluster: Cluster
    folder: Path
    random: random.Random
    story: Story = field(factory=Story)
    outages: dict[str, list[float]] = field(factory=lambda: defaultdict(list))
    server: Server | None = None
    address: str = ""
    """Where the service was last; writers must not wait for one that starts."""
    stops: bool = False

    async def run(self, faults: int, kinds: Sequence[str] = (), say: Callable[[str], None] = print) -> Json:
        """Do so many faults under load; return the figures. Raises AssertionError where a promise was broken."""
        await self._migrated()
        self._serve()
        writers = [asyncio.create_task(self._write(number)) for number in range(WRITERS)]
        try:
            await asyncio.sleep(2)
            for number in range(1, faults + 1):
                kind = kinds[(number - 1) % len(kinds)] if kinds else self._drawn()
                seconds = await self._fault(kind)
                for writer in writers:
                    if writer.done():  # otherwise a broken one would only be missed in the end, and the load before
                        writer.result()
                say(f"{number}/{faults} {kind}: {seconds:.1f} s without a write; {len(self.story.made):,} acknowledged")
            self.stops = True
            await asyncio.gather(*writers)
            return await self._figures()
        finally:
            self.stops = True
            await asyncio.gather(*writers, return_exceptions=True)
            assert self.server is not None
            self.server.kill()

    async def _migrated(self) -> None:
        connection = await asyncpg.connect(self.cluster.url("postgres"), target_session_attrs="read-write")
        await connection.execute("CREATE DATABASE catalog")
        await connection.close()
        done = await asyncio.to_thread(
            run_catalog, "database", "--storage", self.cluster.url(), "upgrade", "--no-prompt", folder=self.folder
        )
        assert done.returncode == 0, done.stderr

    def _serve(self) -> None:
        self.server = Server("--storage", self.cluster.url(), folder=self.folder)
        self.address = self.server.address

    # ---- faults

    def _drawn(self) -> str:
        kinds = ["leader crash", "leader freeze", "switchover", "restart", "standby crash", "etcd kill", "service kill"]
        return self.random.choices(kinds, [4, 3, 4, 3, 2, 2, 2])[0]

    async def _fault(self, kind: str) -> float:
        """Do it, wait until all is whole, and return the longest time without an acknowledged write."""
        begun = time.monotonic()
        cluster = self.cluster
        leader = await asyncio.to_thread(cluster.leader)
        assert leader is not None
        match kind:
            case "leader crash":
                await asyncio.to_thread(cluster.crash, leader)
                await self._led_by_another(leader)
                await asyncio.to_thread(cluster.start, leader)
            case "leader freeze":
                await asyncio.to_thread(cluster.freeze, leader)
                await asyncio.sleep(FROZEN)
                await self._led_by_another(leader)
                await asyncio.to_thread(cluster.thaw, leader)
            case "switchover":
                await asyncio.to_thread(cluster.switch_over)
            case "restart":
                await asyncio.to_thread(cluster.restart, leader)
            case "standby crash":
                standby = self.random.choice([node for node in cluster.nodes if node is not leader])
                await asyncio.to_thread(cluster.crash, standby)
                await asyncio.sleep(3)
                await asyncio.to_thread(cluster.start, standby)
            case "etcd kill":
                await asyncio.to_thread(cluster.kill_etcd)
            case "service kill":
                assert self.server is not None
                self.server.kill()
                await asyncio.to_thread(self._serve)
        await asyncio.to_thread(cluster.settle, f"health after a {kind}", 180.0)
        await self._written_again()
        moments = [begun, *(moment for moment in self.story.acknowledged if moment > begun), time.monotonic()]
        outage = max(after - before for before, after in pairwise(moments))
        self.outages[kind].append(outage)
        return outage

    async def _written_again(self) -> None:
        """Wait for a write: the cluster is whole before the service has found it so."""
        known = len(self.story.acknowledged)
        end = time.monotonic() + LONGEST_OUTAGE
        while len(self.story.acknowledged) == known:
            assert time.monotonic() < end, f"nothing was written for {LONGEST_OUTAGE} s, and the cluster is whole"
            await asyncio.sleep(0.1)

    async def _led_by_another(self, before: Node) -> None:
        await asyncio.to_thread(
            self.cluster.wait, lambda: self.cluster.leader() not in (None, before), "another leader"
        )

    # ---- writers

    async def _write(self, number: int) -> None:
        last: tuple[str, str] | None = None
        count = 0
        async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
            while not self.stops:
                count += 1
                name = f"writer {number} request {count}"
                is_keyed = number % 2 == 0
                if last is not None and count % 3 == 0:
                    last = await self._revise(client, last, name)
                else:
                    last = await self._make(client, name, is_keyed=is_keyed) or last
                await asyncio.sleep(PAUSE)

    async def _make(self, client: httpx.AsyncClient, name: str, *, is_keyed: bool) -> tuple[str, str] | None:
        """Make an author; return id and ETag. With a key, sends it until the answer is definite."""
        headers = {"Idempotency-Key": name} if is_keyed else {}
        while True:
            response = await self._asked(client, "POST", "/authors", {"name": name}, headers)
            if response is not None and response.status_code == 201:
                self.story.made[name] = response.json()["id"]
                return response.json()["id"], response.headers["etag"]
            is_definite = response is not None and response.json()["type"] != "/problems/outcome-unknown"
            if not is_keyed:
                (self.story.refused if is_definite else self.story.unknown).add(name)
                return None
            if self.stops:
                self.story.unknown.add(name)
                return None
            await asyncio.sleep(0.2)

    async def _revise(self, client: httpx.AsyncClient, last: tuple[str, str], name: str) -> tuple[str, str] | None:
        id, etag = last
        response = await self._asked(client, "PATCH", f"/authors/{id}", {"name": name}, {"If-Match": etag})
        if response is not None and response.status_code == 200:
            self.story.revised[id] = response.json()["version"]
            self.story.patched[id, response.json()["version"]] = name
            return id, response.headers["etag"]
        is_definite = response is not None and response.json()["type"] != "/problems/outcome-unknown"
        (self.story.refused if is_definite else self.story.unknown).add(name)
        return None  # whatever became of it, nobody goes on from there

    async def _asked(
        self, client: httpx.AsyncClient, method: str, path: str, body: Json, headers: Mapping[str, str]
    ) -> httpx.Response | None:
        """Return the answer, or nothing where the service was gone."""
        begun = time.monotonic()
        try:
            response = await client.request(method, self.address + path, json=body, headers=dict(headers))
        except httpx.TransportError:
            self.story.took.append(time.monotonic() - begun)  # one that is never answered is the longest of all
            self.story.answers["no answer"] += 1
            await asyncio.sleep(0.2)
            return None
        now = time.monotonic()
        self.story.took.append(now - begun)
        if response.status_code == 503:
            self.story.refusals_took.append(now - begun)
        if response.status_code < 300:
            self.story.acknowledged.append(now)
            self.story.answers[str(response.status_code)] += 1
        else:
            self.story.answers[f"{response.status_code} {response.json()['type'].rpartition('/')[2]}"] += 1
            await asyncio.sleep(0.2)
        return response

    # ---- the proof

    async def _figures(self) -> Json:
        assert self.server is not None
        async with httpx.AsyncClient(base_url=self.server.address, timeout=60, trust_env=False) as client:
            log = await _log(client)
            authors = await _authors(client)
        story = self.story
        written = Counter(entry["after"]["name"] for entry in log)
        content = {(entry["id"], entry["version"]): entry["after"]["name"] for entry in log}
        latest = {entry["id"]: (entry["version"], entry["after"]["name"]) for entry in log}
        promised = {(id, 1): name for name, id in story.made.items()} | story.patched
        return {
            "faults": sum(map(len, self.outages.values())),
            "acknowledged": len(story.acknowledged),
            "lost": sum(content.get(version) != name for version, name in promised.items()),
            "applied twice": sum(count > 1 for count in written.values()),
            "refused, and there": sum(name in written for name in story.refused),
            "other in the catalogue than in the log": sum(
                authors.get(id) != latest.get(id) for id in authors.keys() | latest.keys()
            ),
            "gaps in the log": sum(entry["seq"] != seq for seq, entry in enumerate(log, 1)),
            "unknown": len(story.unknown),
            "unknown, and there": sum(name in written for name in story.unknown),
            "answers": dict(story.answers),
            "longest request (s)": round(max(story.took), 1),
            "99 % of requests within (s)": round(quantile(story.took, 0.99), 2),
            "longest until a 503 (s)": round(max(story.refusals_took, default=0), 1),
            "outage (s), by fault: count, median, longest": {
                kind: [len(took), round(quantile(took, 0.5), 1), round(max(took), 1)]
                for kind, took in sorted(self.outages.items())
            },
        }


async def _log(client: httpx.AsyncClient) -> list[Json]:
    log: list[Json] = []
    while True:
        since = log[-1]["seq"] if log else 0
        page = (await client.get(f"/changes?since={since}&limit=1000")).raise_for_status().json()["items"]
        log += page
        if not page:
            return log


async def _authors(client: httpx.AsyncClient) -> dict[str, tuple[int, str]]:
    """Return version and name of each author, as the catalogue has them."""
    found: dict[str, tuple[int, str]] = {}
    for number in count(1):
        page = (await client.get(f"/authors?currentPage={number}&pageSize=100")).raise_for_status().json()["items"]
        found |= {author["id"]: (author["version"], author["name"]) for author in page}
        if not page:
            break
    return found


def broken(figures: Json) -> list[str]:
    """Return the promises that were not kept."""
    names = [
        "lost",
        "applied twice",
        "refused, and there",
        "other in the catalogue than in the log",
        "gaps in the log",
    ]
    found = [f"{name}: {figures[name]}" for name in names if figures[name]]
    if figures["longest request (s)"] > LONGEST_REQUEST:
        found.append(f"a request took {figures['longest request (s)']} s")
    found += [f"answers {answer}" for answer in figures["answers"] if answer.startswith(("500", "4"))]
    return found


def main() -> int:
    """Run it as the command line says; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--folder", help="keep what the servers say in this folder, a new one")
    parser.add_argument("--environment", type=Path, help="where Patroni is installed already, or shall be")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.folder or stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        Path(folder).mkdir(exist_ok=True)
        Path(folder).chmod(0o755)
        with Cluster.made(Path(folder), environment=given.environment) as cluster:
            chaos = Chaos(cluster, Path(folder), random.Random(given.seed))
            figures = asyncio.run(chaos.run(given.faults, say=lambda line: print(line, flush=True)))
    print(printed([{name: value for name, value in figures.items() if not isinstance(value, dict)}]))
    print(json.dumps(figures, indent=2))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2), "utf-8")
    for promise in (promises := broken(figures)):
        print(f"BROKEN: {promise}")
    return 1 if promises else 0


if __name__ == "__main__":
    sys.exit(main())
