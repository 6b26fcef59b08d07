"""Who asks, carried from the request into the unit of work."""

from datetime import timedelta

from attrs import define, frozen


@define
class IdempotentRequest:
    """A request that may be sent again, and must be done once (draft-ietf-httpapi-idempotency-key-header).

    `fingerprint` tells requests apart that use the same key; `status` is what the caller is told of success. After
    the unit of work, `replayed` says whether an earlier request had done the work already.
    """

    key: str
    fingerprint: str
    status: int
    kept_for: timedelta
    replayed: bool = False


@frozen
class Caller:
    """The one on whose behalf a unit of work is done."""

    actor: str = "anonymous"
    request_id: str | None = None
    idempotent: IdempotentRequest | None = None
