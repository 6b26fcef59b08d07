"""The one way out for errors: none of SQLAlchemy or a driver leaves this package."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from catalog.domain.errors import Interrupted, StorageBusy, StorageFailed

from . import sqlite


@contextmanager
def translated() -> Generator[None]:
    """Turn what the database refuses into what the catalogue refuses."""
    try:
        yield
    except StaleDataError as error:
        raise Interrupted from error
    except PoolTimeoutError as error:
        raise StorageBusy from error
    except DBAPIError as error:
        raise sqlite.translate(error) or StorageFailed from error
    except sqlite3.Error as error:  # from what goes past SQLAlchemy
        raise sqlite.translate(DBAPIError(None, None, error)) or StorageFailed from error
    except SQLAlchemyError as error:
        raise StorageFailed from error
