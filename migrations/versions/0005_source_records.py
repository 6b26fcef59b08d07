"""Records as their sources wrote them, and what imports find books and authors by.

Revision ID: 0005
Revises: 0004
"""

from collections.abc import Sequence

import sqlalchemy as sa
from advanced_alchemy.types import GUID
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    op.add_column("source", sa.Column("format", sa.String(), nullable=True))
    op.add_column("source", sa.Column("content", sa.LargeBinary(), nullable=True))
    op.create_table(
        "isbn",
        sa.Column("isbn", sa.String(), nullable=False),
        sa.Column("book_id", GUID(length=16), nullable=False),
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_isbn_book_id_book"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("isbn", "book_id", name=op.f("pk_isbn")),
    )
    op.create_table(
        "number",
        sa.Column("scheme", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("author_id", GUID(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["author.id"], name=op.f("fk_number_author_id_author"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scheme", "value", "author_id", name=op.f("pk_number")),
    )
    _fill("isbn", of="book", columns=("value",), where="scheme = 'isbn' AND")
    _fill("number", of="author", columns=("scheme", "value"))
    op.create_index(op.f("ix_isbn_book_id"), "isbn", ["book_id"])
    op.create_index(op.f("ix_number_author_id"), "number", ["author_id"])


def downgrade() -> None:
    """Go back to the version before."""
    op.drop_table("number")
    op.drop_table("isbn")
    op.drop_column("source", "content")
    op.drop_column("source", "format")


def _fill(table: str, *, of: str, columns: Sequence[str], where: str = "") -> None:
    """Note the valid identifiers of the records, each once."""
    if op.get_context().dialect.name == "sqlite":
        each = "json_each(identifiers) AS each"
        said = {name: f"each.value ->> '{name}'" for name in ("scheme", "value", "status")}
    else:
        each = "json_array_elements(identifiers) AS each"
        said = {name: f"each ->> '{name}'" for name in ("scheme", "value", "status")}
    numbers = ", ".join(f"{said[name]} AS {name}" for name in said)
    op.execute(
        f"INSERT INTO {table} SELECT DISTINCT {', '.join(columns)}, id "
        f"FROM (SELECT {of}.id, {numbers} FROM {of}, {each}) AS numbers WHERE {where} status = 'valid'"
    )
