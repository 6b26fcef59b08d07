"""The books that every server serves: made once per scale, and kept in .bench, which git ignores."""

import asyncio
import json
import os
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from random import Random

from attrs import frozen

from catalog.entrypoints.settings import Settings
from catalog.entrypoints.storages import open_storage

from . import sample
from .titles import Titles

TOP = Path(__file__).parents[1]
FOLDER = TOP / ".bench"
UNIT = 10
"""How many times the books of benchmarks/sample.py there are at scale 1: 100,000 books of 10,000 authors."""

_MADE_FROM = (
    "benchmarks/data.py",
    "benchmarks/sample.py",
    "benchmarks/titles.py",
    "migrations/versions/*.py",
    "src/catalog/domain/text.py",
    "src/catalog/domain/search/*.py",
    "src/catalog/adapters/sql/cards.py",
    "src/catalog/adapters/sql/words.py",
)
"""What a change of makes the data be made anew."""

_SAMPLED_TITLES = 20_000
_QUERIES = 256

_HYPHENS = (
    "lower(substr({0}, 1, 8) || '-' || substr({0}, 9, 4) || '-' || substr({0}, 13, 4) || '-' || substr({0}, 17, 4) "
    "|| '-' || substr({0}, 21))"
)
_TEXT_ID = _HYPHENS.format("hex({0})")
_TABLES = """
CREATE TABLE author (
    id {id} NOT NULL PRIMARY KEY, name TEXT NOT NULL, dob DATE, version INTEGER NOT NULL, created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
CREATE TABLE book (
    id {id} NOT NULL PRIMARY KEY, title TEXT NOT NULL, sort_title TEXT NOT NULL, subtitle TEXT,
    author_id {id} NOT NULL REFERENCES author (id), contributors JSON NOT NULL, isbn TEXT, published TEXT,
    languages JSON NOT NULL, sources JSON NOT NULL, version INTEGER NOT NULL, created_at {time} NOT NULL,
    updated_at {time} NOT NULL
);
INSERT INTO author SELECT {new_id}, name, dob, version, {new_time}, {new_time} FROM catalog.author ORDER BY id;
INSERT INTO book
    SELECT {new_id}, title, sort_key, subtitle, {new_author_id},
        (SELECT json_group_array(json_object('author_id', {text_id}, 'role', role)) FROM
            (SELECT author_id, role FROM catalog.contributor WHERE book_id = book.id ORDER BY position)),
        isbn, published, languages, '[]', version, {new_time}, {new_time}
    FROM catalog.book AS book ORDER BY id;
CREATE INDEX book_in_order ON book (sort_title, id);
CREATE INDEX book_of_author ON book (author_id, sort_title, id);
"""
_GUIDE = """
CREATE TABLE author (
    id BINARY(16) NOT NULL, name VARCHAR NOT NULL, dob DATE, sa_orm_sentinel INTEGER,
    CONSTRAINT pk_author PRIMARY KEY (id)
);
CREATE TABLE book (
    id BINARY(16) NOT NULL, title VARCHAR NOT NULL, author_id BINARY(16) NOT NULL, sa_orm_sentinel INTEGER,
    created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, CONSTRAINT pk_book PRIMARY KEY (id),
    CONSTRAINT fk_book_author_id_author FOREIGN KEY (author_id) REFERENCES author (id)
);
INSERT INTO author SELECT id, name, dob, NULL FROM catalog.author ORDER BY id;
INSERT INTO book SELECT id, title, author_id, NULL, created_at, updated_at FROM catalog.book ORDER BY id;
"""
_SCRIPTS = {
    "hex": _TABLES.format(
        id="CHAR(32)",
        time="DATETIME",
        new_id="lower(hex(id))",
        new_author_id="lower(hex(author_id))",
        text_id=_TEXT_ID.format("author_id"),
        new_time="created_at",
    ),
    "text": _TABLES.format(
        id="TEXT",
        time="TEXT",
        new_id=_TEXT_ID.format("id"),
        new_author_id=_TEXT_ID.format("author_id"),
        text_id=_TEXT_ID.format("author_id"),
        new_time="strftime('%Y-%m-%dT%H:%M:%SZ', created_at)",
    ),
    "guide": _GUIDE,
}
"""How each kind of peer keeps the books: the mappers of Python by their UUIDs in hex, others as people write them."""


