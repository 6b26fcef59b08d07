"""What citation formats must neither lose nor tell wrongly."""

import io
import json
from typing import Any

import pytest
from attrs import evolve
from tests.formats.exports import exported
from tests.formats.test_csljson import GABRIEL, WHOLE

from catalog.adapters.formats.csljson import CslReader
from catalog.adapters.formats.marc import marcxml
from catalog.domain.authors import AuthorDetails
from catalog.domain.errors import UnreadableFile
from catalog.domain.exports import Exported
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import Entry
from catalog.domain.values import AuthorKind, Language, PartialDate, Scheme
from catalog.entrypoints.formats import Reading, record_reader, record_writer


def written(name: str, *books: Exported) -> str:
    writer = record_writer(name)
    return b"".join([writer.head(), *map(writer.book, books), writer.tail()]).decode()


def item(**said: Any) -> Entry:
    content = json.dumps([{"id": 1, "title": "T", **said}]).encode()
    (entry,) = CslReader(source="file").read(io.BytesIO(content))
    assert entry.draft is not None, entry.refusal
    return entry


@pytest.mark.parametrize(
    ("name", "told"),
    [("bibtex", "Poe, Edgar"), ("biblatex", "Poe, Edgar"), ("ris", "AU  - Poe, Edgar"), ("dc", "<dc:creator>Poe"),
     ("jsonld", '"author":[{'), ("csl", '"author":[{')],
)  # fmt: skip
@pytest.mark.parametrize("role", ["aut", "cre"])
def test_who_is_told_to_be_an_author_is_written_as_one(name: str, told: str, role: str) -> None:
    poe = AuthorDetails(name="Edgar Poe", sort_name="Poe, Edgar", kind=AuthorKind("person"))

    content = written(name, exported(WHOLE, None, (poe, role)))

    assert told in content
    assert "Edgar Poe (aut)" not in content


def test_languages_are_tags_of_bcp_47_on_the_web() -> None:
    book = exported(evolve(WHOLE, languages=tuple(map(Language, ("ger", "eng", "fre", "grc", "tib")))), GABRIEL)

    assert json.loads(written("jsonld", book))["@graph"][0]["inLanguage"] == ["de", "en", "fr", "grc", "bo"]
    assert json.loads(written("csl", book))[0]["language"] == "de"


def test_a_meeting_is_no_event_where_an_author_is_expected() -> None:
    meeting = AuthorDetails(name="Congress", kind=AuthorKind("meeting"))

    assert json.loads(written("jsonld", exported(WHOLE, meeting)))["@graph"][0]["author"][0]["@type"] == "Organization"


@pytest.mark.parametrize(
    ("issued", "date"),
    [({"raw": "May 12, 1999"}, "1999"), ({"literal": "250 BC"}, "-0249"), ({"date-parts": [[2000, 13]]}, "2000"),
     ({"date-parts": [[2000, 2, 30]]}, "2000-02"), ({"raw": "1998-1999"}, "1998"), ({"raw": "750"}, "0750")],
)  # fmt: skip
def test_the_year_of_a_date_is_its_year(issued: Any, date: str) -> None:
    draft = item(issued=issued).draft

    assert draft is not None
    assert draft.details.published == PartialDate(date)


def test_what_a_field_does_not_take_does_not_take_the_item_along() -> None:
    people = [{"family": f"F{number}", "given": "G"} for number in range(300)]

    said = {"keyword": "a\x07b, ice", "collection-title": "a\u202eb", "editor": people}
    entry = item(**said, issued={"date-parts": [[0, 99]]})

    assert entry.draft is not None
    assert [each.term for each in entry.draft.details.subjects] == ["ice"]
    assert sorted(told.split(" left out")[0] for told in entry.warnings) == [
        "100 of 300 contributors", "date ['0', '99'] shortened to 0000: the rest is no month and day",
        "one of subjects", "series",
    ]  # fmt: skip


@pytest.mark.parametrize("own", [" ", [], {}, True, 1.5, "x" * 201])
def test_what_is_no_id_is_no_key(own: Any) -> None:
    draft = item(id=own).draft

    assert draft is not None
    assert (draft.has_own_key, len(draft.origin.key)) == (False, 64)


def test_notes_keep_their_lines_and_a_mark_at_the_beginning_is_none() -> None:
    content = "\ufeff" + json.dumps([{"title": "T", "note": "a\nb", "abstract": "c\n\nd"}])
    (entry,) = CslReader(source="file").read(io.BytesIO(content.encode()))

    assert entry.draft is not None
    assert (entry.draft.details.notes, entry.draft.details.description) == (("a\nb",), "c\n\nd")


@pytest.mark.parametrize("encoding", ["bz2", "hex", "zlib", "rot13"])
def test_what_is_no_encoding_of_text_is_no_encoding_of_a_file(encoding: str) -> None:
    with pytest.raises(UnreadableFile, match="nobody knows"):
        list(marcxml.records_of(io.BytesIO(f'<?xml version="1.0" encoding="{encoding}"?><record/>'.encode())))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bibtex", "@book{k, title={T}, editor={" + " and ".join(f"Given{n} Family{n}" for n in range(203)) + "}}"),
        ("ris", "TY  - BOOK\nTI  - T\n" + "".join(f"A2  - Family{n}, Given{n}\n" for n in range(203)) + "ER  - \n"),
        ("csl", json.dumps([{"title": "T", "editor": [{"family": f"F{n}", "given": "G"} for n in range(203)]}])),
    ],
)
def test_more_people_than_a_book_can_name_are_told_of(name: str, content: str) -> None:
    (entry,) = record_reader(name, b"", Reading(source="file")).read(io.BytesIO(content.encode()))

    assert entry.draft is not None
    assert len(entry.draft.contributors) == 200
    assert "3 of 203 contributors left out" in entry.warnings


@pytest.mark.parametrize("name", ["bibtex", "biblatex"])
def test_a_doi_can_not_end_its_field(name: str) -> None:
    doi = Identifier(scheme=Scheme("doi"), value="10.1/}}@misc{evil,title={x\\")
    book = exported(evolve(WHOLE, identifiers=(doi,)), GABRIEL)

    entries = list(record_reader(name, b"", Reading(source="x")).read(io.BytesIO(written(name, book).encode())))

    assert "doi = {10.1/%7D%7D@misc%7Bevil,title=%7Bx%5C}" in written(name, book)
    assert [entry.draft.details.title for entry in entries if entry.draft] == [WHOLE.title]
