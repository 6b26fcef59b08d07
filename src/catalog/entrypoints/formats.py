"""Which formats of files there are: a name, or how a file begins, says which adapter reads it, and which writes it.

Other packages add theirs under two groups of entry points, the name being that of the format. In `catalog.formats`, the
object is a function that takes the name of the source and returns a `catalog.domain.ports.RecordReader`; in
`catalog.formats.out`, one that takes nothing and returns a `catalog.domain.ports.RecordWriter`.
"""

import re
import zlib
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from types import MappingProxyType

from attrs import field, frozen

from catalog.adapters.formats.bibtex import BibtexReader, BibtexWriter
from catalog.adapters.formats.csljson import CslReader, CslWriter
from catalog.adapters.formats.csv import CsvReader, CsvWriter, dialect_from_mapping
from catalog.adapters.formats.dublincore import DublinCoreWriter
from catalog.adapters.formats.jsonld import JsonLdWriter
from catalog.adapters.formats.marc import MarcReader, marcjson, marcxml
from catalog.adapters.formats.marc import writer as marc
from catalog.adapters.formats.ndjson import NdjsonReader, NdjsonWriter
from catalog.adapters.formats.onix import OnixReader
from catalog.adapters.formats.openlibrary import Known, OpenLibraryReader
from catalog.adapters.formats.ris import RisReader, RisWriter
from catalog.domain.errors import UnknownFormat, UnreadableFile
from catalog.domain.ports import RecordReader, RecordWriter

ENTRY_POINTS, ENTRY_POINTS_OUT = "catalog.formats", "catalog.formats.out"
"""The entry point groups of what reads and what writes records."""

BEGINNING = 4096
"""How many bytes of a file tell what it is."""

_GZIP = b"\x1f\x8b"
_UTF_16 = (BOM_UTF16_LE, BOM_UTF16_BE)
_LEADER = re.compile(rb"[\r\n\t \x00]*\d{5}(?:[a-z ][a-z ]..[ a]\d\d|[\x21-\x7e][a-z][\x20-\x7e]{3}22)\d{5}", re.DOTALL)
_OTHER = re.compile(rb"\s*(?:<[?!a-zA-Z]|\{\s*[\"{\[]|\[\s*(?:[\"{\[\]]|(?:-?\d[\d.eE+-]*|true|false|null)\s*[,\]]))")


@frozen(kw_only=True)
class Reading:
    """How somebody wants a file to be read."""

    source: str
    """The name of the source, which with a record's key tells it again."""
    mapping: str | None = None
    separator: str = "; "
    encoding: str = "utf-8"
    known: Known = field(factory=Known)
    """What the files of one run tell each other."""


@frozen(kw_only=True)
class Format:
    """How files of one format are read, and how they are known."""

    title: str
    reader: Callable[[Reading], RecordReader] | None = None
    """None where it is only written."""
    begins: re.Pattern[bytes] | None = None
    """How its files begin; None where that may be anything."""
    writer: Callable[[], RecordWriter] | None = None
    """None where it is only read."""
    media_type: str = ""
    """What its files are called on the web."""
    is_negotiable: bool = True
    """Whether its media type in Accept asks for it, and can ask for nothing else."""
    extension: str = ""
    """What the names of its files end with."""
    takes_utf_16: bool = False
    """Whether its files may be in UTF-16, which a byte order mark tells."""
    names_sources: bool = False
    """Whether its records tell their source themselves, and the name of the file says nothing."""


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


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "marc": Format(
            title="MARC 21 (ISO 2709)",
            reader=lambda reading: MarcReader(source=reading.source),
            begins=_LEADER,
            writer=marc.iso2709,
            media_type="application/marc",
            extension="mrc",
        ),
        "marcxml": Format(
            title="MARCXML",
            reader=lambda reading: MarcReader(source=reading.source, format="marcxml", records_of=marcxml.records_of),
            begins=re.compile(rb"\s*<(?=.*(?:MARC21/slim|<(?:[\w.-]+:)?(?:datafield|leader)))", re.DOTALL),
            writer=marc.xml,
            media_type="application/marcxml+xml",
            takes_utf_16=True,
            extension="xml",
        ),
        "marcjson": Format(
            title="MARC-in-JSON",
            reader=lambda reading: MarcReader(source=reading.source, format="marcjson", records_of=marcjson.records_of),
            begins=re.compile(rb'\s*\[?\s*\{\s*"(?:leader|fields)"'),
            writer=marc.json,
            media_type="application/marc+json",
            extension="json",
        ),
        "ndjson": Format(
            title="our own records, as JSON on lines",
            reader=lambda reading: NdjsonReader(),
            begins=re.compile(rb'\s*\{\s*"record"\s*:'),
            writer=NdjsonWriter,
            media_type="application/x-ndjson",
            extension="ndjson",
            names_sources=True,
        ),
        "bibtex": Format(
            title="BibTeX",
            reader=lambda reading: BibtexReader(source=reading.source),
            begins=re.compile(rb"%|(?:.*\n)*?\s*@[A-Za-z]+\s*[{(]"),
            writer=BibtexWriter,
            media_type="application/x-bibtex",
            extension="bib",
        ),
        "biblatex": Format(
            title="BibLaTeX",
            reader=lambda reading: BibtexReader(source=reading.source, biblatex=True),
            writer=lambda: BibtexWriter(biblatex=True),
            media_type="application/x-bibtex",
            extension="bib",
        ),
        "ris": Format(
            title="RIS",
            reader=lambda reading: RisReader(source=reading.source),
            begins=re.compile(rb"(?:\xef\xbb\xbf)?(?:.*\n)*?(?:\xef\xbb\xbf)?TY\s\s?- "),
            writer=RisWriter,
            media_type="application/x-research-info-systems",
            extension="ris",
        ),
        "csl": Format(
            title="CSL-JSON",
            reader=lambda reading: CslReader(source=reading.source),
            # An item that is none may come first.
            begins=re.compile(rb'\s*\[\s*(?:(?:[\w.+-]+|"[^"]*")\s*,\s*)*\{(?=.*"(?:type|id)"\s*:)', re.DOTALL),
            writer=CslWriter,
            media_type="application/vnd.citationstyles.csl+json",
            extension="json",
        ),
        "onix": Format(
            title="ONIX for Books",
            reader=lambda reading: OnixReader(source=reading.source),
            begins=re.compile(rb"\s*<(?=.*<ONIX[Mm]essage)", re.DOTALL),
            takes_utf_16=True,
        ),
        "openlibrary": Format(
            title="dumps of Open Library",
            reader=lambda reading: OpenLibraryReader(known=reading.known),
            begins=re.compile(rb"/type/[a-z]+\t/"),
            names_sources=True,
        ),
        "jsonld": Format(
            title="schema.org, as JSON-LD",
            writer=JsonLdWriter,
            media_type="application/ld+json",
            extension="jsonld",
        ),
        "dc": Format(
            title="Dublin Core",
            writer=DublinCoreWriter,
            media_type="application/xml",
            is_negotiable=False,  # browsers accept XML before they accept anything
            extension="xml",
        ),
        "spreadsheet": Format(
            title="comma-separated values without formulas",
            writer=lambda: CsvWriter(for_spreadsheets=True),
            media_type="text/csv",
            is_negotiable=False,
            extension="csv",
        ),
        "csv": Format(
            title="comma-separated values",
            reader=_csv_reader,
            takes_utf_16=True,
            writer=CsvWriter,
            media_type="text/csv",
            extension="csv",
        ),
    }
)
"""Our own formats. What begins like none of them is taken for the last."""


