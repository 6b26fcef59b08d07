"""Cursors: opaque to whoever holds one, and good for one list alone."""

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from attrs import frozen

from .errors import InvalidValue
from .orders import Key, Order, Place

LONGEST = 4000
"""Characters; a key has 250, each of which may become twelve."""


@frozen
class Cursor:
    """A place in a list, and in which direction to go on from there."""

    place: Place
    is_backwards: bool = False

    def written(self, digest: str) -> str:
        """Return it as text, for the list with that digest."""
        key = self.place.key.isoformat() if isinstance(self.place.key, datetime) else self.place.key
        told = _AS_JSON([digest, int(self.is_backwards), key, self.place.id.hex])
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, digest: str, order: Order) -> "Cursor":
        """Return what the text says; raise InvalidValue where it is not a cursor of that list."""
        if len(text) > LONGEST:
            raise _NO_CURSOR
        try:
            told: Any = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            of, is_backwards, key, id = told
            if of == digest:
                return cls(Place(_key(key, order), UUID(hex=id)), bool(is_backwards))
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise _NO_CURSOR from None
        raise InvalidValue(
            "must go on in the list it was given for: ask with the same sort, filters and search, or begin anew with "
            "an empty cursor"
        )


_AS_JSON = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps makes one each time

_NO_CURSOR = InvalidValue("must be a cursor as this service gave it, or empty to begin")


def _key(value: Any, order: Order) -> Key:
    if value is None:
        if order.can_be_null:
            return None
        raise ValueError
    if order.kind is datetime:
        key = datetime.fromisoformat(value)
        if key.tzinfo is None:
            raise ValueError
        return key
    if order.kind is tuple:
        value = tuple(value)
        if not all(type(part) is int and abs(part) < 2**63 for part in value):
            raise ValueError
    elif order.kind is int and not (type(value) is int and abs(value) < 2**63):
        raise ValueError
    if type(value) is not order.kind:
        raise ValueError
    result: Key = value
    return result
