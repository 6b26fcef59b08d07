"""Which variable of CSL-JSON says what."""

from collections.abc import Mapping

ROLES: Mapping[str, str] = {
    "editor": "edt",
    "translator": "trl",
    "illustrator": "ill",
    "collection-editor": "pbd",
    "compiler": "com",
    "composer": "cmp",
    "contributor": "ctb",
    "director": "drt",
    "interviewer": "ivr",
    "narrator": "nrt",
    "performer": "prf",
    "producer": "pro",
    "recipient": "rcp",
}
"""The variables that hold names, besides `author`, and the relator code that each stands for."""

TEXTS: Mapping[str, str] = {
    "abstract": "description",
    "edition": "edition",
}
"""The variables that hold a text, and the field that takes it."""

IDENTIFIERS: Mapping[str, str] = {"ISBN": "isbn", "ISSN": "issn", "DOI": "doi", "PMID": "pmid", "PMCID": "pmcid"}
"""The variables that hold numbers, and the scheme of each."""
