"""ONIX for Books, in its releases and with both kinds of tags."""

import gzip
import io
import time
from collections.abc import Sequence

import pytest
from tests.shared_data import shared_file

from catalog.adapters.formats.onix import FORMAT, OnixReader
from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Classification, Series, SourceKey, Subject
from catalog.domain.errors import UnreadableFile
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import AuthorKind, Isbn, Language, PartialDate, Role, Scheme

PERSON = AuthorKind("person")
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<ONIXMessage release="3.0"><Header/>'
TITLE = (
    "<TitleDetail><TitleType>01</TitleType><TitleElement><TitleElementLevel>01</TitleElementLevel>{}</TitleElement>"
    "</TitleDetail>"
)


def a_product(described: str = "", *, title: str = "<TitleText>T</TitleText>", rest: str = "") -> str:
    titled = TITLE.format(title)
    return (
        f"<Product><RecordReference>r1</RecordReference><NotificationType>03</NotificationType>{rest}"
        f"<DescriptiveDetail>{titled}{described}</DescriptiveDetail></Product>"
    )


def a_message(*products: str, head: str = HEAD) -> bytes:
    return f"{head}{''.join(products)}</ONIXMessage>".encode()


def read(content: bytes) -> Sequence[Entry]:
    return list(OnixReader(source="file").read(io.BytesIO(content)))


def draft(*products: str) -> BookDraft:
    (entry,) = read(a_message(*products))
    assert entry.draft is not None, entry.refusal
    return entry.draft


def details(described: str = "", *, title: str = "<TitleText>T</TitleText>", rest: str = "") -> BookDetails:
    return draft(a_product(described, title=title, rest=rest)).details


def an_author(inner: str, role: str = "A01") -> AuthorDetails | None:
    return draft(a_product(f"<Contributor><ContributorRole>{role}</ContributorRole>{inner}</Contributor>")).author


def test_a_product_is_told_by_the_reference_of_its_sender() -> None:
    said = draft(a_product())

    assert said.origin.id == SourceKey("file", "r1")
    assert (said.origin.format, said.origin.content, said.has_own_key) == (FORMAT, a_product().encode(), True)
    without = draft(a_product().replace("r1", ""))
    assert (len(without.origin.key), without.has_own_key) == (64, False)


@pytest.mark.parametrize(
    ("title", "text", "subtitle"),
    [
        ("<TitleText>War, a novel</TitleText><Subtitle>and more</Subtitle>", "War, a novel", "and more"),
        ("<TitlePrefix>The</TitlePrefix><TitleWithoutPrefix>War</TitleWithoutPrefix>", "The War", None),
        ("<NoPrefix/><TitleWithoutPrefix>War</TitleWithoutPrefix>", "War", None),
        ("<TitleText>War &amp; <em>Peace</em>\n  again</TitleText>", "War & Peace again", None),
    ],
)
def test_titles_are_put_together(title: str, text: str, subtitle: str | None) -> None:
    said = details(title=title)

    assert (said.title, said.subtitle) == (text, subtitle)


def test_the_title_is_that_of_the_product_on_its_title_page() -> None:
    other = TITLE.replace("<TitleType>01", "<TitleType>10").format("<TitleText>T (PAPERBACK)</TitleText>")
    of_the_set = (
        "<TitleElement><TitleElementLevel>02</TitleElementLevel><TitleText>The set</TitleText></TitleElement>"
        "<TitleElement><TitleElementLevel>01</TitleElementLevel>{}</TitleElement>"
    )
    detail = "<Product><DescriptiveDetail>" + other + "<TitleDetail><TitleType>01</TitleType>{}</TitleDetail>"
    end = "</DescriptiveDetail></Product>"

    assert draft(detail.format(of_the_set.format("<TitleText>T</TitleText>")) + end).details.title == "T"
    assert draft(detail.format(of_the_set.format("<PartNumber>2</PartNumber>")) + end).details.title == "The set"
    assert draft(detail.format("") + end).details.title == "T (PAPERBACK)"


