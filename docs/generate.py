"""Writes the reference pages that the code itself can tell; `--check` only says which are out of date."""
# ruff: noqa: INP001 - a script

import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, get_args, get_type_hints

import click
from attrs import fields
from litestar.openapi.spec import Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from catalog.adapters.formats.bibtex import reader as bibtex
from catalog.adapters.formats.csljson import variables as csl
from catalog.adapters.formats.csv import DIALECTS
from catalog.adapters.formats.marc import mapping as marc_mapping
from catalog.adapters.formats.marc import people as marc_people
from catalog.adapters.formats.onix import codes as onix
from catalog.adapters.formats.openlibrary import fields as openlibrary
from catalog.adapters.formats.ris import writer as ris
from catalog.domain.filters import Operator
from catalog.domain.queries import AuthorQuery, BookQuery
from catalog.domain.search import LONGEST_QUERY, MOST_BEGINNINGS, MOST_TERMS, SearchField
from catalog.entrypoints.cli import main
from catalog.entrypoints.http.lists import OPERATORS, ListParameter, parameters_of
from catalog.entrypoints.http.problems import PROBLEMS, SLUG_OF_ERROR
from catalog.entrypoints.settings import ENVIRONMENT_PREFIX, Settings
from catalog.testing import suite

sys.path.insert(0, str(Path(__file__).parent))
import probing

REFERENCE = Path(__file__).parent / "reference"
DIFFERENCES = Path(__file__).parents[1] / "tests/formats/differences.toml"
NOTE = "<!-- Written by docs/generate.py; change the code it is drawn from, then run `python docs/generate.py`. -->\n"


def pages() -> Mapping[Path, str]:
    """Return each generated page and what it should say."""
    return {
        REFERENCE / f"{name}.md": "\n".join([NOTE, *lines]).rstrip("\n") + "\n"
        for name, lines in {
            "settings": _settings(),
            "queries": _queries(),
            "errors": _errors(),
            "cli": _commands(),
            "mappings": _mappings(),
            "formats": _formats(),
            "real-files": _real_files(),
            "conformance": _conformance(),
        }.items()
    }


def _conformance() -> Iterator[str]:
    yield "# What every storage promises\n"
    yield "Each sentence is a test of the conformance kit, which runs over any storage:\n"
    yield "```console"
    yield "$ pytest --pyargs catalog.testing.suite -p catalog.testing.plugin --catalog-storage 'mine:///{folder}/catalog'"
    yield "```\n"
    yield "[Write a storage adapter](../how-to/write-a-storage-adapter.md) says how to get there."
    for found in iter_modules(suite.__path__, f"{suite.__name__}."):
        module = import_module(found.name)
        yield f"\n## `{found.name.rpartition('.')[2]}`\n"
        yield f"{(module.__doc__ or '').splitlines()[0]}\n"
        tests = [name for name, thing in vars(module).items() if name.startswith("test_") and callable(thing)]
        yield from (f"- {name.removeprefix('test_').replace('_', ' ').capitalize()}" for name in tests)


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "A setting is taken from the first of these places that has it:\n"
    yield "1. an option of the command, where there is one;"
    yield f"2. the environment: the name in capitals with `{ENVIRONMENT_PREFIX}` before it;"
    yield "3. the TOML file that `--config` names, or `catalog.toml` in the folder where the command runs;"
    yield "4. the default.\n"
    yield f"An unknown setting, in the file or as `{ENVIRONMENT_PREFIX}…` in the environment, is refused. In the"
    yield "environment a list is written with commas; in TOML it is a list of texts.\n"
    options = {parameter.name: parameter.opts[0] for parameter in main.commands["serve"].params}
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for setting in fields(Settings):
        kind, doc = get_args(hints[setting.name])
        rows.append(
            [
                _code(setting.name),
                _code(f"{ENVIRONMENT_PREFIX}{setting.name.upper()}"),
                _code(options[setting.name]) if setting.name in options else "",
                _KINDS.get(kind, "list of texts"),
                _limits(setting.validator),
                _code(_toml(setting.default)),
                doc.text,
            ]
        )
    yield from _table(["in TOML", "environment", "option", "type", "limits", "default", "meaning"], rows)


