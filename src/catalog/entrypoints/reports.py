"""The report of an import as CSV: one line for each record."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from catalog.domain.imports import ReportLine

COLUMNS = ("line", "key", "status", "book_id", "reason", "warnings", "file")

# A spreadsheet would run a cell that begins like this as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def heading() -> str:
    """Return the first line of a report."""
    return _written([COLUMNS])


def written(lines: Iterable[ReportLine]) -> str:
    """Return these lines of a report."""
    return _written(
        [
            str(line.line),
            line.key,
            line.status,
            str(line.book_id or ""),
            line.reason,
            "; ".join(line.warnings),
            line.file,
        ]
        for line in lines
    )


def _written(rows: Iterable[Sequence[str]]) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell: str) -> str:
    """Return the text in a form that is text to a spreadsheet too, and can be written in UTF-8."""
    cell = cell.encode("utf-8", "replace").decode()
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
