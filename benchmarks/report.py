"""The report of a comparison, as a page of Markdown."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from .contenders import BARE, FASTAPI, GUIDE, NODE, versions
from .data import Data, size
from .figures import Figures
from .load import generator
from .running import Server
from .tables import spread, table
from .targets import TARGETS
from .workloads import Workload

REFERENCES = (BARE, GUIDE, FASTAPI, NODE)


def report(
    rounds: int,
    seconds: float,
    data: Data,
    chosen: Sequence[Workload],
    servers: Sequence[Server],
    figures: Figures,
) -> str:
    """Return all tables."""
    used = ", ".join(f"{name} {version}" for name, version in versions().items())
    parts = [
        f"{data.books:,} books of {data.authors:,} authors; {rounds} rounds of {seconds:g} s; load by {generator()};",
        f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}. {used}.\n",
        "## Targets\n",
        _targets(figures),
        "## Workloads\n",
        "Answers per second: the median of the rounds, the least and the greatest. Ratios: the median of theirs.\n",
    ]
    parts += [_workload(workload.name, servers, figures) for workload in chosen]
    parts += ["## Servers\n", _servers(servers, data)]
    return "\n".join(parts)


def put_into(page: Path, name: str, text: str) -> None:
    """Write the text between the marks of that name in the page; behind what there is, if they are not there."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    standing = page.read_text("utf-8") if page.exists() else ""
    before, mark, rest = standing.partition(begin)
    after = rest.partition(end)[2] if mark else ""
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")


def _targets(figures: Figures) -> str:
    rows = []
    for target in TARGETS:
        reached = figures.ratio((target.workload, target.server), target.compared)
        if reached is not None:
            other = target.other if target.other_workload is None else f"its own {target.other_workload}"
            verdict = "yes" if reached >= target.least else "**no**"
            rows.append([target.workload, target.server, other, f"{target.least:g}", f"{reached:.2f}", verdict])
    return table(["workload", "server", "times that of", "at least", "measured", "reached"], rows)


def _workload(name: str, servers: Sequence[Server], figures: Figures) -> str:
    rows = []
    for server in servers:
        if answers := figures.of(name, server.name):
            against = [figures.ratio((name, server.name), (name, other)) for other in REFERENCES]
            rows.append(
                [
                    server.name,
                    spread(figures.rates(name, server.name), 0),
                    *("" if ratio is None else f"{ratio:.3g}" for ratio in against),
                    f"{median(each.p50 for each in answers):.2f}",
                    f"{median(each.p99 for each in answers):.2f}",
                    f"{median(each.bytes for each in answers):,.0f}",
                    str(figures.errors(name, server.name)),
                ]
            )
    header = ["server", "answers/s", *(f"to {other}" for other in REFERENCES), "p50 ms", "p99 ms", "bytes", "errors"]
    return f"### {name}\n\n{table(header, rows)}"


def _servers(servers: Sequence[Server], data: Data) -> str:
    rows = [
        [
            server.name,
            f"{server.start_up:.2f}",
            f"{server.memory_at_start:.0f}",
            f"{server.memory_at_end:.0f}",
            f"{size(data.file(server.contender.kind)) / 2**20:.0f}" if server.contender.kind else "",
        ]
        for server in servers
    ]
    return table(["server", "start-up, s", "MiB at first", "MiB at last", "MiB of its file"], rows)
