"""What is asked of every server, and in which form each of them is asked."""

import json
from collections.abc import Sequence
from random import Random

from attrs import Factory, frozen

from . import sample
from .contenders import OFF, ON, Contender, Question
from .data import Data, Words
from .load import Load, Request
from .processes import etag

IDS = 8_192
"""How many different books are asked for, so that caches can be warm."""
AUTHORS = 256
CONDITIONAL = 512
WARM_SECONDS, WARM_SECONDS_CACHED = 5.0, 60.0
"""How long a server is warmed up at most, without a cache of answers and with one."""

ONE, ANY, LIST_10, LIST_100, LAST = "GET one", "GET one of all", "list 10", "list 100", "last page"
AUTHOR, SEARCH_1, SEARCH_2 = "by author", "search one word", "search two words"
SAME_ONE, SAME_LIST, MIXED = "304 one", "304 list", "mixed 95/5"
POSTS = {writers: f"POST, {writers} writer{'s' * (writers > 1)}" for writers in (1, 16, 64)}


@frozen
class Workload:
    """One kind of load. `changes` what others would find, so it comes after them."""

    name: str
    questions: Sequence[Question] = ()
    connections: int = 16
    posts: int = 0
    """How many of 20 requests write."""
    is_conditional: bool = False
    changes: bool = False
    is_warmed: bool = True
    bodies: Sequence[str] = Factory(tuple)
    stand_in: Sequence[Question] = ()
    """What the ceilings are asked instead: they have an answer for some questions only."""

    def is_for(self, contender: Contender) -> bool:
        """Whether it makes sense there: peers know no ETags, and some only read."""
        if self.posts and not contender.writes:
            return False
        return not self.is_conditional or contender.name in {OFF, ON} or contender.kind is None

    def load(self, contender: Contender, port: int, seconds: float) -> Load:
        """Return the load; ask the server for the ETags, where they are needed."""
        asked = self.questions if contender.kind else self.stand_in or self.questions
        reads = [Request(path=contender.ask(question)) for question in asked]
        if self.is_conditional and contender.kind:
            reads = [Request(path=each.path, headers={"If-None-Match": etag(port, each.path)}) for each in reads]
        writes = [Request(method="POST", path="/books", body=body) for body in self.bodies]
        return Load(
            requests=_mixed(reads, writes, self.posts),
            connections=self.connections,
            seconds=seconds,
            success="304" if self.is_conditional and contender.kind else "2",
        )

    def warm_up(self, contender: Contender) -> Load | None:
        """Return what warms the server up for this: each question once."""
        if self.changes or self.is_conditional or not self.is_warmed:
            return None
        seconds = WARM_SECONDS_CACHED if contender.name == ON else WARM_SECONDS
        requests = [Request(path=contender.ask(question)) for question in self.questions]
        return Load(requests=requests, once=True, seconds=seconds)


def _mixed(reads: Sequence[Request], writes: Sequence[Request], posts: int) -> Sequence[Request]:
    """Return requests of which so many in 20 write."""
    if not reads or not writes:
        return reads or writes
    random = Random(6)
    return [random.choice(writes if number % 20 < posts else reads) for number in range(IDS)]


def workloads(data: Data, words: Words) -> list[Workload]:
    """Return all of them, those that change something last."""
    random = Random(2)
    ids = [str(sample.book_id(number)) for number in random.sample(range(data.books), IDS)]
    authors = [str(sample.author_id(number)) for number in random.sample(range(data.authors), AUTHORS)]
    one = [Question(ONE, id=id) for id in ids]
    first = Question(LIST_10)
    bodies = [
        json.dumps({"title": f"Zzz {number} {title}", "author_id": id, "published": "2026", "languages": ["eng"]})
        for number, (id, title) in enumerate(zip(authors, words.two, strict=True))
    ]
    return [
        Workload(ONE, one),
        Workload(LIST_10, [first]),
        Workload(LIST_100, [Question(LIST_100, size=100)]),
        Workload(LAST, [Question(LAST, page=data.books // 10)]),
        Workload(AUTHOR, [Question(AUTHOR, author_id=id) for id in authors]),
        Workload(SEARCH_1, [Question(SEARCH_1, words=word) for word in words.one]),
        Workload(SEARCH_2, [Question(SEARCH_2, words=pair) for pair in words.two]),
        Workload(SAME_ONE, one[:CONDITIONAL], is_conditional=True),
        Workload(SAME_LIST, [first], is_conditional=True),
        Workload(ANY, _any(data, random), is_warmed=False, stand_in=one),
        Workload(MIXED, _mixed_reads(one, first), posts=1, changes=True, bodies=bodies),
        *(
            Workload(name, connections=writers, posts=20, changes=True, bodies=bodies)
            for writers, name in POSTS.items()
        ),
    ]


def _any(data: Data, random: Random) -> Sequence[Question]:
    """Return books out of all: as many different ones as a loader draws from, so that hardly one comes twice."""
    count = min(data.books, 50_000)
    return [Question(ONE, id=str(sample.book_id(number))) for number in random.sample(range(data.books), count)]


def _mixed_reads(one: Sequence[Question], first: Question) -> Sequence[Question]:
    """Return four questions for one book to each question for the list."""
    fours = zip(*(one[start::4] for start in range(4)), strict=True)
    return [question for four in fours for question in (*four, first)]
