"""What the codes of ONIX mean here, by the code list of EDItEUR in which each stands."""

from collections.abc import Mapping

ROLES: Mapping[str, str] = {
    "A01": "aut", "A02": "ctb", "A03": "aus", "A04": "lbt", "A05": "lyr", "A06": "cmp", "A07": "art", "A08": "pht",
    "A09": "cre", "A10": "ccp", "A11": "dsr", "A12": "ill", "A13": "pht", "A14": "aut", "A15": "wpr", "A16": "win",
    "A17": "wst", "A18": "wst", "A19": "aft", "A20": "ann", "A21": "cwt", "A22": "aft", "A23": "wfw", "A24": "win",
    "A25": "ann", "A26": "ctb", "A27": "ctb", "A29": "win", "A30": "prg", "A31": "lyr", "A32": "ctb", "A33": "wst",
    "A34": "ctb", "A35": "ill", "A36": "cov", "A37": "ant", "A38": "ant", "A39": "ctg", "A40": "clr", "A41": "bkd",
    "A42": "ctb", "A43": "ivr", "A44": "ive", "A45": "aut", "A46": "ill", "A47": "clr", "A48": "ill", "A51": "res",
    "A99": "cre",
    "B01": "edt", "B02": "edt", "B03": "adp", "B04": "abr", "B05": "adp", "B06": "trl", "B07": "nrt", "B08": "trl",
    "B09": "pbd", "B10": "edt", "B11": "edt", "B12": "edt", "B13": "edt", "B14": "edt", "B15": "edt", "B16": "edt",
    "B18": "edt", "B19": "edt", "B20": "csl", "B21": "edt", "B22": "adp", "B24": "edt", "B25": "arr", "B26": "edt",
    "B27": "ths", "B29": "edt", "B30": "csl", "B31": "edt", "B99": "adp",
    "C01": "com", "C02": "com", "C03": "com", "C04": "cur", "C99": "com",
    "D01": "pro", "D02": "drt", "D03": "cnd", "D04": "chr", "D99": "drt",
    "E01": "act", "E02": "dnc", "E03": "nrt", "E04": "cmm", "E05": "sng", "E06": "itr", "E07": "nrt", "E08": "prf",
    "E09": "spk", "E10": "pre", "E99": "prf",
    "F01": "cng", "F02": "flm", "F99": "rce",
    "Z01": "ctb", "Z02": "dte", "Z99": "oth",
}  # fmt: skip  # a table is read by column
"""List 17, what a contributor did, as relator codes of MARC 21. Who has another code has no role here."""

NUMBERS: Mapping[str, str] = {
    "02": "isbn", "03": "isbn", "05": "ismn", "06": "doi", "13": "lccn", "15": "isbn", "23": "oclc", "25": "ismn",
}  # fmt: skip  # a table is read by column
"""List 5, what a number of a product is; a GTIN-13 (03) that begins with 978 or 979 is an ISBN."""

NAME_NUMBERS: Mapping[str, str] = {
    "16": "isni", "17": "gnd", "18": "lcnaf", "21": "orcid", "25": "gnd", "31": "viaf", "34": "bnf",
}  # fmt: skip  # a table is read by column
"""List 44, whose number of a name it is."""

CLASSES: Mapping[str, str] = {"01": "ddc", "03": "lcc", "05": "nlm", "09": "udc"}
"""List 27, as far as it names classifications."""

SUBJECTS: Mapping[str, str] = {
    "04": "lcsh", "06": "mesh", "07": "nal", "08": "aat", "10": "bisac", "11": "bisac-region", "12": "bic",
    "13": "bic-place", "14": "bic-language", "15": "bic-time", "16": "bic-education", "17": "bic-interest",
    "26": "wgs", "27": "swd", "29": "clil", "32": "nur", "62": "csh", "63": "rvm", "71": "yso", "74": "sears",
    "91": "gnd", "93": "thema", "94": "thema-place", "95": "thema-language", "96": "thema-time",
    "97": "thema-education", "98": "thema-interest", "99": "thema-style", "A5": "rameau", "B6": "fast",
}  # fmt: skip  # a table is read by column
"""List 27, as far as it names lists of terms. Without its list, a code says nothing, and only a heading is taken."""

KEYWORDS = ("20", "B2")
"""List 27: words without a list, several in one text."""

TITLES = ("01", "00", "03", "02", "05")
"""List 15: which title of several is taken, if there is one; 01 is the one on the title page."""

PAGES = ("00", "07", "11")
"""List 23: which number of pages is taken; that of the main content, of all that are numbered, of the content."""

DESCRIPTIONS: Mapping[str, tuple[str, ...]] = {"texttype": ("03", "02"), "texttypecode": ("01", "03", "02")}
"""Lists 153 (ONIX 3) and 33 (2.1): which text is the description, the first that there is."""

DATES: Mapping[str, int] = {
    "00": 8, "01": 6, "02": 4, "03": 4, "04": 4, "05": 4, "06": 8, "07": 6, "08": 4, "09": 4, "10": 4, "11": 4,
    "13": 8, "14": 8,
}  # fmt: skip  # a table is read by column
"""List 55: how many digits of a date are a day, a month or a year of our calendar. Of two dates, the first is taken."""

NO_BOOKS: Mapping[str, str] = {
    "05": "is a notice that the product is deleted",
    "08": "is a notice that the product is sold",
    "88": "is a test and no product",
    "89": "is a test and no product",
}
"""List 1: records that are no books, and what they are."""
