"""The catalogue in a SQL database, through Advanced Alchemy and SQLAlchemy: one adapter, several databases."""

from .postgresql.database import open_postgresql
from .sqlite.database import open_sqlite

__all__ = ["open_postgresql", "open_sqlite"]