def test_people_stand_by_both_orders_of_their_names() -> None:
    parts = ("<NamesBeforeKey>Ludwig</NamesBeforeKey><PrefixToKey>van</PrefixToKey><KeyNames>Beethoven</KeyNames>"
             "<SuffixToKey>Jr</SuffixToKey>")  # fmt: skip
    number = "<NameIdentifier><NameIDType>16</NameIDType><IDValue>0000000121479135</IDValue></NameIdentifier>"
    dates = ("<ContributorDate><ContributorDateRole>50</ContributorDateRole><Date dateformat='05'>1770</Date>"
             "</ContributorDate><ContributorDate><ContributorDateRole>51</ContributorDateRole><Date>18270326</Date>"
             "</ContributorDate>")  # fmt: skip

    assert an_author(parts + number + dates) == AuthorDetails(
        name="Ludwig van Beethoven, Jr", sort_name="Beethoven, Ludwig van, Jr", kind=PERSON,
        birth=PartialDate("1770"), death=PartialDate("1827-03-26"),
        identifiers=(Identifier(scheme=Scheme("isni"), value="0000000121479135"),),
    )  # fmt: skip
    direct, inverted = "<PersonName>A B</PersonName>", "<PersonNameInverted>B, A</PersonNameInverted>"
    assert an_author(direct + inverted) == AuthorDetails(name="A B", sort_name="B, A", kind=PERSON)
    assert an_author(inverted) == AuthorDetails(name="A B", sort_name="B, A", kind=PERSON)
    assert an_author(direct) == AuthorDetails(name="A B", kind=PERSON)
    body = AuthorDetails(name="Barnes, Noble", kind=AuthorKind("organisation"))
    assert an_author("<CorporateName>Barnes, Noble</CorporateName>") == body
    assert an_author("<UnnamedPersons>01</UnnamedPersons>") is None


def test_everybody_has_a_role_and_who_only_edited_is_no_author() -> None:
    def somebody(name: str, *roles: str) -> str:
        codes = "".join(f"<ContributorRole>{role}</ContributorRole>" for role in roles)
        return f"<Contributor>{codes}<PersonName>{name}</PersonName></Contributor>"

    said = draft(a_product(somebody("E", "B01") + somebody("A", "A01", "A12") + somebody("T", "B06", "Q99")))
    edited = draft(a_product(somebody("E", "B01") + somebody("X")))

    assert said.author == AuthorDetails(name="A", kind=PERSON)
    roles = [(each.author.name, each.role) for each in said.contributors]
    assert roles == [("E", Role("edt")), ("A", Role("ill")), ("T", Role("trl")), ("T", None)]
    assert edited.author is None
    assert [(each.author.name, each.role) for each in edited.contributors] == [("E", Role("edt")), ("X", None)]


