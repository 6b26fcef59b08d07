"""MARC 21 (Library of Congress): what libraries keep of a book, and exchange as ISO 2709."""

from .reader import MarcReader

__all__ = ["MarcReader"]
