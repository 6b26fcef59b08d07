"""Comma-separated values (RFC 4180), in the dialects that people really have."""

from .dialects import DIALECTS, Dialect, dialect_from_mapping
from .reader import CsvReader
from .writer import CsvWriter

__all__ = ["DIALECTS", "CsvReader", "CsvWriter", "Dialect", "dialect_from_mapping"]
