"""What is written in one turn of the event loop leaves together."""

import asyncio
from typing import Any

from catalog.entrypoints.one_write import JoinedWrites


class Recorder(asyncio.Transport):
    """A transport that leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


async def joined() -> tuple[JoinedWrites, Recorder]:
    transport = Recorder()
    return JoinedWrites(transport, asyncio.get_running_loop()), transport


async def test_head_and_body_leave_together_and_the_next_answer_by_itself() -> None:
    writes, transport = await joined()

    writes.write(b"head ")
    writes.write(b"body")
    before = list(transport.written)
    await asyncio.sleep(0)
    writes.write(b"another")
    await asyncio.sleep(0)

    assert before == []
    assert transport.written == [b"head body", b"another"]


async def test_what_was_written_leaves_before_the_connection_is_closed() -> None:
    writes, transport = await joined()

    writes.write(b"last")
    writes.close()
    await asyncio.sleep(0)

    assert transport.written == [b"last"]
    assert writes.is_closing()


async def test_nothing_is_written_to_who_has_left() -> None:
    writes, transport = await joined()

    writes.write(b"too late")
    transport.close()
    await asyncio.sleep(0)

    assert transport.written == []
