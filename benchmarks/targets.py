"""What the catalogue is meant to reach, as ratios of one run with one worker on SQLite with 100,000 books."""

from attrs import frozen

from .contenders import BARE, DATASETTE, FASTAPI, GUIDE, NINJA, NODE, OFF, ON
from .workloads import LAST, LIST_10, LIST_100, MIXED, ONE, POSTS, SAME_LIST, SAME_ONE, SEARCH_1, SEARCH_2


@frozen
class Target:
    """At least so many times as many answers per second as another gives, or as it gives to something else itself."""

    workload: str
    server: str
    least: float
    other: str
    other_workload: str | None = None

    @property
    def compared(self) -> tuple[str, str]:
        """What it is compared with: a workload and a server."""
        return self.other_workload or self.workload, self.other


_TITLE_FILTERS = (GUIDE, FASTAPI, NINJA, DATASETTE, NODE)
_READS = (ONE, LIST_10, LIST_100, LAST, SEARCH_1, SEARCH_2)

TARGETS = (
    Target(ONE, OFF, 0.40, BARE),
    Target(ONE, OFF, 8, GUIDE),
    Target(ONE, OFF, 6, FASTAPI),
    Target(LIST_10, OFF, 0.20, BARE),
    Target(LIST_10, OFF, 0.6, NODE),
    Target(LIST_10, OFF, 10, FASTAPI),
    Target(LIST_100, OFF, 1.0, NODE),
    Target(LAST, OFF, 0.8, OFF, LIST_10),
    Target(LAST, OFF, 50, NODE),
    *(Target(search, OFF, 10, peer) for search in (SEARCH_1, SEARCH_2) for peer in _TITLE_FILTERS),
    *(Target(read, ON, 1.3, BARE) for read in _READS),
    Target(ONE, ON, 0.6, NODE),
    Target(LIST_10, ON, 2, NODE),
    Target(SAME_ONE, ON, 1.6, BARE),
    Target(SAME_LIST, ON, 1.6, BARE),
    Target(MIXED, OFF, 5, FASTAPI),
    Target(MIXED, ON, 0.35, NODE),
    *(
        target
        for server in (OFF, ON)
        for target in (
            Target(POSTS[1], server, 4, GUIDE),
            Target(POSTS[64], server, 6, GUIDE),
            Target(POSTS[16], server, 1.0, FASTAPI),
        )
    ),
)