def test_numbers_are_told_once_and_with_what_is_wrong_with_them() -> None:
    given = {"03": "9780441478125", "15": "978-0-441-47812-5", "02": "0441478124", "06": "10.1000/1", "23": "12345",
             "01": "Y226425"}  # fmt: skip
    said = details(rest="".join(
        f"<ProductIdentifier><ProductIDType>{code}</ProductIDType><IDValue>{value}</IDValue></ProductIdentifier>"
        for code, value in (*given.items(), ("03", "5012345678900"))
    ))  # fmt: skip

    assert said.isbn == Isbn("9780441478125")
    assert [(str(each.scheme), each.value, str(each.status)) for each in said.identifiers] == [
        ("isbn", "9780441478125", "valid"), ("isbn", "0441478124", "invalid"), ("doi", "10.1000/1", "valid"),
        ("oclc", "12345", "valid"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("<Date dateformat='00'>20060807</Date>", "2006-08-07"),
        ("<Date>200608</Date>", "2006-08"),
        ("<DateFormat>05</DateFormat><Date>2006</Date>", "2006"),
        ("<Date dateformat='04'>20063</Date>", "2006"),
        ("<Date dateformat='11'>20062007</Date>", "2006"),
        ("<Date dateformat='14'>20060807T101500</Date>", "2006-08-07"),
        ("<Date>20060000</Date>", "2006"),
        ("<Date dateformat='20'>14270807</Date>", None),
        ("<Date>20061307</Date>", None),
        ("<Date>soon</Date>", None),
    ],
)
def test_dates_are_as_exact_as_their_format(date: str, expected: str | None) -> None:
    detail = f"<PublishingDate><PublishingDateRole>01</PublishingDateRole>{date}</PublishingDate>"
    first = "<PublishingDate><PublishingDateRole>11</PublishingDateRole><Date>1968</Date></PublishingDate>"
    (entry,) = read(a_message(a_product(rest=f"<PublishingDetail>{first}{detail}</PublishingDetail>")))

    assert entry.draft is not None
    assert entry.draft.details.published == (None if expected is None else PartialDate(expected))
    assert bool(entry.warnings) == (expected is None)


def test_what_else_a_product_says_has_its_field() -> None:
    def subject(scheme: str, code: str = "", heading: str = "") -> str:
        return (f"<Subject><SubjectSchemeIdentifier>{scheme}</SubjectSchemeIdentifier><SubjectCode>{code}</SubjectCode>"
                f"<SubjectHeadingText>{heading}</SubjectHeadingText></Subject>")  # fmt: skip

    said = details(
        "<Collection><TitleDetail><TitleElement><TitleElementLevel>02</TitleElementLevel><TitleText>Hainish cycle"
        "</TitleText></TitleElement><TitleElement><TitleElementLevel>01</TitleElementLevel><PartNumber>4</PartNumber>"
        "</TitleElement></TitleDetail></Collection>"
        "<ContributorStatement>by X.</ContributorStatement><EditionNumber>2</EditionNumber>"
        "<Language><LanguageRole>02</LanguageRole><LanguageCode>swe</LanguageCode></Language>"
        "<Language><LanguageRole>01</LanguageRole><LanguageCode>eng</LanguageCode></Language>"
        "<Extent><ExtentType>07</ExtentType><ExtentValue>304</ExtentValue><ExtentUnit>03</ExtentUnit></Extent>"
        "<Extent><ExtentType>00</ExtentType><ExtentValue>286</ExtentValue><ExtentUnit>03</ExtentUnit></Extent>"
        "<Extent><ExtentType>00</ExtentType><ExtentValue>9</ExtentValue><ExtentUnit>05</ExtentUnit></Extent>"
        + subject("93", "FL") + subject("10", "FIC028000", "FICTION / Science Fiction") + subject("01", "813.54")
        + subject("20", heading="ice; snow") + subject("24", "X1", "Ours") + subject("24", "X2"),
        rest="<CollateralDetail><TextContent><TextType>02</TextType><Text>Short.</Text></TextContent><TextContent>"
        "<TextType>03</TextType><Text textformat='05'>\n <p>On <em>Winter</em>,\n far away.</p><p>Two.</p></Text>"
        "</TextContent></CollateralDetail>"
        "<PublishingDetail><Imprint><ImprintName>Ace Special</ImprintName></Imprint><Publisher>"
        "<PublishingRole>01</PublishingRole><PublisherName>Ace</PublisherName></Publisher><Publisher>"
        "<PublishingRole>13</PublishingRole><PublisherName>Bank</PublisherName></Publisher>"
        "<CityOfPublication>New York</CityOfPublication></PublishingDetail>",
    )  # fmt: skip  # elements as they stand

    assert said == BookDetails(
        author_id=None, title="T", responsibility="by X.", edition="2", languages=(Language("eng"),), pages=286,
        publishers=("Ace", "Ace Special"), places=("New York",), description="On Winter, far away.\nTwo.",
        series=(Series(title="Hainish cycle", position="4"),),
        classifications=(Classification(scheme=Scheme("ddc"), value="813.54"),),
        subjects=(
            Subject(term="FL", scheme=Scheme("thema")),
            Subject(term="FICTION / Science Fiction", scheme=Scheme("bisac")),
            Subject(term="ice"), Subject(term="snow"), Subject(term="Ours"),
        ),
    )  # fmt: skip  # the same order


