"""Who asks over HTTP, and whether he may ask again."""

from datetime import timedelta
from hashlib import sha256
from typing import Any

from litestar import Request

from catalog.domain.callers import Caller, IdempotentRequest
from catalog.domain.errors import InvalidValue
from catalog.domain.text import normalised
from catalog.entrypoints.settings import Settings

from .problems import InvalidParameters, Violation

LONGEST_KEY = 255
LONGEST_ACTOR = 200

_REPEATABLE = {"POST", "PATCH"}
"""Methods that do more when they are sent twice."""

_IDEMPOTENT = "catalog_idempotent"


async def caller_of(request: Request[Any, Any, Any], settings: Settings) -> Caller:
    """Return on whose behalf the request is; raise InvalidParameters where its headers make no sense."""
    actor = _actor(request) if settings.trust_actor_header else None
    idempotent = await _idempotent_request(request, timedelta(hours=settings.idempotency_hours))
    request.scope["state"][_IDEMPOTENT] = idempotent
    caller = Caller(request_id=request.scope["state"]["request_id"], idempotent=idempotent)
    return caller if actor is None else Caller(actor, caller.request_id, idempotent)


def is_replay(scope: Any) -> bool:
    """Whether the answer is that to an earlier request with the same idempotency key."""
    request: IdempotentRequest | None = scope["state"].get(_IDEMPOTENT)
    return request is not None and request.replayed


def _actor(request: Request[Any, Any, Any]) -> str | None:
    given = request.headers.getall("x-actor", [])
    if not given:
        return None
    if len(given) > 1:
        raise _wrong("X-Actor", "must be given once")
    try:
        # Bytes beyond ASCII reach us as Latin-1, and are UTF-8 more often than not.
        return normalised(given[0].encode("latin-1").decode("utf-8", "replace"), longest=LONGEST_ACTOR)
    except InvalidValue as error:
        raise _wrong("X-Actor", error.rule) from None


async def _idempotent_request(request: Request[Any, Any, Any], kept_for: timedelta) -> IdempotentRequest | None:
    given = request.headers.getall("idempotency-key", [])
    if not given or request.method not in _REPEATABLE:
        return None
    if len(given) > 1:
        raise _wrong("Idempotency-Key", "must be given once")
    (key,) = given
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise _wrong("Idempotency-Key", f"must be 1 to {LONGEST_KEY} printable ASCII characters; a UUID is a good one")
    said = [request.method, request.scope["path"], request.scope["query_string"], request.headers.get("if-match", "")]
    # A handler that takes no body is not given one to read, either.
    body = b"" if request.route_handler.parsed_data_field is None else await request.body()
    fingerprint = sha256(repr(said).encode() + body).hexdigest()
    return IdempotentRequest(
        key=key, fingerprint=fingerprint, status=request.route_handler.status_code, kept_for=kept_for
    )


def _wrong(header: str, rule: str) -> InvalidParameters:
    return InvalidParameters([Violation(detail=rule, parameter=header)])
