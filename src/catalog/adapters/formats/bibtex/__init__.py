"""BibTeX and BibLaTeX: what TeX has its bibliographies in."""

from .reader import BibtexReader
from .writer import BibtexWriter

__all__ = ["BibtexReader", "BibtexWriter"]
