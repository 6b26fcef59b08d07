"""What was measured, round by round, and the ratios of it."""

from collections.abc import Sequence
from statistics import median

from attrs import Factory, frozen

from .load import Answers
from .tables import ratios


@frozen
class Figures:
    """What all rounds gave, by workload and server."""

    rounds: dict[tuple[str, str], list[Answers]] = Factory(dict)

    def add(self, workload: str, server: str, answers: Answers) -> None:
        """Note what one round gave."""
        self.rounds.setdefault((workload, server), []).append(answers)

    def of(self, workload: str, server: str) -> Sequence[Answers]:
        """Return all rounds; none where that server was not asked that."""
        return self.rounds.get((workload, server), [])

    def rates(self, workload: str, server: str) -> Sequence[float]:
        """Return the answers per second of each round."""
        return [answers.per_second for answers in self.of(workload, server)]

    def ratios(self, one: tuple[str, str], other: tuple[str, str]) -> Sequence[float]:
        """Return the ratio of each round; none where one of them was not asked, or did not answer."""
        ours, theirs = self.rates(*one), self.rates(*other)
        return ratios(ours, theirs) if ours and theirs and all(theirs) else []

    def ratio(self, one: tuple[str, str], other: tuple[str, str]) -> float | None:
        """Return the median ratio; None where there is none."""
        found = self.ratios(one, other)
        return median(found) if found else None

    def errors(self, workload: str, server: str) -> int:
        """Return how many answers were errors."""
        return sum(answers.errors for answers in self.of(workload, server))
