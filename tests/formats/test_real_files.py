"""Files that nobody here wrote say what others, who counted what is in them, found; each difference has its reason."""

import gzip
import json
import tomllib
import warnings
from pathlib import Path
from typing import Any

import pytest
from tests.shared_data import FOLDER, shared_file

from catalog.domain.errors import UnreadableFile
from catalog.domain.sources import Entry
from catalog.entrypoints.formats import BEGINNING, Reading, record_reader

DIFFERENCES = tomllib.loads(Path(__file__).with_name("differences.toml").read_text("utf-8"))
EXPLAINED: dict[str, dict[str, list[int]]] = {}
for difference in DIFFERENCES["difference"]:
    for name, pairs in difference["files"].items():
        EXPLAINED.setdefault(name, {}).update(pairs)
SAID_OTHERWISE = {name for each in DIFFERENCES["said_otherwise"] for name in each["files"]}
NOT_COUNTED = tuple(name for each in DIFFERENCES["not_counted"] for name in each["files"])


def expected_files() -> dict[str, Any]:
    file = FOLDER.parent / "expected/expected.json"
    return json.loads(file.read_text("utf-8"))["files"] if file.exists() else {}


def entries_of(name: str) -> list[Entry]:
    with shared_file(name).open("rb") as content, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymarc's, of damaged records
        return list(record_reader(None, content.peek(BEGINNING), Reading(source=name)).read(content))


KINDS = ("bibtex", "csljson", "csv", "marc", "marcjson", "marcxml", "onix", "openlibrary", "ris", "sru")


@pytest.mark.parametrize("kind", KINDS)
def test_records_say_what_others_find_in_them(kind: str) -> None:
    shared_file("../expected/expected.json")
    looked_at, differing = 0, {}
    for name, theirs in expected_files().items():
        if not name.startswith(f"{kind}/") or name.startswith(NOT_COUNTED):
            continue
        looked_at += 1
        entries = entries_of(name)
        said = [entry.draft for entry in entries if entry.draft is not None]
        counts = {
            "records": (len(entries), theirs.get("readable", theirs["records"])),
            "titles": (len(said), theirs["with_title"]),
            "authors": (sum(each.author is not None for each in said), theirs["with_main_author"]),
            "contributors": (sum(len(each.contributors) for each in said), theirs["contributors_total"]),
            "isbns": (len({isbn for each in said for isbn in each.details.isbns()}), theirs["valid_isbn13_distinct"]),
            "languages": (sum(bool(each.details.languages) for each in said), theirs["with_language"]),
            "years": (sum(each.details.published is not None for each in said), theirs["with_year"]),
        }
        if unequal := {what: [*pair] for what, pair in counts.items() if pair[0] != pair[1]}:
            differing[name] = unequal

    assert looked_at
    assert differing == {name: pairs for name, pairs in EXPLAINED.items() if name.startswith(f"{kind}/")}


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def test_titles_of_marc_are_those_that_others_find_in_them() -> None:
    folder = shared_file("../expected/expected_records")
    compared, differing = 0, set()
    for file in sorted(folder.glob("marc/**/*.jsonl.gz")):
        name = str(file.relative_to(folder)).removesuffix(".jsonl.gz")
        theirs = [json.loads(line)["title"] for line in gzip.decompress(file.read_bytes()).splitlines()]
        said = [entry.draft.details for entry in entries_of(name) if entry.draft is not None]
        if len(said) == len(theirs):  # else some are refused, and counted
            compared += len(said)
            if [letters(f"{each.title}{each.subtitle or ''}") for each in said] != [*map(letters, theirs)]:
                differing.add(name)

    assert compared > 500
    assert differing == SAID_OTHERWISE | {name for name in EXPLAINED if name.endswith("245_no_ab.marc")}


def test_what_is_none_of_our_formats_is_refused_and_says_what_there_is() -> None:
    shared_file("../expected/expected.json")
    for name in expected_files():
        if name.startswith(("bibframe/", "oai/", "opds")):
            with pytest.raises(UnreadableFile, match="none that is read; there are marc"):
                entries_of(name)
