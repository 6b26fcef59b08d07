"""The clock and the ids of this machine."""

from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)


class Uuid7Generator:
    """Ids that sort by the time they were made (RFC 9562, version 7)."""

    def new(self) -> UUID:
        """Return a new id."""
        return uuid7()
