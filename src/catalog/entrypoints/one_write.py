"""uvicorn's protocol, but with the head and the body of an answer in one write to the socket.

uvicorn writes the head when the application begins to answer, and uvloop sends it off at once: two system calls, two
packets, and two times that the client wakes up. ASGI lets a server wait with the head for the body. Here everything
that is written in one turn of the event loop leaves together, and nothing waits any longer than that.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JoinedWrites:
    """A transport that writes at the end of the turn what was written in it; all else is the transport's own."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Write with whatever comes in this turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def close(self) -> None:
        """Write what waits, and close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting:
            data, self._waiting = b"".join(self._waiting), []
            if not self._transport.is_closing():  # the client may have left meanwhile
                self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        """Return what the transport has."""
        return getattr(self._transport, name)


class OneWriteProtocol(HttpToolsProtocol):
    """HTTP by httptools over joined writes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        joined: Any = JoinedWrites(transport, self.loop)
        super().connection_made(joined)
