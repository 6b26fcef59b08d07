"""The name under which a book names a contributor, where it is another than the author's.

Revision ID: 0006
Revises: 0005
"""

from datetime import UTC, datetime
from itertools import groupby
from uuid import UUID

import sqlalchemy as sa
from advanced_alchemy.types import GUID
from alembic import op

from catalog.domain.books import Book
from catalog.domain.search import Indexed, SearchField

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this version."""
    op.add_column("contributor", sa.Column("credited_as", sa.String(), nullable=True))


def downgrade() -> None:
    """Go back to the version before."""
    if not op.get_context().as_sql:
        _take_from_cards()
    op.drop_column("contributor", "credited_as")


def _take_from_cards() -> None:
    """Let no book be found by a name that is not there any more."""
    connection, id_, text = op.get_bind(), GUID(length=16), sa.String()
    author = sa.table("author", sa.column("id", id_), sa.column("name", text))
    book = sa.table("book", sa.column("id", id_), sa.column("author_id", id_))
    columns = ("book_id", id_), ("position", sa.Integer()), ("author_id", id_), ("credited_as", text)
    contributor = sa.table("contributor", *(sa.column(name, type_) for name, type_ in columns))
    card = sa.table("card", sa.column("book_id", id_), sa.column("author", text))
    credited = sa.select(contributor.c.book_id).where(contributor.c.credited_as.is_not(None))
    main = sa.select(book.c.id.label("book_id"), sa.literal(-1).label("position"), author.c.id, author.c.name)
    others = sa.select(contributor.c.book_id, contributor.c.position, author.c.id, author.c.name)
    people = sa.union_all(
        main.join_from(book, author, author.c.id == book.c.author_id).where(book.c.id.in_(credited)),
        others.join_from(contributor, author, author.c.id == contributor.c.author_id).where(
            contributor.c.book_id.in_(credited)
        ),
    ).order_by("book_id", "position")
    cards = []
    for id, named in groupby(connection.execute(people), lambda row: row.book_id):
        names = {row.id: row.name for row in named}
        cards.append({"of": id, "words": _words_of(list(names.values()))})
    if cards:
        changed = sa.update(card).where(card.c.book_id == sa.bindparam("of"))
        connection.execute(changed.values(author=sa.bindparam("words")), cards)


def _words_of(names: list[str]) -> str:
    never = datetime(1, 1, 1, tzinfo=UTC)
    nothing = Book(id=UUID(int=0), title="x", author_id=None, created_at=never, updated_at=never)
    return Indexed.of(nothing, names).text(SearchField.AUTHOR)
