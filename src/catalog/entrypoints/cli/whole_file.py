"""A file that is there when it is complete, and not before."""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from .options import Failure

_DATABASE = b"SQLite format 3\x00"


@contextmanager
def whole_file(file: Path) -> Generator[BinaryIO]:
    """Write a file, in the place of one that was there; raise Failure where that is a database, and OSError.

    Where the name is a link, that leads to the same file afterwards, and who may read it stays. A pipe or a device is
    written into as it is.
    """
    if file.exists() and not file.is_file():
        with file.open("wb") as stream:
            yield stream
        return
    place = Path(os.path.realpath(file))
    if _is_database(place):
        raise Failure(f"{file} is a database, and perhaps the catalogue; name another file")
    part = place.with_name(f".{place.name}.{token_hex(4)}.part")
    try:
        with part.open("xb") as stream:
            yield stream
        if place.exists():
            shutil.copymode(place, part)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _is_database(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(len(_DATABASE)) == _DATABASE