@pytest.mark.parametrize(
    "text",
    [
        "<p>One &lt; two.</p><p>Three</p>",
        "&lt;p&gt;One &amp;lt; two.&lt;/p&gt;\n&lt;p class='a'&gt;&lt;b&gt;Three&lt;/b&gt;&lt;/p&gt;",
        "<![CDATA[<div>One &lt; two.<br/>Three</div>]]>",
        "<x:p xmlns:x='http://www.w3.org/1999/xhtml'>One &lt; two.</x:p><x:br xmlns:x='y'/>Three",
    ],
)
def test_a_description_is_plain_text_however_its_marks_are_written(text: str) -> None:
    collateral = (
        f"<CollateralDetail><TextContent><TextType>03</TextType><Text>{text}</Text></TextContent></CollateralDetail>"
    )

    assert details(rest=collateral).description == "One < two.\nThree"


def test_what_does_not_fit_is_left_out_and_told() -> None:
    (entry,) = read(a_message(a_product(
        f"<EditionStatement>{'x' * 501}</EditionStatement>"
        "<Contributor><ContributorRole>A01</ContributorRole><PersonName>\u202e</PersonName></Contributor>"
        "<Language><LanguageRole>01</LanguageRole><LanguageCode>xxx</LanguageCode></Language>"
        "<Subject><SubjectSchemeIdentifier>93</SubjectSchemeIdentifier>"
        f"<SubjectCode>{'x' * 501}</SubjectCode></Subject>"
    )))  # fmt: skip

    assert entry.draft is not None
    assert entry.draft.details == BookDetails(author_id=None, title="T")
    assert [told.split(" left out: ")[0] for told in entry.warnings] == [
        "a contributor", "language 'xxx'", "edition", "one of subjects",
    ]  # fmt: skip


def test_release_2_1_is_read_too() -> None:
    content = shared_file("onix/onix2-single.xml").read_bytes()

    (entry,) = read(content)

    assert entry.draft is not None
    said = entry.draft.details
    assert (said.title, said.subtitle, said.pages) == ("The World Of Mining", "Doomed for Failure?", 120)
    assert said.published == PartialDate("2012-01-03")
    assert said.series[0] == Series(title="Travel Guide", position="2")
    assert said.subjects[:2] == (
        Subject(term="SEL000000", scheme=Scheme("bisac")),
        Subject(term="AJRK", scheme=Scheme("bic")),
    )
    assert entry.draft.author == AuthorDetails(name="Richard Woldendorp", sort_name="Woldendorp, Richard", kind=PERSON)
    assert (entry.draft.origin.content or b"-") in content


