"""Objects of JSON."""

from typing import Any

import msgspec

from catalog.domain.errors import InvalidValue


def object_in(raw: bytes) -> dict[str, Any]:
    """Return the object that the bytes say; raise InvalidValue, the rule of which says what they are instead."""
    try:
        said = msgspec.json.decode(raw)
    except RecursionError:
        raise InvalidValue("is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidValue(f"is no JSON: {error}") from None
    if not isinstance(said, dict):
        raise InvalidValue("is no object, as a record is")
    return said
