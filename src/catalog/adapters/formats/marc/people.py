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
    "abridger": "abr", "actor": "act", "adapter": "adp", "addressee": "rcp", "animator": "anm", "annot": "ann",
    "annotator": "ann", "architect": "arc", "arr": "arr", "arranger": "arr", "art director": "adi", "artist": "art",
    "artistic director": "ard", "associated name": "asn", "attributed name": "att", "auctioneer": "auc",
    "author": "aut", "author in quotations or text abstracts": "aqt", "author of afterword": "aft",
    "author of afterword, colophon, etc": "aft", "author of dialog": "aud", "author of introduction": "aui",
    "author of introduction, etc": "aui", "autographer": "ato", "bibliographic antecedent": "ant", "binder": "bnd",
    "binding designer": "bdd", "blurb writer": "blw", "book artist": "bka", "book designer": "bkd",
    "book jacket designer": "bjd", "book producer": "bkp", "bookjacket designer": "bjd", "bookplate designer": "bpd",
    "bookseller": "bsl", "broadcaster": "brd", "calligrapher": "cll", "cartographer": "ctg", "censor": "cns",
    "choreographer": "chr", "cinematographer": "cng", "collaborator": "ctb", "collector": "col", "collotyper": "clt",
    "colorist": "clr", "commentator": "cmm", "commentator for written text": "cwt",
    "comp": "com", "compiler": "com", "composer": "cmp", "compositor": "cmt", "conceptor": "ccp", "conductor": "cnd",
    "consultant": "csl", "contributor": "ctb", "copyright holder": "cph", "corrector": "crr", "correspondent": "crp",
    "cover artist": "cov", "cover designer": "cov", "creator": "cre", "curator": "cur", "dancer": "dnc",
    "dedicatee": "dte", "dedicator": "dto", "degree granting institution": "dgg", "degree supervisor": "dgs",
    "delineator": "dln", "depicted": "dpc", "designer": "dsr", "director": "drt", "dissertant": "dis",
    "distributor": "dst", "donor": "dnr", "draftsman": "drm", "dubious author": "dub", "ed": "edt", "editor": "edt",
    "editor of compilation": "edc", "editor of moving image work": "edm", "editorial director": "edd",
    "electrotyper": "elt", "engineer": "eng", "engraver": "egr", "etcher": "etr", "expert": "exp",
    "facsimilist": "fac", "film director": "fmd", "film editor": "flm", "film producer": "fmp", "filmmaker": "fmk",
    "former owner": "fmo", "funder": "fnd", "geographic information specialist": "gis", "honoree": "hnr",
    "host": "hst", "host institution": "his", "ill": "ill", "illuminator": "ilu", "illus": "ill",
    "illustrator": "ill", "inker": "ink", "inscriber": "ins", "instrumentalist": "itr", "interviewee": "ive",
    "interviewer": "ivr", "inventor": "inv", "issuing body": "isb", "joint author": "aut", "joint comp": "com",
    "joint ed": "edt", "joint editor": "edt", "joint illustrator": "ill", "joint translator": "trl",
    "landscape architect": "lsa", "lecturer": "lec", "letterer": "ltr", "librettist": "lbt", "lithographer": "ltg",
    "lyricist": "lyr", "manufacturer": "mfr", "marbler": "mrb", "markup editor": "mrk", "metal engraver": "mte",
    "metal-engraver": "mte", "moderator": "mod", "musician": "mus", "narrator": "nrt", "organizer": "orm",
    "originator": "org", "owner": "own", "papermaker": "ppm", "patron": "pat",
    "penciller": "pnc", "performer": "prf", "photographer": "pht", "praeses": "pra", "presenter": "pre",
    "printer": "prt", "printer of plates": "pop", "printmaker": "prm", "producer": "pro", "production company": "prn",
    "programmer": "prg", "project director": "pdr", "proofreader": "pfr", "publisher": "pbl",
    "publishing director": "pbd", "puppeteer": "ppt", "recipient": "rcp", "redaktor": "red", "reporter": "rpt",
    "researcher": "res", "respondent": "rsp", "restorationist": "rsr", "reviewer": "rev", "rubricator": "rbr",
    "scenarist": "sce", "scientific advisor": "sad", "screenwriter": "aus", "scribe": "scr", "sculptor": "scl",
    "secretary": "sec", "seller": "sll", "signer": "sgn", "singer": "sng", "speaker": "spk", "sponsor": "spn",
    "sponsoring body": "spn", "stereotyper": "str", "storyteller": "stl", "surveyor": "srv", "teacher": "tch",
    "thesis advisor": "ths", "tr": "trl", "trans": "trl", "transcriber": "trc", "translator": "trl",
    "type designer": "tyd", "typographer": "tyg", "university place": "uvp", "videographer": "vdg",
    "voice actor": "vac", "witness": "wit", "wood engraver": "wde", "woodcutter": "wdc",
    "writer of accompanying material": "wam", "writer of added commentary": "wac", "writer of added lyrics": "wal",
    "writer of added text": "wat", "writer of afterword": "waw", "writer of film story": "wfs",
    "writer of foreword": "wfw", "writer of introduction": "win", "writer of preface": "wpr",
    "writer of supplementary textual content": "wst",
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
    roles: tuple[Role, ...] = ()

    def known_as(self, others: Iterable[str]) -> Self:
        """Return the heading of somebody who has these other names, too."""
        author = self.author
        more = [name for name in others if name != author.name]
        return evolve(self, author=author.amended({"variants": tuple(dict.fromkeys((*author.variants, *more)))[:200]}))

    def as_contributors(self) -> Iterator[DraftContributor]:
        """Yield the contributor that an added entry is, once for each thing they did."""
        for role in self.roles or (None,):
            yield DraftContributor(self.author, role)


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
        kind=_kind(field),
        variants=tuple([v for v in _fuller(field) if v != name]),
        identifiers=tuple(dict.fromkeys(numbers_in(field)))[:100],
    )
    told: list[str] = []
    birth, death = dates_of(field.joined("d")) if field.tag.endswith("00") else (None, None)
    if birth is not None or death is not None:
        try:
            details = details.amended({"birth": birth, "death": death})
        except InvalidValue:
            told.append(f"dates of {name[:100]} left out: {field.joined('d')[:100]} is no life")
    roles, unknown = _roles(field) if field.tag in ADDED else ((), ())
    told += [f"role {term[:100]!r} of {name[:100]} left out: it is no relator term that is known" for term in unknown]
    return Heading(field.tag, details, roles), told