def record_reader(name: str | None, beginning: bytes, reading: Reading) -> RecordReader:
    """Return what reads the file: the format of that name, or else the one that it begins like.

    Raises UnreadableFile where there is no such format, or it can not be read so.
    """
    name = name or format_of(beginning, reading)
    if name in FORMATS and (reader_of := FORMATS[name].reader) is not None:
        if reading.mapping is not None and name != "csv":
            raise UnreadableFile(f"a map says what the columns of a CSV file mean, and this is {FORMATS[name].title}")
        if not FORMATS[name].takes_utf_16 and _unpacked(beginning).startswith(_UTF_16):
            raise UnreadableFile(
                f"the file is in UTF-16, and {FORMATS[name].title} is read in UTF-8; convert it, "
                "for instance with iconv -f UTF-16 -t UTF-8"
            )
        return reader_of(reading)
    for entry_point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            reader: RecordReader = entry_point.load()(reading.source)
        except Exception as error:
            package = entry_point.dist.name if entry_point.dist else entry_point.value
            raise UnreadableFile(
                f"the package {package} offers the format {name} and can not be loaded: {type(error).__name__}: {error}"
            ) from error
        return reader
    raise UnreadableFile(f"there is no format {name!r} that could be read; there are {', '.join(read_formats())}")


def read_formats() -> Sequence[str]:
    """Return the names of the formats that can be read."""
    ours = [name for name, each in FORMATS.items() if each.reader is not None]
    return [*ours, *sorted(entry_points(group=ENTRY_POINTS).names - FORMATS.keys())]


def written_formats() -> Sequence[str]:
    """Return the names of the formats that can be written."""
    ours = [name for name, each in FORMATS.items() if each.writer is not None]
    return [*ours, *sorted(entry_points(group=ENTRY_POINTS_OUT).names - FORMATS.keys())]


def record_writer(name: str) -> RecordWriter:
    """Return what writes a file of that format; raise UnknownFormat where there is none."""
    if name in FORMATS and (writer := FORMATS[name].writer) is not None:
        return writer()
    for entry_point in entry_points(group=ENTRY_POINTS_OUT, name=name):
        made: RecordWriter = entry_point.load()()
        return made
    raise UnknownFormat(name, written_formats())


def format_of(beginning: bytes, reading: Reading) -> str:
    """Return the name of the format that the file begins like."""
    beginning = _unpacked(beginning)
    if reading.mapping is not None:
        return "csv"
    if beginning.startswith(_UTF_16):
        beginning = beginning.decode("utf-16", "ignore").encode("utf-8", "ignore")
    beginning = beginning.removeprefix(BOM_UTF8)
    known = (name for name, each in FORMATS.items() if each.begins is not None and each.begins.match(beginning))
    if (name := next(known, None)) is None and _OTHER.match(beginning):
        kind = "XML" if beginning.lstrip().startswith(b"<") else "JSON"
        raise UnreadableFile(f"it is {kind}, but none that is read; there are {', '.join(read_formats())}")
    return name or [*FORMATS][-1]


def _unpacked(beginning: bytes) -> bytes:
    """Return how the content begins, where the file is compressed; what is damaged tells nothing."""
    if not beginning.startswith(_GZIP):
        return beginning
    try:
        return zlib.decompressobj(wbits=31).decompress(beginning, BEGINNING)
    except zlib.error:
        return b""
