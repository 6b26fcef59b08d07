"""Products of ONIX to drafts of books."""

from collections.abc import Generator
from hashlib import sha256
from typing import BinaryIO

from attrs import frozen

from catalog.domain.books import SourceRecord
from catalog.domain.errors import InvalidValue
from catalog.domain.sources import Entry

from .codes import NO_BOOKS
from .elements import text_of
from .mapping import draft_of
from .products import Product, products_of

FORMAT = "onix"
LONGEST_KEY = 200
"""Characters."""


@frozen(kw_only=True)
class OnixReader:
    """Reads messages of ONIX; a product is told again by the reference that its sender gave it."""

    source: str

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each product says; `line` is its number in the file."""
        for product in products_of(content):
            yield self._entry(product)

    def _entry(self, product: Product) -> Entry:
        number, element = product.number, product.element
        if element is None:
            return Entry(line=number, refusal=product.broken)
        reference = text_of(element, "recordreference")
        is_own = 0 < len(reference) <= LONGEST_KEY
        key = reference if is_own else sha256(product.content).hexdigest()
        notice = text_of(element, "notificationtype")
        if notice in NO_BOOKS:
            return Entry(line=number, key=key, refusal=NO_BOOKS[notice])
        origin = SourceRecord(self.source, key, FORMAT, product.content)
        warnings: list[str] = []
        try:
            draft = draft_of(element, origin, warnings, has_own_key=is_own)
        except InvalidValue as error:
            return Entry(line=number, key=key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=number, key=key, draft=draft, warnings=tuple(warnings))
