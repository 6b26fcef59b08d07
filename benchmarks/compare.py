"""The catalogue beside its peers and the ceilings, in one run, by one loader; `make bench` calls it.

All servers have one worker and a copy of the same books, and are idle while another is asked. Rounds are interleaved,
so that whatever disturbs the machine disturbs all alike; ratios are those of one round.
"""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import growth
from .contenders import BARE, CEILINGS, OFF, contenders, memory
from .data import made, remove_old_runs
from .figures import Figures
from .load import count
from .processes import settle
from .report import put_into, report
from .running import Server, must_agree, must_be_written, record, run_folder, running
from .workloads import Workload, workloads

ROUNDS, SECONDS = 5, 1.0
QUICK_ROUNDS, QUICK_SECONDS = 2, 0.5


def main() -> None:
    """Measure what the command line asks for, and print it."""
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # else the servers would go on without us
    remove_old_runs()
    began = time.monotonic()
    text = growth.measured(asked.rounds, asked.seconds) if asked.growth else _compared(asked)
    text += f"\nMeasured in {(time.monotonic() - began) / 60:.0f} minutes.\n"
    print(text)
    if asked.write:
        put_into(Path(asked.write), "growth" if asked.growth else "comparison", text)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog='make bench ARGS="…"', description=__doc__)
    parser.add_argument("--scale", type=int, default=1, help="times 100,000 books of 10,000 authors")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS} unless given")
    parser.add_argument("--seconds", type=float, help=f"of each measurement; {SECONDS} unless given")
    parser.add_argument("--only", nargs="+", metavar="WORKLOAD", help="these workloads only")
    parser.add_argument("--servers", nargs="+", metavar="SERVER", help="these only, and the catalogue and its ceiling")
    parser.add_argument("--growth", action="store_true", help="the catalogue alone, at scales 1 and 10")
    parser.add_argument("--write", metavar="FILE", help="put the report into that page, too")
    asked = parser.parse_args()
    asked.rounds = asked.rounds or (QUICK_ROUNDS if asked.quick else ROUNDS)
    asked.seconds = asked.seconds or (QUICK_SECONDS if asked.quick else SECONDS)
    return asked


def _compared(asked: Any) -> str:
    """Start everybody, compare them, and return the report."""
    data = made(asked.scale)
    chosen = _chosen(workloads(data, data.words), asked.only)
    present = _chosen(contenders(), asked.servers and [*asked.servers, OFF, BARE])
    figures = Figures()
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        record(data, chosen, folder)
        servers = [stack.enter_context(running(contender, data, folder)) for contender in present]
        must_agree(servers, data)
        for workload in chosen:
            _measure(workload, servers, figures, asked)
        for server in servers:
            server.memory_at_end = memory(server.process)
        must_be_written(servers, data)
    return report(asked.rounds, asked.seconds, data, chosen, servers, figures)


def _chosen(there: Sequence[Any], names: Sequence[str] | None) -> list[Any]:
    """Return those with these names; end with what there is where one is wrong."""
    if unknown := set(names or ()) - {each.name for each in there}:
        raise SystemExit(f"there is no {', '.join(sorted(unknown))}; there are: {'; '.join(e.name for e in there)}")
    return [each for each in there if not names or each.name in names]


def _measure(workload: Workload, servers: Sequence[Server], figures: Figures, asked: Any) -> None:
    print(f"{workload.name} …", flush=True)
    taking_part = [server for server in servers if workload.is_for(server.contender)]
    loads = [workload.load(server.contender, server.port, asked.seconds) for server in taking_part]
    for server in taking_part:
        if warm_up := workload.warm_up(server.contender):
            count(server.port, warm_up)
            settle(server.process)
    for _ in range(asked.rounds):
        for server, load in zip(taking_part, loads, strict=True):
            answers = count(server.port, load)
            settle(server.process)
            server.created += answers.created
            if answers.errors and server.name in {OFF, *CEILINGS}:
                print(f"  {server.name}: {answers.errors} errors, the first: {answers.error[:300]}", flush=True)
            figures.add(workload.name, server.name, answers)


if __name__ == "__main__":
    main()
