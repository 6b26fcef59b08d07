"""The report of an import: one line for each row of the file."""

import csv
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.domain.use_cases.importing import Outcome

from .options import Failure

COLUMNS = ("line", "key", "status", "book_id", "reason", "warnings", "file")

# A spreadsheet would run a cell that begins like this as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Writes outcomes, or nothing where nobody wants to know."""

    def __init__(self, writer: Any = None) -> None:
        self._writer = writer

    @classmethod
    @contextmanager
    def opened(cls, file: Path | None) -> Generator["Report"]:
        """Open the report; None makes one that is not kept."""
        if file is None:
            yield cls()
            return
        try:
            if not _may_be_overwritten(file):
                raise Failure(f"{file} is there already, and is not a report; name another file with --report")
            with file.open("w", encoding="utf-8", newline="") as stream:
                report = cls(csv.writer(stream))
                report.row(COLUMNS)
                yield report
        except OSError as error:
            raise Failure(f"can not write the report {file}: {error.strerror}; what was taken in stays in") from None

    def write(self, file: Path, outcome: Outcome) -> None:
        """Write one line."""
        if self._writer is not None:
            entry = outcome.entry
            book_id = str(outcome.book_id or "")
            warnings = "; ".join(outcome.warnings)
            self.row([str(entry.line), entry.key, outcome.status, book_id, outcome.reason, warnings, str(file)])

    def row(self, cells: Sequence[str]) -> None:
        """Write these cells."""
        self._writer.writerow([_plain(cell) for cell in cells])


def _may_be_overwritten(file: Path) -> bool:
    """Whether nothing is lost but an older report: the file imported, or the catalogue, is easily named by mistake."""
    if not file.is_file():
        return True
    with file.open("rb") as content:
        beginning = content.readline(200)
    return not beginning or beginning.startswith(",".join(COLUMNS[:5]).encode())


def _plain(cell: str) -> str:
    """Return the text in a form that is text to a spreadsheet too, and can be written in UTF-8."""
    cell = cell.encode("utf-8", "replace").decode()
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
