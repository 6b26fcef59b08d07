"""What the files of one run tell each other."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from catalog.entrypoints.cli import main


def a_line(kind: str, key: str, **said: Any) -> str:
    return "\t".join([f"/type/{kind}", key, "1", "2013-03-28T07:50:50", json.dumps(said)]) + "\n"


AUTHORS = a_line("author", "/authors/OL1A", name="Mark Twain", birth_date="30 November 1835", death_date="1910")
WORKS = a_line("work", "/works/OL1W", authors=[{"author": {"key": "/authors/OL1A"}}])
EDITION = a_line(
    "edition",
    "/books/OL1M",
    title="Roughing it",
    works=[{"key": "/works/OL1W"}],
    isbn_10=["0394800168", "nothing"],
    publish_date="June 3, 1872",
    languages=[{"key": "/languages/eng"}],
    publishers=["Harper"],
    number_of_pages=26,
    dewey_decimal_class=["818/.409"],
    contributors=[{"name": "True Williams", "role": "Illustrator"}],
    notes={"type": "/type/text", "value": "One.\n\nTwo."},
)


def test_files_of_one_run_tell_each_other_who_is_who(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("authors.txt", "works.txt", "editions.txt")]
    for file, content in zip(files, (AUTHORS, WORKS, EDITION), strict=True):
        file.write_text(content, "utf-8")

    done = CliRunner().invoke(main, ["import", *map(str, files), "--storage", f"sqlite:///{tmp_path}/a.db"])
    told = CliRunner().invoke(main, ["export", "--format", "ris", "--storage", f"sqlite:///{tmp_path}/a.db"])

    assert done.exit_code == 0, done.output
    assert "AU  - Mark Twain" in told.output
