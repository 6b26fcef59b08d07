"""What every request passes before routing: its id, whether it was meant for us, how long its body may take."""

import asyncio
import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from litestar.exceptions import HTTPException
from uuid_utils import uuid4

from .asgi import ASGIApp, Message, Receive, Scope, Send, value_of, values_of, with_headers
from .problems import MEDIA_TYPE, RequestProblem, render

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:@/\[\]]+)(:[0-9]*)?")  # RFC 9112, section 3.2: one, and no more than this
_REQUEST_ID = re.compile(r"[A-Za-z0-9._\-]{1,64}")


def with_request_id(app: ASGIApp) -> ASGIApp:
    """Name each request: by its X-Request-Id if that is plain, else by a new id; every answer says it."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        given = value_of(scope, b"x-request-id") or ""
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        scope["state"]["request_id"] = request_id
        more = [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]

        async def send_named(message: Message) -> None:
            await send(with_headers(message, more) if message["type"] == "http.response.start" else message)

        await app(scope, receive, send_named)

    return middleware


def with_refusals(app: ASGIApp) -> ASGIApp:
    """Answer what is raised outside of routing as a problem, too."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await app(scope, receive, send_noting)
        except (Exception, asyncio.CancelledError) as error:
            if begun:
                raise
            if isinstance(error, asyncio.CancelledError):
                error = _of_stopping(scope["method"])
            status, headers, body = render(error, path=scope["path"], request_id=scope["state"]["request_id"])
            raw = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
            raw += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": status, "headers": raw})
            await send({"type": "http.response.body", "body": body, "more_body": False})

    return middleware


def _of_stopping(method: str) -> RequestProblem:
    """Return what is told of a request that the server waits no longer for, because it stops."""
    if method in SAFE_METHODS:
        return RequestProblem("unavailable", "The service stops. Try again.")
    return RequestProblem("outcome-unknown", "The service stopped before it was done with the request.")


def with_known_hosts(app: ASGIApp, allowed_hosts: Collection[str]) -> ASGIApp:
    """Refuse requests that name a host this service does not answer to.

    A page that rebinds its own name to our address (DNS rebinding) can not know another name for us than its own;
    addresses and localhost can not be rebound.
    """
    allowed = {host.lower().rstrip(".") for host in allowed_hosts}

    @lru_cache(maxsize=256)
    def is_ours(host: str) -> bool:
        name = _hostname(host) if _HOST.fullmatch(host) else ""
        return _cannot_be_rebound(name) or name in allowed or "*" in allowed

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        hosts = values_of(scope, b"host")
        host = hosts[0] if len(hosts) == 1 else ""
        if not is_ours(host):
            raise RequestProblem("wrong-host", f"This service does not answer to the host {host[:100]!r}.")
        await app(scope, receive, send)

    return middleware


def with_own_origins(app: ASGIApp, allowed_origins: Collection[str]) -> ASGIApp:
    """Refuse writes from pages of other origins (RFC 6454); programs send no Origin."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        origin = None if scope["method"] in SAFE_METHODS else value_of(scope, b"origin")
        if origin is not None and origin not in allowed_origins and _authority(origin) != value_of(scope, b"host"):
            raise RequestProblem("foreign-origin", f"A page of {origin[:100]!r} may not write here.")
        await app(scope, receive, send)

    return middleware


def with_body_deadline(app: ASGIApp, seconds: float, of_any_size: Collection[str] = ()) -> ASGIApp:
    """Give up on a request whose body has not arrived in time; where it may be of any size, the next part of it."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        time = asyncio.get_running_loop().time
        deadline = time() + seconds
        may_go_on = scope["path"].rstrip("/") in of_any_size
        arrived = False

        async def receive_in_time() -> Message:
            nonlocal arrived, deadline
            if arrived:
                return await receive()  # only a disconnect can follow, and that may take as long as it likes
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(status_code=408) from None
            if message["type"] == "http.disconnect":
                raise HTTPException(status_code=400, detail="The client left before its body had arrived.")
            arrived = not message.get("more_body")
            if may_go_on:
                deadline = time() + seconds
            return message

        await app(scope, receive_in_time, send)

    return middleware


def _authority(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _cannot_be_rebound(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
