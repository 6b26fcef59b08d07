"""Which formats of files there are: a name, or how a file begins, says which adapter reads it.

Other packages add theirs under the entry point group `catalog.formats`: the name is that of the format, the object a
function that takes the name of the source and returns a `catalog.domain.ports.RecordReader`.
"""

import re
import zlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from types import MappingProxyType

from attrs import frozen

from catalog.adapters.formats.csv import CsvReader, dialect_from_mapping
from catalog.adapters.formats.marc import MarcReader
from catalog.domain.errors import UnreadableFile
from catalog.domain.ports import RecordReader

ENTRY_POINTS = "catalog.formats"
"""The entry point group of record formats."""

BEGINNING = 4096
"""How many bytes of a file tell what it is."""

_GZIP = b"\x1f\x8b"
_LEADER = re.compile(rb"[\r\n\t \x00]*\d{5}[a-z ][a-z ]..[ a]\d\d\d{5}", re.DOTALL)


@frozen(kw_only=True)
class Reading:
    """How somebody wants a file to be read."""

    source: str
    """The name of the source, which with a record's key tells it again."""
    mapping: str | None = None
    separator: str = "; "
    encoding: str = "utf-8"


@frozen(kw_only=True)
class Format:
    """How files of one format are read, and how they are known."""

    title: str
    reader: Callable[[Reading], RecordReader]
    begins: re.Pattern[bytes] | None = None
    """How its files begin; None where that may be anything."""


def _csv_reader(reading: Reading) -> RecordReader:
    try:
        "".encode(reading.encoding)
    except LookupError:
        raise UnreadableFile(
            f"there is no encoding {reading.encoding!r}; common ones are utf-8, latin-1, cp1252, utf-16"
        ) from None
    mapping = reading.mapping
    dialect = None if mapping is None else dialect_from_mapping(mapping, separator=reading.separator)
    encoding = "utf-8-sig" if reading.encoding == "utf-8" else reading.encoding
    return CsvReader(source=reading.source, dialect=dialect, encoding=encoding)


def _marc_reader(reading: Reading) -> RecordReader:
    return MarcReader(source=reading.source)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "marc": Format(title="MARC 21 (ISO 2709)", reader=_marc_reader, begins=_LEADER),
        "csv": Format(title="comma-separated values", reader=_csv_reader),
    }
)
"""Our own formats. What begins like none of them is taken for the last."""


def record_reader(name: str | None, beginning: bytes, reading: Reading) -> RecordReader:
    """Return what reads the file: the format of that name, or else the one that it begins like.

    Raises UnreadableFile where there is no such format, or it can not be read so.
    """
    name = name or _recognised(_unpacked(beginning), reading)
    if name in FORMATS:
        if reading.mapping is not None and name != "csv":
            raise UnreadableFile(f"--map says what the columns of a CSV file mean, and this is {FORMATS[name].title}")
        return FORMATS[name].reader(reading)
    for entry_point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            reader: RecordReader = entry_point.load()(reading.source)
        except Exception as error:
            package = entry_point.dist.name if entry_point.dist else entry_point.value
            raise UnreadableFile(
                f"the package {package} offers the format {name} and can not be loaded: {type(error).__name__}: {error}"
            ) from error
        return reader
    others = sorted(entry_points(group=ENTRY_POINTS).names - FORMATS.keys())
    raise UnreadableFile(f"there is no format {name!r}; there are {', '.join([*FORMATS, *others])}")


def _recognised(beginning: bytes, reading: Reading) -> str:
    if reading.mapping is not None:
        return "csv"
    known = (name for name, each in FORMATS.items() if each.begins is not None and each.begins.match(beginning))
    return next(known, [*FORMATS][-1])


def _unpacked(beginning: bytes) -> bytes:
    """Return how the content begins, where the file is compressed; what is damaged tells nothing."""
    if not beginning.startswith(_GZIP):
        return beginning
    try:
        return zlib.decompressobj(wbits=31).decompress(beginning, BEGINNING)
    except zlib.error:
        return b""
