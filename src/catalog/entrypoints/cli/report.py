"""The report of an import: one line for each row of the file."""

import csv
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalog.domain.use_cases.importing import Outcome

from .options import Failure

COLUMNS = ("line", "key", "status", "book_id", "reason", "warnings")

# A spreadsheet would run a cell that begins like this as a formula.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Report:
    """Writes outcomes, or nothing where nobody wants to know."""

    def __init__(self, writer: Any = None) -> None:
        self._writer = writer

    @classmethod
    @contextmanager
    def opened(cls, file: Path | None, *, about: Path) -> Generator["Report"]:
        """Open the report about a file; None makes one that is not kept."""
        if file is None:
            yield cls()
            return
        if file.exists() and file.samefile(about):
            raise Failure(f"the report would overwrite {about}; name another file with --report")
        try:
            stream = file.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise Failure(f"can not write the report {file}: {error.strerror}") from None
        with stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            yield cls(writer)

    def write(self, outcome: Outcome) -> None:
        """Write one line."""
        if self._writer is not None:
            entry = outcome.entry
            book_id = str(outcome.book_id or "")
            warnings = "; ".join(outcome.warnings)
            self._writer.writerow(
                [entry.line, *map(_plain, (entry.key, outcome.status, book_id, outcome.reason, warnings))]
            )


def _plain(cell: str) -> str:
    """Return the text in a form that is text to a spreadsheet too, and can be written in UTF-8."""
    cell = cell.encode("utf-8", "replace").decode()
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