def _queries() -> Iterator[str]:
    yield "# What lists can be asked\n"
    yield "Every parameter of the lists, drawn from the fields of the records. [The HTTP API](http-api.md#lists) says"
    yield "how they work together, and how [a search](http-api.md#searching) is written. All filters that are given"
    yield "must hold. A parameter is given once; one that is unknown, or says what can not be, is refused by name.\n"
    for heading, query_class in (("Books: `GET /books`", BookQuery), ("Authors: `GET /authors`", AuthorQuery)):
        yield f"## {heading}\n"
        parameters = parameters_of(query_class).values()
        rows = ([_code(p.name), _values(p.schema), p.description] for p in parameters if p.filter_on is None)
        yield from _table(["parameter", "values", "meaning"], rows)
        yield "\nFilters:\n"
        filters: dict[str, list[ListParameter]] = {}
        for parameter in parameters:
            if parameter.filter_on is not None:
                filters.setdefault(parameter.filter_on[0].name, []).append(parameter)
        rows = (
            [_code(name), _values(found[0].schema), ", ".join(_code(each.name) for each in found)]
            for name, found in filters.items()
        )
        yield from _table(["field", "values", "parameters"], rows)
        yield ""
    yield "## Operators\n"
    yield "Text is compared folded, by its first 250 characters; a date that names a year or a month stands for all of"
    yield "it.\n"
    spelt = {operator: "" if operator is Operator.EQ else f"[{operator}]" for operator in Operator}
    meanings = OPERATORS | {Operator.ISNULL: "Only records that do not tell it (`true`), or that do (`false`)."}
    yield from _table(
        ["after the field", "finds"], ([_code(spelt[o]) if spelt[o] else "nothing", meanings[o]] for o in Operator)
    )
    yield "\n## Fields of a search\n"
    yield f"A word may be looked for in one field: {', '.join(_code(f'{field}:') for field in SearchField)}."
    yield f"A search has at most {LONGEST_QUERY} characters and {MOST_TERMS} terms, of which {MOST_BEGINNINGS} may be"
    yield "beginnings of words."


def _values(schema: Schema) -> str:
    """Return what values a schema takes."""
    if schema.type == OpenAPIType.ARRAY and isinstance(schema.items, Schema):
        return f"some of: {_values(schema.items)}" if schema.items.enum else f"{_values(schema.items)}, with commas"
    if schema.enum:
        return ", ".join(_code(str(value)) for value in schema.enum)
    if schema.type == OpenAPIType.BOOLEAN:
        return "`true`, `false`"
    if schema.minimum is not None:
        usual = "" if schema.default is None else f"; {schema.default} unless given"
        return f"{schema.minimum:.0f} to {schema.maximum:.0f}{usual}"
    longest = "" if schema.max_length is None else f", at most {schema.max_length} characters"
    kind = schema.format.value if isinstance(schema.format, OpenAPIFormat) else "text"
    return schema.description or f"{kind}{longest}"


_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def _limits(validator: Any) -> str:
    parts = getattr(validator, "_validators", (validator,))
    return ", ".join(f"{part.compare_op} {part.bound}" for part in parts if hasattr(part, "compare_op"))


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case tuple():
            return "[]"
        case _:
            return str(value)


def _errors() -> Iterator[str]:
    yield "# Errors\n"
    yield "Every error is a problem (RFC 9457) with the media type `application/problem+json`:"
    yield "[the HTTP API](http-api.md#errors) shows one. The service explains each type at its own address, for"
    yield "instance `/problems/not-found`.\n"
    refusals = {slug: [e.__name__ for e, its in SLUG_OF_ERROR.items() if its == slug] for slug in PROBLEMS}
    rows = [
        [
            _code(f"/problems/{slug}"),
            str(kind.status.value),
            kind.title,
            kind.remedy,
            ", ".join(map(_code, refusals[slug])),
        ]
        for slug, kind in PROBLEMS.items()
    ]
    yield from _table(["type", "status", "title", "what to do", "refusal of the core"], rows)
    yield ""
    yield "The last column names the class of `catalog.domain.errors`; where it is empty, the request was refused"
    yield "before it reached the core. Answers of `/problems/busy` and `/problems/unavailable` say in `Retry-After`"
    yield "how many seconds to wait."


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "`python -m catalog` is the same as `catalog`. Every command explains itself with `--help`. A command that is"
    yield "refused prints one line that begins with `catalog:` and ends with the exit status 2.\n"
    for name, command in main.commands.items():
        yield from _command(f"catalog {name}", command)


def _command(name: str, command: click.Command) -> Iterator[str]:
    arguments = [p.name.upper() for p in command.params if isinstance(p, click.Argument) and p.name]
    group = command if isinstance(command, click.Group) else None
    yield f"## `{' '.join([name, *arguments, *(['COMMAND'] if group else [])])}`\n"
    yield f"{' '.join((command.help or '').split())}\n"
    options = [p for p in command.params if isinstance(p, click.Option)]
    if options:
        yield from _table(["option", "meaning"], ([_code(_spelling(o)), _meaning(o)] for o in options))
        yield ""
    if group is not None:
        commands = sorted(group.commands.items())
        yield from _table(["command", "what it does"], ([_code(n), _first_sentence(c)] for n, c in commands))
        yield ""
        if group.name != "database":  # its commands are Advanced Alchemy's, and explain themselves
            for subname, subcommand in commands:
                yield from _command(f"{name} {subname}", subcommand)


