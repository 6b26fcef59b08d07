"""Contributors."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from attrs import evolve, frozen

from catalog.adapters.formats.common import organised, somebody
from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import DraftContributor
from catalog.domain.values import AuthorKind, PartialDate, Role, Scheme

from .codes import NAME_NUMBERS, ROLES
from .dates import date_of
from .elements import children, said, text_of

_PERSON = AuthorKind("person")
_CREATORS = ("aut", "cre")
_BORN, _DIED = "50", "51"
"""List 177."""


@frozen
class Named:
    """Who is named, and what they did, in the codes of ONIX and ours."""

    author: AuthorDetails
    code: str
    role: Role | None

    @property
    def as_contributor(self) -> DraftContributor:
        """The contributor."""
        return DraftContributor(self.author, self.role)


def people_of(blocks: list[Element], warnings: list[str]) -> tuple[AuthorDetails | None, list[DraftContributor]]:
    """Return the author, and everybody else; nobody who only edited, translated or drew is the author."""
    named = [each for block in blocks for each in _named(block, warnings)]
    by_rank = (
        next((each for each in named if each.code == "A01"), None),
        next((each for each in named if str(each.role) in _CREATORS), None),
    )
    main = by_rank[0] or by_rank[1]
    others = [each.as_contributor for each in named if each is not main]
    return None if main is None else main.author, others


def _named(block: Element, warnings: list[str]) -> Iterator[Named]:
    for element in children(block, "contributor"):
        try:
            author = _author(element, warnings)
        except InvalidValue as error:
            warnings.append(f"a contributor left out: the name {error.rule}")
            continue
        if author is not None:
            # Somebody may have done several things, and each has a code.
            for code in dict.fromkeys(said(element, "contributorrole") or [""]):
                yield Named(author, code, Role(ROLES[code]) if code in ROLES else None)


def _author(element: Element, warnings: list[str]) -> AuthorDetails | None:
    author = _called(element)
    if author is None:
        return None
    author = evolve(author, identifiers=tuple(dict.fromkeys(_identifiers(element)))[:100])
    dates = {text_of(each, "contributordaterole"): each for each in children(element, "contributordate")}
    birth, death = (
        _date(dates[role], what, author.name, warnings) if role in dates else None
        for role, what in ((_BORN, "birth"), (_DIED, "death"))
    )
    try:
        return evolve(author, birth=birth, death=death)
    except InvalidValue as error:
        warnings.append(f"dates of {author.name[:100]} left out: the author {error.rule}")
        return author


def _called(element: Element) -> AuthorDetails | None:
    if body := text_of(element, "corporatename"):
        return organised(body)
    direct, inverted = text_of(element, "personname"), text_of(element, "personnameinverted")
    parts = [text_of(element, name) for name in ("namesbeforekey", "prefixtokey", "keynames", "namesafterkey")]
    before, prefix, key, after = parts
    suffix = text_of(element, "suffixtokey")
    if not direct and key:
        direct = " ".join(part for part in parts if part) + (f", {suffix}" if suffix else "")
    if not inverted and key:
        family, given = f"{key} {after}".strip(), f"{before} {prefix}".strip()
        inverted = ", ".join(part for part in (family, given, suffix) if part)
    if not direct and inverted:
        return evolve(somebody(inverted), kind=_PERSON)
    if not direct:
        return None
    return AuthorDetails(name=direct, sort_name=inverted if inverted and inverted != direct else None, kind=_PERSON)


def _identifiers(element: Element) -> Iterator[Identifier]:
    for each in children(element, "nameidentifier"):
        scheme, value = NAME_NUMBERS.get(text_of(each, "nameidtype")), text_of(each, "idvalue")
        if scheme is not None and 0 < len(value) <= 200:
            yield Identifier(scheme=Scheme(scheme), value=value)


def _date(element: Element, what: str, name: str, warnings: list[str]) -> PartialDate | None:
    try:
        return date_of(element)
    except InvalidValue as error:
        warnings.append(f"{what} of {name[:100]} left out: it {error.rule}")
        return None
