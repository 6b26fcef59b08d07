"""Elements by their names, whichever of the two ways they are written in, and the text that they hold."""

import re
from collections.abc import Iterator
from html import unescape
from xml.etree.ElementTree import Element

from .tags import SHORT

# What ends a line in XHTML, and what only sets it.
_BLOCKS = ("p", "div", "br", "li", "ul", "ol", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "tr")
_INLINE = ("a", "abbr", "b", "big", "cite", "code", "em", "font", "i", "kbd", "q", "s", "samp", "small", "span",
           "strong", "sub", "sup", "table", "tbody", "td", "th", "u", "var")  # fmt: skip  # a table
_BLOCK_TAG = re.compile(rf"</?(?:{'|'.join(_BLOCKS)})(?:\s[^<>]{{0,500}})?/?>", re.IGNORECASE)
_INLINE_TAG = re.compile(rf"</?(?:{'|'.join(_INLINE)})(?:\s[^<>]{{0,500}})?/?>", re.IGNORECASE)
_LINES = re.compile(r"\s*\n\s*")


def name_of(element: Element) -> str:
    """Return the reference name of the element, in small letters."""
    local = element.tag.rpartition("}")[2]
    return SHORT.get(local, local).lower()


def children(element: Element, *names: str) -> Iterator[Element]:
    """Yield what stands in the element and has one of the names, in order."""
    return (child for child in element if name_of(child) in names)


def said(element: Element, name: str) -> list[str]:
    """Return the texts of all elements of that name, each on one line, those without text left out."""
    texts = (" ".join("".join(child.itertext()).split()) for child in children(element, name))
    return [text for text in texts if text]


def text_of(element: Element, name: str) -> str:
    """Return the text of the first element of that name that has one; nothing where none has."""
    return next(iter(said(element, name)), "")


def prose_of(element: Element) -> str:
    """Return the text, its lines divided as XHTML divides them, whether that is part of the XML or written as text."""
    marked = "".join(_marked(element))
    plain = unescape(_INLINE_TAG.sub("", _BLOCK_TAG.sub("\n", marked)))
    return _LINES.sub("\n", "\n".join(" ".join(line.split()) for line in plain.split("\n"))).strip()


def _marked(element: Element) -> Iterator[str]:
    """Yield the text, with a mark where an element ends a line; how a file is indented divides nothing."""
    yield _unlined(element.text)
    for child in element:
        is_block = name_of(child) in _BLOCKS
        yield "<br>" if is_block else ""
        yield from _marked(child)
        yield "<br>" if is_block else ""
        yield _unlined(child.tail)


def _unlined(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")
