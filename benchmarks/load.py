"""Load over a few keep-alive connections: wrk where it is on the PATH, else a small generator in a process of its own.

Only ever to this machine, and never for longer than was asked, save for what is on its way or a server that is slow.
"""

import json
import re
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from attrs import Factory, asdict, define, frozen

from .processes import HOST

WARM_UP = 0.2
"""Seconds before anything is counted."""
LEAST = 16
"""Answers that a figure has to stand on: a server that is too slow for that gets more time."""
LONGEST = 10.0
"""Seconds that a slow server gets at most."""
DRAIN = 15.0
"""Seconds to wait for what is on its way, so that nobody works on it while the next server is measured."""
_DRAWN = 65_536
_RECEIVE = 262_144


@frozen(kw_only=True)
class Request:
    """One request."""

    method: str = "GET"
    path: str = "/"
    body: str = ""
    headers: Mapping[str, str] = Factory(dict)

    @property
    def encoded(self) -> bytes:
        """What goes over the wire."""
        content = self.body.encode()
        headers = {"Host": HOST, **self.headers}
        if content:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + content


@frozen(kw_only=True)
class Load:
    """Random ones of these requests, sent by each connection as soon as it has the answer to the one before.

    `requests` takes the place of `method`, `paths` and `bodies`. `once` sends each a single time, to warm a server up,
    and gives up after `seconds`.
    """

    method: str = "GET"
    paths: Sequence[str] = ("/",)
    bodies: Sequence[str] = ("",)
    requests: Sequence[Request] = ()
    connections: int = 16
    seconds: float = 1.0
    success: str = "2"
    """What the status of a good answer begins with."""
    once: bool = False

    @property
    def all_requests(self) -> Sequence[Request]:
        """Every request there is to draw from."""
        if self.requests:
            return self.requests
        return [Request(method=self.method, path=path, body=body) for path in self.paths for body in self.bodies]


@frozen
class Answers:
    """What came back: answers per second, and the milliseconds that 99 and 50 in 100 of them took at most.

    `successes` are all there were, also those outside the time that counts, and `created` are those with status 201;
    `bytes` is the mean size of a body. Without any success the figures are 0.
    """

    per_second: float
    p99: float
    p50: float = 0.0
    errors: int = 0
    successes: int = 0
    bytes: float = 0.0
    error: str = ""
    created: int = 0


def measure(port: int, load: Load) -> Answers:
    """Put load on the port; raise RuntimeError if any answer was not a success, or none came."""
    answers = count(port, load)
    if answers.errors or not answers.successes:
        raise RuntimeError(f"load on port {port}: {answers.errors} errors, the first: {answers.error}")
    return answers


def count(port: int, load: Load) -> Answers:
    """Put load on the port, and count answers that are no success; raise RuntimeError if the server is not there."""
    if shutil.which("wrk") and not load.once:
        return _count_with_wrk(port, load)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", str(port)],
        cwd=Path(__file__).parents[1],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        timeout=load.seconds + LONGEST + DRAIN + 30,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"load on port {port}: {done.stderr}")
    return Answers(*json.loads(done.stdout))


def generator() -> str:
    """Return which generator it is."""
    return "wrk" if shutil.which("wrk") else "benchmarks/load.py"


@define(eq=False)
class _Connection:
    """One connection, and how much of an answer it still waits for."""

    socket: socket.socket
    sent: float = 0.0
    head: bytes = b""
    missing: int = 0
    """Bytes of the answer that are still to come; -1 for an answer in chunks, whose last one says so."""
    is_waiting: bool = False
    is_good: bool = True
    size: int = 0


