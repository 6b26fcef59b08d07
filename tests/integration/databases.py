"""SQLite files seen from outside the service, and migrations that only tests have."""

import re
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, closing
from datetime import date
from pathlib import Path
from textwrap import indent
from typing import Any

from advanced_alchemy.alembic.commands import AlembicCommands
from alembic.script import ScriptDirectory
from attrs import evolve

from catalog.adapters.sql import migrations
from catalog.adapters.sql.sqlite.database import migration_config
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Contributor, SourceRecord
from catalog.domain.identifiers import Identifier
from catalog.domain.kinds import Kind
from catalog.domain.ports import Storage
from catalog.domain.receipts import Receipt
from catalog.domain.values import Isbn, Language, PartialDate, Role, Scheme
from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage
from catalog.testing.doubles import Cataloguers

REVISIONS = [script.revision for script in ScriptDirectory(str(migrations.folder())).walk_revisions()][::-1]
"""The migrations from the first to the newest."""


def opened(path: Path, **settings: Any) -> AbstractAsyncContextManager[Storage]:
    """Open a catalogue in a SQLite file."""
    return open_storage(Settings(storage=f"sqlite:///{path}", **settings))


def run_sql(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement as somebody else with the same file would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(sql).fetchall()


def tables(path: Path) -> set[str]:
    """The names of the tables."""
    return {name for (name,) in run_sql(path, "SELECT name FROM sqlite_master WHERE type = 'table'")}


def content(path: Path) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Every row of every table but the version's, by column."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return {
            table: [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
            for table in sorted(tables(path) - {migrations.VERSION_TABLE})
        }


def revision_of(path: Path) -> str | None:
    """The migration that the file says it is at."""
    rows = run_sql(path, f"SELECT version_num FROM {migrations.VERSION_TABLE}")
    return rows[0][0] if rows else None


def alembic(path: Path, folder: Path | None = None) -> AlembicCommands:
    """The commands over a SQLite file, with the migrations of the folder (ours if none is named)."""
    config = migration_config(str(path), busy_timeout=5)
    if folder is not None:
        config.alembic_config.script_location = str(folder)
    return AlembicCommands(config)


def copied_migrations(to: Path) -> Path:
    """Copy our migrations, to plant others among them."""
    return Path(shutil.copytree(migrations.folder(), to / "migrations", ignore=shutil.ignore_patterns("__pycache__")))


def plant_migration(folder: Path, upgrade: str, downgrade: str = "pass", *, revision: str = "planted") -> str:
    """Make a migration that follows our newest one, from the folder's template; return its revision."""
    commands = alembic(folder / "no.db", folder)
    commands.revision(message="by a test", head=REVISIONS[-1], splice=True, rev_id=revision)
    file = folder / "versions" / f"{revision}_by_a_test.py"
    bodies = iter([upgrade, downgrade])
    text = re.sub(
        r"^( +)pass$", lambda empty: indent(next(bodies).strip(), empty[1]), file.read_text("utf-8"), flags=re.MULTILINE
    )
    file.write_text(text, "utf-8")
    return revision


async def populate(storage: Storage) -> None:
    """Put at least one row with something in every column into every table."""
    cataloguers = Cataloguers(storage)
    ursula = await cataloguers.authors.add(
        AuthorDetails(
            name="Ursula K. Le Guin",
            dob=date(1929, 10, 21),
            identifiers=(Identifier(scheme=Scheme("viaf"), value="97956"),),
        )
    )
    homer = await cataloguers.authors.add(AuthorDetails(name="Ὅμηρος"))
    book = await cataloguers.books.add(
        BookDetails(
            title="The Left Hand of Darkness",
            subtitle="a novel",
            author_id=ursula.id,
            contributors=(
                Contributor(author_id=homer.id, role=Role("aui"), credited_as="Homer"),
                Contributor(author_id=ursula.id),
            ),
            isbn=Isbn("9780441172719"),
            published=PartialDate("1969-03"),
            languages=(Language.parse("en"), Language.parse("grc")),
        )
    )
    await cataloguers.books.add(BookDetails(title="Beowulf", author_id=None, published=PartialDate("-0700")))
    async with storage.unit_of_work(cataloguers.caller) as unit:
        standing = await unit.books.get(book.id)
        await unit.books.replace(evolve(standing, version=2, sources=(SourceRecord("test", "1", "marc", b"\xff\x1d"),)))
        await unit.receipts.add(
            Receipt(
                actor="tester",
                key="k",
                fingerprint="f",
                kind=Kind.BOOK,
                id=book.id,
                version=2,
                seq=5,
                status=200,
                at=cataloguers.clock.now(),
            ),
            forget_before=cataloguers.clock.now(),
        )
