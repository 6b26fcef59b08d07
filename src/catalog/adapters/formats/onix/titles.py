"""Titles: of products, and of the collections to which they belong."""

from xml.etree.ElementTree import Element

from attrs import frozen

from catalog.domain.errors import InvalidValue

from .codes import TITLES
from .elements import children, said, text_of

_OF_PRODUCT = "01"
"""List 149: the level at which a title is that of the product itself."""


@frozen
class Titled:
    """What something is called; `part` is the number by which it belongs to something greater."""

    text: str
    subtitle: str = ""
    part: str = ""


def title_of(blocks: list[Element]) -> Titled:
    """Return the title on the title page, or else the next best; raise InvalidValue where there is none."""
    details = [each for block in blocks for each in children(block, "titledetail", "title")]
    by_kind = {text_of(each, "titletype"): each for each in reversed(details)}
    for kind in (*TITLES, *by_kind):
        if kind in by_kind and (titled := _titled(by_kind[kind])).text:
            return titled
    text = next((text for block in blocks for text in said(block, "distinctivetitle")), "")
    if not text:
        raise InvalidValue("has no title")
    return Titled(text)


def _titled(detail: Element) -> Titled:
    elements = list(children(detail, "titleelement")) or [detail]
    part = next((text for each in elements for text in said(each, "partnumber")), "")
    own = [each for each in elements if text_of(each, "titleelementlevel") in ("", _OF_PRODUCT) and _text(each)]
    if own:
        return Titled(". ".join(map(_text, own)), next((s for each in own for s in said(each, "subtitle")), ""), part)
    # A volume without a title of its own has that of its collection.
    return Titled(". ".join(filter(None, map(_text, elements))), part=part)


def _text(element: Element) -> str:
    bare = text_of(element, "titlewithoutprefix")
    return f"{text_of(element, 'titleprefix')} {bare}".strip() if bare else text_of(element, "titletext")
