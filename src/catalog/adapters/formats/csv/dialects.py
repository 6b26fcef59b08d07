"""Which column says what, for each kind of file that is known. A further kind is one more entry of DIALECTS."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import evolve, field, fields, frozen

from catalog.domain.errors import UnreadableFile

# The labels that Project Gutenberg uses, as MARC relator codes; "Unknown role" says nothing.
GUTENBERG_ROLES: Mapping[str, str | None] = {
    "adapter": "adp",
    "annotator": "ann",
    "author of introduction, etc.": "aui",
    "collaborator": "ctb",
    "commentator": "cwt",
    "compiler": "com",
    "contributor": "ctb",
    "editor": "edt",
    "illustrator": "ill",
    "performer": "prf",
    "photographer": "pht",
    "researcher": "res",
    "translator": "trl",
    "unknown role": None,
}


@frozen(kw_only=True)
class Dialect:
    """The columns of one kind of file; None where it has no such column.

    People stand in `authors`, the main author first, or in `author` (one name) and `contributors`.
    Lists are split at `separator`; a name may end in its role in brackets, translated by `roles`.
    Without a `key` column, a record is known again by all that it says.
    """

    name: str
    source: str | None = None
    title: str
    subtitle: str | None = None
    authors: str | None = None
    author: str | None = None
    contributors: str | None = None
    isbn: Sequence[str] = ()
    more: Mapping[str, Sequence[str]] = field(factory=dict[str, Sequence[str]])
    """The columns of other fields, by field, which are taken over where the file has them."""
    undivided: Collection[str] = ()
    """The fields of `more` that are lists, and of which a cell holds one."""
    published: str | None = None
    languages: str | None = None
    key: str | None = None
    separator: str = "; "
    roles: Mapping[str, str | None] = field(factory=dict[str, str | None])
    has_headings: bool = False
    """Whether people are entered as in a library: the surname first, and at last the years of life."""

    def columns(self) -> set[str]:
        """Return the columns that are taken over."""
        single = (getattr(self, name) for name in SINGLE_COLUMNS)
        return {column for column in (*single, *self.isbn) if column is not None}


SINGLE_COLUMNS = ("title", "subtitle", "authors", "author", "contributors", "published", "languages", "key")

MORE = ("publishers", "places", "edition", "series", "pages", "subjects", "description", "notes", "tags")
"""The other fields that have columns in plain files, under their own names."""

PLAIN = Dialect(
    name="plain",
    key="key",
    title="title",
    subtitle="subtitle",
    authors="authors",
    isbn=("isbn",),
    published="published",
    languages="languages",
    more={name: (name,) for name in MORE},
    undivided=("description", "edition", "pages"),
)

DIALECTS: Sequence[Dialect] = (
    Dialect(
        name="goodbooks-10k",
        source="goodbooks",
        key="book_id",
        title="title",
        authors="authors",
        separator=", ",
        isbn=("isbn", "isbn13"),
        published="original_publication_year",
        languages="language_code",
    ),
    Dialect(
        name="Goodreads library export",
        source="goodreads",
        key="Book Id",
        title="Title",
        author="Author",
        contributors="Additional Authors",
        separator=", ",
        isbn=("ISBN13", "ISBN"),
        published="Year Published",
        more={"publishers": ("Publisher",), "pages": ("Number of Pages",), "tags": ("Bookshelves",)},
        undivided=("publishers",),
    ),
    Dialect(
        name="Project Gutenberg catalogue",
        source="gutenberg",
        key="Text#",
        title="Title",
        authors="Authors",
        published="Issued",
        languages="Language",
        roles=GUTENBERG_ROLES,
        has_headings=True,
        more={"subjects": ("Subjects",), "classifications": ("LoCC",), "tags": ("Bookshelves",)},
    ),
    Dialect(
        name="Open Library reading log",
        source="openlibrary",
        key="Work ID",
        title="Title",
        authors="Authors",
        separator=" | ",
        published="First Publish Year",
        more={
            "subjects": ("Subjects", "Subject People", "Subject Places", "Subject Times"),
            "tags": ("Bookshelf",),
        },
        undivided=("tags",),
    ),
    PLAIN,
)
"""The dialects that are known by their header."""


def recognise(header: Sequence[str]) -> Dialect:
    """Return the dialect whose columns the header has; raise UnreadableFile for an unknown one."""
    present = set(header)
    for dialect in DIALECTS:
        if dialect is not PLAIN and dialect.columns() <= present:
            return dialect
    if PLAIN.title in present <= PLAIN.columns() | set(MORE):
        return only_present(PLAIN, present)
    known = "; ".join(f"{dialect.name} ({', '.join(sorted(dialect.columns()))})" for dialect in DIALECTS)
    alike = [f"{column}={column}" for column in header if column in PLAIN.columns()]
    raise UnreadableFile(
        f"no known file has these columns: {', '.join(header)[:500]}. Say which column is what, for instance "
        f"--map {','.join(alike) if f'{PLAIN.title}={PLAIN.title}' in alike else 'title=COLUMN,authors=COLUMN'}. "
        f"Known without it: {known}"
    )


def only_present(dialect: Dialect, present: Collection[str]) -> Dialect:
    """Return the dialect without the columns that the file does not have."""
    missing: dict[str, Any] = {
        name: None for name in SINGLE_COLUMNS if (column := getattr(dialect, name)) and column not in present
    }
    return evolve(dialect, **missing, isbn=tuple(column for column in dialect.isbn if column in present))


def dialect_from_mapping(mapping: str, *, separator: str) -> Dialect:
    """Return the dialect that `title=Title,authors=Author` describes; raise UnreadableFile where it makes no sense."""
    if not separator.strip():
        raise UnreadableFile("--separator needs at least one character that is not white space")
    pairs = [pair.partition("=") for pair in mapping.split(",")]
    columns: dict[str, Any] = {name.strip(): column.strip() for name, _, column in pairs}
    known = {f.name for f in fields(Dialect)} & {*SINGLE_COLUMNS, "isbn"}
    if wrong := [name for name, column in columns.items() if name not in known or not column]:
        raise UnreadableFile(
            f"--map {mapping}: {', '.join(wrong)} is not a field with a column; "
            f"write FIELD=COLUMN,… with the fields {', '.join(sorted(known))}"
        )
    if "title" not in columns:
        raise UnreadableFile(f"--map {mapping}: say which column holds the title, title=COLUMN")
    isbn = tuple(column for column in [columns.pop("isbn", None)] if column)
    return Dialect(name="--map", separator=separator, isbn=isbn, **columns)
