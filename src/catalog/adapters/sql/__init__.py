"""The catalogue in a SQL database, through Advanced Alchemy and SQLAlchemy: one adapter, several databases."""

# ruff: noqa: E402 - which library `sqlite3` is has to be said before anything imports it
from .sqlite.library import prefer_the_newer

prefer_the_newer()

from .postgresql.database import open_postgresql
from .sqlite.database import open_sqlite

__all__ = ["open_postgresql", "open_sqlite"]