@frozen
class Words:
    """What is searched for: words, and pairs of words that stand in one title."""

    one: list[str]
    two: list[str]


@frozen
class Data:
    """The books at one scale, as files that nobody writes to: servers get copies."""

    scale: int
    folder: Path

    @property
    def books(self) -> int:
        """How many books there are."""
        return sample.BOOKS * UNIT * self.scale

    @property
    def authors(self) -> int:
        """How many authors there are."""
        return sample.AUTHORS * UNIT * self.scale

    @property
    def words(self) -> Words:
        """What is searched for."""
        return Words(**json.loads((self.folder / "words.json").read_text("utf-8")))

    def file(self, kind: str) -> Path:
        """Return the file of that kind: `catalog`, `hex`, `text` or `guide`."""
        return self.folder / f"{kind}.db"

    def copy(self, kind: str, to: Path) -> Path:
        """Copy the file of that kind."""
        return Path(shutil.copyfile(self.file(kind), to))


def made(scale: int = 1, kinds: tuple[str, ...] = tuple(_SCRIPTS)) -> Data:
    """Return the books at that scale; make them where they are not there yet (a minute for 100,000)."""
    digest = blake2b(digest_size=6)
    for pattern in _MADE_FROM:
        for file in sorted(TOP.glob(pattern)):
            digest.update(file.read_bytes())
    data = Data(scale, FOLDER / f"data-{scale}-{digest.hexdigest()}")
    for outdated in set(FOLDER.glob(f"data-{scale}-*")) - {data.folder}:
        shutil.rmtree(outdated, ignore_errors=True)
    data.folder.mkdir(parents=True, exist_ok=True)
    if not data.file("catalog").exists():
        print(f"making {data.books:,} books …", flush=True)
        with _appearing(data.file("catalog")) as file:
            asyncio.run(_fill(file, data))
    if not (data.folder / "words.json").exists():
        _write_words(data)
    for kind in kinds:
        if not data.file(kind).exists():
            with _appearing(data.file(kind)) as file:
                _fill_peer(file, kind, data.file("catalog"))
    return data


class _appearing:  # noqa: N801 - used like a function
    """A file that takes its name only when it is whole, so that a run that was stopped leaves no half of it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._unfinished = file.with_suffix(".making")

    def __enter__(self) -> Path:
        for left in self._file.parent.glob(f"{self._unfinished.name}*"):
            left.unlink()
        return self._unfinished

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._unfinished.rename(self._file)


async def _fill(file: Path, data: Data) -> None:
    async with open_storage(Settings(storage=f"sqlite:///{file}")) as storage:
        await sample.fill(storage, scale=UNIT * data.scale, title=Titles(data.books).draw)


def _fill_peer(file: Path, kind: str, catalog: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS catalog", [str(catalog)])
        connection.executescript(f"BEGIN; {_SCRIPTS[kind]} COMMIT; DETACH catalog; PRAGMA journal_mode=WAL; ANALYZE;")


def _write_words(data: Data) -> None:
    """Draw what is searched for: one third of it rare, one third middling, one third common."""
    with closing(sqlite3.connect(data.file("catalog"))) as connection:
        query = "SELECT title FROM book ORDER BY id LIMIT ?"
        titles = [title for (title,) in connection.execute(query, [_SAMPLED_TITLES])]
    split = [[word.strip(":").lower() for word in title.split()] for title in titles]
    counts = Counter(word for words in split for word in set(words))
    ranked = [word for word, _ in counts.most_common()]
    thirds = [ranked[:60], ranked[60:1500], ranked[1500:]]
    random = Random(5)
    one = [random.choice(thirds[number % 3]) for number in range(_QUERIES)]
    long = [words for words in split if len(set(words)) > 1]
    two = [" ".join(random.sample(sorted(set(random.choice(long))), 2)) for _ in range(_QUERIES)]
    (data.folder / "words.json").write_text(json.dumps({"one": one, "two": two}, ensure_ascii=False), "utf-8")


def size(file: Path) -> int:
    """Return the bytes of a file and of its log of writes."""
    return sum(each.stat().st_size for each in file.parent.glob(f"{file.name}*") if not each.name.endswith("-shm"))


def remove_old_runs() -> None:
    """Remove what runs have left that were killed."""
    for folder in FOLDER.glob("run-*"):
        if not _is_alive(int(folder.name.split("-")[1])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
