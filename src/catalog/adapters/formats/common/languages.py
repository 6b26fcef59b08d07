"""Languages: what people call them, and how the web writes them."""

from collections.abc import Mapping

from catalog.domain.languages import ALIASES
from catalog.domain.values import Language

LANGUAGE_NAMES: Mapping[str, str] = {
    "american": "eng", "arabic": "ara", "australian": "eng", "austrian": "ger", "brazil": "por", "brazilian": "por",
    "british": "eng", "bulgarian": "bul", "canadian": "eng", "catalan": "cat", "chinese": "chi", "croatian": "hrv",
    "czech": "cze", "danish": "dan", "dutch": "dut", "english": "eng", "estonian": "est", "finnish": "fin",
    "francais": "fre", "french": "fre", "galician": "glg", "german": "ger", "germanb": "ger", "greek": "gre",
    "hebrew": "heb", "hungarian": "hun", "icelandic": "ice", "italian": "ita", "japanese": "jpn", "latin": "lat",
    "latvian": "lav", "lithuanian": "lit", "naustrian": "ger", "newzealand": "eng", "ngerman": "ger",
    "norsk": "nor", "norwegian": "nor", "nswissgerman": "ger", "nynorsk": "nno", "polish": "pol", "polski": "pol",
    "portuges": "por", "portuguese": "por", "romanian": "rum", "russian": "rus", "serbian": "srp", "slovak": "slo",
    "slovene": "slv", "slovenian": "slv", "spanish": "spa", "swedish": "swe", "swissgerman": "ger",
    "turkish": "tur", "ukenglish": "eng", "ukrainian": "ukr", "usenglish": "eng", "vietnamese": "vie",
}  # fmt: skip  # a table is read by column
"""What people call languages: the names that Babel has, and so BibTeX."""

# The shortest code of a language comes first in BCP 47; of those with three letters, never that of libraries.
_TAGS = {code: alias for alias, code in sorted(ALIASES.items(), key=lambda pair: -len(pair[0]))}


def tag_of(language: Language) -> str:
    """Return the tag of BCP 47: en, not eng; de, not ger."""
    return _TAGS.get(str(language), str(language))
