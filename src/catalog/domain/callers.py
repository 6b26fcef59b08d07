"""Who asks, carried from the request into the unit of work."""

from attrs import frozen


@frozen
class Caller:
    """The one on whose behalf a unit of work is done."""

    actor: str = "anonymous"
    request_id: str | None = None
    idempotency_key: str | None = None
