"""Reads the files of an import: here, or in a process of its own, so that one processor reads while another writes."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Protocol

from attrs import define, evolve, field, frozen

from catalog.domain.errors import UnreadableFile
from catalog.domain.sources import Entry
from catalog.domain.use_cases.importing import chunks_of
from catalog.entrypoints.formats import BEGINNING, Reading, record_reader

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTH_A_PROCESS = 1_000_000
"""Bytes that take longer to be read than a process takes to begin."""
LOT = 100
"""Records that are handed over at once."""
LOTS_AHEAD = 20
"""How far is read ahead of whoever takes the records."""


class Telling(Protocol):
    """What knows how much of a file was read."""

    def tell(self) -> int:
        """Return how many bytes were read."""
        ...


@frozen
class Files:
    """Files that are read one after the other, and in which format."""

    paths: Sequence[Path]
    format_name: str | None
    reading: Reading

    @contextmanager
    def opened(self, path: Path) -> Generator[tuple[Iterator[Entry], Telling]]:
        """Read one of the files; raise OSError, and UnreadableFile, then or later."""
        reading = self.reading
        if not reading.source:
            reading = evolve(reading, source=os.fsencode(path.name).decode("utf-8", "replace"))
        with path.open("rb") as content:
            reader = record_reader(self.format_name, content.peek(BEGINNING), reading)
            with closing(reader.read(content)) as entries:
                yield entries, content


class Opening(Protocol):
    """What opens the files of an import."""

    def __call__(self, path: Path, /) -> Any:
        """Return a context manager, as `Files.opened` does; the files are opened in their order."""
        ...


@contextmanager
def reading_of(files: Files) -> Generator[Opening]:
    """Give what opens the files, each in its turn: they are read in another process where that is worth it."""
    sizes = (path.stat().st_size for path in files.paths if path.is_file())
    if sum(sizes) < WORTH_A_PROCESS or not _may_have_a_process():
        yield files.opened
        return
    context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_read, args=(files, sending, receiving), daemon=True)
    process.start()
    sending.close()  # else nobody would notice here that the process has ended
    ahead = _Ahead(process)
    receiver = threading.Thread(target=ahead.receive, args=(receiving,), daemon=True)
    receiver.start()
    try:
        yield ahead.opened
    finally:
        process.terminate()
        process.join()
        ahead.let_go(receiver)
        receiving.close()


def _may_have_a_process() -> bool:
    """Whether there is a processor for it, and nothing that a fork would not survive: another thread."""
    is_free = threading.active_count() == 1 and not multiprocessing.current_process().daemon
    return is_free and (os.cpu_count() or 1) > 1


@frozen
class _Lot:
    entries: Sequence[Entry]
    bytes_read: int


@frozen
class _End:
    """The end of a file, and why it came before the file did."""

    error: OSError | UnreadableFile | None = None


@define
class _Ahead:
    """Takes what another process reads."""

    process: Any
    lots: "Queue[_Lot | _End | None]" = field(factory=lambda: Queue(LOTS_AHEAD))
    bytes_read: int = 0

    @contextmanager
    def opened(self, path: Path) -> Generator[tuple[Iterator[Entry], Telling]]:
        self.bytes_read = 0
        yield self._entries(path), self

    def tell(self) -> int:
        return self.bytes_read

    def _entries(self, path: Path) -> Iterator[Entry]:
        while isinstance(told := self._next(path), _Lot):
            self.bytes_read = told.bytes_read
            yield from told.entries
        if told.error is not None:
            raise told.error

    def _next(self, path: Path) -> _Lot | _End:
        if (told := self.lots.get()) is None:
            self.lots.put(None)  # for whoever asks for the next file
            self.process.join()
            raise UnreadableFile(
                f"the process that read {path.name} has ended (status {self.process.exitcode}); "
                "there may be too little memory"
            )
        return told

    def receive(self, receiving: "Connection") -> None:
        """Take in what comes, in a thread of its own: while the database works, nobody else needs the interpreter."""
        with suppress(EOFError, OSError):
            while True:
                self.lots.put(receiving.recv())
        self.lots.put(None)

    def let_go(self, receiver: threading.Thread) -> None:
        """Let the thread end, whose process has ended."""
        while receiver.is_alive():
            with suppress(Empty):
                self.lots.get_nowait()
            receiver.join(0.01)


def _read(files: Files, sending: "Connection", receiving: "Connection") -> None:
    """Read all files, for the process that takes them; that one decides when to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    receiving.close()  # else nobody would notice here that the other process has ended
    lots: Queue[_Lot | _End | None] = Queue(LOTS_AHEAD)
    sender = threading.Thread(target=_send, args=(lots, sending), daemon=True)
    sender.start()
    for path in files.paths:
        error: OSError | UnreadableFile | None = None
        try:
            with files.opened(path) as (entries, content):
                for lot in chunks_of(entries, LOT):
                    lots.put(_Lot(lot, content.tell()))
        except (OSError, UnreadableFile) as raised:
            error = raised
        lots.put(_End(error))
    lots.put(None)
    sender.join()


def _send(lots: "Queue[_Lot | _End | None]", sending: "Connection") -> None:
    try:
        while (told := lots.get()) is not None:
            sending.send(told)
    except OSError:  # nobody is there any more to take it
        os._exit(1)
