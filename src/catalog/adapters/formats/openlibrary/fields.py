"""Which field of an edition says what."""

from collections.abc import Mapping

IDENTIFIERS: Mapping[str, str] = {
    "oclc_numbers": "oclc",
    "oclc_number": "oclc",
    "lccn": "lccn",
}
"""The fields that hold numbers, besides ISBNs, and the scheme of each; `identifiers` has others, by their schemes."""

ISBNS = ("isbn_13", "isbn_10")
"""The fields that hold ISBNs; the same book often has both of one number."""

CLASSES: Mapping[str, str] = {"dewey_decimal_class": "ddc", "lc_classifications": "lcc"}
"""The fields that hold classes, and the scheme of each. Others stand by their scheme in `classifications`."""

SUBJECTS = ("subjects", "subject_people", "subject_places", "subject_times")
"""The fields that hold what the book is about."""

ROLES: Mapping[str, str] = {
    "adapter": "adp", "afterword": "aft", "arranger": "arr", "artist": "art", "author": "aut", "co-author": "aut",
    "commentator": "cwt", "compiler": "com", "composer": "cmp", "consultant": "csl", "contributor": "ctb",
    "cover artist": "cov", "cover design": "cov", "cover designer": "cov", "cover photographer": "cov",
    "designer": "dsr", "director": "drt", "editor": "edt", "engraver": "egr", "foreword": "wfw",
    "illustrator": "ill", "interviewer": "ivr", "introduction": "win", "lyricist": "lyr", "narrator": "nrt",
    "performer": "prf", "photographer": "pht", "preface": "wpr", "producer": "pro", "reader": "nrt",
    "series editor": "pbd", "technical editor": "edt", "translator": "trl",
}  # fmt: skip  # a table is read by column
"""What people write as the role of a contributor, and the relator code that it stands for; others have no role here."""
