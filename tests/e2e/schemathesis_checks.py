"""What schemathesis checks of every answer besides its own checks; it loads this module itself."""

import re
from typing import Any

import schemathesis
from schemathesis.generation import GenerationMode

# Rules that JSON Schema has no words for.
BEYOND_THE_SCHEMA = [
    re.compile(rule)
    for rule in (
        # Numbers and codes: a check digit, a list of languages, the days of a month.
        r"must end in the check digit \S+ if the other digits of this ISBN are right",
        r"must .*; where it is printed so, give its status as invalid",
        r"must be an ISBN.*",
        r"must begin with 978 or 979 to be an ISBN-13",
        r"must be a language code of ISO 639-1 or ISO 639-2, such as en or eng",
        r"must name a month from 01 to 12, and this names \d\d",
        r"must name a day that the month has, and this names day \d\d",
        r"must be a year, a month or a day as .*",
        # Spellings that only the catalogue knows to be the same: `en` and `eng`; a role left out and a role of null.
        r"must not say the same twice, and items \d+ and \d+ are equal( in author_id and role)?",
        r"must not be blank",
        r"must not hold control characters, and this holds U\+[0-9A-F]{4} at position \d+",
        # More than are told.
        r"there are more errors; mend these first",
        # One field and another.
        r"must have one day of birth, and dob says \S+, birth \S+; write one",
        r"must not die before being born, and this was born \S+, died \S+",
        r"must have one first ISBN: isbn says \d+, identifiers \d+; write one",
        # The clock, and how far the log has come.
        r"must not lie in the future",
        r"must be at most \d+, which is how far the log has come",
        # One parameter and another.
        r"must be less than -?\d+, the later version",
        r"must be left out where a cursor is given",
        r"must be left out where nothing is searched for",
        # Terms are no more to a schema than text.
        r"must have at most \d+ (terms|beginnings of words), and this has \d+",
        # What only this service can have made.
        r"must be a cursor as this service gave it, or empty to begin",
        r"must go on in the list it was given for: .*",
        r"must be a place that a part of this report has told",
        # One parameter and the body.
        r"must be said of a file without a name: it tells the same records again when they come again",
        r"must be 1 to \d+ printable characters",
        # Commas separate, inside of one text.
        r"must name at most \d+ values, and this names \d+",
    )
]
# What is in a file, and how the parts of a form are told apart, is none of the schema's business.
BODIES = {"/problems/unreadable-file", "/problems/malformed-upload"}
# 404, 409, 410, 412 and 422 depend on what the catalogue holds, and no schema knows that.
STATES = {404, 409, 410, 412, 422}


@schemathesis.check
def refused_only_for_what_the_schema_can_not_say(_context: Any, response: Any, case: Any) -> None:
    """Data that the schema allows may only be refused by rules beyond it.

    It stands in for positive_data_acceptance, which knows no such rules and takes each refusal by them for a bug.
    """
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    if response.status_code < 400 or response.status_code in STATES or response.json().get("type") in BODIES:
        return
    details = [error["detail"] for error in response.json().get("errors", [])]
    unexpected = [d for d in details if not any(rule.fullmatch(d) for rule in BEYOND_THE_SCHEMA)]
    if unexpected or not details:
        raise AssertionError(
            f"the schema allows what is refused with {response.status_code}: {unexpected or 'nothing'}"
        )
