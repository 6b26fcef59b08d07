"""Headings of people, bodies and meetings (X00, X10, X11)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Self

from attrs import evolve, frozen

from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import DraftContributor
from catalog.domain.values import AuthorKind, PartialDate, Role, Scheme

from .fields import Fields, FieldText, remembered
from .subfields import one_line, trimmed

KINDS: Mapping[str, AuthorKind] = {
    "00": AuthorKind("person"),
    "10": AuthorKind("organisation"),
    "11": AuthorKind("meeting"),
}
"""The kind of author, by the last two digits of a tag."""

MAIN, ADDED = frozenset(("100", "110", "111")), frozenset(("700", "710", "711"))

ROLES: Mapping[str, str] = {
    "adapter": "adp", "annotator": "ann", "arranger": "arr", "artist": "art", "author": "aut", "bookseller": "bsl",
    "cartographer": "ctg", "collaborator": "ctb", "commentator": "cmm", "compiler": "com", "comp": "com",
    "composer": "cmp", "conductor": "cnd", "contributor": "ctb", "creator": "cre", "dedicatee": "dte",
    "designer": "dsr", "director": "drt", "ed": "edt", "editor": "edt", "engraver": "egr", "former owner": "fmo",
    "host institution": "his", "ill": "ill", "illus": "ill", "illustrator": "ill", "interviewee": "ive",
    "interviewer": "ivr", "issuing body": "isb", "joint author": "aut", "joint comp": "com", "joint ed": "edt",
    "joint editor": "edt", "lyricist": "lyr", "musician": "mus", "narrator": "nrt", "performer": "prf",
    "photographer": "pht", "printer": "prt", "producer": "pro", "publisher": "pbl", "singer": "sng",
    "sponsor": "spn", "sponsoring body": "spn", "tr": "trl", "trans": "trl", "translator": "trl",
    "writer of introduction": "win", "writer of preface": "wpr",
}  # fmt: skip  # a table is read by column
"""Relator terms ($e) that stand for a relator code."""

AUTHORITIES: Mapping[str, str] = {
    "(de-588)": "gnd", "(dlc)": "lcnaf", "(isni)": "isni", "(orcid)": "orcid", "(viaf)": "viaf",
    "(wikidata)": "wikidata",
    "id.loc.gov/authorities/names/": "lcnaf", "isni.org/isni/": "isni", "isni.org/": "isni", "orcid.org/": "orcid",
    "viaf.org/viaf/": "viaf", "d-nb.info/gnd/": "gnd", "www.wikidata.org/entity/": "wikidata",
    "www.wikidata.org/wiki/": "wikidata",
}  # fmt: skip  # a table is read by column
"""What an identifier of an author begins with ($0, $1), and whose it is."""

_LIFE = re.compile(r"(?P<birth>\d{1,4})?\s*-\s*(?P<death>\d{1,4})?\.?(?P<era>\s*B\.?\s?C\.?)?")
_BORN = re.compile(r"(?:b\.|born)\s*(?P<birth>\d{3,4})\.?")
_DIED = re.compile(r"(?:d\.|died)\s*(?P<death>\d{3,4})\.?")
_LINK = re.compile(r"(?P<tag>\d{3})-(?P<occurrence>\d{2})")


@frozen
class Heading:
    """One heading: who it names, and what they did for the book."""

    tag: str
    author: AuthorDetails
    role: Role | None

    def known_as(self, others: Iterable[str]) -> Self:
        """Return the heading of somebody who has these other names, too."""
        author = self.author
        more = [name for name in others if name != author.name]
        return evolve(self, author=author.amended({"variants": tuple(dict.fromkeys((*author.variants, *more)))[:200]}))

    @property
    def as_contributor(self) -> DraftContributor:
        """The contributor that an added entry is."""
        return DraftContributor(self.author, self.role)


def headings_of(fields: Fields, tags: AbstractSet[str], warnings: list[str]) -> Iterator[Heading]:
    """Yield the headings of these tags that name somebody; a work in its own right ($t) names nobody here."""
    linked = _linked(fields)
    for field in fields.among(tags):
        if field.said("t") or (field.tag in ADDED and field.second == "2"):
            continue
        try:
            heading, told = _heading(field)
            if heading is not None and (others := list(_in_other_scripts(field, linked))):
                heading = heading.known_as(others)
        except InvalidValue as error:
            warnings.append(f"{field.tag} left out: its name {error.rule}")
            continue
        warnings += told
        if heading is not None:
            yield heading


@remembered
def _heading(field: FieldText) -> tuple[Heading | None, Sequence[str]]:
    """Return the heading that the field alone says, and what had to be left out."""
    entry = _entry(field)
    if not entry:
        return None, ()
    name = _direct(field, entry)
    details = AuthorDetails(
        name=name,
        sort_name=entry if entry != name else None,
        kind=KINDS[field.tag[1:]],
        variants=tuple([v for v in _fuller(field) if v != name]),
        identifiers=tuple(dict.fromkeys(numbers_in(field)))[:100],
    )
    told: Sequence[str] = ()
    birth, death = dates_of(field.joined("d")) if field.tag.endswith("00") else (None, None)
    if birth is not None or death is not None:
        try:
            details = details.amended({"birth": birth, "death": death})
        except InvalidValue:
            told = (f"dates of {name[:100]} left out: {field.joined('d')[:100]} is no life",)
    return Heading(field.tag, details, _role(field)), told


def _entry(field: FieldText) -> str:
    """Return the name as it is entered: Le Guin, Ursula K."""
    if field.tag.endswith("11"):
        return trimmed(field.joined("anedcgq"))
    return trimmed(field.joined("abc"))


def _direct(field: FieldText, entry: str) -> str:
    """Return the name as people say it: Ursula K. Le Guin. Only a surname that comes first is turned round."""
    name = trimmed(field.joined("a"))
    if not (field.tag.endswith("00") and field.first == "1" and "," in name):
        return entry
    surname, _, forename = (part.strip() for part in name.partition(","))
    numeration, titles = field.joined("b"), trimmed(field.joined("c"))
    words = " ".join(part for part in (forename, surname, numeration) if part)
    return f"{trimmed(words)}, {titles}" if titles else trimmed(words)


def _fuller(field: FieldText) -> Iterator[str]:
    """Yield the fuller form of the name ($q)."""
    fuller = field.joined("q").strip("() ,.")
    name = trimmed(field.joined("a"))
    if fuller and field.tag.endswith("00") and "," in name:
        yield f"{fuller} {name.partition(',')[0].strip()}"


def _in_other_scripts(field: FieldText, linked: Mapping[tuple[str, str], FieldText]) -> Iterator[str]:
    """Yield the name in other scripts (880)."""
    for link in field.said("6"):
        if (found := _LINK.match(link)) and (other := linked.get((field.tag, found["occurrence"]))):
            entry = trimmed(other.joined("abc"))
            if entry:
                yield entry


def _linked(fields: Fields) -> Mapping[tuple[str, str], FieldText]:
    """Return the fields in other scripts, by the tag and the occurrence of what they stand beside."""
    found: dict[tuple[str, str], FieldText] = {}
    for field in fields.of("880"):
        for link in field.said("6"):
            if (match := _LINK.match(link)) and match["occurrence"] != "00":
                found.setdefault((match["tag"], match["occurrence"]), field)
    return found


def dates_of(text: str) -> tuple[PartialDate | None, PartialDate | None]:
    """Return birth and death, as far as they are certain: 1929-2018, 1929-, b. 1929, 384-322 B.C."""
    text = text.strip(" ,.()")
    for pattern in (_LIFE, _BORN, _DIED):
        if found := pattern.fullmatch(text):
            parts = found.groupdict()
            years = [parts.get(name) for name in ("birth", "death")]
            if parts.get("era") or text.upper().endswith(("B.C", "BC")):
                years = [year and str(1 - int(year)) for year in years]
            birth, death = (PartialDate.of_year(int(year)) if year else None for year in years)
            return birth, death
    return None, None


def _role(field: FieldText) -> Role | None:
    for given in field.said("4"):
        code = given.rstrip("/").rsplit("/", 1)[-1].strip(" .,").lower()
        if re.fullmatch("[a-z]{3}", code):
            return Role(code)
    terms = field.said("e") if not field.tag.endswith("11") else field.said("j")
    for term in terms:
        if known := ROLES.get(term.strip(" .,").lower()):
            return Role(known)
    return None


def numbers_in(field: FieldText) -> Iterator[Identifier]:
    """Yield the numbers of a heading ($0, $1), as far as it is known who gave them."""
    for given in field.said("01"):
        lowered = re.sub(r"^https?://", "", given.lower())
        for beginning, scheme in AUTHORITIES.items():
            if lowered.startswith(beginning):
                value = one_line(given[len(given) - len(lowered) + len(beginning) :]).strip("/ ")
                if 0 < len(value) <= 200:
                    yield Identifier(scheme=Scheme(scheme), value=value)
                break


def main_of(main: Sequence[Heading], added: Sequence[Heading]) -> Heading | None:
    """Return under whom the book is entered: who the record says, or else who is most likely its author."""
    if main:
        return main[0]
    by_rank: Iterable[tuple[str | None, ...]] = ((None, "aut", "cre"), ("edt", "com"))
    for roles in by_rank:
        for heading in added:
            if (None if heading.role is None else str(heading.role)) in roles:
                return heading
    return None
