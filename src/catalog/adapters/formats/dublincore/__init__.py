"""Dublin Core (the fifteen elements, as OAI-PMH transmits them)."""

from .writer import DublinCoreWriter

__all__ = ["DublinCoreWriter"]
