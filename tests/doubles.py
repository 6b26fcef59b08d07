"""A clock that tests move, and ids that tests can tell."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from attrs import define, field

from catalog.adapters.system import Uuid7Generator
from catalog.domain.callers import Caller
from catalog.domain.ports import IdGenerator, Storage
from catalog.domain.use_cases.authors import AuthorCataloguing
from catalog.domain.use_cases.books import BookCataloguing

NOBODY = UUID("00000000-0000-7000-8000-000000000000")
"""An id that no record has."""


@define
class StillClock:
    """Stands still until it is moved."""

    time: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def move(self, seconds: float = 1) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)


@define
class RepeatableIds:
    """Makes the same ids each time, in no order, so that nothing is ordered by accident."""

    made: int = 0

    def new(self) -> UUID:
        """The next of the ids."""
        self.made += 1
        return uuid5(NAMESPACE_OID, str(self.made))


@define
class Cataloguers:
    """All use cases over one storage."""

    storage: Storage
    clock: StillClock = field(factory=StillClock)
    caller: Caller = field(factory=lambda: Caller(actor="tester", request_id="test"))
    ids: IdGenerator = field(factory=Uuid7Generator)

    @property
    def authors(self) -> AuthorCataloguing:
        """The use cases of authors."""
        return AuthorCataloguing(self.storage, self.caller, self.clock, self.ids)

    @property
    def books(self) -> BookCataloguing:
        """The use cases of books."""
        return BookCataloguing(self.storage, self.caller, self.clock, self.ids)
