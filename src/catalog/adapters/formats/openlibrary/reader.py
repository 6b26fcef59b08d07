"""Lines of a dump to drafts of books.

A line has five columns, divided by tabs: the type of the record, its key, its revision, when that was, and the record
as JSON. Editions are books. Lines of authors and of works yield nothing, and are remembered, for editions name their
authors by key: they have to come first, in the same file or another. Other types (redirects, deleted records,
languages, pages of the site) are no books and yield nothing either; what is no line of a dump at all is refused.
"""

from collections.abc import Generator, Iterator
from hashlib import sha256
from typing import Any, BinaryIO

from attrs import field, frozen

from catalog.adapters.formats.common import lines_of, object_in
from catalog.domain.books import SourceRecord
from catalog.domain.errors import InvalidValue, UnreadableFile
from catalog.domain.sources import Entry

from .mapping import draft_of
from .people import Known

FORMAT = "openlibrary"
SOURCE = "openlibrary"
"""Whose keys they are, whatever the file is called."""

LONGEST_LINE = 10_000_000
"""Bytes."""

LONGEST_KEY = 200
"""Characters."""

_COLUMNS = 5
_AUTHOR, _WORK, _EDITION = b"/type/author", b"/type/work", b"/type/edition"
_MOST_STRANGE = 100
"""After how many lines, none of them of a dump, the file is none."""


@frozen(kw_only=True)
class OpenLibraryReader:
    """Reads dumps of editions, or of everything.

    An edition is told again by its key (OL1M), of the source `openlibrary`; without one, by what it says, of `source`.
    """

    source: str = SOURCE
    known: Known = field(factory=Known)
    """What earlier lines told, in this file or another of the same run."""

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each edition says; `line` is its line in the file."""
        is_dump = False
        strange: list[Entry] = []
        for number, line in enumerate(lines_of(content, LONGEST_LINE), 1):
            columns = line.rstrip(b"\r\n").split(b"\t", _COLUMNS - 1)
            if len(line) < LONGEST_LINE and not line.strip():
                continue
            if len(columns) < _COLUMNS or not columns[0].startswith(b"/type/"):
                refused = Entry(line=number, refusal="is no line of a dump: it has no five columns, the first a type")
            elif len(line) >= LONGEST_LINE:
                refused = Entry(line=number, refusal=f"is longer than {LONGEST_LINE:,} bytes, so it is no record")
            else:
                is_dump = True
                yield from strange
                strange.clear()
                yield from self._entries(number, columns)
                continue
            strange.append(refused)
            if is_dump:
                yield strange.pop()
            elif len(strange) >= _MOST_STRANGE:
                break
        if not is_dump:
            raise UnreadableFile("the file has no line of a dump of Open Library: type, key, revision, time, JSON")

    def _entries(self, number: int, columns: list[bytes]) -> Iterator[Entry]:
        kind, given, content = columns[0], columns[1].decode("utf-8", "replace"), columns[-1]
        if kind not in (_AUTHOR, _WORK, _EDITION):
            return
        own = given.removeprefix("/books/").strip() if kind == _EDITION else given
        try:
            said = object_in(content)
        except InvalidValue as error:
            yield Entry(line=number, key=own[:LONGEST_KEY], refusal=str(error))
            return
        if kind == _AUTHOR:
            self.known.meet(given, said)
        elif kind == _WORK:
            self.known.meet_work(given, said)
        else:
            yield self._edition(number, own, b"\t".join(columns), said)

    def _edition(self, number: int, own: str, line: bytes, said: dict[str, Any]) -> Entry:
        is_own = 0 < len(own) <= LONGEST_KEY
        source, key = (SOURCE, own) if is_own else (self.source, sha256(line).hexdigest())
        origin = SourceRecord(source, key, FORMAT, line)
        warnings: list[str] = []
        try:
            draft = draft_of(said, origin, self.known, warnings, has_own_key=is_own)
        except InvalidValue as error:
            return Entry(line=number, key=key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=number, key=key, draft=draft, warnings=tuple(warnings))
