"""Our own records as JSON, one on each line (NDJSON): whoever exports and imports them has the same catalogue."""

from .reader import NdjsonReader
from .writer import NdjsonWriter

__all__ = ["NdjsonReader", "NdjsonWriter"]
