"""RIS (Research Information Systems): what reference managers and databases exchange."""

from .reader import RisReader
from .writer import RisWriter

__all__ = ["RisReader", "RisWriter"]
