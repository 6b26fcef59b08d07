"""What formats have in common: files that may be compressed, values that may not fit, names that have two orders."""

from .contents import parts_of, unpacked, whole
from .details import fitting, identifiers_of
from .elements import elements_of
from .languages import tag_of
from .names import inverted, name_parts, organised, somebody

__all__ = [
    "elements_of",
    "fitting",
    "identifiers_of",
    "inverted",
    "name_parts",
    "organised",
    "parts_of",
    "somebody",
    "tag_of",
    "unpacked",
    "whole",
]
