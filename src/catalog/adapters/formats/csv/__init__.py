"""Comma-separated values (RFC 4180), in the dialects that people really have."""

from .dialects import DIALECTS, Dialect, dialect_from_mapping
from .reader import CsvReader

__all__ = ["DIALECTS", "CsvReader", "Dialect", "dialect_from_mapping"]
