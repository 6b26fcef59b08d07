"""Pages of the documentation, and a place where what they show can be done.

A comment before a fenced block says what a test does with it:

    <!-- run -->            do it; in a `console` block `$ ` begins a command, and what follows is what it prints
    <!-- serve -->          start this server on a free port, which stands for port 8000 on the rest of the page
    <!-- prints -->         what the block before prints
    <!-- write FILE -->     this is the content of FILE
    <!-- patch -->          make this change to the working copy
    <!-- not run: WHY -->   nothing, and why

`…` stands for anything. A page works in an empty folder of its own, or, if it says `<!-- in a working copy -->`, in
a copy of this repository. One that says `<!-- with PostgreSQL -->` finds a server of its own where it says
127.0.0.1:5432.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from attrs import define, field, frozen
from tests.cluster.postgres import PostgresServer
from tests.cluster.shared import unavailable

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

LANGUAGES = {"console", "bash", "python"}
"""Of the blocks that can be run."""

COPIED = ("src", "migrations", "tests", "docs", "pyproject.toml", "README.md", "Makefile")
IN_A_COPY = "<!-- in a working copy -->"
WITH_POSTGRESQL = "<!-- with PostgreSQL -->"
PATIENCE = 60
"""Seconds that a command may take."""

SHOWN_ADDRESS = "127.0.0.1:8000"
SHOWN_DATABASE = "127.0.0.1:5432"

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]*) -->\n)?^```(?P<language>\w*)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL
)
_END = "-- end of command:"


@frozen
class Block:
    """A fenced block, and what is to be done with it."""

    mark: str
    language: str
    content: str


@frozen
class Command:
    """A command, and what it prints."""

    text: str
    printed: str


def pages() -> Sequence[Path]:
    """All pages."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    """The name of a page from the top of the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks_of(page: Path) -> Sequence[Block]:
    """The fenced blocks of a page, in order."""
    found = _BLOCK.finditer(page.read_text("utf-8"))
    return [Block(block["mark"] or "", block["language"], block["content"]) for block in found]


def commands_of(block: Block) -> Sequence[Command]:
    """The commands of a console block, each with what it prints."""
    commands: list[Command] = []
    text, printed = "", ""
    for line in block.content.splitlines():
        if text and _goes_on(text):
            text += f"\n{line}"
        elif line.startswith("$ "):
            if text:
                commands.append(Command(text, printed))
            text, printed = line[2:], ""
        else:
            printed += f"{line}\n"
    return [*commands, Command(text, printed)]


def _goes_on(command: str) -> bool:
    """Whether the command needs another line: it ends in a backslash, or within quotes."""
    try:
        shlex.split(command)
    except ValueError:
        return True
    return False


def pattern_of(shown: str) -> str:
    """A pattern of what the page shows; `…` is anything."""
    return ".*?".join(map(re.escape, shown.strip().split("…")))