def _kind(field: FieldText) -> AuthorKind | None:
    """Return what the heading names; a family (a first indicator of 3) is none of the kinds that there are."""
    digits = field.tag[1:]
    return None if digits == "00" and field.first == "3" else KINDS[digits]


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


def role_in(code: str, text: str) -> Role | None:
    """Return what the subfield says that somebody did: a relator code ($4), or a term that stands for one."""
    if code == "4":
        said = text.rstrip("/").rsplit("/", 1)[-1].strip(" .,").lower()
        return Role(said) if re.fullmatch("[a-z]{3}", said) else None
    known = ROLES.get(text.strip(" .,()[]").lower())
    return None if known is None else Role(known)


def role_codes(tag: str) -> str:
    """Return the subfields in which headings of this tag say what somebody did; of meetings, $e is a part of them."""
    return "4j" if tag.endswith("11") else "4e"


def _roles(field: FieldText) -> tuple[tuple[Role, ...], Sequence[str]]:
    """Return what somebody did, each once, and the terms that nobody knows here and no code says instead."""
    told = [(code, text, role_in(code, text)) for code, text in field.parts if code in role_codes(field.tag)]
    roles = tuple(dict.fromkeys([role for _, _, role in told if role is not None]))
    if any(code == "4" and role is not None for code, _, role in told):
        return roles, ()
    return roles, [text.strip(" .,") for _, text, role in told if role is None]


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
            if not {*map(str, heading.roles)}.isdisjoint(roles) or (None in roles and not heading.roles):
                return heading
    return None
