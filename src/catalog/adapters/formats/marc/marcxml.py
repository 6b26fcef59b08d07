"""MARCXML (Library of Congress, MARC21slim): bytes to records and back.

Records are cut out of the file, wherever they stand in it, and parsed one by one: what is broken takes no other along,
and a document type, with whatever entities it declares, is never read.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.sax import SAXException
from xml.sax.handler import feature_namespaces

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser
from pymarc import Field, Indicators, Record, Subfield
from pymarc.exceptions import PymarcException
from pymarc.marcxml import MARC_XML_NS, XmlHandler, record_to_xml

from catalog.adapters.formats.common import elements_of

from .fields import Fields
from .transmission import LONGEST_RECORD, Transmitted

HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<collection xmlns="{MARC_XML_NS}">\n'.encode()
TAIL = b"</collection>\n"

_PREFIX = re.compile(rb"[</\s]([A-Za-z_][\w.-]*):[A-Za-z_]")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PARTS = "leader|controlfield|datafield"
_DEEPEST = 20


def records_of(content: BinaryIO) -> Iterator[Transmitted]:
    """Yield the records of the file; raise UnreadableFile where it is damaged as a whole."""
    for number, raw in enumerate(elements_of(content, "record", _PARTS, LONGEST_RECORD), 1):
        if raw is None:
            yield Transmitted(number, b"", broken=f"is longer than {LONGEST_RECORD:,} bytes, so it is no record")
            continue
        try:
            record = record_in(raw)
        except ValueError as error:
            yield Transmitted(number, raw, broken=f"can not be read: {error}")
        else:
            yield Transmitted(number, raw, Fields.of_record(record))


def record_in(raw: bytes) -> Record:
    """Return the record that one element says; raise ValueError that says why it is none."""
    try:
        record = _parsed(raw)
    except (SAXException, DefusedXmlException) as error:
        raise ValueError(str(error).removeprefix("<unknown>:") or type(error).__name__) from None
    except (PymarcException, LookupError, TypeError):  # whatever pymarc meets then
        raise ValueError("an element or an attribute is missing, or stands where it should not") from None
    for field in record.fields:
        if not field.tag.isascii():
            raise ValueError(f"{field.tag[:20]!r} is no tag")
    return record


def _parsed(raw: bytes) -> Record:
    handler = _Handler()
    parser: Any = make_parser()
    parser.setContentHandler(handler)
    parser.setFeature(feature_namespaces, True)
    # The names that stand for namespaces were declared further up, or nowhere.
    prefixes = {each[1].decode() for each in _PREFIX.finditer(raw)} - {"xml", "xmlns"}
    declared = "".join(f' xmlns:{prefix}="{MARC_XML_NS}"' for prefix in sorted(prefixes))
    parser.feed(f"<file{declared}>".encode())
    parser.feed(raw)
    parser.feed(b"</file>")
    parser.close()
    if not handler.records:
        raise ValueError("it is no record of MARC")
    return handler.records[0]


def bytes_of(record: Record) -> bytes:
    """Return the record as an element; characters that XML has no place for are left out."""
    element: bytes = record_to_xml(_without_forbidden(record))
    return element + b"\n"


def _without_forbidden(record: Record) -> Record:
    texts = (record.leader, *(text for field in record for text in _texts_of(field)))
    if not any(_FORBIDDEN.search(str(text)) for text in texts):
        return record
    mended = Record(force_utf8=True)
    mended.leader = type(record.leader)(_FORBIDDEN.sub(" ", str(record.leader)))
    for field in record:
        if field.control_field:
            mended.add_field(Field(tag=field.tag, data=_FORBIDDEN.sub("", field.data or "")))
        else:
            subfields = [
                Subfield(_FORBIDDEN.sub("_", part.code), _FORBIDDEN.sub("", part.value)) for part in field.subfields
            ]
            first, second = (_FORBIDDEN.sub(" ", each) for each in (field.indicator1, field.indicator2))
            mended.add_field(Field(tag=field.tag, indicators=Indicators(first, second), subfields=subfields))
    return mended


def _texts_of(field: Field) -> Iterator[str]:
    if field.control_field:
        yield field.data or ""
    else:
        yield f"{field.indicator1}{field.indicator2}"
        yield from (part.code + part.value for part in field.subfields)


class _Handler(XmlHandler):
    """Takes the record, and refuses what is nested as no record is."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # of xml.sax, by way of pymarc
        self.records: list[Record]
        self._depth = 0

    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:  # noqa: N802 - its name in SAX
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError("its elements are nested too deeply")
        super().startElementNS(name, qname, attrs)  # type: ignore[no-untyped-call]

    def endElementNS(self, name: Any, qname: Any) -> None:  # noqa: N802 - its name in SAX
        self._depth -= 1
        if name[1] == "leader":
            self._text = ["".join(self._text).ljust(24)[:24]]  # some are too short, and it decides on nothing here
        super().endElementNS(name, qname)  # type: ignore[no-untyped-call]
