"""Files to products, one by one.

Products are cut out of the file and parsed each on its own, so that a broken one takes no other along, and its bytes
are kept as they are. What stands before them, a document type and its entities, is never read.
"""

import re
from collections.abc import Iterator
from html.entities import name2codepoint
from io import BytesIO
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import errors

from attrs import frozen
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from catalog.adapters.formats.common import in_utf_8
from catalog.domain.errors import UnreadableFile

LONGEST_PRODUCT = 10_000_000
"""Bytes."""

DEEPEST = 100
"""How deep the elements of a product may be nested."""

# A comment and a section of CDATA may hold what looks like a tag, and is none.
_MARK = re.compile(
    rb"(?P<comment><!--)|(?P<section><!\[CDATA\[)"
    rb"|(?P<end></(?:[\w.-]{1,40}:)?[Pp]roduct\s{0,40}>)|(?P<start><(?:[\w.-]{1,40}:)?[Pp]roduct(?=[\s/>]))"
)
_LONGEST_MARK = 100
_PREFIX = re.compile(rb"[</\s]([A-Za-z_][\w.-]*):[A-Za-z_]")
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_UNDEFINED_ENTITY: int = errors.codes[errors.XML_ERROR_UNDEFINED_ENTITY]


@frozen
class Product:
    """The bytes of one product and the element that they say; or why they say none."""

    number: int
    """Which product of the file it is, from 1."""
    content: bytes
    element: Element | None = None
    broken: str = ""


def products_of(content: BinaryIO) -> Iterator[Product]:
    """Yield the products of the file; raise UnreadableFile where it is damaged as a whole, or has none."""
    number = 0
    for number, raw in enumerate(_cut(content), 1):
        if raw is None:
            yield Product(number, b"", broken=f"is longer than {LONGEST_PRODUCT:,} bytes, so it is no product")
            continue
        try:
            element = element_in(raw)
        except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
            yield Product(number, raw, broken=f"can not be read: {error}")
        else:
            yield Product(number, raw, element)
    if not number:
        raise UnreadableFile("the file has no product of ONIX")


def element_in(raw: bytes) -> Element:
    """Return the element that the bytes of a product say."""
    try:
        return _parsed(raw)
    except ParseError as error:
        if error.code != _UNDEFINED_ENTITY:
            raise
    # The document type of ONIX 2.1 declares the characters that HTML has names for.
    return _parsed(_ENTITY.sub(_as_number, raw))


def _as_number(found: re.Match[bytes]) -> bytes:
    name = found[1].decode()
    return b"&#%d;" % name2codepoint[name] if name in name2codepoint and name not in _OF_XML else found[0]


def _parsed(raw: bytes) -> Element:
    # The names that stand for namespaces were declared further up, or nowhere.
    prefixes = {each[1].decode("ascii", "ignore") for each in _PREFIX.finditer(raw)} - {"xml", "xmlns", ""}
    declared = "".join(f' xmlns:{prefix}="onix"' for prefix in sorted(prefixes)).encode()
    depth = 0
    product: Element | None = None
    for event, element in iterparse(
        BytesIO(b"<file%b>%b</file>" % (declared, raw)), events=("start", "end"), forbid_dtd=True
    ):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            raise ValueError(f"its elements are nested more than {DEEPEST} deep")
        if depth == 2 and event == "start" and product is None:
            product = element
    if product is None:
        raise ValueError("it is no element")
    return product


def _cut(content: BinaryIO) -> Iterator[bytes | None]:
    """Yield each product, in UTF-8; None for what is too long to be one."""
    kept = bytearray()
    begins: int | None = None
    at = 0  # how far `kept` has been looked at
    until: bytes | None = None  # what ends the comment or section that `at` stands in
    for part in in_utf_8(content):
        kept += part
        while True:
            if until is not None:
                if (end := kept.find(until, at)) < 0:
                    at = max(at, len(kept) - len(until))
                    break
                at, until = end + len(until), None
            if (mark := _MARK.search(kept, at)) is None:
                at = max(at, len(kept) - _LONGEST_MARK)
                break
            kind, start, at = mark.lastgroup, mark.start(), mark.end()
            if kind in ("comment", "section"):
                until = b"-->" if kind == "comment" else b"]]>"
                continue
            if begins is not None:  # what begins before another one ended is broken, and told so
                ended = at if kind == "end" else start
                yield bytes(kept[begins:ended]) if ended - begins <= LONGEST_PRODUCT else None
                del kept[:ended]
                at -= ended
                start -= ended
            begins = start if kind == "start" else None
        if begins is None:
            del kept[:at]
            at = 0
        elif len(kept) - begins > LONGEST_PRODUCT:
            yield None
            kept.clear()
            begins, at, until = None, 0, None
    if begins is not None:
        yield bytes(kept[begins:])
