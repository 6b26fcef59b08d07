"""Whether the sort keys that a database keeps are those that this version computes."""

from catalog.domain.ports import Finding, Severity
from catalog.domain.text import sort_key

SORTED = (
    "SELECT sort_key, coalesce(sort_name, name) FROM author",
    "SELECT name_key, name FROM author",
    "SELECT sort_key, title FROM book",
)
"""What gives each key with the text it is the key of."""


def is_of_today(key: str, text: str) -> bool:
    """Whether this version computes that key for the text."""
    return key == sort_key(text)


def sort_keys_found(wrong: int) -> Finding:
    """Return the finding about that many sort keys that this version would compute otherwise."""
    if not wrong:
        return Finding("keys: as computed today", Severity.OK, "every sort key")
    return Finding(
        "keys: as computed today",
        Severity.FAILED,
        f"{wrong:,} sort keys are otherwise than this version computes them; copy the catalogue into an empty storage "
        "(catalog copy)",
    )
