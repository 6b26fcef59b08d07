"""One session, one transaction."""

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.domain.callers import Caller
from catalog.domain.changes import Change

from .repositories import SqlAuthorRepository, SqlBookRepository, SqlSourceRepository


class SqlUnitOfWork:
    """A unit of work in a session whose transaction somebody else ends."""

    def __init__(self, session: AsyncSession, caller: Caller) -> None:
        self.caller = caller
        self.changes: list[Change] = []
        self.authors = SqlAuthorRepository(session, self.changes)
        self.books = SqlBookRepository(session, self.changes)
        self.sources = SqlSourceRepository(session)
