"""What a record of Open Library holds, whose fields are typed by custom alone: a text, texts, a text with its type."""

from collections.abc import Iterator
from typing import Any


def text_of(value: Any) -> str:
    """Return the text, which may stand in an object with its type; nothing for whatever else there is."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def line_of(value: Any) -> str:
    """Return the text on one line."""
    return " ".join(text_of(value).split())


def texts_of(value: Any) -> Iterator[str]:
    """Yield the texts, each on one line, of a list or of one text."""
    for each in value if isinstance(value, list) else [value]:
        if text := line_of(each):
            yield text


def keys_of(value: Any, within: str = "") -> Iterator[str]:
    """Yield the keys of the records that are referred to: `{"key": "/authors/OL1A"}`, perhaps within a field of it."""
    for each in value if isinstance(value, list) else ():
        reference = each.get(within, each) if within and isinstance(each, dict) else each
        key = reference.get("key") if isinstance(reference, dict) else reference
        if isinstance(key, str) and key:
            yield key
