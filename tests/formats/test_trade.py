"""What booksellers and open catalogues give away: ONIX, and the dumps of Open Library."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.shared_data import shared_file

from catalog.domain.books import Classification, Series
from catalog.domain.errors import UnreadableFile
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import Isbn, Language, PartialDate, Role, Scheme
from catalog.entrypoints.cli import main
from catalog.entrypoints.formats import Reading, record_reader

PRODUCT = """<Product><RecordReference>r1</RecordReference><NotificationType>03</NotificationType>
<ProductIdentifier><ProductIDType>15</ProductIDType><IDValue>9780007232833</IDValue></ProductIdentifier>
<DescriptiveDetail>
<Collection><TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>02</TitleElementLevel>
<TitlePrefix>The</TitlePrefix><TitleWithoutPrefix>Martin Beck series</TitleWithoutPrefix></TitleElement>
<TitleElement><TitleElementLevel>01</TitleElementLevel><PartNumber>1</PartNumber></TitleElement></TitleDetail>
</Collection>
<TitleDetail><TitleType>10</TitleType><TitleElement><TitleElementLevel>01</TitleElementLevel>
<TitleText>ROSEANNA (BECK)</TitleText></TitleElement></TitleDetail>
<TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>01</TitleElementLevel>
<TitleText>Roseanna &amp; so on</TitleText><Subtitle>a novel</Subtitle></TitleElement></TitleDetail>
<Contributor><ContributorRole>A01</ContributorRole><NameIdentifier><NameIDType>16</NameIDType>
<IDValue>0000000121479135</IDValue></NameIdentifier><NamesBeforeKey>Maj</NamesBeforeKey><KeyNames>Sjöwall</KeyNames>
</Contributor>
<Contributor><ContributorRole>B06</ContributorRole><PersonNameInverted>Roth, Lois</PersonNameInverted></Contributor>
<Language><LanguageRole>01</LanguageRole><LanguageCode>eng</LanguageCode></Language>
<Language><LanguageRole>02</LanguageRole><LanguageCode>swe</LanguageCode></Language>
<Extent><ExtentType>00</ExtentType><ExtentValue>245</ExtentValue><ExtentUnit>03</ExtentUnit></Extent>
<Subject><SubjectSchemeIdentifier>12</SubjectSchemeIdentifier><SubjectCode>FF</SubjectCode></Subject>
</DescriptiveDetail>
<CollateralDetail><TextContent><TextType>03</TextType><Text textformat="05"><p>Cold <b>and</b> dark.</p></Text>
</TextContent></CollateralDetail>
<PublishingDetail><Publisher><PublishingRole>01</PublishingRole><PublisherName>HarperCollins</PublisherName></Publisher>
<CityOfPublication>London</CityOfPublication>
<PublishingDate><PublishingDateRole>01</PublishingDateRole><Date>20060807</Date></PublishingDate></PublishingDetail>
</Product>"""


def read(content: str | bytes, name: str | None = None) -> Sequence[Entry]:
    raw = content.encode() if isinstance(content, str) else content
    return list(record_reader(name, raw[:4096], Reading(source="file")).read(io.BytesIO(raw)))


def draft_of(entry: Entry) -> BookDraft:
    assert entry.draft is not None, entry.refusal
    return entry.draft


def test_a_product_says_what_publishers_tell_booksellers() -> None:
    (entry,) = read(f'<?xml version="1.0"?><ONIXMessage release="3.0">{PRODUCT}</ONIXMessage>')

    draft, said = draft_of(entry), draft_of(entry).details
    assert (said.title, said.subtitle, said.isbn) == ("Roseanna & so on", "a novel", Isbn("9780007232833"))
    assert (said.published, said.pages, said.languages) == (PartialDate("2006-08-07"), 245, (Language("eng"),))
    assert (said.publishers, said.places) == (("HarperCollins",), ("London",))
    assert said.series == (Series(title="The Martin Beck series", position="1"),)
    assert [(subject.term, subject.scheme) for subject in said.subjects] == [("FF", Scheme("bic"))]
    assert said.description == "Cold and dark."
    assert draft.author is not None
    assert (draft.author.name, draft.author.sort_name) == ("Maj Sjöwall", "Sjöwall, Maj")
    assert draft.author.identifiers == (Identifier(scheme=Scheme("isni"), value="0000000121479135"),)
    assert [(each.author.name, each.role) for each in draft.contributors] == [("Lois Roth", Role("trl"))]
    assert (draft.origin.key, draft.origin.format) == ("r1", "onix")
    assert b"Roseanna" in (draft.origin.content or b"")


@pytest.mark.parametrize(
    "broken",
    [
        PRODUCT.replace("Cold", "<x>"),
        PRODUCT.replace("Cold", "&bomb;"),
        PRODUCT.replace("Cold", "<b>" * 200 + "</b>" * 200),
        PRODUCT.replace("<TitleText>Roseanna &amp; so on</TitleText>", "").replace("ROSEANNA (BECK)", ""),
    ],
)
def test_a_product_that_is_broken_takes_no_other_along(broken: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY bomb "boom">]>'

    first, second = read(f"{bomb}<ONIXMessage>{broken}{PRODUCT}</ONIXMessage>", "onix")

    assert first.refusal
    assert draft_of(second).details.title == "Roseanna & so on"


def test_a_message_without_products_says_so() -> None:
    with pytest.raises(UnreadableFile):
        read("<ONIXMessage></ONIXMessage>", "onix")


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


def test_an_edition_is_a_book_by_whom_lines_before_tell_of() -> None:
    (entry,) = read(AUTHORS + WORKS + EDITION)

    draft, said = draft_of(entry), draft_of(entry).details
    assert (said.title, said.published, said.pages) == ("Roughing it", PartialDate("1872-06-03"), 26)
    assert said.isbn == Isbn("9780394800165")
    assert said.classifications == (Classification(scheme=Scheme("ddc"), value="818/.409"),)
    assert said.notes == ("One.\n\nTwo.",)
    assert draft.author is not None
    assert (draft.author.name, draft.author.birth) == ("Mark Twain", PartialDate("1835-11-30"))
    assert draft.author.identifiers == (Identifier(scheme=Scheme("olid"), value="OL1A"),)
    assert [(each.author.name, each.role) for each in draft.contributors] == [("True Williams", Role("ill"))]
    assert (draft.origin.source, draft.origin.key, draft.origin.content) == ("openlibrary", "OL1M", EDITION.encode())


def test_an_edition_by_somebody_whom_no_line_tells_of_says_so() -> None:
    (entry,) = read(EDITION.replace("/works/OL1W", "/works/OL2W") + a_line("redirect", "/books/OL3M"))
    (other,) = read(WORKS + EDITION)

    assert draft_of(entry).author is None
    assert other.warnings == ("authors left out, whom no line before tells of: OL1A",)


def test_a_line_that_is_none_takes_no_other_along() -> None:
    entries = read(
        EDITION + "no columns\n/type/edition\t/books/OL2M\t1\t2\t{\n" + a_line("edition", "/books/OL4M", title=5)
    )

    assert [entry.refusal[:12] for entry in entries] == ["", "has 1 column", "is no JSON: ", "has no title"]


def test_files_of_one_run_tell_each_other_who_is_who(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("authors.txt", "works.txt", "editions.txt")]
    for file, content in zip(files, (AUTHORS, WORKS, EDITION), strict=True):
        file.write_text(content, "utf-8")

    done = CliRunner().invoke(main, ["import", *map(str, files), "--storage", f"sqlite:///{tmp_path}/a.db"])
    told = CliRunner().invoke(main, ["export", "--format", "ris", "--storage", f"sqlite:///{tmp_path}/a.db"])

    assert done.exit_code == 0, done.output
    assert "AU  - Mark Twain" in told.output


def test_records_of_others_say_what_others_find_in_them() -> None:
    expected = json.loads(shared_file("../expected/expected.json").read_text(encoding="utf-8"))["files"]
    differing = {}
    for name, theirs in expected.items():
        if not name.startswith("onix/") and name != "openlibrary/ol_dump_editions.txt":
            continue
        entries = read(shared_file(name).read_bytes())
        said = [entry.draft for entry in entries if entry.draft is not None]
        counts = {
            "records": (len(entries), theirs["records"]),
            "titles": (len(said), theirs["with_title"]),
            "authors": (sum(each.author is not None for each in said), theirs["with_main_author"]),
            "contributors": (sum(len(each.contributors) for each in said), theirs["contributors_total"]),
            "isbns": (len({isbn for each in said for isbn in each.details.isbns()}), theirs["valid_isbn13_distinct"]),
            "languages": (sum(bool(each.details.languages) for each in said), theirs["with_language"]),
            "years": (sum(each.details.published is not None for each in said), theirs["with_year"]),
        }
        if unequal := {what: pair for what, pair in counts.items() if pair[0] != pair[1]}:
            differing[name] = unequal

    # Whom editions name in words, with what they did, is counted here alone.
    assert differing == {"openlibrary/ol_dump_editions.txt": {"contributors": (4, 0)}}
