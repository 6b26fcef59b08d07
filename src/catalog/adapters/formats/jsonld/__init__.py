"""JSON-LD in the words of schema.org: what search engines and linked data read."""

from .writer import JsonLdWriter

__all__ = ["JsonLdWriter"]
