"""ONIX for Books (EDItEUR): what publishers tell the trade. Releases 3.0, 3.1 and 2.1, reference and short tags."""

from .reader import FORMAT, OnixReader

__all__ = ["FORMAT", "OnixReader"]
