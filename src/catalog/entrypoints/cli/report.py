"""The report of an import, as a file."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from catalog.domain.imports import Outcome, ReportLine
from catalog.entrypoints.reports import COLUMNS, heading, written

from .options import Failure


class Report:
    """Writes outcomes, or nothing where nobody wants to know."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

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
                stream.write(heading())
                yield cls(stream)
        except OSError as error:
            raise Failure(f"can not write the report {file}: {error.strerror}; what was taken in stays in") from None

    def write(self, file: Path, outcome: Outcome) -> None:
        """Write one line."""
        if self._stream is not None:
            self._stream.write(written([ReportLine.of(outcome, str(file))]))


def _may_be_overwritten(file: Path) -> bool:
    """Whether nothing is lost but an older report: the file imported, or the catalogue, is easily named by mistake."""
    if not file.is_file():
        return True
    with file.open("rb") as content:
        beginning = content.readline(200)
    return not beginning or beginning.startswith(",".join(COLUMNS[:5]).encode())
