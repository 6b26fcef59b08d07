"""How the catalogue takes ten times as many books: alone, at both scales, in interleaved rounds."""

from collections.abc import Sequence
from contextlib import ExitStack

from attrs import evolve

from .contenders import OFF, Question, contenders, memory
from .data import Data, made
from .figures import Figures
from .load import measure
from .running import Server, run_folder, running
from .tables import spread, table
from .workloads import ANY, LAST, LIST_10, ONE, SEARCH_1, SEARCH_2, Workload, workloads

SCALES = (1, 10)
CURSOR = "cursor page"
_MEASURED = (ONE, ANY, LIST_10, LAST, SEARCH_1, SEARCH_2)


def measured(rounds: int, seconds: float) -> str:
    """Return a table of the answers per second at both scales, and how many times slower the greater is."""
    catalogue = next(contender for contender in contenders() if contender.name == OFF)
    figures, sizes = Figures(), []
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        started = []
        for scale in SCALES:
            data = made(scale, kinds=())
            named = evolve(catalogue, name=f"{data.books:,} books")
            started.append((data, stack.enter_context(running(named, data, folder))))
        plans = [_workloads(data, server) for data, server in started]
        for number in range(len(plans[0])):
            for _ in range(rounds):
                for (_data, server), plan in zip(started, plans, strict=True):
                    workload = plan[number]
                    if (warm_up := workload.warm_up(server.contender)) and not figures.of(workload.name, server.name):
                        measure(server.port, warm_up)
                    answers = measure(server.port, workload.load(server.contender, server.port, seconds))
                    figures.add(workload.name, server.name, answers)
        sizes = [f"{server.name}: {memory(server.process):.0f} MiB" for _, server in started]
        names = [server.name for _, server in started]
    rows = []
    for workload in plans[0]:
        slower = figures.ratios((workload.name, names[0]), (workload.name, names[1]))
        rates = [spread(figures.rates(workload.name, name), 0) for name in names]
        rows.append([workload.name, *rates, spread(slower)])
    header = ["workload", *(f"answers/s, {name}" for name in names), "times slower"]
    return f"{table(header, rows)}\nMemory of the server at last: {', '.join(sizes)}.\n"


def _workloads(data: Data, server: Server) -> Sequence[Workload]:
    found = [workload for workload in workloads(data, data.words) if workload.name in _MEASURED]
    middle = server.ask(Question(LIST_10, page=data.books // 20))
    return [*found, Workload(CURSOR, [Question(CURSOR, link=middle["next"])])]
