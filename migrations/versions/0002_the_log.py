"""The log: a revision for whatever happens to a record; sources become a part of their books.

What stands already gets one revision each, so that the log alone tells how every record stands.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22 21:40:00
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from typing import Any

import sqlalchemy as sa
from advanced_alchemy.types import GUID, DateTimeUTC
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHUNK = 1000


def where(condition: str) -> dict[str, sa.TextClause]:
    """Make an index of the rows alone for which that holds."""
    return {f"{database}_where": sa.text(condition) for database in ("sqlite", "postgresql")}


def upgrade() -> None:
    """Go to this version."""
    log = op.create_table(
        "log",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("at", DateTimeUTC(timezone=True), nullable=True),
        sa.Column("authors", sa.Integer(), nullable=False),
        sa.Column("books", sa.Integer(), nullable=False),
        sa.Column("follows", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log")),
    )
    revisions = op.create_table(
        "revision",
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", GUID(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("group", GUID(length=16), nullable=True),
        sa.Column("into", GUID(length=16), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("withheld", sa.String(), nullable=True),
        sa.Column("at", DateTimeUTC(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_revision")),
    )
    op.create_table(
        "receipt",
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", GUID(length=16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("left_alone", sa.Text(), nullable=False),
        sa.Column("is_unmerge", sa.Boolean(), nullable=False),
        sa.Column("at", DateTimeUTC(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "key", name=op.f("pk_receipt")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_at"), ["at"], unique=False)
    _number_sources()
    if op.get_context().as_sql:
        # SQL that is written down in advance can not know what stands: it is for an empty catalogue.
        op.execute("INSERT INTO log (id, seq, authors, books) VALUES (1, 0, 0, 0)")
    else:
        _begin_log(log, revisions)
    # Last, for filling a table is quicker without them.
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index("ix_revision_id_version", ["id", "version"], unique=True)
        batch_op.create_index("ix_revision_seq_of_authors", ["seq"], unique=False, **where("kind = 'author'"))
        batch_op.create_index("ix_revision_group_seq", ["group", "seq"], unique=False, **where('"group" IS NOT NULL'))
        batch_op.create_index("ix_revision_into", ["into"], unique=False, **where('"into" IS NOT NULL'))


def downgrade() -> None:
    """Go back to the version before. The history is lost; how records stand is kept."""
    op.drop_table("receipt")
    op.drop_table("revision")
    op.drop_table("log")
    _remake_sources([], "source, key, book_id")


def _number_sources() -> None:
    """Make sources a list in each book."""
    _remake_sources(
        [sa.Column("position", sa.Integer(), nullable=False)],
        "source, key, book_id, row_number() OVER (PARTITION BY book_id ORDER BY source, key) - 1",
    )


def _remake_sources(more: list[sa.Column], values: str) -> None:
    """Make the table anew, with more columns, and fill it from the old one (in SQL that can be written down)."""
    # Copied, not renamed: in PostgreSQL, its constraints would keep the names that the new table's need.
    op.execute("CREATE TABLE source_before AS SELECT * FROM source")
    op.drop_table("source")
    op.create_table(
        "source",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("book_id", GUID(length=16), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["book_id"], ["book.id"], name=op.f("fk_source_book_id_book"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("source", "key", name=op.f("pk_source")),
    )
    op.execute(f"INSERT INTO source SELECT {values} FROM source_before")
    op.drop_table("source_before")
    with op.batch_alter_table("source", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_source_book_id"), ["book_id"], unique=False)


def _parts(connection: sa.Connection, table: sa.TableClause) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows in the order of their ids, and keep no query open: the next migration may change the table."""
    statement = sa.select(table).order_by(table.c.id).limit(CHUNK)
    part = [dict(row) for row in connection.execute(statement).mappings()]
    while part:
        yield part
        part = [dict(row) for row in connection.execute(statement.where(table.c.id > part[-1]["id"])).mappings()]


def _begin_log(log: sa.Table, revisions: sa.Table) -> None:
    """Write one revision for each record that stands, authors first, for books name them."""
    connection = op.get_bind()
    seq = count(1)
    author, book, contributor, source = _tables()
    totals = {}
    last = None
    for kind, table in (("author", author), ("book", book)):
        totals[kind] = 0
        for records in _parts(connection, table):
            if kind == "book":
                ids = [record["id"] for record in records]
                for name, children in (("contributors", contributor), ("sources", source)):
                    of = _children(connection, children, ids)
                    for record in records:
                        record[name] = of[record["id"]]
            entries = [_entry(kind, record, next(seq)) for record in records]
            connection.execute(sa.insert(revisions), entries)
            totals[kind] += len(entries)
            last = entries[-1]
    connection.execute(
        sa.insert(log).values(
            id=1,
            seq=last["seq"] if last else 0,
            at=last["at"] if last else None,
            authors=totals["author"],
            books=totals["book"],
        )
    )


def _table(name: str, /, **columns: object) -> sa.TableClause:
    return sa.table(name, *(sa.column(key, kind) for key, kind in columns.items()))


def _tables() -> tuple[sa.TableClause, ...]:
    """Return the tables as this migration finds them, without what is computed."""
    id, text, number, time = GUID(length=16), sa.String(), sa.Integer(), DateTimeUTC(timezone=True)
    record = {"id": id, "version": number, "created_at": time, "updated_at": time}
    titles = {"title": text, "subtitle": text, "isbn": text, "published": text}
    author = _table("author", name=text, dob=sa.Date(), **record)
    book = _table("book", **titles, author_id=id, languages=sa.JSON(), **record)
    contributor = _table("contributor", book_id=id, position=number, author_id=id, role=text)
    source = _table("source", book_id=id, position=number, source=text, key=text)
    return author, book, contributor, source


def _children(connection: sa.Connection, table: sa.TableClause, ids: list[object]) -> dict[object, list[object]]:
    children = defaultdict(list)
    statement = sa.select(table).where(table.c.book_id.in_(ids)).order_by(table.c.book_id, table.c.position)
    for row in connection.execute(statement).mappings():
        children[row["book_id"]].append({k: v for k, v in row.items() if k not in {"book_id", "position"}})
    return children


def _entry(kind: str, record: dict[str, object], seq: int) -> dict[str, object]:
    return {
        "seq": seq,
        "kind": kind,
        "id": record["id"],
        "version": record["version"],
        "operation": "create",
        "actor": "migration",
        "after": json.dumps(record, default=_text, ensure_ascii=False),
        "at": record["updated_at"],
    }


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
