"""Authors, whom editions name by their keys: who they are stands in lines of their own."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, evolve, field, frozen

from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import DraftContributor
from catalog.domain.values import AuthorKind, PartialDate, Role, Scheme

from .dates import certain_date
from .fields import ROLES
from .values import keys_of, line_of

MOST_KNOWN = 1_000_000
"""How many authors, and works, are remembered; of those that come later in a file, the names are not known."""

OLID = Scheme("olid")
KINDS: Mapping[str, AuthorKind] = {
    "person": AuthorKind("person"),
    "org": AuthorKind("organisation"),
    "event": AuthorKind("meeting"),
}
"""What an author is, by `entity_type`, which few have."""

_LONGEST = 500
_GIVE = "give the dumps of authors and of works first, in the same run"


@frozen
class Remembered:
    """What is remembered of an author."""

    name: str
    birth: str
    death: str
    kind: str


@define
class Known:
    """What earlier lines told of authors, and of works that name them, of this file and of others in the same run."""

    most: int = MOST_KNOWN
    authors: dict[str, Remembered] = field(factory=dict[str, Remembered], init=False)
    works: dict[str, tuple[str, ...]] = field(factory=dict[str, tuple[str, ...]], init=False)

    without_authors: set[str] = field(factory=set[str], init=False)
    """The works that name nobody."""

    def meet(self, key: str, said: Mapping[str, Any]) -> None:
        """Remember an author."""
        name = line_of(said.get("name")) or line_of(said.get("personal_name"))
        if name and (key in self.authors or len(self.authors) < self.most):
            texts = (line_of(said.get(each))[:_LONGEST] for each in ("birth_date", "death_date", "entity_type"))
            # A name that is too long is one letter longer than a name may be, and refused as such.
            self.authors[key] = Remembered(name[: _LONGEST + 1], *texts)

    def meet_work(self, key: str, said: Mapping[str, Any]) -> None:
        """Remember who wrote a work."""
        authors = tuple(dict.fromkeys(keys_of(said.get("authors"), "author")))[:200]
        if not authors:
            if len(self.without_authors) < self.most:
                self.without_authors.add(key)
        elif key in self.works or len(self.works) < self.most:
            self.works[key] = authors

    def authors_of(self, edition: Mapping[str, Any], warnings: list[str]) -> Iterator[AuthorDetails]:
        """Yield the authors of an edition; where it names none itself, those of its works."""
        keys = list(keys_of(edition.get("authors"), "author"))
        for work in [] if keys else [*keys_of(edition.get("works"))]:
            keys += self.works.get(work, ())
            if work not in self.works and work not in self.without_authors:
                warnings.append(
                    f"authors of {work[:100]} left out: no line before this one tells who wrote that work; {_GIVE}"
                )
        for key in dict.fromkeys(keys):
            if key not in self.authors:
                warnings.append(f"author {key[:100]} left out: no line before this one tells the name; {_GIVE}")
                continue
            try:
                yield _author(key, self.authors[key], warnings)
            except InvalidValue as error:
                warnings.append(f"author {key[:100]} left out: the name {error.rule}")


def contributors_of(edition: Mapping[str, Any], warnings: list[str]) -> Iterator[DraftContributor]:
    """Yield those whom the edition names beside its authors, with a role."""
    given = edition.get("contributors")
    for each in given if isinstance(given, list) else ():
        name = line_of(each.get("name")) if isinstance(each, dict) else ""
        if not name:
            continue
        role = ROLES.get(line_of(each.get("role")).lower())
        try:
            yield DraftContributor(AuthorDetails(name=name), None if role is None else Role(role))
        except InvalidValue as error:
            warnings.append(f"a contributor left out: the name {error.rule}")


def _author(key: str, known: Remembered, warnings: list[str]) -> AuthorDetails:
    author = AuthorDetails(name=known.name, kind=KINDS.get(known.kind), identifiers=tuple(_identifiers([key])))
    birth, death = (
        _date(text, what, author.name, warnings) for what, text in (("birth", known.birth), ("death", known.death))
    )
    try:
        return evolve(author, birth=birth, death=death)
    except InvalidValue as error:
        warnings.append(f"dates of {author.name[:100]} left out: the author {error.rule}")
        return author


def _identifiers(keys: Iterable[str]) -> Iterator[Identifier]:
    for key in keys:
        olid = key.rpartition("/")[2]
        if 0 < len(olid) <= 200:
            yield Identifier(scheme=OLID, value=olid)


def _date(text: str, what: str, name: str, warnings: list[str]) -> PartialDate | None:
    date = certain_date(text) if text else None
    if text and date is None:
        warnings.append(f"{what} of {name[:100]} left out: {text[:50]!r} is no certain date")
    return date
