"""The one way out for errors: none of SQLAlchemy or a driver leaves this package."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from catalog.domain.errors import CatalogError, Interrupted, OutcomeUnknown, StorageBusy, StorageFailed

from .postgresql.errors import translate as translate_postgresql
from .sqlite.errors import translate as translate_sqlite


@contextmanager
def translated(*, ends: bool = False) -> Generator[None]:
    """Turn what the database refuses into what the catalogue refuses; with `ends`, while a transaction is committed.

    A connection that is lost then leaves nobody knowing whether the commit came through.
    """
    try:
        yield
    except StaleDataError as error:
        raise Interrupted from error
    except PoolTimeoutError as error:
        raise StorageBusy from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise (OutcomeUnknown if ends else Interrupted) from error
        raise _meaning(error.orig) or StorageFailed from error
    except sqlite3.Error as error:  # from what goes past SQLAlchemy
        raise _meaning(error) or StorageFailed from error
    except SQLAlchemyError as error:
        raise StorageFailed from error


def _meaning(error: BaseException | None) -> CatalogError | None:
    """Return what the error of a driver means; an error tells by itself whose it is."""
    return translate_sqlite(error) or translate_postgresql(error)
