"""Files that are all there or not at all, and what the disk says, in the core's terms."""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from catalog.domain.errors import StorageFull, StorageUnavailable

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def translated(folder: Path) -> Generator[None]:
    """Say in the core's terms what the disk refuses."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise StorageFull from error
        raise StorageUnavailable(f"the folder of imports, {folder}, can not be used: {error.strerror}") from error


def write_durably(file: Path, content: bytes) -> None:
    """Put the content in the place of what the file had, durably. Nobody else may do so at the same time."""
    new = file.with_name(f".{file.name}.new")
    with new.open("wb") as stream:
        stream.write(content)
        sync(stream.fileno())
    new.replace(file)
    sync_folder(file.parent)


def sync(descriptor: int) -> None:
    """Wait until the disk has it."""
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in the folder, where folders can be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
