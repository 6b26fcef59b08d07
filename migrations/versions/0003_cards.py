"""Cards, by which books are found and ordered.

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from advanced_alchemy.types import GUID
from alembic import op

from catalog.domain.books import Book
from catalog.domain.search import Indexed, SearchField
from catalog.domain.text import sort_key
from catalog.domain.values import Isbn, PartialDate

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNKNOWN_LAST = 2**31 - 1
NOBODY_UP, NOBODY_DOWN = "\U0010ffff", ""
NUMBER_BITS = 53
CHUNK = 1000
FIELDS = "title, subtitle, author, isbn"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SORTED = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Go to this version."""
    for name, unknown in (("published_up", UNKNOWN_LAST), ("published_down", -UNKNOWN_LAST)):
        op.add_column("book", sa.Column(name, sa.Integer(), nullable=False, server_default=str(unknown)))
    op.create_table(
        "card",
        sa.Column("place", BIG, autoincrement=False, nullable=False),
        sa.Column("book_id", GUID(length=16), nullable=False),
        sa.Column("author_up", SORTED, nullable=False),
        sa.Column("author_down", SORTED, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("subtitle", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("isbn", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_card_book_id_book"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_card")),
        sa.UniqueConstraint("book_id", name=op.f("uq_card_book_id")),
    )
    is_sqlite = op.get_context().dialect.name == "sqlite"
    (_index_in_sqlite if is_sqlite else _index_in_postgresql)()
    if not op.get_context().as_sql:
        _fill()
    for name in ("published_up", "published_down", "created_at", "updated_at"):
        op.create_index(f"ix_book_{name}_id", "book", [name, "id"])
    for name in ("created_at", "updated_at"):
        op.create_index(f"ix_author_{name}_id", "author", [name, "id"])
    for name in ("author_up", "author_down"):
        op.create_index(f"ix_card_{name}_book_id", "card", [name, "book_id"])


def downgrade() -> None:
    """Go back to the version before."""
    for name in ("created_at", "updated_at"):
        op.drop_index(f"ix_author_{name}_id", "author")
    for name in ("published_up", "published_down", "created_at", "updated_at"):
        op.drop_index(f"ix_book_{name}_id", "book")
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE card_words_vocabulary")
        op.execute("DROP TABLE card_words")
        op.drop_table("card")
    else:
        op.drop_table("card")
        op.execute("DROP TABLE card_words")
        op.execute("DROP FUNCTION card_document, card_words_noted")
        op.execute("DROP INDEX IF EXISTS ix_author_sort_key_trigrams, ix_book_sort_key_trigrams")
    for name in ("published_up", "published_down"):
        op.drop_column("book", name)


def _index_in_sqlite() -> None:
    """Index the words, which stand between spaces, as they are."""
    # Every ASCII character that is neither a letter nor a digit; all others belong to words anyway.
    marks = "".join(chr(code) for code in range(33, 127) if not chr(code).isalnum())
    tokenizer = f"ascii tokenchars '{marks.replace(chr(39), chr(39) * 2)}'".replace('"', '""').replace("'", "''")
    options = f"content='card', content_rowid='place', columnsize=0, tokenize='{tokenizer}'"
    op.execute(_plain(f"CREATE VIRTUAL TABLE card_words USING fts5({FIELDS}, {options})"))
    op.execute("CREATE VIRTUAL TABLE card_words_vocabulary USING fts5vocab('card_words', 'row')")
    put = f"INSERT INTO card_words (rowid, {FIELDS}) VALUES (new.place, {_of('new')});"
    take = f"INSERT INTO card_words (card_words, rowid, {FIELDS}) VALUES ('delete', old.place, {_of('old')});"
    for event, body in (("INSERT", put), ("DELETE", take), ("UPDATE", take + put)):
        op.execute(f"CREATE TRIGGER card_words_{event.lower()} AFTER {event} ON card BEGIN {body} END")


def _plain(statement: str) -> sa.TextClause:
    """Return the statement, whose colons begin no parameters."""
    return sa.text(statement.replace(":", r"\:"))


def _of(row: str) -> str:
    return ", ".join(f"{row}.{name}" for name in FIELDS.split(", "))


def _index_in_postgresql() -> None:
    """Index the words as they are, each field with a weight of its own, and no phrase from one field into the next."""
    fields = " UNION ALL ".join(
        f"SELECT word, {place * 2000} + n AS position, '{weight}' AS weight "
        f"FROM unnest(string_to_array({name}, ' ')) WITH ORDINALITY AS words (word, n)"
        for place, (name, weight) in enumerate(zip(FIELDS.split(", "), "ABCD", strict=True))
    )
    lexeme = r"'''' || replace(replace(word, '\', '\\'), '''', '''''') || ''':' || position || weight"
    op.execute(
        _plain(
            "CREATE FUNCTION card_document(title text, subtitle text, author text, isbn text) RETURNS tsvector "
            "LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ "
            f"SELECT coalesce(string_agg({lexeme}, ' '), '')::tsvector FROM ({fields}) AS found $$"
        )
    )
    op.execute(f"ALTER TABLE card ADD COLUMN document tsvector GENERATED ALWAYS AS (card_document({FIELDS})) STORED")
    op.execute("CREATE INDEX ix_card_document ON card USING gin (document)")
    # Which words there are: a tsvector does not tell without being read whole. Words that are gone stay until they are
    # asked for, and are left out then.
    op.execute('CREATE TABLE card_words (word text COLLATE "C" PRIMARY KEY)')
    op.execute(
        "CREATE FUNCTION card_words_noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO card_words SELECT DISTINCT word "
        f"FROM unnest(string_to_array(concat_ws(' ', {_of('new')}), ' ')) AS words (word) WHERE word <> '' "
        "ON CONFLICT DO NOTHING; RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER card_words_noted AFTER INSERT OR UPDATE ON card "
        "FOR EACH ROW EXECUTE FUNCTION card_words_noted()"
    )
    # For [contains]. A database whose owner may not create the extension does without, and reads every record for it.
    op.execute(
        "DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS pg_trgm; "
        "CREATE INDEX ix_author_sort_key_trigrams ON author USING gin (sort_key gin_trgm_ops); "
        "CREATE INDEX ix_book_sort_key_trigrams ON book USING gin (sort_key gin_trgm_ops); "
        "EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN "
        "RAISE WARNING 'there is no extension pg_trgm here: [contains] will look at every record'; END $$"
    )


def _fill() -> None:
    connection = op.get_bind()
    book, author, contributor, log, card = _tables()
    names = {row.id: row.name for row in connection.execute(sa.select(author.c.id, author.c.name))}
    first = sa.select(log.c.id, sa.func.min(log.c.seq)).where(log.c.kind == "book").group_by(log.c.id)
    numbers = {id: seq for id, seq in connection.execute(first)}  # noqa: C416 - dict() would ask it for keys
    others = {
        id: [row.author_id for row in rows]
        for id, rows in groupby(
            connection.execute(sa.select(contributor).order_by(contributor.c.book_id, contributor.c.position)),
            lambda row: row.book_id,
        )
    }
    for rows in _parts(connection, sa.select(book)):
        cards, dates = [], []
        for row in rows:
            ids = dict.fromkeys([*([row.author_id] if row.author_id else []), *others.get(row.id, ())])
            cards.append(_card(row, [names[id] for id in ids], numbers[row.id], names.get(row.author_id)))
            if row.published is not None:
                dates.append({"of": row.id, "first": PartialDate(row.published).first})
        connection.execute(sa.insert(card), cards)
        if dates:
            first = sa.bindparam("first")
            changed = sa.update(book).where(book.c.id == sa.bindparam("of"))
            connection.execute(changed.values(published_up=first, published_down=first), dates)


def _card(row: Any, names: list[str], number: int, author: str | None) -> dict[str, Any]:
    told = Book(
        id=row.id,
        title=row.title,
        subtitle=row.subtitle,
        author_id=None,
        isbn=None if row.isbn is None else Isbn(row.isbn),
        created_at=row.created_at,
        updated_at=row.created_at,
    )
    indexed = Indexed.of(told, names)
    return {
        "place": indexed.title_words << NUMBER_BITS | number,
        "book_id": row.id,
        "author_up": NOBODY_UP if author is None else sort_key(author),
        "author_down": NOBODY_DOWN if author is None else sort_key(author),
        **{field.value: indexed.text(field) for field in SearchField},
    }


def _parts(connection: sa.Connection, statement: sa.Select) -> Iterator[Any]:
    # All ids first: whoever reads and writes by turns may not read on.
    columns = statement.selected_columns
    ids = list(connection.scalars(statement.with_only_columns(columns["id"])))
    for start in range(0, len(ids), CHUNK):
        yield connection.execute(statement.where(columns["id"].in_(ids[start : start + CHUNK]))).all()


def _tables() -> tuple[sa.TableClause, ...]:
    id_, text = GUID(length=16), sa.String()
    book = sa.table(
        "book",
        sa.column("id", id_),
        sa.column("title", text),
        sa.column("subtitle", text),
        sa.column("author_id", id_),
        sa.column("isbn", text),
        sa.column("published", text),
        sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("published_up", sa.Integer()),
        sa.column("published_down", sa.Integer()),
    )
    author = sa.table("author", sa.column("id", id_), sa.column("name", text))
    contributor = sa.table(
        "contributor", sa.column("book_id", id_), sa.column("position", sa.Integer()), sa.column("author_id", id_)
    )
    log = sa.table("revision", sa.column("seq", BIG), sa.column("kind", text), sa.column("id", id_))
    card = sa.table(
        "card",
        sa.column("place", BIG),
        sa.column("book_id", id_),
        *(sa.column(name, text) for name in ("author_up", "author_down", *FIELDS.split(", "))),
    )
    return book, author, contributor, log, card
