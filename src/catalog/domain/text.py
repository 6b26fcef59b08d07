"""Text as a catalogue keeps it, and the forms under which it is compared and ordered.

All of it is computed here, so that every storage agrees to the row: no collation, no LIKE and no
locale of a database ever decides.
"""

import re
import unicodedata
from functools import lru_cache

from .errors import InvalidValue

SORT_KEY_LENGTH = 250
"""Characters of a sort key; ties beyond it are settled by the record's id."""

_UNPRINTABLE = re.compile(
    # Controls, line separators, overrides of the direction of writing, lone surrogates, and noncharacters.
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202d\u202e\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)

_LINE_END = re.compile("\r\n?|[\u0085\u2028\u2029]")
_IN_LINES = {ord("\n"): " ", ord("\t"): " "}

# Letters that Unicode does not decompose, though every reader takes them for variants.
_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ð": "d", "đ": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i", "ŋ": "n"}
)
# An apostrophe joins (O'Brien, OBrien), every other punctuation mark separates.
_APOSTROPHES = {ord(c): None for c in "'’‘ʼʻʿʾ`´"}
# What folding makes of ASCII, where it is no more than small letters and punctuation: most names are nothing else.
_PLAIN = {
    ord(c): "" if c in "'`" else " " if unicodedata.category(c)[0] in "PZC" else c.lower() for c in map(chr, range(128))
}
# Marks below this canonical combining class (nukta, kana voicing, virama) make another letter,
# the ones from it on (accents, vowel points) only ornament one. Unicode Standard, section 4.3.
_FIRST_ORNAMENT = 10


def normalised(text: str, *, longest: int, has_lines: bool = False) -> str:
    """Return the text in NFC without surrounding space.

    Refuses text that is blank, is longer than `longest` characters or holds control characters. Where it may have
    lines, each ends in a line feed, and tabs are kept.
    """
    if _is_kept_as_it_is(text, longest):
        return text
    # Length first: normalising 9 MB only to refuse it would be a gift to an attacker.
    if len(text) > 4 * longest:
        raise InvalidValue(f"must have at most {longest} characters, and this has {len(text)}")
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) > longest:
        raise InvalidValue(f"must have at most {longest} characters, and this has {len(text)}")
    if has_lines:
        text = _LINE_END.sub("\n", text)
    if found := _UNPRINTABLE.search(text.translate(_IN_LINES) if has_lines else text):
        raise InvalidValue(
            f"must not hold control characters, and this holds U+{ord(found.group()):04X} at position {found.start()}"
        )
    if not any(unicodedata.category(c) not in {"Cc", "Cf", "Zs"} for c in text):
        raise InvalidValue("must not be blank")
    return text


def _is_kept_as_it_is(text: str, longest: int) -> bool:
    """Whether it is quickly seen that nothing is wrong with the text, as with most; of what prints, all is allowed."""
    return (
        0 < len(text) <= longest
        and text.isprintable()
        and text[0] != " " != text[-1]
        and (text.isascii() or unicodedata.is_normalized("NFC", text))
    )


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return the form under which two spellings of one name are equal.

    Case, accents, ligatures, punctuation and spacing are folded away: `J.R.R. Tolkien` and
    `j r r  tolkien`, `Émile` and `EMILE`. Text of punctuation alone folds to itself, so that
    the titles `?` and `!` stay apart.
    """
    if text.isascii() and (words := text.translate(_PLAIN).split()):
        return " ".join(words)
    return fold_unicode(text)


def fold_unicode(text: str) -> str:
    """Return what `fold` does, by the long way, which alone knows more than ASCII."""
    # Apostrophes go before and after: some fall apart into a space and an accent, others come out of a letter.
    decomposed = _decomposed(unicodedata.normalize("NFC", text).translate(_APOSTROPHES)).translate(_APOSTROPHES)
    plain = "".join(c for c in decomposed if unicodedata.combining(c) < _FIRST_ORNAMENT and not _is_invisible(c))
    plain = unicodedata.normalize("NFC", plain.translate(_LETTERS))
    words = "".join(" " if unicodedata.category(c)[0] in "PZC" else c for c in plain).split()
    return " ".join(words or plain.split() or _decomposed(text).split())


def _is_invisible(character: str) -> bool:
    """Whether the character only hints at how its neighbours are set: a soft hyphen, a joiner, a variation selector."""
    return unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f"


def _decomposed(text: str) -> str:
    """Take letters and their marks apart, in small letters; small letters can have to be taken apart once more."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


def sort_key(text: str) -> str:
    """Return the key under which the text is ordered, by code point, in every storage."""
    return fold(text)[:SORT_KEY_LENGTH]
