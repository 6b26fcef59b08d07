"""What a record or a revision says, as bytes that are the same wherever it is kept."""

import json
from base64 import b64encode
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import attrs

from catalog.domain.authors import Author
from catalog.domain.books import CataloguedBook
from catalog.domain.records import told
from catalog.domain.revisions import Revision
from catalog.domain.values import TextValue


def canonical(said: Author | CataloguedBook | Revision) -> bytes:
    """Return it as JSON that has one spelling: fields in the order of their names, times in UTC, ASCII alone.

    A book is told without the author that readers get along with it, and without the bytes of its sources, which they
    do not get; a revision, with all it says.
    """
    fields = told(said)
    if isinstance(said, CataloguedBook):
        fields.pop("author", None)
        fields["sources"] = [(source.source, source.key) for source in fields["sources"]]
    return json.dumps(fields, default=_plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def fingerprint(said: Author | CataloguedBook | Revision) -> bytes:
    """Return what tells it from whatever says something else: 16 bytes of the SHA-256 of its canonical JSON."""
    return sha256(canonical(said)).digest()[:16]


def _plain(value: Any) -> Any:
    match value:
        case UUID() | TextValue():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return b64encode(value).decode("ascii")
        case _ if attrs.has(type(value)):
            return told(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")
