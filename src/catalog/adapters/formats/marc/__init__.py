"""MARC 21 (Library of Congress): what libraries keep of a book, and exchange as ISO 2709, in XML or in JSON."""

from . import marcjson, marcxml, transmission, writer
from .reader import MarcReader

__all__ = ["MarcReader", "marcjson", "marcxml", "transmission", "writer"]