@define
class Session:
    """A shell in which a page is done, block by block, and the servers that it starts."""

    folder: Path
    database: PostgresServer | None = None
    quick: Path | None = None
    """A folder with programs that take the place of slower ones."""
    _environment: dict[str, str] = field(init=False)
    _shell: "subprocess.Popen[str]" = field(init=False)
    _servers: list["Server"] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        settings = [name for name in os.environ if name.startswith(("CATALOG_", "LITESTAR_", "PYTEST_"))]
        self._environment = {name: value for name, value in os.environ.items() if name not in settings}
        programs = Path(sys.executable).parent
        databases = [] if self.database is None else [str(self.database.programs)]
        self._environment |= {
            "PATH": os.pathsep.join([str(programs), *databases, os.environ["PATH"]]),
            "PYTHONPATH": str(self.folder / "src"),  # empty but in a working copy
            "NO_PROXY": "127.0.0.1",
            "COLUMNS": "100",
        }
        (self.folder / ".venv").symlink_to(programs.parent)
        quick = {} if self.quick is None else {"PATH": f"{self.quick}{os.pathsep}{self._environment['PATH']}"}
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=self.folder,
            env=self._environment | quick,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @classmethod
    def of(cls, page: Path, folder: Path, quick: Path) -> Self:
        """Begin a session for the page."""
        if IN_A_COPY in page.read_text("utf-8"):
            # What it runs is the copy, and nothing that was imported before.
            for name in COPIED:
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / name, folder)
            return cls(folder)
        if WITH_POSTGRESQL in page.read_text("utf-8"):
            try:
                return cls(folder, PostgresServer.found().__enter__(), quick=quick)
            except LookupError as error:
                unavailable(str(error))
        return cls(folder, quick=quick)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for server in self._servers:
            server.stop()
        self._shell.kill()
        self._shell.communicate()
        if self.database is not None:
            self.database.__exit__()

    def do(self, blocks: Sequence[Block]) -> None:
        """Do what the blocks say, and compare what they print."""
        printed = ""
        for block in blocks:
            content = self._here(block.content)
            action, _, argument = block.mark.partition(" ")
            match action, block.language:
                case "run", "console":
                    self._run_console(commands_of(Block(block.mark, block.language, content)))
                case "run", "python":
                    printed = self._run_well(f"python - <<'END OF BLOCK'\n{content}\nEND OF BLOCK")
                case "run", _:
                    printed = self._run_well(content)
                case "serve", _:
                    self._serve(*commands_of(block))
                case "prints", _:
                    assert re.fullmatch(pattern_of(content), printed.strip(), re.DOTALL), printed
                case "write", _:
                    (self.folder / argument).write_text(content, "utf-8")
                case "patch", _:
                    self._patch(content)
                case _:
                    pass

    @property
    def failures(self) -> Sequence[str]:
        """What the servers say went wrong with them."""
        return [line for server in self._servers for line in server.lines if "ERROR" in line or "Traceback" in line]

    def _here(self, text: str) -> str:
        text = self._with_database(text)
        return text.replace(SHOWN_ADDRESS, self._servers[-1].address) if self._servers else text

    def _with_database(self, text: str) -> str:
        return text if self.database is None else text.replace(SHOWN_DATABASE, f"127.0.0.1:{self.database.port}")

    def _run_console(self, commands: Sequence[Command]) -> None:
        for place, command in enumerate(commands):
            status, printed = self._run(command.text)
            assert re.fullmatch(pattern_of(command.printed), printed.strip(), re.DOTALL), f"{command}\n{printed}"
            told = [later.text for later in commands[place + 1 : place + 2]] == ["echo $?"]
            assert status == 0 or told, f"{command.text} fails with status {status}, and the page does not say so"

    def _run_well(self, text: str) -> str:
        status, printed = self._run(text)
        assert status == 0, f"{text}\n{printed}"
        return printed

    def _run(self, text: str) -> tuple[int, str]:
        """Run a command and return its exit status and what it printed."""
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(
            f"{{ {text}\n}} </dev/null\nstatus=$?; printf '\\n{_END} %s\\n' $status; (exit $status)\n"
        )
        self._shell.stdin.flush()
        printed = ""
        patience = threading.Timer(PATIENCE, self._shell.kill)
        patience.start()
        try:
            for line in self._shell.stdout:
                if line.startswith(_END):
                    return int(line.removeprefix(_END)), printed
                printed += line
        finally:
            patience.cancel()
        raise AssertionError(f"the shell did not come to the end of {text!r}:\n{printed}")

    def _serve(self, command: Command) -> None:
        server = Server(_recipe(self._with_database(command.text)), self.folder, self._environment)
        self._servers.append(server)
        shown = self._with_database(command.printed).replace(SHOWN_ADDRESS, server.address)
        assert re.search(pattern_of(shown), "\n".join(server.lines), re.DOTALL), server.lines

    def _patch(self, diff: str) -> None:
        """Apply a unified diff, whose every hunk must fit exactly once."""
        for change in re.split(r"^(?=--- )", diff, flags=re.MULTILINE)[1:]:
            _, to, *lines = change.splitlines()
            file = self.folder / to.removeprefix("+++ b/")
            for hunk in re.split(r"^@@.*\n", "".join(f"{line}\n" for line in lines), flags=re.MULTILINE)[1:]:
                text = file.read_text("utf-8")
                before = "".join(line[1:] + "\n" for line in hunk.splitlines() if line[:1] != "+")
                after = "".join(line[1:] + "\n" for line in hunk.splitlines() if line[:1] != "-")
                assert text.count(before) == 1, f"{file} has {text.count(before)} times:\n{before}"
                file.write_text(text.replace(before, after), "utf-8")


class Server:
    """A server that a page starts, on a free port."""

    def __init__(self, command: str, folder: Path, environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            ["bash", "-c", f"{command} --port 0"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.address = next(self._addresses(), "")
        assert self.address, f"{command} does not serve:\n{self.lines}"
        self._reading = threading.Thread(target=lambda: list(self._addresses()), daemon=True)
        self._reading.start()

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        os.killpg(self._process.pid, signal.SIGTERM)
        assert self._process.wait(PATIENCE) == 0
        self._reading.join(PATIENCE)
        if self._process.stderr:
            self._process.stderr.close()

    def _addresses(self) -> Iterator[str]:
        assert self._process.stderr
        for line in self._process.stderr:
            self.lines.append(line.rstrip("\n"))
            if found := re.search(r"serving \S+ at http://(\S+)", line):
                yield found[1]


def _recipe(command: str) -> str:
    """What make would run, for a target of ours; any other command is its own recipe."""
    if not command.startswith("make "):
        return command
    arguments = ["make", "--dry-run", "--no-print-directory", f"VENV={sys.prefix}", *shlex.split(command)[1:]]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()[-1]
