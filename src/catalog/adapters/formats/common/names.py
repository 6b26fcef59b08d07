"""Names of people, which have an order to be said in, and one to be listed in."""

from attrs import frozen

from catalog.domain.authors import AuthorDetails
from catalog.domain.text import fold
from catalog.domain.values import AuthorKind

PERSON, ORGANISATION = AuthorKind("person"), AuthorKind("organisation")


def somebody(text: str) -> AuthorDetails:
    """Return who is named: `Le Guin, Ursula K.` is turned round; raise InvalidValue for what is no name."""
    text = " ".join(text.split())
    family, _, given = (part.strip() for part in text.partition(","))
    return inverted(family, given) if family and given else AuthorDetails(name=text)


def inverted(family: str, given: str, *, suffix: str = "") -> AuthorDetails:
    """Return the person who has these names."""
    if not given:
        return AuthorDetails(name=f"{family} {suffix}".strip())
    direct = " ".join(f"{given} {family}".split())
    return AuthorDetails(
        name=f"{direct}, {suffix}" if suffix else direct,
        sort_name=" ".join(f"{family}, {given}{f', {suffix}' if suffix else ''}".split()),
        kind=PERSON,
    )


def organised(name: str) -> AuthorDetails:
    """Return the body that has this name."""
    return AuthorDetails(name=" ".join(name.split()), kind=ORGANISATION)


@frozen
class NameParts:
    """The name of a person, in parts."""

    family: str
    given: str
    suffix: str = ""
    """What follows the name wherever it stands: Jr., III."""


def name_parts(author: AuthorDetails) -> NameParts | None:
    """Return the parts of the name, where they are known: of people who have a name to be listed by."""
    if author.kind not in (None, PERSON) or author.sort_name is None:
        return None
    family, comma, given = (part.strip() for part in author.sort_name.partition(","))
    if not (comma and family and given):
        return None
    before, comma, suffix = (part.strip() for part in given.rpartition(","))
    ends = comma and before and "," not in before and fold(author.name).endswith(f" {fold(suffix)}")
    return NameParts(family, before, suffix) if ends and suffix else NameParts(family, given)