class _Generator:
    """Sends, receives and counts."""

    def __init__(self, port: int, load: Load) -> None:
        self._port = port
        self._load = load
        self._success = load.success.encode()
        encoded = [request.encoded for request in load.all_requests]
        self._next: Iterator[bytes] = iter(encoded)
        if not load.once:
            self._next = cycle(Random(len(encoded)).choices(encoded, k=_DRAWN))
        self._selector = selectors.DefaultSelector()
        self._taken: list[tuple[float, float]] = []
        self._sizes = 0
        self._created = 0
        self._errors = 0
        self._error = ""
        self._waiting = 0

    def run(self) -> Answers:
        """Generate the load."""
        start = time.perf_counter()
        for _ in range(self._load.connections):
            self._send(self._connect())
        began, until = start + WARM_UP, start + WARM_UP + self._load.seconds
        while self._goes_on(start, until):
            self._receive(is_sending=True)
        end = time.perf_counter()
        while self._waiting and time.perf_counter() < end + DRAIN:
            self._receive(is_sending=False)
        counted = sorted(took for at, took in self._taken if began <= at < until)
        seconds = self._load.seconds
        if len(counted) < LEAST:  # slow: whatever came in all the time there was
            counted = sorted(took for at, took in self._taken if at <= end)
            seconds = end - start
        if not counted:
            return Answers(0, 0, errors=self._errors, error=self._error, successes=len(self._taken))
        return Answers(
            per_second=len(counted) / seconds,
            p99=counted[len(counted) * 99 // 100] * 1000,
            p50=counted[len(counted) // 2] * 1000,
            errors=self._errors,
            successes=len(self._taken),
            bytes=self._sizes / len(self._taken),
            error=self._error,
            created=self._created,
        )

    def _goes_on(self, start: float, until: float) -> bool:
        now = time.perf_counter()
        if self._load.once:
            return self._waiting > 0 and now < start + self._load.seconds
        return now < until or (len(self._taken) < LEAST and now < start + LONGEST)

    def _connect(self) -> _Connection:
        stream = socket.create_connection((HOST, self._port), timeout=10)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(stream)
        self._selector.register(stream, selectors.EVENT_READ, connection)
        return connection

    def _send(self, connection: _Connection) -> None:
        request = next(self._next, None)
        if request is None:
            return
        self._waiting += 1
        connection.is_waiting = True
        connection.head = b""
        connection.missing = 0
        connection.sent = time.perf_counter()
        connection.socket.sendall(request)

    def _receive(self, *, is_sending: bool) -> None:
        for key, _ in self._selector.select(0.1):
            connection: _Connection = key.data
            try:
                data = connection.socket.recv(_RECEIVE)
            except OSError:
                data = b""
            if not data:
                connection = self._reconnect(connection)
            elif not self._is_complete(connection, data):
                continue
            else:
                self._count(connection)
            if is_sending:
                self._send(connection)

    def _is_complete(self, connection: _Connection, data: bytes) -> bool:
        """Whether the answer has come to its end."""
        if connection.missing > 0:
            connection.missing -= len(data)
            return connection.missing <= 0
        if connection.missing < 0:
            connection.size += len(data)
            connection.head = (connection.head + data)[-7:]
            return connection.head.endswith(b"\r\n0\r\n\r\n")
        if connection.head:
            data = connection.head + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            connection.head = data
            return False
        connection.is_good = data.startswith(self._success, 9)
        if data.startswith(b"201", 9):
            self._created += 1
        if not connection.is_good and not self._error:
            self._error = data[:500].decode(errors="replace")
        place = data.find(b"content-length: ", 0, end)
        if place >= 0:
            size = connection.size = int(data[place + 16 : data.find(b"\r", place)])
            connection.missing = end + 4 + size - len(data)
            return connection.missing <= 0
        return self._is_complete_otherwise(connection, data, end)

    def _is_complete_otherwise(self, connection: _Connection, data: bytes, end: int) -> bool:
        head = data[:end].lower()
        if found := re.search(rb"\r\ncontent-length: *([0-9]+)", head):
            connection.size = int(found[1])
            connection.missing = end + 4 + connection.size - len(data)
            return connection.missing <= 0
        connection.size = len(data) - end - 4
        if b"\r\ntransfer-encoding: chunked" not in head:
            return True
        connection.missing = -1
        connection.head = data[-7:]
        return data.endswith(b"\r\n0\r\n\r\n")

    def _count(self, connection: _Connection) -> None:
        self._waiting -= 1
        connection.is_waiting = False
        connection.missing = 0
        connection.head = b""
        if not connection.is_good:
            self._errors += 1
            return
        now = time.perf_counter()
        self._taken.append((now, now - connection.sent))
        self._sizes += connection.size

    def _reconnect(self, connection: _Connection) -> _Connection:
        self._selector.unregister(connection.socket)
        connection.socket.close()
        if connection.is_waiting:
            self._waiting -= 1
            self._errors += 1
            self._error = self._error or "the server closed the connection"
        return self._connect()


_WRK = """
local requests = {}
init = function(args)
  for _, each in ipairs(%s) do
    local content = nil
    if each.body ~= "" then content = each.body end
    requests[#requests + 1] = wrk.format(each.method, each.path, each.headers, content)
  end
end
request = function() return requests[math.random(#requests)] end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("\\nRESULT %%f %%f %%f %%d %%d %%f\\n", summary.requests * 1e6 / summary.duration,
    latency:percentile(99) / 1e3, latency:percentile(50) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    summary.requests, summary.bytes / summary.requests))
end
"""


def _lua(value: Any) -> str:
    """Return the value as a literal of Lua."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # also a literal of Lua, without \\u escapes
    if isinstance(value, Mapping):
        return "{" + ",".join(f"[{_lua(name)}]={_lua(each)}" for name, each in value.items()) + "}"
    return "{" + ",".join(map(_lua, value)) + "}"


def _count_with_wrk(port: int, load: Load) -> Answers:
    """Let wrk do it; it counts bytes with heads, and only a status of 400 and more as an error."""
    requests = [asdict(request) for request in load.all_requests]
    for request in requests:
        if request["body"]:
            request["headers"] = {**request["headers"], "Content-Type": "application/json"}
    with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="utf-8") as script:
        script.write(_WRK % _lua(requests))
        script.flush()
        options = ["-t1", f"-c{load.connections}", f"-d{max(1, round(load.seconds))}s", "--timeout", "10s"]
        printed = subprocess.run(
            ["wrk", *options, "-s", script.name, f"http://{HOST}:{port}"],
            capture_output=True,
            text=True,
            timeout=load.seconds + 30,
            check=True,
        ).stdout
    result = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+) (\d+) (\S+)", printed)
    if not result:
        raise RuntimeError(f"load on port {port}: {printed}")
    errors, answered = int(result[4]), int(result[5])
    return Answers(
        per_second=float(result[1]),
        p99=float(result[2]),
        p50=float(result[3]),
        errors=errors,
        successes=answered - errors,
        bytes=float(result[6]),
        error=printed if errors else "",
        created=answered - errors if all(request["method"] == "POST" for request in requests) else 0,
    )


def main() -> None:
    """Do what standard input says, and say what came back."""
    given = json.loads(sys.stdin.read())
    given["requests"] = [Request(**request) for request in given["requests"]]
    answers = _Generator(int(sys.argv[1]), Load(**given)).run()
    print(json.dumps(list(asdict(answers).values())))


if __name__ == "__main__":
    main()
