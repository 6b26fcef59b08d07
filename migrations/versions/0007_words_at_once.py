"""SQLite: the words of new cards are put into their index by whoever writes the cards, many at once.

A trigger puts them there one by one, and FTS5 writes a part of its index for each.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_FIELDS = ("title", "subtitle", "author", "isbn")


def upgrade() -> None:
    """Go to this version."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER card_words_insert")


def downgrade() -> None:
    """Go back to the version before."""
    if op.get_context().dialect.name == "sqlite":
        new = ", ".join(f"new.{name}" for name in _FIELDS)
        put = f"INSERT INTO card_words (rowid, {', '.join(_FIELDS)}) VALUES (new.place, {new});"
        op.execute(f"CREATE TRIGGER card_words_insert AFTER INSERT ON card BEGIN {put} END")