def _spelling(option: click.Option) -> str:
    if option.is_flag:
        return option.opts[0]
    return f"{option.opts[0]} {option.metavar or ('FILE' if isinstance(option.type, click.Path) else 'TEXT')}"


def _meaning(option: click.Option) -> str:
    text = " ".join((option.help or "").split())
    return f"{text} [default: `{option.default}`]" if option.show_default else text


def _first_sentence(command: click.Command) -> str:
    return (command.help or "").strip().splitlines()[0].rstrip(".") + "."


_FIELDS = ("key", "title", "subtitle", "authors", "author", "contributors", "isbn", "published", "languages")


def _mappings() -> Iterator[str]:
    yield "# Column mappings\n"
    yield "`catalog import` knows a CSV file by its header. A file that has all the columns of one of these"
    yield "mappings, from `key` to `languages`, is read with it; those below them are taken over where they are there,"
    yield "and whatever else there is stays in the record that is kept with the book. A `plain` file needs only"
    yield "`title`, may have any of the others, and has none besides. For other files, say with `--map FIELD=COLUMN,…`"
    yield "which column says what: see [Import CSV files](../how-to/import-csv.md).\n"
    for dialect in DIALECTS:
        yield f"## {dialect.name}\n"
        columns = {name: getattr(dialect, name) for name in _FIELDS}
        rows = [[_code(name), _columns(column)] for name, column in columns.items() if column]
        rows += [[_code(name), ", ".join(map(_code, each))] for name, each in dialect.more.items()]
        yield from _table(["field", "column"], rows)
        yield ""
        yield f"Source: {_code(dialect.source) if dialect.source else 'the name of the file, or what `--source` says'}."
        yield f"Lists are split at {_code(dialect.separator)}."
        if dialect.has_headings:
            yield "A name that ends in years of life is turned round, and what is in brackets is another form of it."
        if dialect.roles:
            yield "A name may end in a role in brackets:\n"
            yield from _table(["role in the file", "relator code"], _roles(dialect.roles))
        yield ""


def _formats() -> Iterator[str]:
    yield "# Formats\n"
    yield "Which place of a record is which field, for every format but the [columns](mappings.md) of CSV. The tables"
    yield "are drawn by trying: a place is read if a book says more once it is there, and written if a field of a book"
    yield "comes out there. What is in no table stays in the record that is kept with the book; one that came as MARC"
    yield "is written as MARC with all of it.\n"
    for title, read, written in _places():
        yield f"## {title}\n"
        names = [name for name in _ORDER if name in {**read, **written}]
        heads = [head for head, places in (("read from", read), ("written to", written)) if places]
        rows = [
            [name, *(", ".join(map(_code, places.get(name, ()))) for places in (read, written) if places)]
            for name in names
        ]
        yield from _table(["field", *heads], rows)
        yield ""
    yield "## Words of their own\n"
    yield "What stands in a record as a word or a code, and is another one here.\n"
    for title, head, words in _WORDS_OF_FORMATS:
        yield f"### {title}\n"
        yield from _table([head, "here"], [[_code(word), _code(str(ours))] for word, ours in words.items()])
        yield ""


def _real_files() -> Iterator[str]:
    yield "# Real files\n"
    yield "The readers are tried on files that nobody here wrote: MARC records, BibTeX, CSL-JSON, RIS, ONIX, dumps."
    yield "Others have counted, with other programs, what is in them: records, titles, main authors, contributors,"
    yield "distinct valid ISBNs, records with a language, with a year. Every count is the same here but for these. The"
    yield "files are not part of this package; where they are, `tests/formats/test_real_files.py` compares.\n"
    differences = tomllib.loads(DIFFERENCES.read_text("utf-8"))
    rows = [
        [_code(name), ", ".join(f"{what} {here} ({there})" for what, (here, there) in pairs.items()), difference["why"]]
        for difference in differences["difference"]
        for name, pairs in difference["files"].items()
    ]
    yield from _table(["file", "here (and there)", "why"], rows)
    yield "\nThe titles of MARC records are compared as well. They are the same letter for letter, but for these:\n"
    otherwise = [[", ".join(map(_code, each["files"])), each["why"]] for each in differences["said_otherwise"]]
    yield from _table(["files", "why"], otherwise)
    yield "\n## Not compared\n"
    not_counted = [[", ".join(map(_code, each["files"])), each["why"]] for each in differences["not_counted"]]
    yield from _table(["files", "why"], not_counted)


