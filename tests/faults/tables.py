"""Figures as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def printed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return one line for each name, one column for each row."""
    names = dict.fromkeys(name for row in rows for name in row)
    lines = [[name, *(str(row.get(name, "")) for row in rows)] for name in names]
    widths = [max(len(line[column]) for line in lines) for column in range(len(rows) + 1)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )
