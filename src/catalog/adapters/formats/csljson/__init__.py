"""CSL-JSON (Citation Style Language 1.0): what reference managers and citation processors exchange."""

from .reader import CslReader
from .writer import CslWriter

__all__ = ["CslReader", "CslWriter"]
