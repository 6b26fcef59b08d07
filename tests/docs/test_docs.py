"""The documentation does what it shows, leads where it says, and is up to date."""

import re
import shutil
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
from tests.docs.pages import DOCS, LANGUAGES, Session, blocks_of, name_of, pages
from tests.docs.quick import quick_catalog

PAGES = {name_of(page): page for page in pages()}
TAUGHT = [name for name in PAGES if name == "README.md" or name.startswith(("docs/tutorial/", "docs/how-to/"))]
DONE = [name for name, page in PAGES.items() if any(block.mark == "run" for block in blocks_of(page))]
DECISIONS = DOCS / "explanation" / "adr"

_CODE = re.compile(r"```.*?^```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.*)$", re.MULTILINE)


def prose_of(page: Path) -> str:
    return _CODE.sub("", page.read_text("utf-8"))


def links_of(page: Path) -> list[str]:
    """The links to places in this repository."""
    targets = [link["target"] for link in _LINK.finditer(prose_of(page))]
    return [target for target in targets if not target.startswith(("http://", "https://"))]


def anchors_of(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = (heading["text"].strip().lower() for heading in _HEADING.finditer(text))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors_of(target)


def generator() -> ModuleType:
    spec = spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def quick() -> Iterator[Path]:
    """A folder with a quick `catalog`; for the name of a socket, its own must be short."""
    with TemporaryDirectory(prefix="quick-") as folder, quick_catalog(Path(folder)):
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl")
@pytest.mark.parametrize("name", DONE)
def test_a_page_does_what_it_shows(name: str, tmp_path: Path, quick: Path) -> None:
    with Session.of(PAGES[name], tmp_path, quick) as session:
        session.do(blocks_of(PAGES[name]))

    assert session.failures == []


@pytest.mark.parametrize("name", TAUGHT)
def test_every_example_is_run_or_says_why_not(name: str) -> None:
    examples = [block for block in blocks_of(PAGES[name]) if block.language in LANGUAGES]

    assert [block.content for block in examples if not block.mark] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    assert [link for link in links_of(PAGES[name]) if not leads_somewhere(PAGES[name], link)] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links_of(page) if link[0] != "#"]

    assert sorted(name for name, page in PAGES.items() if page.is_relative_to(DOCS) and page not in reached) == []


def test_every_decision_is_listed_and_numbered_once() -> None:
    listed = links_of(DECISIONS / "README.md")

    decisions = sorted(page.name for page in DECISIONS.glob("[0-9]*.md"))
    assert [link for link in listed if re.match("[0-9]{4}-", link)] == decisions
    assert [name[:4] for name in decisions] == [f"{number:04d}" for number in range(1, len(decisions) + 1)]


def test_the_generated_reference_is_up_to_date() -> None:
    outdated = [file.name for file, text in generator().pages().items() if file.read_text("utf-8") != text]

    assert outdated == [], "write it anew with: python docs/generate.py"
