"""Which server: uvicorn as the catalogue runs it, against granian. `python -m benchmarks.servers` (about a minute)."""

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from attrs import frozen

from .apps import BODY_SECONDS, MARKER, SLOW_SECONDS
from .load import Load, generator, measure
from .processes import HOST, end, free_port, get, granian, own_server, started
from .tables import print_table, ratios, spread

ROUNDS = 7
PATIENCE = 8.0
"""Seconds after which a server is held to be unwilling to stop."""
PROMPT = 1.0
"""Seconds in which an open stream has to end."""


@frozen
class Candidate:
    """A server, and how it is told to serve one of benchmarks/apps.py on a port."""

    name: str
    command: Callable[[int, str], Sequence[str]]


UVICORN = Candidate("uvicorn", own_server)
GRANIAN = Candidate("granian", granian)
IMPATIENT_GRANIAN = Candidate(
    "granian --workers-kill-timeout 3", lambda port, what: granian(port, what, "--workers-kill-timeout", "3")
)
CANDIDATES = (UVICORN, GRANIAN, IMPATIENT_GRANIAN)


@frozen
class Behaviour:
    """What one server did, in words."""

    loop: str
    stream: str
    shutdown_hook: str
    in_flight: str
    exit_status: str
    slow_body: str


def behaviour_of(candidate: Candidate, folder: Path) -> Behaviour:
    """Put a server to the test."""
    marker = folder / f"{candidate.name}.txt"
    variables = {MARKER: str(marker)}

    port = free_port()
    with started(candidate.command(port, "probe"), port, variables=variables) as process:
        loop = json.loads(get(port, "/loop"))["loop"]
        slow_body = _slow_body(port)
        stream, stream_status = _open_stream(port, process)
    shutdown_hook = _verdict(marker.exists(), "it ran", "it did not run")

    port = free_port()
    with started(candidate.command(port, "probe"), port, variables=variables) as process:
        in_flight, in_flight_status = _in_flight(port, process)

    statuses = f"{stream_status} with the stream, {in_flight_status} without"
    return Behaviour(
        loop=loop,
        stream=stream,
        shutdown_hook=shutdown_hook,
        in_flight=in_flight,
        exit_status=_verdict(stream_status == in_flight_status == "0", "", statuses),
        slow_body=slow_body,
    )


def _open_stream(port: int, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Return how a stream of events ended after SIGTERM, and the server's exit status."""
    connection = HTTPConnection(HOST, port, timeout=PATIENCE)
    connection.request("GET", "/events")
    response = connection.getresponse()
    response.readline()
    process.terminate()
    began = time.monotonic()
    try:
        complete = response.read().endswith(b"data: last\r\n\r\n")
        how = "" if complete else "cut off "
    except TimeoutError:
        complete, how = False, "still open "
    except (OSError, HTTPException):
        complete, how = False, "cut off "
    seconds = time.monotonic() - began
    status = _status(process)  # before the client hangs up: it is the server that has to come to an end
    connection.close()
    return _verdict(complete and seconds <= PROMPT, f"{how}after {seconds:.2f} s"), status


def _in_flight(port: int, process: subprocess.Popen[bytes]) -> tuple[str, str]:
    """Return what became of a request that was being answered at SIGTERM, and the server's exit status."""

    def ask() -> tuple[int, bytes]:
        connection = HTTPConnection(HOST, port, timeout=SLOW_SECONDS + PATIENCE)
        connection.request("GET", "/slow")
        response = connection.getresponse()
        return response.status, response.read()

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask)
        while get(port, "/") != b"1":
            time.sleep(0.02)
        process.terminate()
        try:
            status, body = answer.result()
        except (OSError, HTTPException) as error:
            return _verdict(False, type(error).__name__), _status(process)
    return _verdict((status, body) == (200, b"done"), str(status)), _status(process)


def _slow_body(port: int) -> str:
    """Return what becomes of a request whose body never arrives."""
    with socket.create_connection((HOST, port), timeout=BODY_SECONDS + 4) as connection:
        head = f"POST /body HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b'{"title":')
        began = time.monotonic()
        try:
            status = connection.recv(1000)[9:12].decode()
        except TimeoutError:
            status = "no answer"
    seconds = time.monotonic() - began
    return _verdict(status == "408", f"{status or 'closed'} after {seconds:.1f} s")


def _status(process: subprocess.Popen[bytes]) -> str:
    try:
        return str(process.wait(2))
    except subprocess.TimeoutExpired:
        end(process)
        return "killed"


def _verdict(good: bool, detail: str, bad_detail: str | None = None) -> str:
    shown = detail if good or bad_detail is None else bad_detail
    return f"{'yes' if good else '**no**'}" + (f", {shown}" if shown else "")


def speeds() -> dict[str, list[float]]:
    """Return the answers per second of a bare route, round by round; the servers take turns."""
    measured: dict[str, list[float]] = {UVICORN.name: [], GRANIAN.name: []}
    with ExitStack() as running:
        ports = {}
        for candidate in (UVICORN, GRANIAN):
            port = ports[candidate.name] = free_port()
            running.enter_context(started(candidate.command(port, "bare"), port))
        for number in range(ROUNDS):
            for name in sorted(ports, reverse=number % 2 == 0):
                measured[name].append(measure(ports[name], Load()).per_second)
    return measured


def main() -> None:
    """Print what all servers did."""
    with tempfile.TemporaryDirectory() as folder:
        behaviours = [behaviour_of(candidate, Path(folder)) for candidate in CANDIDATES]
    rates = speeds()
    uvicorn, granian = rates[UVICORN.name], rates[GRANIAN.name]
    print_table(
        ["after SIGTERM, or as said", *(candidate.name for candidate in CANDIDATES)],
        [
            ["an open event stream ends within 1 s", *(b.stream for b in behaviours)],
            ["the shutdown hook runs, with a stream open", *(b.shutdown_hook for b in behaviours)],
            [f"a request of {SLOW_SECONDS} s in flight is answered", *(b.in_flight for b in behaviours)],
            ["exit status 0", *(b.exit_status for b in behaviours)],
            [f"a body that takes longer than {BODY_SECONDS:.0f} s is given up", *(b.slow_body for b in behaviours)],
            ["event loop", *(b.loop for b in behaviours)],
            ["bare Litestar route, answers/s", spread(uvicorn, 0), spread(granian, 0), ""],
            ["… uvicorn/granian", spread(ratios(uvicorn, granian)), "1", ""],
        ],
    )
    print(f"Medians and spreads of {ROUNDS} rounds, 16 keep-alive connections, load by {generator()}.")


if __name__ == "__main__":
    main()
