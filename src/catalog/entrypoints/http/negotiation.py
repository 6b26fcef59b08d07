"""Which of several media types a client wants most (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen
from litestar import Request

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110, section 5.6.2, and no secret
_RANGE = re.compile(rf"\s*(?P<type>{_TOKEN})/(?P<subtype>{_TOKEN})\s*(?P<parameters>;.*)?", re.DOTALL)
_WEIGHT = re.compile(r";\s*q\s*=\s*(?P<q>0(\.\d{0,3})?|1(\.0{0,3})?)\s*(?:;|$)", re.IGNORECASE)


@frozen
class _Range:
    """Media types that a client takes, and how gladly."""

    type: str
    subtype: str
    weight: float

    @property
    def precision(self) -> int:
        """How narrow it is: the narrowest that a media type is in says what holds for it."""
        return (self.type != "*") + (self.subtype != "*")

    def takes(self, media_type: str) -> bool:
        """Whether the media type is in it."""
        type_, _, subtype = media_type.partition("/")
        return self.type in ("*", type_) and self.subtype in ("*", subtype)


def accepted_by(request: Request[Any, Any, Any]) -> str:
    """Return what a request accepts; its lines are one list (RFC 9110, section 5.3)."""
    return ",".join(request.headers.getall("accept", []))


@lru_cache(maxsize=256)
def most_wanted(accept: str, offered: Sequence[str]) -> str | None:
    """Return the media type that is wanted most; None where none is acceptable.

    Of those that are wanted equally, it is one that is named rather than one that is meant by `*`, then the first of
    Accept, then the first that is offered. An Accept that names nothing takes anything.
    """
    ranges = list(_ranges(accept))
    if not ranges:
        return offered[0]
    wanted = [(max(taking, key=_precision), each) for each in offered if (taking := _taking(ranges, each))]
    acceptable = [(range_, each) for range_, each in wanted if range_.weight > 0]
    if not acceptable:
        return None
    best, _ = max(acceptable, key=lambda found: (found[0].weight, found[0].precision, -ranges.index(found[0])))
    return next(each for range_, each in acceptable if range_ is best)


def _taking(ranges: Sequence[_Range], media_type: str) -> Sequence[_Range]:
    return [each for each in ranges if each.takes(media_type)]


def _precision(range_: _Range) -> int:
    return range_.precision


def _ranges(accept: str) -> Iterator[_Range]:
    for member in accept.split(","):
        if found := _RANGE.fullmatch(member.strip()):
            weight = _WEIGHT.search(found["parameters"] or "")
            yield _Range(found["type"].lower(), found["subtype"].lower(), float(weight["q"]) if weight else 1.0)