def test_short_tags_say_the_same_as_reference_tags() -> None:
    long, short = (read(shared_file(f"onix/Onix3.1-single-{tags}.xml").read_bytes())[0] for tags in ("ref", "short"))

    assert long.draft is not None
    assert short.draft is not None
    assert short.draft.details == long.draft.details
    assert (short.draft.author, short.draft.contributors) == (long.draft.author, long.draft.contributors)
    assert long.draft.details.series == (Series(title="The Martin Beck series", position="1"),)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (a_product()[:-30], "can not be read"),
        (a_product("<EditionStatement>a & b</EditionStatement>"), "can not be read"),
        (a_product("<EditionStatement>&nothing;</EditionStatement>"), "can not be read"),
        (a_product("<EditionStatement>\x01</EditionStatement>"), "can not be read"),
        (a_product("<a>" * 1000 + "</a>" * 1000), "can not be read: its elements are nested more than 100 deep"),
        ("<Product/>", "has no title"),
        (a_product(f"<!--{' ' * 10_000_000}-->"), "is longer than 10,000,000 bytes"),
        (a_product(title=""), "has no title"),
        (a_product(title=f"<TitleText>{'x' * 1001}</TitleText>"), "title must have at most 1000 characters"),
        (a_product().replace(">03<", ">05<"), "is a notice that the product is deleted"),
        (a_product().replace(">03<", ">89<"), "is a test and no product"),
    ],
    ids=["cut off", "ampersand", "entity", "control", "nested", "empty", "long", "no title", "title", "gone", "test"],
)
def test_a_broken_product_is_refused_and_its_neighbours_are_read(broken: str, reason: str) -> None:
    before, refused, after = read(a_message(a_product(), broken, a_product()))

    assert before.draft is not None
    assert before.draft == after.draft
    assert (before.line, refused.line, after.line) == (1, 2, 3)
    assert refused.draft is None
    assert refused.refusal.startswith(reason)


def test_neither_comments_nor_texts_divide_products() -> None:
    text = "<EditionStatement><![CDATA[</Product><Product>]]></EditionStatement><!-- </Product> <Product> -->"

    first, second = read(a_message(a_product(text), "<!-- <Product> -->", a_product()))

    assert first.draft is not None
    assert first.draft.details.edition == "</Product><Product>"
    assert second.draft is not None


def test_products_are_found_wherever_a_file_is_parted() -> None:
    padded = [a_product(f"<EditionStatement>{n}</EditionStatement><!--{'x' * 9_973}-->") for n in range(500)]

    entries = read(a_message(*padded))

    assert [entry.draft.details.edition for entry in entries if entry.draft] == [str(n) for n in range(500)]


def test_a_document_type_is_never_read() -> None:
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE ONIXMessage [<!ENTITY a0 "ha">{bomb}<!ENTITY f SYSTEM "file:///etc/passwd">]><ONIXMessage>'

    bombed, stolen, good = read(
        a_message(
            a_product(title="<TitleText>&a11;</TitleText>"),
            a_product(title="<TitleText>&f;</TitleText>"),
            a_product(),
            head=head,
        )
    )

    assert "undefined entity" in bombed.refusal
    assert "undefined entity" in stolen.refusal
    assert good.draft is not None


def test_the_characters_that_html_has_names_for_are_known() -> None:
    assert details(title="<TitleText>Caf&eacute; &amp;&nbsp;bar</TitleText>").title == "Café & bar"


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "windows-1252", "utf-16"])
def test_a_file_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    text = a_message(a_product(title="<TitleText>Café</TitleText>")).decode().replace("UTF-8", encoding)

    (entry,) = read(text.encode(encoding))

    assert entry.draft is not None
    assert entry.draft.details.title == "Café"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no product of ONIX"),
        (b"<html></html>", "no product of ONIX"),
        (b"<!-- " + a_message(a_product()), "no product of ONIX"),
        (b'<?xml version="1.0" encoding="x-nothing"?>' + a_message(a_product()), "which nobody knows"),
        (b'<?xml version="1.0" encoding="bz2"?>' + a_message(a_product()), "which nobody knows"),
        (gzip.compress(a_message(a_product()))[:-10], "damaged or not complete"),
    ],
)
def test_a_file_without_products_says_so(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFile, match=told):
        read(content)


def test_hostile_input_takes_no_time_beyond_its_length() -> None:
    begun = time.monotonic()
    for piece in ("<!--", "<Product>", "<Product", "]]>", "</Product>", "<a:b ", "&a;"):
        try:
            assert all(entry.draft is None for entry in read(a_message(piece * (300_000 // len(piece)))))
        except UnreadableFile:
            continue
    assert time.monotonic() - begun < 20


# ---- files that nobody here wrote

# What the counts are otherwise, and why: first of our side, then of theirs. Nothing.
