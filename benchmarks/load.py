"""Load over a few keep-alive connections: wrk where it is on the PATH, else a small generator in a process of its own.

Only ever to this machine, and never for longer than was asked.
"""

import asyncio
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import uvloop
from attrs import asdict, frozen

from .processes import HOST

WARM_UP = 0.2
"""Seconds before anything is counted."""

_STATUS = re.compile(rb"HTTP/1.1 ([0-9]{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


@frozen(kw_only=True)
class Load:
    """Random ones of these requests, sent by each connection as soon as it has the answer to the one before."""

    method: str = "GET"
    paths: Sequence[str] = ("/",)
    bodies: Sequence[str] = ("",)
    connections: int = 16
    seconds: float = 1.0


@frozen
class Answers:
    """What came back: answers per second, and the milliseconds that 99 in 100 of them took at most."""

    per_second: float
    p99: float


def measure(port: int, load: Load) -> Answers:
    """Put load on the port; raise RuntimeError if any answer was not a success."""
    if shutil.which("wrk"):
        return _measure_with_wrk(port, load)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", str(port)],
        cwd=Path(__file__).parents[1],
        input=json.dumps(asdict(load)),
        capture_output=True,
        text=True,
        timeout=load.seconds + 30,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"load on port {port}: {done.stderr}")
    return Answers(*json.loads(done.stdout))


def generator() -> str:
    """Return which generator it is."""
    return "wrk" if shutil.which("wrk") else "benchmarks/load.py"


class _Connection(asyncio.Protocol):
    """Sends a request whenever the answer to the last one is complete."""

    def __init__(self, requests: Sequence[bytes], until: float) -> None:
        self._requests = requests
        self._until = until
        self._buffer = b""
        self._sent = 0.0
        self.answers: list[tuple[float, float]] = []
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        status, length = _STATUS.match(self._buffer), _LENGTH.search(self._buffer, 0, head)
        if not status or not status[1].startswith(b"2") or not length:
            self._end(RuntimeError(f"no success: {self._buffer[:500]!r}"))
        elif len(self._buffer) >= head + 4 + int(length[1]):
            self._buffer = b""
            now = time.perf_counter()
            self.answers.append((now, now - self._sent))
            if now < self._until:
                self._send()
            else:
                self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(random.choice(self._requests))

    def _end(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(error) if error else self.ended.set_result(None)
            self._transport.close()


async def _generate(port: int, load: Load) -> Answers:
    requests = [_request(load.method, path, body) for path in load.paths for body in load.bodies]
    began = time.perf_counter() + WARM_UP
    until = began + load.seconds
    connections = [_Connection(requests, until) for _ in range(load.connections)]
    for connection in connections:
        await asyncio.get_running_loop().create_connection(lambda c=connection: c, HOST, port)
    async with asyncio.timeout(load.seconds + 20):
        await asyncio.gather(*(connection.ended for connection in connections))
    counted = [took for c in connections for at, took in c.answers if began <= at < until]
    if not counted:
        raise RuntimeError("not one answer in the time that counts")
    return Answers(len(counted) / load.seconds, sorted(counted)[len(counted) * 99 // 100] * 1000)


def _request(method: str, path: str, body: str) -> bytes:
    content = body.encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"{head}\r\n".encode() + content


_WRK = """
local requests = {}
init = function(args)
  local spec = %s
  for _, path in ipairs(spec.paths) do
    for _, body in ipairs(spec.bodies) do
      local headers, content = {}, nil
      if body ~= "" then headers["Content-Type"], content = "application/json", body end
      requests[#requests + 1] = wrk.format(spec.method, path, headers, content)
    end
  end
end
request = function() return requests[math.random(#requests)] end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format("\\nRESULT %%f %%f %%d\\n", summary.requests * 1e6 / summary.duration,
    latency:percentile(99) / 1e3, errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def _measure_with_wrk(port: int, load: Load) -> Answers:
    def lua(value: Any) -> str:
        if isinstance(value, str):
            return json.dumps(value, ensure_ascii=False)  # also a literal of Lua, without \\u escapes
        return "{" + ",".join(map(lua, value)) + "}"

    spec = f"{{method={lua(load.method)},paths={lua(load.paths)},bodies={lua(load.bodies)}}}"
    with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="utf-8") as script:
        script.write(_WRK % spec)
        script.flush()
        options = ["-t1", f"-c{load.connections}", f"-d{max(1, round(load.seconds))}s", "-s", script.name]
        printed = subprocess.run(
            ["wrk", *options, f"http://{HOST}:{port}"],
            capture_output=True,
            text=True,
            timeout=load.seconds + 30,
            check=True,
        ).stdout
    result = re.search(r"RESULT (\S+) (\S+) (\d+)", printed)
    if not result or result[3] != "0":
        raise RuntimeError(f"load on port {port}: {printed}")
    return Answers(float(result[1]), float(result[2]))


def main() -> None:
    """Do what standard input says, and say what came back."""
    answers = uvloop.run(_generate(int(sys.argv[1]), Load(**json.loads(sys.stdin.read()))))
    print(json.dumps([answers.per_second, answers.p99]))


if __name__ == "__main__":
    main()
