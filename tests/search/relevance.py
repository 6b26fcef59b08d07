"""How well a search answers: recall and reciprocal rank, against judgements made by hand."""

import tomllib
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from statistics import fmean

from attrs import field, frozen, validators

DEPTH = 10
"""How many books people look at."""

JUDGEMENTS = Path(__file__).with_name("judgements.toml")


def recall_at(depth: int, found: Sequence[str], wanted: Collection[str]) -> float:
    """Return how much of what is wanted is among the first `depth` that were found: 0 to 1, 1 where all that fit are.

    Raises ValueError where nothing is wanted, or depth is less than 1.
    """
    if depth < 1 or not wanted:
        raise ValueError("recall needs a depth, and something that is wanted")
    return len(set(found[:depth]) & set(wanted)) / min(depth, len(set(wanted)))


def reciprocal_rank(found: Sequence[str], wanted: Collection[str]) -> float:
    """Return 1 where the first that was found is wanted, 1/2 where the second is, and so on; 0 where none is."""
    return next((1 / place for place, key in enumerate(found, 1) if key in wanted), 0.0)


@frozen(kw_only=True)
class Judgement:
    """What somebody types, and the keys of the books that they expect; why, in a note."""

    kind: str
    query: str = field(validator=validators.min_len(1))
    wants: tuple[str, ...] = field(validator=[validators.min_len(1), validators.max_len(DEPTH)])
    note: str = field(validator=validators.min_len(1))

    def __attrs_post_init__(self) -> None:
        if len(set(self.wants)) < len(self.wants):
            raise ValueError(f"{self.query} wants a book twice")


def read_judgements(text: str) -> Sequence[Judgement]:
    """Return the judgements, kind by kind; raise ValueError for one that can not be used, or that stands twice."""
    kinds = tomllib.loads(text)
    judgements = [
        Judgement(kind=kind, query=each["query"], wants=tuple(map(str, each["wants"])), note=each["note"])
        for kind, judged in kinds.items()
        for each in judged
    ]
    if len({judgement.query for judgement in judgements}) < len(judgements):
        raise ValueError("a query is judged twice")
    return judgements


@frozen
class Answer:
    """What was found for a judged query, best first."""

    judgement: Judgement
    found: tuple[str, ...]
    total: int
    """How many books were found in all."""

    @property
    def recall(self) -> float:
        """How much of what is wanted is among the first ten: 0 to 1."""
        return recall_at(DEPTH, self.found, self.judgement.wants)

    @property
    def reciprocal_rank(self) -> float:
        """How far up the first wanted book is: 1 at the top, 0 where none was found."""
        return reciprocal_rank(self.found, self.judgement.wants)

    @property
    def missed(self) -> Sequence[str]:
        """The wanted books that are not among the first ten."""
        return [key for key in self.judgement.wants if key not in self.found[:DEPTH]]


@frozen
class Report:
    """The answers to all judged queries; str() tells the means of each kind, and every query that misses a book."""

    answers: tuple[Answer, ...] = field(validator=validators.min_len(1))

    @property
    def recall(self) -> float:
        """The mean recall of the queries, at ten books."""
        return fmean(answer.recall for answer in self.answers)

    @property
    def reciprocal_rank(self) -> float:
        """The mean reciprocal rank of the queries."""
        return fmean(answer.reciprocal_rank for answer in self.answers)

    @property
    def crowded(self) -> "Report":
        """The queries that find more than ten books: only here does the order decide. There must be one."""
        return Report(tuple(answer for answer in self.answers if answer.total > DEPTH))

    @property
    def figures(self) -> str:
        """The means in a few words."""
        return (
            f"recall@{DEPTH} {self.recall:.4f}, mean reciprocal rank {self.reciprocal_rank:.4f} "
            f"({len(self.answers)} queries)"
        )

    def __str__(self) -> str:
        return "\n".join([self.figures, *self._kinds(), *self._misses()])

    def _kinds(self) -> Iterable[str]:
        for kind, answers in groupby(self.answers, key=lambda answer: answer.judgement.kind):
            yield f"  {kind}: {Report(tuple(answers)).figures}"

    def _misses(self) -> Iterable[str]:
        for answer in self.answers:
            if answer.missed:
                query, missed = answer.judgement.query, ", ".join(answer.missed)
                yield f"  {query} ({answer.judgement.note}): misses {missed}; found {', '.join(answer.found)}"
