"""Who takes part: the catalogue, its peers and the ceilings; how each is started, and how it wants to be asked."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

from attrs import fields_dict, frozen

from catalog.entrypoints.settings import Settings

from .data import TOP
from .processes import HOST

PEERS = TOP / "benchmarks/peers"
PEERS_PYTHON = TOP / ".venv-bench/bin/python"
NODE_MODULES = PEERS / "node/node_modules/.installed"

OFF, ON = "catalog, cache off", "catalog, cache on"
GUIDE, FASTAPI, NINJA, DATASETTE, NODE = "the guide", "FastAPI", "Django Ninja", "Datasette", "Node Fastify"
BARE, ASGI = "bare Litestar", "bare ASGI"
READY = "/livez"
"""What is asked until a server answers; peers answer 404, without a look at their data."""
_AS_USERS_HAVE_IT = {"PYTHONDONTWRITEBYTECODE": "", "LITESTAR_DEBUG": "", "NODE_OPTIONS": ""}
"""What developers and build machines set, and what would change how a server starts or works."""
CATALOGS, CEILINGS = (OFF, ON), (BARE, ASGI)
PEER_NAMES = (GUIDE, FASTAPI, NINJA, DATASETTE, NODE)


@frozen
class Question:
    """What a reader asks: for one book by `id`, or else for a page of books, in all or by an author or with words.

    `link` is where the server itself has said that it goes on.
    """

    name: str
    id: str | None = None
    size: int = 10
    page: int = 1
    author_id: str | None = None
    words: str | None = None
    link: str | None = None


Ask = Callable[[Question], str]
"""Returns the path and the query string of a question."""


@frozen
class Contender:
    """One server: its command on a port, which copy of the data it gets, and how it is asked."""

    name: str
    command: Callable[[int, Path], Sequence[str]]
    kind: str | None
    ask: Ask
    variables: Mapping[str, str]
    writes: bool = True
    is_full: bool = True
    """Whether it answers all fields of the catalogue, save the links of lists; the guide has six."""

    def environment(self, port: int, file: Path) -> Mapping[str, str]:
        """Return what the server's environment has besides."""
        return {
            **self.variables,
            **_AS_USERS_HAVE_IT,
            "PEER_DATABASE": str(file),
            "PEER_ANSWERS": str(file),
            "PORT": str(port),
        }


def by_query(question: Question) -> str:
    """Ask as the guide's clients do."""
    if question.link:
        return question.link
    if question.id:
        return f"/books/{question.id}"
    query = {
        "pageSize": str(question.size) * (question.size != 10),
        "currentPage": str(question.page) * (question.page != 1),
        "author_id": question.author_id,
        "q": question.words,
    }
    given = {name: value for name, value in query.items() if value}
    return f"/books?{urlencode(given)}" if given else "/books"


def by_canned_query(question: Question) -> str:
    """Ask Datasette."""
    if question.id:
        return f"/books/one.json?{urlencode({'id': question.id, '_shape': 'array'})}"
    given = {"size": question.size, "offset": question.size * (question.page - 1), "_shape": "array"}
    if question.author_id:
        return f"/books/by_author.json?{urlencode({**given, 'author_id': question.author_id})}"
    words = (question.words or "").split()
    if not words:
        return f"/books/list.json?{urlencode(given)}"
    name = "search_one" if len(words) == 1 else "search_two"
    return f"/books/{name}.json?{urlencode(given | dict(zip(('one', 'two'), words, strict=False)))}"


def by_static_path(question: Question) -> str:
    """Ask for what is there already: each book, and one page of each kind."""
    return f"/books/{question.id}" if question.id else f"/{question.name.replace(' ', '-')}"


def contenders() -> list[Contender]:
    """Return those that can take part on this machine."""
    present = [*_catalogs(), *_python_peers()]
    if shutil.which("node") and NODE_MODULES.exists():
        command = ["node", str(PEERS / "node/server.js")]
        production = {"NODE_ENV": "production"}
        present.append(Contender(NODE, lambda _port, _file: command, "text", by_query, production))
    return present


def _catalogs() -> list[Contender]:
    def command(port: int, file: Path) -> Sequence[str]:
        return [sys.executable, "-m", "catalog", "serve", "--port", str(port), "--storage", f"sqlite:///{file}"]

    def catalog(name: str, variables: Mapping[str, str]) -> Contender:
        return Contender(name, command, "catalog", by_query, variables)

    if "answer_cache_bytes" not in fields_dict(Settings):
        return [catalog(OFF, {})]
    return [catalog(OFF, {"CATALOG_ANSWER_CACHE_BYTES": "0"}), catalog(ON, {})]


def _python_peers() -> list[Contender]:
    def uvicorn(app: str, *options: str) -> Callable[[int, Path], Sequence[str]]:
        def command(port: int, _file: Path) -> Sequence[str]:
            # What `catalog serve` runs on, too.
            serving = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
            where = ["--host", HOST, "--port", str(port), "--workers", "1", "--no-server-header"]
            return [str(PEERS_PYTHON), "-m", "uvicorn", f"benchmarks.peers.{app}", *where, *serving, *options]

        return command

    if not PEERS_PYTHON.exists():
        return []
    return [
        Contender(GUIDE, uvicorn("guide:app"), "guide", by_query, {}, is_full=False),
        Contender(FASTAPI, uvicorn("fastapi_app:app"), "hex", by_query, {}),
        Contender(NINJA, uvicorn("ninja_app:app"), "hex", by_query, {}),
        Contender(DATASETTE, uvicorn("datasette_app:app"), "text", by_canned_query, {}, writes=False),
        Contender(BARE, uvicorn("bare:litestar", "--factory"), None, by_static_path, {}, writes=False),
        Contender(ASGI, uvicorn("bare:asgi"), None, by_static_path, {}, writes=False),
    ]


def versions() -> Mapping[str, str]:
    """Return the versions of what takes part."""
    found = {}
    packages = ("uvicorn", "uvloop", "httptools", "litestar", "advanced-alchemy", "sqlalchemy", "aiosqlite", "fastapi")
    packages += ("pydantic", "django", "django-ninja", "datasette")
    script = f"""
import json, platform, sqlite3
from importlib.metadata import version
print(json.dumps({{"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version,
    **{{name: version(name) for name in {packages!r}}}}}))
"""
    if PEERS_PYTHON.exists():
        found |= json.loads(subprocess.run([PEERS_PYTHON, "-c", script], capture_output=True, check=True).stdout)
    if shutil.which("node") and NODE_MODULES.exists():
        script = """
const version = (name) => require(`./node_modules/${name}/package.json`).version;
const SQLite = new (require("better-sqlite3"))(":memory:").prepare("SELECT sqlite_version() AS v").get().v;
console.log(JSON.stringify({node: process.versions.node, fastify: version("fastify"),
  "better-sqlite3": version("better-sqlite3"), "SQLite of better-sqlite3": SQLite}));
"""
        command = ["node", "-e", script]
        found |= json.loads(subprocess.run(command, cwd=PEERS / "node", capture_output=True, check=True).stdout)
    return found


def memory(process: int) -> float:
    """Return the MiB that a process has: its share of what it shares (PSS) where Linux tells, else all of it (RSS)."""
    rollup = Path(f"/proc/{process}/smaps_rollup")
    if rollup.exists():
        sizes = (line.split() for line in rollup.read_text().splitlines()[1:])
        return next(int(size) for name, size, *_ in sizes if name == "Pss:") / 1024
    command = ["ps", "-o", "rss=", "-p", str(process)]
    return int(subprocess.run(command, capture_output=True, check=True).stdout) / 1024
