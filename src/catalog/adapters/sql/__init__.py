"""The catalogue in a SQL database, through Advanced Alchemy and SQLAlchemy."""

from .storage import open_sqlite

__all__ = ["open_sqlite"]
