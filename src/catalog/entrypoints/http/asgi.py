"""The types of ASGI 3, and its headers, for layers around the application that speak plain HTTP.

Headers are looked at as the server gives them, with their names in small letters (ASGI 3, HTTP connection scope): to
make something nicer of them in each layer took a fifth of an answer's time.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

Scope: TypeAlias = Any
Message: TypeAlias = Any
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def values_of(scope: Scope, name: bytes) -> Sequence[str]:
    """Return the values of a header, one for each line that has it."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def value_of(scope: Scope, name: bytes) -> str | None:
    """Return the first value of a header."""
    for key, value in scope["headers"]:
        if key == name:
            found: str = value.decode("latin-1")
            return found
    return None


def with_headers(start: Message, more: Sequence[tuple[bytes, bytes]]) -> Message:
    """Return the beginning of an answer with more headers."""
    return {**start, "headers": [*start["headers"], *more]}
