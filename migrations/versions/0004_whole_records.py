"""The whole of a record: what catalogues of libraries, booksellers and readers say of books and authors.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SORTED = sa.String().with_variant(sa.String(collation="C"), "postgresql")
AUTHOR_TEXTS = ("sort_name", "kind", "birth", "death")
AUTHOR_LISTS = ("variants", "identifiers")
BOOK_TEXTS = ("edition", "extent", "responsibility")
BOOK_LISTS = (
    "identifiers",
    "publishers",
    "places",
    "series",
    "subjects",
    "classifications",
    "notes",
    "links",
    "tags",
)


def upgrade() -> None:
    """Go to this version."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    op.add_column("author", sa.Column("name_key", SORTED, nullable=False, server_default=""))
    for table, texts, lists in (("author", AUTHOR_TEXTS, AUTHOR_LISTS), ("book", BOOK_TEXTS, BOOK_LISTS)):
        for name in texts:
            op.add_column(table, sa.Column(name, sa.String(), nullable=True))
        for name in lists:
            op.add_column(table, sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("book", sa.Column("pages", sa.Integer(), nullable=True))
    op.add_column("book", sa.Column("description", sa.Text(), nullable=True))
    # Until now authors were ordered by their names, and a book had one identifier at most.
    day = "dob" if is_sqlite else "to_char(dob, 'YYYY-MM-DD')"
    op.execute(f"UPDATE author SET name_key = sort_key, birth = {day}")
    identifiers = """'[{"scheme":"isbn","value":"' || isbn || '","as_given":null,"status":"valid"}]'"""
    said = identifiers if is_sqlite else f"CAST({identifiers} AS JSON)"
    op.execute(sa.text(f"UPDATE book SET identifiers = {said} WHERE isbn IS NOT NULL".replace(":", r"\:")))
    op.create_index("ix_author_name_key_id", "author", ["name_key", "id"])
    if not is_sqlite:
        _index_parts("name_key", instead_of="sort_key")


def downgrade() -> None:
    """Go back to the version before."""
    # Which orders by names alone.
    named = "FROM author JOIN book ON author.id = author_id WHERE book.id = book_id AND sort_name IS NOT NULL"
    key = f"SELECT name_key {named}"
    op.execute(f"UPDATE card SET author_up = ({key}), author_down = ({key}) WHERE EXISTS ({key})")
    op.execute("UPDATE author SET sort_key = name_key")
    if op.get_context().dialect.name != "sqlite":
        _index_parts("sort_key", instead_of="name_key")
    op.drop_index("ix_author_name_key_id", "author")
    for name in ("pages", "description", *BOOK_TEXTS, *BOOK_LISTS):
        op.drop_column("book", name)
    for name in ("name_key", *AUTHOR_TEXTS, *AUTHOR_LISTS):
        op.drop_column("author", name)


def _index_parts(key: str, *, instead_of: str) -> None:
    """Index the parts of names for [contains], where the database has what that takes (migration 0003)."""
    op.execute(f"DROP INDEX IF EXISTS ix_author_{instead_of}_trigrams")
    op.execute(
        "DO $$ BEGIN "
        f"CREATE INDEX ix_author_{key}_trigrams ON author USING gin ({key} gin_trgm_ops); "
        "EXCEPTION WHEN undefined_object THEN NULL; END $$"
    )
