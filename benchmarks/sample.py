"""A made-up catalogue, the same in every run."""

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from uuid import UUID

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Book, BookDetails, Contributor
from catalog.domain.callers import Caller
from catalog.domain.ports import Storage
from catalog.domain.values import Isbn, Language, PartialDate, Role

AUTHORS = 1_000
BOOKS = 10_000

_MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
_FIRST_NAMES = """
Ada Aimé Anna Anton Astrid Béla Carl Chinua Clara Doris Edith Elena Émile Emma Ernst Eudora Federico Flora Franz
Gabriel George Grazia Halldór Hans Harper Haruki Henry Ida Ingeborg Iris Isaac Italo Ivan Jane Jorge José Julia
Karel Knut Leo Lewis Lu Lucy Marcel María Mark Mary Mikhail Naguib Nelly Octavia Olga Orhan Pablo Patrick Pearl Rosa
Saul Selma Sigrid Søren Thomas Toni Umberto Ursula Victor Virginia Walter Willa Wisława Yasunari Zora
"""
_LAST_NAMES = """
Achterberg Andersson Baldwin Beckett Boyle Brontë Büchner Calvert Čapková Dąbrowska Dickens Dubois Eliott Ferrante
Fontane García Gaskell Gogol Hamsun Hardy Heine Hurston Ibarra Ishiguro Jansson Joyce Kästner Keller Kovács Lagerlöf
Laxness Lessing Mann Márquez Melville Mistral Morrison Musil Nabokov Némirovsky O’Brien Okri Pamuk Pessoa Proust
Quiroga Rilke Roth Sachs Saramago Schreiner Steinbeck Szymborska Tanizaki Undset Vargas Verne Walker Woolf Zweig
"""
_WORDS = """
Autumn Bridge Castle City Darkness Daughter Door Dream Empire Fire Forest Garden Ghost Glass Harbour History House
Island Journey King Letter Light Memory Mirror Moon Mountain Night Ocean Orchard Paper Queen Rain River Road Sea
Secret Shadow Silence Silver Snow Song Stone Storm Summer Tower Train Voyage War Water Wind Window Winter
"""
_GIVEN, _FAMILY, _NOUNS = _FIRST_NAMES.split(), _LAST_NAMES.split(), _WORDS.split()
_LANGUAGES = ("eng", "ger", "fre", "spa", "ita", "swe")


def name_of(number: int) -> str:
    """Return the name of that author; no two have the same."""
    rest, first = divmod(number, len(_GIVEN))
    initial, last = divmod(rest, len(_FAMILY))
    middle = f"{chr(ord('A') + initial % 26)}. " * (1 + initial // 26)
    return f"{_GIVEN[first]} {middle}{_FAMILY[last]}"


def title_of(random: Random) -> str:
    """Return a title."""
    one, two, three = random.sample(_NOUNS, 3)
    return random.choice([f"The {one} of {two}", f"{one} and {two}", f"A {one} in the {two}", f"{one}, {two}, {three}"])


def isbn_of(number: int) -> str:
    """Return the ISBN with that number."""
    twelve = f"978{number:09d}"
    return twelve + str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(twelve)) % 10)


def authors(count: int = AUTHORS) -> Sequence[Author]:
    """Return the authors."""
    return [Author.recorded(AuthorDetails(name=name_of(n)), id=_id(0, n), at=_MADE_AT) for n in range(count)]


def books(by: Sequence[Author], count: int = BOOKS, title: Callable[[Random], str] = title_of) -> Iterator[Book]:
    """Yield the books: one in five has a translator, as in files that people really have."""
    random = Random(1)
    for n in range(count):
        yield Book.recorded(
            BookDetails(
                title=title(random),
                author_id=random.choice(by).id,
                contributors=(Contributor(author_id=random.choice(by).id, role=Role("trl")),) if n % 5 == 0 else (),
                isbn=Isbn(isbn_of(n)),
                published=PartialDate.of_year(random.randint(1800, 2025)),
                languages=(Language(random.choice(_LANGUAGES)),),
            ),
            id=book_id(n),
            at=_MADE_AT,
        )


async def fill(storage: Storage, *, scale: int = 1, title: Callable[[Random], str] = title_of) -> None:
    """Put the made-up catalogue, that many times as large, into an empty storage."""
    by = authors(AUTHORS * scale)
    async with storage.unit_of_work(Caller()) as unit:
        await unit.authors.add(*by)
    made = books(by, BOOKS * scale, title)
    while some := list(islice(made, BOOKS)):
        async with storage.unit_of_work(Caller()) as unit:
            await unit.books.add(*some)


def book_id(number: int) -> UUID:
    """Return the id of that book."""
    return _id(1, number)


def author_id(number: int) -> UUID:
    """Return the id of that author."""
    return _id(0, number)


def book_paths(count: int) -> Sequence[str]:
    """Return the paths of that many random books."""
    return [f"/books/{_id(1, n)}" for n in Random(2).sample(range(BOOKS), count)]


def author_ids(count: int) -> Sequence[str]:
    """Return the ids of that many random authors."""
    return [str(_id(0, n)) for n in Random(3).sample(range(AUTHORS), count)]


def write_csv(file: Path, rows: int) -> None:
    """Write a CSV file of the plain dialect, and draw its people from four for every ten rows."""
    random = Random(rows)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["key", "title", "subtitle", "authors", "isbn", "published", "languages"])
        for row in range(rows):
            people = [name_of(random.randrange(rows * 2 // 5))]
            if row % 5 == 0:
                people.append(f"{name_of(random.randrange(rows * 2 // 5))} [trl]")
            subtitle = title_of(random) if row % 3 == 0 else ""
            year = random.randint(1800, 2025)
            writer.writerow(
                [row, title_of(random), subtitle, "; ".join(people), isbn_of(row), year, random.choice(_LANGUAGES)]
            )


def _id(kind: int, number: int) -> UUID:
    """Return an id of version 7 whose first bits are the time, as if the catalogue had made it."""
    milliseconds = int(_MADE_AT.timestamp() * 1000) + number
    return UUID(int=milliseconds << 80 | 7 << 76 | kind << 64 | 2 << 62 | Random(number).getrandbits(62))
