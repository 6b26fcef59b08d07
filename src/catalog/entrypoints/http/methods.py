"""HEAD for whatever has GET, and OPTIONS and Allow that tell all methods (Litestar tells those of one handler)."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.routes import HTTPRoute

from .asgi import ASGIApp, Message, Receive, Scope, Send

_HEAD = "catalog_head"


def is_head(scope: Scope) -> bool:
    """Whether nobody wants the body of the answer."""
    return _HEAD in scope["state"]


def allowed_methods(app: Litestar, path: str) -> Sequence[str]:
    """Return the methods that the resource at the path has; none if there is no such resource."""
    parts = [part for part in path.split("/") if part]
    methods = {
        str(method)
        for route in app.routes
        if isinstance(route, HTTPRoute) and _matches(route, parts)
        for method in route.methods
    }
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _matches(route: HTTPRoute, parts: Sequence[str]) -> bool:
    return len(route.path_components) == len(parts) and all(
        expected == part if isinstance(expected, str) else _parses(expected.type, part)
        for expected, part in zip(route.path_components, parts, strict=True)
    )


def _parses(parameter_type: type, part: str) -> bool:
    if parameter_type is not UUID:
        return True
    try:
        UUID(part)
    except ValueError:
        return False
    return True


def with_all_methods(app: ASGIApp, litestar: Litestar) -> ASGIApp:
    """Answer OPTIONS, turn HEAD into GET without the body, and complete Allow on 405."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS" and (methods := allowed_methods(litestar, scope["path"])):
            await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", _list(methods))]})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        methods = allowed_methods(litestar, scope["path"]) if scope["method"] == "HEAD" else ()
        head = scope["method"] == "HEAD" and ("GET" in methods or not methods)  # what is not there is not there, too
        if head:
            scope["state"][_HEAD] = True
            # A copy: the server still has to know that no body may follow. And a stream has no end to wait for.
            headers = [(k, v) for k, v in scope["headers"] if not (k == b"accept" and b"event-stream" in v)]
            scope = {**scope, "method": "GET", "headers": headers}

        async def send_adapted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                if not (allowed := allowed_methods(litestar, scope["path"])):
                    raise HTTPException(status_code=404)
                MutableScopeHeaders(message)["allow"] = _list(allowed).decode()
            if head and message["type"] == "http.response.body":
                message = {"type": "http.response.body", "body": b"", "more_body": message["more_body"]}
            await send(message)

        await app(scope, receive, send_adapted)

    return middleware


def _list(methods: Sequence[str]) -> bytes:
    return ", ".join(methods).encode()
