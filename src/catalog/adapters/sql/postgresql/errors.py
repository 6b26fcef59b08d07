"""What PostgreSQL's errors mean to the catalogue, by SQLSTATE (PostgreSQL documentation, appendix A)."""

from catalog.domain.errors import CatalogError, Interrupted, StorageBusy, StorageFull, StorageUnavailable

CONNECTION_LOST = ("08", "57P01", "57P02", "57P03", "57P05", "25006")
"""Codes, or their beginnings, after which another connection is needed; 25006 is a leader that has become a standby."""

_CAME_BETWEEN = ("40001", "40P01", "23503", "23001", "23505")
_BUSY = ("53200", "53300", "55P03", "57014")
_OUT_OF_ORDER = ("58", "XX001", "XX002", "53")


def translate(error: BaseException | None) -> CatalogError | None:
    """Return what an error of the driver means to the catalogue; None where it is a bug, or somebody else's.

    Between a check and what was checked others may write, so a broken reference or a key that is there already says
    that somebody did: the unit that is run again sees it, and refuses in the catalogue's own terms.
    """
    code = str(getattr(error, "sqlstate", None) or "")
    text = str(error).partition(": ")[2].partition("\n")[0] or str(error)
    match code:
        case _ if code.startswith((*_CAME_BETWEEN, *CONNECTION_LOST)):
            return Interrupted()
        case "53100":
            return StorageFull()
        case _ if code.startswith(_BUSY):
            return StorageBusy()
        case "42P01" | "42703":
            return StorageUnavailable(f"the database is behind ({text}); run `catalog database upgrade`")
        case "42P07":
            return StorageUnavailable(f"{text}, and not as a part of a catalogue; name another database")
        case "42501" | "28000":
            return StorageUnavailable(f"PostgreSQL says: {text}; grant the right, or name another user")
        case "26000" | "42P05":
            return StorageUnavailable(
                f"PostgreSQL says: {text}; if pgbouncer stands between, add pgbouncer=true to the URL: ?pgbouncer=true"
            )
        case "3F000":
            return StorageUnavailable(f"PostgreSQL says: {text}; make the schema, or set the user's search_path")
        case _ if code.startswith(_OUT_OF_ORDER):
            return StorageUnavailable(f"PostgreSQL says: {text} ({code})")
        case _:
            return None
