"""Open Library's dumps: lines of its editions, works and authors."""

from .reader import Known, OpenLibraryReader

__all__ = ["Known", "OpenLibraryReader"]
