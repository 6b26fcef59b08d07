"""What formats have in common: files that may be compressed, values that may not fit, names that have two orders."""

from .contents import lines_of, parts_of, unpacked, whole
from .details import drafted, fitting, identifiers_of, links_of
from .elements import elements_of, in_utf_8
from .languages import LANGUAGE_NAMES, tag_of
from .names import inverted, name_parts, organised, somebody
from .objects import object_in, objects_of

__all__ = [
    "LANGUAGE_NAMES",
    "drafted",
    "elements_of",
    "fitting",
    "identifiers_of",
    "in_utf_8",
    "inverted",
    "lines_of",
    "links_of",
    "name_parts",
    "object_in",
    "objects_of",
    "organised",
    "parts_of",
    "somebody",
    "tag_of",
    "unpacked",
    "whole",
]
