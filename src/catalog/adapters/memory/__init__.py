"""An honest store in memory: `--storage memory://`, and what the fast tests run on."""

from .storage import MemoryStorage

__all__ = ["MemoryStorage"]
