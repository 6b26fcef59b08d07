"""Values with one canonical spelling: once parsed, nobody checks them again."""

import re
from calendar import monthrange
from functools import lru_cache
from operator import mul
from typing import Any, ClassVar, Self
from urllib.parse import quote

from .errors import InvalidValue
from .languages import ALIASES, BIBLIOGRAPHIC

_IN_URLS = "".join(map(chr, range(0x80)))  # spaces and controls are not escaped but refused: they divide two addresses


class TextValue(str):
    """A value that is text in its canonical spelling; `parse` reads any accepted spelling."""

    __slots__ = ()
    description: ClassVar[str]
    example: ClassVar[str]
    pattern: ClassVar[str]

    def __new__(cls, text: str) -> Self:
        """Take the canonical spelling, and no other; raise InvalidValue."""
        if (canonical := cls.canonical(text)) != text:
            raise InvalidValue(f"must be in its canonical spelling, {canonical!r}")
        return str.__new__(cls, text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read any accepted spelling; raise InvalidValue for the rest."""
        return cls.kept(cls.canonical(text))

    @classmethod
    def kept(cls, text: str) -> Self:
        """Return the value whose canonical spelling that is known to be, as storages know of what they keep."""
        return str.__new__(cls, text)

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the canonical spelling of a text; raise InvalidValue where there is none."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as it is: its spelling is canonical already."""
        return str.__new__, (type(self), str(self))


class Term(TextValue):
    """A word of a vocabulary that is small: each is parsed once, and the same object from then on."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read any accepted spelling; raise InvalidValue for the rest."""
        term: Self = _term(cls, text) if len(text) <= _LONGEST_TERM else super().parse(text)
        return term


_LONGEST_TERM = 40


@lru_cache(maxsize=4096)
def _term(vocabulary: type[Term], text: str) -> Any:
    return vocabulary.kept(vocabulary.canonical(text))


class Choice(Term):
    """One of a few words."""

    __slots__ = ()
    words: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        cls.description, cls.example = f"one of {', '.join(cls.words)}", cls.words[0]
        cls.pattern = f"^({'|'.join(cls.words)})$"

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the word in small letters."""
        word = text.strip().lower()
        if word not in cls.words:
            raise InvalidValue(f"must be one of {', '.join(cls.words)}")
        return word


class AuthorKind(Choice):
    """What an author is: one human being, a body of people, or people who met for a time (MARC 21 X00, X10, X11)."""

    __slots__ = ()
    words = ("person", "organisation", "meeting")


class IdentifierStatus(Choice):
    """Whether an identifier can be relied upon: only a valid one tells records apart, a wrong one is as printed."""

    __slots__ = ()
    words = ("valid", "invalid", "cancelled")


class Scheme(Term):
    """Whose rules a number, a term or a class follows: isbn, lccn, oclc, viaf, lcsh, ddc."""

    __slots__ = ()
    description = "whose rules it follows: small letters, digits, dots, hyphens and underscores, at most 40"
    example = "oclc"
    pattern = r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,39}$"

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the name in small letters."""
        name = text.strip().lower()
        if not re.fullmatch(r"[a-z0-9][a-z0-9._\-]{0,39}", name):
            raise InvalidValue(
                "must be the name of a scheme, such as isbn, oclc or lcsh: letters of ASCII, digits, dots, hyphens "
                "and underscores, at most 40"
            )
        return name


class Url(TextValue):
    """The address of something on the web (RFC 3986, the schemes http, https and ftp)."""

    __slots__ = ()
    description = "an address that begins with http://, https:// or ftp://; at most 2000 characters, no spaces"
    example = "https://www.gutenberg.org/ebooks/1342"
    pattern = r"^([Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp])://[!-~]{1,1990}$"

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the address, its scheme in small letters, and what is not ASCII escaped."""
        scheme, _, rest = text.strip().partition("://")
        sound = len(rest) <= 2000 and not re.search("[\ud800-\udfff]", rest)  # halves of characters have no escape
        rest = quote(rest, safe=_IN_URLS) if sound else ""
        if scheme.lower() not in {"http", "https", "ftp"} or not re.fullmatch("[!-~]{1,1990}", rest):
            raise InvalidValue(
                "must be an address that begins with http://, https:// or ftp://, without spaces, of at most "
                "2000 characters"
            )
        return f"{scheme.lower()}://{rest}"


class Isbn(TextValue):
    """An International Standard Book Number (ISO 2108), kept as its 13 digits.

    ISBN-10 and ISBN-13 are read, with or without hyphens and spaces; the check digit must hold.
    """

    __slots__ = ()
    description = "ISBN-10 or ISBN-13, hyphens and spaces allowed; kept as 13 digits"
    example = "9780141439600"
    pattern = r"^[0-9Xx\- ‐-―]{10,32}$"

    _SEPARATORS: ClassVar = re.compile("[\\s\\-\u2010-\u2015]")

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the 13 digits of an ISBN."""
        digits = cls._SEPARATORS.sub("", text).upper() if len(text) <= 32 else ""
        if re.fullmatch(r"[0-9]{9}[0-9X]", digits):
            if cls._check_digit_10(digits[:9]) != digits[9]:
                raise cls._wrong_check_digit(cls._check_digit_10(digits[:9]))
            return f"978{digits[:9]}{cls._check_digit_13('978' + digits[:9])}"
        if not re.fullmatch(r"[0-9]{13}", digits):
            raise InvalidValue(
                "must be an ISBN: 10 digits (the last may be X) or 13 digits, hyphens and spaces allowed"
            )
        if digits.startswith("9790"):
            raise InvalidValue("must be an ISBN, and 979-0 begins an ISMN, the number of printed music")
        if not digits.startswith(("978", "979")):
            raise InvalidValue("must begin with 978 or 979 to be an ISBN-13")
        if cls._check_digit_13(digits[:12]) != digits[12]:
            raise cls._wrong_check_digit(cls._check_digit_13(digits[:12]))
        return digits

    @property
    def isbn10(self) -> str | None:
        """The ten-digit form; None for numbers under 979, which have none."""
        if not self.startswith("978"):
            return None
        return self[3:12] + self._check_digit_10(self[3:12])

    @staticmethod
    def _wrong_check_digit(right: str) -> InvalidValue:
        return InvalidValue(f"must end in the check digit {right} if the other digits of this ISBN are right")

    @staticmethod
    def _check_digit_10(nine: str) -> str:
        rest = -sum(map(mul, range(10, 1, -1), map(int, nine))) % 11
        return "X" if rest == 10 else str(rest)

    @staticmethod
    def _check_digit_13(twelve: str) -> str:
        return str(-(sum(map(int, twelve[::2])) + 3 * sum(map(int, twelve[1::2]))) % 10)


class PartialDate(TextValue):
    """A year, a month of a year, or a day: ISO 8601 with reduced precision, EDTF level 0, years before 1 included.

    Years count as astronomers and ISO 8601 count them: 0000 is 1 BC, -0043 is 44 BC.
    """

    __slots__ = ()
    description = "a year, a month or a day: YYYY, YYYY-MM or YYYY-MM-DD; a year before 1 as -YYYY"
    example = "1871-12"
    pattern = r"^-?[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"

    _PARTS: ClassVar = re.compile(r"(-?[0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")

    @classmethod
    def of_year(cls, year: int) -> Self:
        """Return the date that says only the year, which is between -9999 and 9999."""
        if not -9999 <= year <= 9999:
            raise InvalidValue("must be a year between -9999 and 9999")
        return cls(f"{'-' if year < 0 else ''}{abs(year):04d}")

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the text, trimmed, if it names a year, month or day of the calendar."""
        text = text.strip()
        parts = cls._PARTS.fullmatch(text) if text.isascii() else None
        if parts is None or text.startswith("-0000"):
            raise InvalidValue(
                "must be a year, a month or a day as YYYY, YYYY-MM or YYYY-MM-DD (-0043 for the year 44 BC)"
            )
        year, month, day = (int(part) if part else None for part in parts.groups())
        if month is not None and not 1 <= month <= 12:
            raise InvalidValue(f"must name a month from 01 to 12, and this names {month:02d}")
        # The Gregorian calendar repeats every 400 years; the shift makes years before 1 countable.
        if year is not None and month and day is not None and not 1 <= day <= monthrange(year % 400 + 400, month)[1]:
            raise InvalidValue(f"must name a day that the month has, and this names day {day:02d}")
        return text

    @property
    def first(self) -> int:
        """A number that orders dates: what the date names begins there, a year before its months."""
        return _numbered(str(self), "0000")

    @property
    def last(self) -> int:
        """The greatest number of all dates within what the date names."""
        return _numbered(str(self), "9999")

    @property
    def year(self) -> int:
        """The year, as ISO 8601 counts."""
        return int(self[:5] if self.startswith("-") else self[:4])


@lru_cache(maxsize=4096)
def _numbered(date: str, rest: str) -> int:
    digits = 5 if date.startswith("-") else 4
    return int(date[:digits]) * 10_000 + int((date[digits:].replace("-", "") + rest)[:4])


class Language(Term):
    """A language by its code of ISO 639, kept as libraries write it (639-2/B, as in MARC 21): fre, not fra or fr."""

    __slots__ = ()
    description = "a language code of ISO 639 with two or three letters; kept as ISO 639-2/B"
    example = "eng"
    pattern = r"^[A-Za-z]{2,3}$"

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the code of ISO 639-2/B."""
        code = text.strip().lower()
        code = ALIASES.get(code, code)
        if code not in BIBLIOGRAPHIC:
            raise InvalidValue("must be a language code of ISO 639-1 or ISO 639-2, such as en or eng")
        return code


class Role(Term):
    """What somebody did for a book: a relator code of MARC 21, three small letters (trl: translator)."""

    __slots__ = ()
    description = "a MARC relator code: three letters, such as trl (translator), ill (illustrator), edt (editor)"
    example = "trl"
    pattern = r"^[A-Za-z]{3}$"

    @classmethod
    def canonical(cls, text: str) -> str:
        """Return the code in small letters."""
        code = text.strip().lower()
        if not re.fullmatch("[a-z]{3}", code):
            raise InvalidValue("must be a MARC relator code of three letters, such as trl, ill or edt")
        return code
