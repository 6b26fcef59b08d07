"""Figures as people read them: medians with their spread, in Markdown."""

from collections.abc import Sequence
from statistics import median


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print(table(header, rows))


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return the median, and the least and the greatest value behind it."""
    return f"{median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def ratios(values: Sequence[float], others: Sequence[float]) -> Sequence[float]:
    """Return the ratio of each round: what disturbed one round disturbed both its measurements."""
    return [value / other for value, other in zip(values, others, strict=True)]
