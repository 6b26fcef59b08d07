"""Dumps of Open Library (openlibrary.org), the Internet Archive's catalogue: a record on each line."""

from .people import Known
from .reader import FORMAT, OpenLibraryReader

__all__ = ["FORMAT", "Known", "OpenLibraryReader"]
