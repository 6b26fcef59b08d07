"""Rows to drafts of books."""

import csv
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from hashlib import sha256
from io import StringIO
from typing import Any, BinaryIO

from attrs import evolve, fields_dict, frozen

from catalog.adapters.formats.common import fitting
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Classification, SourceRecord, Subject
from catalog.domain.constraints import checked
from catalog.domain.errors import InvalidValue, UnreadableFile
from catalog.domain.sources import BookDraft, DraftContributor, Entry
from catalog.domain.values import Scheme

from . import cells
from .dialects import Dialect, recognise
from .rows import Row, rows_of

FORMAT = "csv"
"""What the bytes of its records are: the header, and the row."""

LONGEST_KEY = 200
"""Characters of a key that are kept as they are; of what is longer, a digest stands for the rest."""

_UNDECODED = re.compile("[\udc80-\udcff]")


@frozen(kw_only=True)
class CsvReader:
    """Reads CSV files; without a dialect, it is recognised by the header.

    `source` names the source where the dialect does not: usually the name of the file.
    """

    source: str
    dialect: Dialect | None = None
    encoding: str = "utf-8-sig"

    def read(self, content: BinaryIO, /) -> Generator[Entry]:
        """Yield what each row says."""
        with closing(rows_of(content, self.encoding)) as rows:
            header = _header(next(rows, None))
            dialect = self._dialect(header)
            for row in rows:
                yield self._entry(row, header, dialect)

    def _dialect(self, header: tuple[str, ...]) -> Dialect:
        if self.dialect is None:
            if _UNDECODED.search("".join(header)):
                raise UnreadableFile(
                    f"the first line is not in the encoding {self.encoding.removesuffix('-sig')}; "
                    "name another with --encoding, for instance --encoding latin-1"
                )
            return recognise(header)
        if missing := self.dialect.columns() - set(header):
            raise UnreadableFile(
                f"the file has no column {', '.join(sorted(missing))}; its columns are {', '.join(header)[:500]}"
            )
        return self.dialect

    def _entry(self, row: Row, header: tuple[str, ...], dialect: Dialect) -> Entry:
        if row.broken:
            return Entry(line=row.line, refusal=row.broken)
        if len(row.cells) != len(header):
            return Entry(line=row.line, refusal=f"has {len(row.cells)} cells, and the header has {len(header)}")
        said = dict(zip(header, row.cells, strict=True))
        key, has_own_key = _key(said, dialect)
        if _UNDECODED.search("".join(row.cells)):
            return Entry(
                line=row.line,
                key=key,
                refusal=f"is not in the encoding {self.encoding.removesuffix('-sig')}; "
                "if the whole file is in another, run again with --encoding, for instance --encoding latin-1",
            )
        warnings: list[str] = []
        try:
            origin = SourceRecord(dialect.source or self.source, key, FORMAT, _written(header, row.cells))
            draft = evolve(_draft(said, origin, dialect, warnings), has_own_key=has_own_key)
        except InvalidValue as error:
            return Entry(line=row.line, key=key, refusal=str(error), warnings=tuple(warnings))
        return Entry(line=row.line, key=key, draft=draft, warnings=tuple(warnings))


def _header(row: Row | None) -> tuple[str, ...]:
    if row is None:
        raise UnreadableFile("the file is empty; a first line with the names of the columns is needed")
    if row.broken:
        raise UnreadableFile(f"the first line should name the columns, and it is {row.broken}")
    header = tuple(cell.strip() for cell in row.cells)
    if twice := sorted({column for column in header if column and header.count(column) > 1}):
        raise UnreadableFile(f"the first line names {', '.join(twice)} twice")
    return header


def _key(said: Mapping[str, str], dialect: Dialect) -> tuple[str, bool]:
    """Return what tells the row again, and whether the file says it."""
    if dialect.key and (key := cells.one_line(said[dialect.key])):
        return key if len(key) <= LONGEST_KEY else f"{key[:LONGEST_KEY]} {_digest(key)}", True
    return _digest("\x1f".join(said.values())), False


def _written(*rows: Sequence[str]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _draft(said: Mapping[str, str], origin: SourceRecord, dialect: Dialect, warnings: list[str]) -> BookDraft:
    def cell(column: str | None) -> str:
        return said[column] if column else ""

    title = cell(dialect.title).strip()
    if not title:
        raise InvalidValue("has no title")
    if (lines := len(title.splitlines())) > 1:
        warnings.append(f"title of {lines} lines joined into one")
    author, contributors = _people(cell, dialect, warnings)
    values = {
        "title": cells.one_line(title),
        "subtitle": cells.one_line(cell(dialect.subtitle)) or None,
        "identifiers": cells.isbns_of([cell(column) for column in dialect.isbn], dialect.separator, warnings),
        "published": cells.date_of(cell(dialect.published), warnings),
        "languages": cells.languages_of(cell(dialect.languages), dialect.separator, warnings),
    }
    details: dict[str, Any] = {name: _named(BookDetails, name, value) for name, value in values.items()}
    return BookDraft(
        origin=origin,
        details=BookDetails(author_id=None, **details).amended(_more(said, dialect, warnings)),
        author=author,
        contributors=_named(BookDraft, "contributors", tuple(contributors)),
    )


def _more(said: Mapping[str, str], dialect: Dialect, warnings: list[str]) -> dict[str, Any]:
    """Return what the other columns say, as far as their fields take it."""
    values: dict[str, Any] = {"title": "-"}
    for name, columns in dialect.more.items():
        texts = [text for column in columns if (text := cells.one_line(said.get(column, "")))]
        divided = [part for text in texts for part in cells.parts_of(text, dialect.separator)]
        if parts := texts if name in dialect.undivided else divided:
            values[name] = _MAKE[name](parts) if name in _MAKE else parts
    told = fitting(values, warnings)
    return {name: getattr(told, name) for name in values if name != "title"}


_MAKE: Mapping[str, Callable[[Sequence[str]], Any]] = {
    "edition": lambda parts: parts[0],
    "description": lambda parts: parts[0],
    "pages": lambda parts: cells.number_of(parts[0]),
    "series": cells.series_of,
    "subjects": lambda parts: [Subject(term=part[:500]) for part in parts],
    "classifications": lambda parts: [Classification(scheme=Scheme("lcc"), value=part[:200]) for part in parts],
}


def _people(
    cell: Callable[[str | None], str], dialect: Dialect, warnings: list[str]
) -> tuple[AuthorDetails | None, Sequence[DraftContributor]]:
    """Return the main author, or None where the row names nobody, and then everybody else."""
    main = [cells.somebody(name)] if (name := cells.one_line(cell(dialect.author))) else []
    others = [
        person
        for column in (dialect.authors, dialect.contributors)
        for person in cells.people_of(
            cell(column), dialect.separator, dialect.roles, warnings, is_heading=dialect.has_headings
        )
    ]
    if not (everybody := main + others):
        return None, ()
    if (role := everybody[0].role) is not None and not dialect.roles and str(role) not in ("aut", "cre"):
        return everybody[0].author, everybody  # as we write who is entered, and did that
    if everybody[0].role is not None:
        warnings.append(f"role {everybody[0].role} of the main author left out")
    return everybody[0].author, everybody[1:]


def _named(cls: type[Any], name: str, value: Any) -> Any:
    """Return the value as its field keeps it, or raise InvalidValue naming the field."""
    try:
        return checked(fields_dict(cls)[name], value)
    except InvalidValue as error:
        raise InvalidValue(f"{name} {error.rule}") from None