def _places() -> Iterator[tuple[str, probing.Places, probing.Places]]:
    """Yield each format, what is read of it, and what is written."""
    nothing: probing.Places = {}
    yield "MARC 21, in its three forms", probing.read_from_marc(), probing.written_to("marc", probing.marc_places)
    of_bibtex = probing.read_from("bibtex", probing.bibtex_record, probing.BIBTEX_FIELDS, probing.VALUES)
    yield "BibTeX", of_bibtex, probing.written_to("bibtex", probing.bibtex_places)
    yield "BibLaTeX", of_bibtex, probing.written_to("biblatex", probing.bibtex_places)
    of_ris = probing.read_from("ris", probing.ris_record, probing.RIS_TAGS, probing.VALUES)
    yield "RIS", of_ris, probing.written_to("ris", probing.ris_places)
    of_csl = probing.read_from("csl", probing.csl_record, probing.CSL_VARIABLES, probing.CSL_VALUES)
    yield "CSL-JSON", of_csl, probing.written_to("csl", probing.csl_places)
    yield "ONIX for Books", probing.read_from_onix(), nothing
    names, values = probing.OPENLIBRARY_NAMES, probing.OPENLIBRARY_VALUES
    yield "Open Library", probing.read_from("openlibrary", probing.openlibrary_record, names, values), nothing
    yield "schema.org, as JSON-LD", nothing, probing.written_to("jsonld", probing.jsonld_places)
    yield "Dublin Core", nothing, probing.written_to("dc", probing.dc_places)
    yield "CSV, as it is written", nothing, probing.written_to("csv", probing.csv_places)


_ORDER = (
    "title", "subtitle", "author: name", "author: sort_name", "author: kind", "author: birth", "author: death",
    "author: variants", "author: identifiers", "contributor: name", "contributor: sort_name", "contributor: kind",
    "contributor: birth", "contributor: death", "contributor: variants", "contributor: identifiers",
    "contributor: credited_as", probing.ROLE, "identifiers", "isbn", "other identifiers", "published", "languages",
    "publishers", "places", "edition", "series", "extent", "pages", "subjects", "classifications", "responsibility",
    "description", "notes", "links", "tags",
)  # fmt: skip  # a table is read by column
_WORDS_OF_FORMATS: Sequence[tuple[str, str, Mapping[str, object]]] = (
    ("MARC 21: kinds of heading", "the last two digits of a tag", marc_people.KINDS),
    ("MARC 21: relator terms ($e)", "term", marc_people.ROLES),
    ("MARC 21: identifiers of authors ($0, $1)", "begins with", marc_people.AUTHORITIES),
    ("MARC 21: lists of terms (second indicator of 6XX)", "indicator", marc_mapping.TERM_LISTS),
    ("MARC 21: classifications", "tag", marc_mapping.CLASSES),
    ("MARC 21: numbers (first indicator of 024)", "indicator", marc_mapping.NUMBERS_024),
    ("BibTeX: fields that hold names", "field", bibtex.ROLES),
    ("BibTeX: what editors did (`editortype`, `editoratype`)", "type", bibtex.EDITOR_TYPES),
    ("BibTeX and RIS: languages", "name", bibtex.LANGUAGES),
    ("RIS: tags that hold names, as they are written", "role", ris.TAGS),
    ("CSL-JSON: variables that hold names", "variable", csl.ROLES),
    ("ONIX: contributors (list 17)", "code", onix.ROLES),
    ("ONIX: numbers of products (list 5)", "code", onix.NUMBERS),
    ("ONIX: numbers of names (list 44)", "code", onix.NAME_NUMBERS),
    ("ONIX: lists of terms (list 27)", "code", onix.SUBJECTS),
    ("ONIX: classifications (list 27)", "code", onix.CLASSES),
    ("Open Library: contributors", "role", openlibrary.ROLES),
    ("Open Library: classifications", "member", openlibrary.CLASSES),
)


def _columns(column: str | Sequence[str]) -> str:
    return _code(column) if isinstance(column, str) else ", then ".join(map(_code, column))


def _roles(roles: Mapping[str, str | None]) -> Iterator[Sequence[str]]:
    for label, code in roles.items():
        yield [label, _code(code) if code else "none"]


def _code(text: str) -> str:
    return f"`{text}`"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"


def _run(arguments: Sequence[str]) -> str | None:
    """Do what the arguments say; return what is wrong, if something is."""
    outdated = [file for file, text in pages().items() if not file.is_file() or file.read_text("utf-8") != text]
    if arguments == ["--check"]:
        names = ", ".join(file.name for file in outdated)
        return f"out of date: {names}; write them anew with: python docs/generate.py" if outdated else None
    for file in outdated:
        file.write_text(pages()[file], "utf-8")
    return None


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
