"""MARC 21: what records say, those of libraries as well as broken ones."""

import gzip
import io
from collections.abc import Sequence
from typing import Any

import pytest
from pymarc import Field, Indicators, Record, Subfield

from catalog.adapters.formats.marc import MarcReader
from catalog.adapters.formats.marc.extents import pages_in
from catalog.adapters.formats.marc.people import dates_of
from catalog.domain.books import BookDetails, Classification, Link, Series, SourceKey, Subject
from catalog.domain.errors import UnreadableFile
from catalog.domain.identifiers import Identifier
from catalog.domain.sources import BookDraft, Entry
from catalog.domain.values import AuthorKind, IdentifierStatus, Isbn, Language, PartialDate, Role, Scheme, Url

TITLE = ("245", "10", "a", "The left hand of darkness /")


def a_field(tag: str, indicators: str, *parts: str) -> Field:
    subfields = [Subfield(code, value) for code, value in zip(parts[::2], parts[1::2], strict=True)]
    return Field(tag=tag, indicators=Indicators(*indicators), subfields=subfields)


def a_record(*fields: tuple[str, ...], **control: str) -> bytes:
    record = Record(force_utf8=True)
    for tag, data in {"f001": "1234", "f003": "DLC", **control}.items():
        record.add_field(Field(tag=tag[1:], data=data))
    for tag, indicators, *parts in fields:
        record.add_field(a_field(tag, indicators, *parts))
    content: bytes = record.as_marc()
    return content


def read(content: bytes) -> Sequence[Entry]:
    return list(MarcReader(source="file").read(io.BytesIO(content)))


def draft(*fields: tuple[str, ...], **control: str) -> BookDraft:
    (entry,) = read(a_record(TITLE, *fields, **control))
    assert entry.draft is not None, entry.refusal
    return entry.draft


def details(*fields: tuple[str, ...], **control: str) -> BookDetails:
    return draft(*fields, **control).details


def test_a_record_is_told_by_its_number_and_by_who_gave_it() -> None:
    assert draft().origin.id == SourceKey("DLC", "1234")
    assert draft(f003="").origin.id == SourceKey("file", "1234")
    assert draft(f001="", f003="").origin.key == draft(f001="", f003="").origin.key
    assert draft(f001="").origin.key != draft(("250", "  ", "a", "2nd"), f001="").origin.key


def test_a_title_loses_the_marks_that_lead_on_and_not_its_own() -> None:
    (entry,) = read(a_record(("245", "10", "a", "War :", "b", "a novel /", "n", "Part 2,", "p", "Etc.", "c", "by X.")))

    assert entry.draft is not None
    said = entry.draft.details
    assert (said.title, said.subtitle, said.responsibility) == ("War : Part 2, Etc", "a novel", "by X.")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ("Cambridge, Mass. :", "Cambridge, Mass."),
        ("Québec, Qué. :", "Québec, Qué."),
        ("[Cambridge, Mass. :", "Cambridge, Mass."),
        ("Boston ;", "Boston"),
        ("Boston.", "Boston"),
    ],
)
def test_a_full_stop_before_a_mark_that_leads_on_is_that_of_an_abbreviation(given: str, place: str) -> None:
    said = details(("264", " 1", "a", given, "b", "Harvard Univ.,", "c", "1969."))

    assert (said.places, said.publishers) == ((place,), ("Harvard Univ.",))


def test_a_full_stop_that_ends_a_field_is_none_of_its_text() -> None:
    said = details(("250", "  ", "a", "Second edition."), ("490", "0 ", "a", "Studies."))

    assert (said.edition, said.series) == ("Second edition", (Series(title="Studies"),))


def test_people_stand_by_the_name_they_are_called_and_are_ordered_by_the_one_they_are_entered_under() -> None:
    author = draft(
        ("100", "1 ", "6", "880-01", "a", "Le Guin, Ursula K.", "q", "(Ursula Kroeber),", "d", "1929-2018.",
         "0", "(DE-588)118640909", "1", "http://viaf.org/viaf/95155403", "e", "author."),
        ("880", "1 ", "6", "100-01/(N", "a", "Ле Гуин, Урсула", "d", "1929-"),
    ).author  # fmt: skip  # subfields by twos

    assert author is not None
    assert (author.name, author.sort_name) == ("Ursula K. Le Guin", "Le Guin, Ursula K.")
    assert (author.birth, author.death) == (PartialDate("1929"), PartialDate("2018"))
    assert author.kind == AuthorKind("person")
    assert author.variants == ("Ursula Kroeber Le Guin", "Ле Гуин, Урсула")
    assert author.identifiers == (
        Identifier(scheme=Scheme("gnd"), value="118640909"),
        Identifier(scheme=Scheme("viaf"), value="95155403"),
    )


@pytest.mark.parametrize(
    ("fields", "name", "kind"),
    [
        (("100", "0 ", "a", "John Paul", "b", "II,", "c", "Pope,", "d", "1920-2005"), "John Paul II, Pope", "person"),
        (("110", "1 ", "a", "Smith, Jones and Co.", "b", "Press."), "Smith, Jones and Co. Press", "organisation"),
        (("111", "2 ", "a", "IFLA Congress", "n", "(2nd :", "d", "1929 :", "c", "Rome)"), "IFLA Congress", "meeting"),
        (("100", "1 ", "a", "King, Martin Luther,", "c", "Jr.,"), "Martin Luther King, Jr", "person"),
    ],
)
def test_only_a_surname_that_comes_first_is_turned_round(fields: tuple[str, ...], name: str, kind: str) -> None:
    author = draft(fields).author

    assert author is not None
    assert author.name.startswith(name)
    assert author.kind == AuthorKind(kind)


def test_contributors_keep_their_roles_and_nobody_is_given_one() -> None:
    said = draft(
        ("700", "1 ", "a", "A, B", "4", "trl"),
        ("700", "1 ", "a", "C, D", "e", "Illustrator."),
        ("700", "1 ", "a", "E, F", "e", "friend"),
        ("700", "1 ", "a", "G, H", "4", "http://id.loc.gov/vocabulary/relators/edt"),
        ("700", "1 ", "a", "I, J", "t", "A work of his"),
        ("700", "12", "a", "K, L"),
    )

    roles = [(each.author.name, each.role) for each in said.contributors]
    assert roles == [("B A", Role("trl")), ("D C", Role("ill")), ("F E", None), ("H G", Role("edt"))]


def test_somebody_who_did_several_things_is_a_contributor_for_each_of_them_once() -> None:
    said = draft(
        ("700", "1 ", "a", "A, B,", "e", "editor,", "e", "writer of foreword.", "4", "edt", "4", "trl", "4", "trl"),
        ("710", "2 ", "a", "Ace,", "e", "publisher,", "e", "printer."),
        ("711", "2 ", "a", "Congress.", "e", "Section,", "j", "host institution,", "j", "sponsor."),
    )

    assert [(each.author.name, str(each.role)) for each in said.contributors] == [
        ("B A", "edt"), ("B A", "wfw"), ("B A", "trl"), ("Ace", "pbl"), ("Ace", "prt"),
        ("Congress. Section", "his"), ("Congress. Section", "spn"),
    ]  # fmt: skip  # by people


@pytest.mark.parametrize(
    ("term", "code"),
    [
        ("writer of foreword.", "wfw"),
        ("author of introduction, etc.", "aui"),
        ("writer of introduction.", "win"),
        ("Writer of added commentary,", "wac"),
        ("cover artist.", "cov"),
        ("cover designer.", "cov"),
        ("author of afterword, colophon, etc.", "aft"),
        ("editor of compilation.", "edc"),
        ("(screenwriter)", "aus"),
    ],
)
def test_terms_of_what_somebody_did_stand_for_their_codes(term: str, code: str) -> None:
    assert [str(each.role) for each in draft(("700", "1 ", "a", "A, B,", "e", term)).contributors] == [code]


def test_a_term_that_is_not_known_is_told_of_unless_a_code_says_it() -> None:
    (entry,) = read(
        a_record(
            TITLE,
            ("700", "1 ", "a", "A, B,", "e", "editor,", "e", "friend."),
            ("700", "1 ", "a", "C, D,", "e", "Übersetzer", "4", "trl"),
        )
    )

    assert entry.draft is not None
    assert [str(each.role) for each in entry.draft.contributors] == ["edt", "trl"]
    assert entry.warnings == ("role 'friend' of B A left out: it is no relator term that is known",)


def test_a_family_is_no_person() -> None:
    said = draft(("100", "3 ", "a", "Brontë family"), ("700", "3 ", "a", "Medici, House of,", "e", "patron."))

    assert said.author is not None
    assert (said.author.name, said.author.kind) == ("Brontë family", None)
    assert [(each.author.name, each.author.kind) for each in said.contributors] == [("Medici, House of", None)]


def test_a_book_without_a_main_entry_is_entered_under_whoever_may_have_written_it() -> None:
    translator, editor = ("700", "1 ", "a", "T, T", "4", "trl"), ("700", "1 ", "a", "E, E", "4", "edt")
    unsaid = ("700", "1 ", "a", "U, U")

    assert [None if a is None else a.name for a in (
        draft(translator, editor, unsaid).author, draft(translator, editor).author, draft(translator).author
    )] == ["U U", "E E", None]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "birth", "death"),
    [
        ("1929-2018.", "1929", "2018"),
        ("1929-", "1929", None),
        ("b. 1929", "1929", None),
        ("d. 1817.", None, "1817"),
        ("384-322 B.C.", "-0383", "-0321"),
        ("ca. 1340-1400", None, None),
        ("fl. 1200", None, None),
        ("16th cent.", None, None),
    ],
)
def test_dates_of_a_life_are_taken_where_they_are_certain(text: str, birth: str | None, death: str | None) -> None:
    assert dates_of(text) == (birth and PartialDate(birth), death and PartialDate(death))


def test_a_life_that_can_not_be_is_told_of_and_the_author_kept() -> None:
    (entry,) = read(a_record(TITLE, ("100", "1 ", "a", "X, Y", "d", "1929-1028")))

    assert entry.draft is not None
    assert entry.draft.author is not None
    assert (entry.draft.author.name, entry.draft.author.birth) == ("Y X", None)
    assert entry.warnings == ("dates of Y X left out: 1929-1028 is no life",)


def test_numbers_are_kept_with_what_is_wrong_with_them() -> None:
    said = details(
        ("020", "  ", "a", "0-441-47812-3 (pbk.) :", "c", "$1.25", "z", "0306406152"),
        ("020", "  ", "a", "0441478124"),
        ("020", "  ", "a", "xii, paperback"),
        ("010", "  ", "a", "  75001234 "),
        ("035", "  ", "a", "(OCoLC)ocm00012345"),
        ("035", "  ", "a", "(DE-599)BVB1"),
        ("024", "7 ", "a", "10.1000/1", "2", "doi"),
    )

    assert said.isbn == Isbn("9780441478125")
    assert [(str(i.scheme), i.value, str(i.status)) for i in said.identifiers] == [
        ("isbn", "9780441478125", "valid"),
        ("isbn", "9780306406157", "cancelled"),
        ("isbn", "0441478124", "invalid"),
        ("lccn", "75001234", "valid"),
        ("doi", "10.1000/1", "valid"),
        ("oclc", "12345", "valid"),
        ("de-599", "BVB1", "valid"),
    ]
    assert said.identifiers[1].status == IdentifierStatus("cancelled")


def test_what_else_a_record_says_has_its_field() -> None:
    said = details(
        ("041", "1 ", "a", "engfre", "h", "ger"),
        ("050", " 4", "a", "PS3562"), ("082", "04", "a", "813.54"), ("084", "  ", "a", "HU 4220", "2", "rvk"),
        ("250", "  ", "a", "2nd ed."),
        ("264", " 1", "a", "New York :", "b", "Ace Books,", "c", "1976."), ("264", " 4", "c", "©1969"),
        ("300", "  ", "a", "xii, 286 p. ;", "c", "18 cm"),
        ("490", "0 ", "a", "Hainish cycle ;", "v", "4"),
        ("500", "  ", "a", "Ace special."), ("520", "  ", "a", "On Winter."),
        ("650", " 0", "a", "Hermaphroditism", "v", "Fiction."), ("650", " 7", "a", "SF", "2", "fast"),
        ("653", "  ", "a", "ice", "a", "snow"),
        ("856", "40", "u", "http://example.org/a", "3", "Contents"), ("856", "40", "u", "not there"),
        f008="750101s1969    nyu           000 1 eng d",
    )  # fmt: skip  # subfields by twos

    assert said.published == PartialDate("1969")
    assert said.languages == (Language("eng"), Language("fre"))
    assert (said.publishers, said.places, said.edition) == (("Ace Books",), ("New York",), "2nd ed.")
    assert (said.extent, said.pages) == ("xii, 286 p. ; 18 cm", 286)
    assert said.series == (Series(title="Hainish cycle", position="4"),)
    assert (said.description, said.notes) == ("On Winter.", ("Ace special.",))
    assert said.subjects == (
        Subject(term="Hermaphroditism -- Fiction", scheme=Scheme("lcsh")),
        Subject(term="SF", scheme=Scheme("fast")),
        Subject(term="ice"),
        Subject(term="snow"),
    )
    assert said.classifications == tuple(
        Classification(scheme=Scheme(scheme), value=value)
        for scheme, value in (("lcc", "PS3562"), ("ddc", "813.54"), ("rvk", "HU 4220"))
    )
    assert said.links == (Link(url=Url("http://example.org/a"), label="Contents"),)


@pytest.mark.parametrize(
    ("extent", "pages"),
    [
        ("275, [1] p.", 275),
        ("275 [1] p.", 275),
        ("44, [1] p. ;", 44),
        ("320, 11 p.", 320),
        ("xii, 320 p., [8] leaves of plates", 320),
        ("[4], xii, 275, [3] p.", 275),
        ("[44] p.", 44),
        ("[2], [44] p.", 44),
        ("[2, 44] p.", 44),
        ("44 unnumbered pages", 44),
        ("275, 3 unnumbered pages", 275),
        ("329 [i.e. 392] p.", 392),
        ("1 online resource (xii, 320, [2] p.)", 320),
        ("2 v. (275, [1] p.)", 275),
        ("vol. 2 320 p.", 320),
        ("275, [1] S.", 275),
        ("1 score", None),
    ],
)
def test_the_pages_are_the_largest_number_that_is_not_in_brackets(extent: str, pages: int | None) -> None:
    assert details(("300", "  ", "a", extent)).pages == pages


def test_an_extent_without_end_is_read_at_once() -> None:
    assert pages_in("[1, 1], " * 100_000 + "1 p.") == 1


def test_what_does_not_fit_is_left_out_and_told() -> None:
    (entry,) = read(a_record(TITLE, ("250", "  ", "a", "x" * 501), *[("650", " 0", "a", f"t{n}") for n in range(501)]))

    assert entry.draft is not None
    assert (entry.draft.details.edition, len(entry.draft.details.subjects)) == (None, 500)
    assert entry.warnings == (
        "edition left out: it must have at most 500 characters, and this has 501",
        "1 of 501 subjects left out",
    )


GOOD = a_record(TITLE)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (GOOD[:10] + b"\x1d", "its leader is cut off: it has 10 characters, and should have 24"),
        (GOOD[:12] + b"99999" + GOOD[17:], "its leader says that its fields begin at 99999, and it has 103 bytes"),
        (GOOD[:12] + b"  a22" + GOOD[17:], "its leader should say in places 12 to 16 where its fields begin"),
        (GOOD[:22] + b"\x92" + GOOD[23:], "its leader has the byte 92 in place 22, which is no ASCII"),
        (GOOD[:24] + b"garbage" + GOOD[31:], "its directory says of 'gar' 'bage00000', where length and place"),
        (GOOD[:24] + b"\xc3" + GOOD[25:], "its directory has the byte c3 in place 24, which is no ASCII"),
        (GOOD[:12] + b"00060" + GOOD[17:], "its directory has 35 characters, and 12 belong to each field"),
        (GOOD[:12] + b"00025" + GOOD[17:24] + b"\x1e\x1d", "it has no fields"),
        (a_record(("500", "  ", "a", "No title")), "has no title: the field 245 is missing"),
        (a_record(("245", "  ", "a", " / ")), "has no title: the field 245 is empty"),
    ],
)
def test_a_broken_record_is_refused_and_its_neighbours_are_read(broken: bytes, reason: str) -> None:
    before, refused, after = read(GOOD + broken + b"\r\n" + GOOD)

    assert before.draft is not None
    assert before.draft == after.draft
    assert [entry.line for entry in (before, refused, after)] == [1, 2, 3]
    assert refused.draft is None
    assert reason in refused.refusal


@pytest.mark.parametrize("length", [b"00000", b"99999", b"00123"])
def test_a_wrong_length_in_the_leader_matters_nothing(length: bytes) -> None:
    wrong, good = read(length + GOOD[5:] + GOOD)[0].draft, read(GOOD)[0].draft

    assert wrong is not None
    assert good is not None
    assert (wrong.origin.id, wrong.details, wrong.author) == (good.origin.id, good.details, good.author)
    assert wrong.origin.content == length + GOOD[5:]


def test_a_file_that_is_cut_off_says_so_of_its_last_record() -> None:
    first, last = read(GOOD + GOOD[:-20])

    assert first.draft is not None
    assert "cut off" in last.refusal


def test_bytes_that_are_no_utf_8_are_replaced_and_told() -> None:
    (entry,) = read(GOOD.replace(b"left", b"l\xe9ft"))

    assert entry.draft is not None
    assert entry.draft.details.title == "The l\ufffdft hand of darkness"
    assert entry.warnings == ("bytes that are no UTF-8 (e9) were replaced",)


def said_as_marc8(title: bytes) -> Entry:
    """What is read of a record whose leader says MARC-8."""
    (entry,) = read(rightly_long(GOOD[:9] + b" " + GOOD[10:].replace(b"left", title)))
    return entry


def rightly_long(record: bytes) -> bytes:
    """Return the record with a directory that is right again."""
    base = record.index(b"\x1e") + 1
    directory, place = b"", 0
    for number, field in enumerate(record[base:-2].split(b"\x1e")):
        directory += record[24 + 12 * number :][:3] + b"%04d%05d" % (len(field) + 1, place)
        place += len(field) + 1
    return record[:24] + directory + record[base - 1 :]


def test_utf_8_is_read_as_what_it_is_also_where_the_leader_says_marc_8() -> None:
    entry = said_as_marc8("ле́вая".encode())

    assert entry.draft is not None
    assert entry.draft.details.title == "The ле́вая hand of darkness"
    assert entry.warnings == ("its leader says MARC-8, and its bytes are UTF-8: it was read as UTF-8",)


def test_marc_8_is_read_without_a_warning() -> None:
    entry = said_as_marc8(b"l\xe8eft \x1b(2pvevez gaciim\x1b(B")

    assert entry.draft is not None
    assert entry.draft.details.title == "The lëft נצוצות חבדיים hand of darkness"
    assert entry.warnings == ()


@pytest.mark.parametrize(
    ("title", "count"),
    [
        (b"l\xd0\xd1ft", "2 characters"),
        (b"l\x92ft", "1 character"),
        (b"l\x1btft", "1 character"),
        (b"l\x1b$1~~~\x1b(Bft", "1 character"),
        (b"l\xe9\x1fbeft", "1 character"),
        (b"l\xd0\x1b\x1fbeft", "2 characters"),
    ],
    ids=["no letters", "a control", "no set", "no ideograph", "a diacritic of nothing", "a set cut off"],
)
def test_what_marc_8_does_not_have_is_counted_and_told_with_its_field(title: bytes, count: str) -> None:
    (warning,) = said_as_marc8(title).warnings

    assert warning.startswith(f"{count} in 245 could not be read as MARC-8")


WRONG_DIRECTORY = "its directory says wrong where its fields stand: they were taken in their order"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [(b"001000500000", b"001000509999"), (b"245003200009", b"245003000009"), (b"245003200009", b"245000500000")],
    ids=["beyond the end", "too short", "of another field"],
)
def test_a_directory_that_is_wrong_loses_no_field_and_is_told_of(right: bytes, wrong: bytes) -> None:
    assert right in GOOD

    (entry,) = read(GOOD.replace(right, wrong))

    assert entry.draft is not None
    assert entry.draft.origin.id == SourceKey("DLC", "1234")
    assert entry.draft.details.title == "The left hand of darkness"
    assert entry.warnings == (WRONG_DIRECTORY,)


def test_a_directory_in_another_order_than_the_fields_is_none_that_is_wrong() -> None:
    first, second = GOOD[24:36], GOOD[36:48]

    (entry,) = read(GOOD.replace(first + second, second + first))

    assert entry.draft is not None
    assert entry.draft.origin.id == SourceKey("DLC", "1234")
    assert entry.warnings == ()


def test_a_field_that_the_directory_does_not_tell_of_is_told_of() -> None:
    (entry,) = read(GOOD.replace(b"hand", b"ha\x1ed"))

    assert entry.draft is not None
    assert entry.draft.details.title == "The left ha d of darkness"
    (untold,) = read(GOOD[:12] + b"00049" + GOOD[17:24] + GOOD[36:])
    assert untold.warnings == ("its directory tells of 2 fields, and it has 3: some may be lost or wrong",)


def test_an_indicator_or_a_code_that_is_none_is_told_of_and_the_rest_is_read() -> None:
    (entry,) = read(rightly_long(GOOD.replace(b"10\x1fa", b"1\xc3\xa9\x1f\xc3\xa0")))
    (three,) = read(rightly_long(GOOD.replace(b"10\x1fa", b"100\x1fa")))

    assert entry.draft is not None
    assert entry.draft.details.title == "The left hand of darkness"
    assert entry.warnings == (
        "245 has an indicator that is no ASCII: a blank stands for it",
        "245 has a subfield 'à': it was taken for $a",
    )
    assert three.warnings == ("245 has 3 indicators, not 2",)


def test_a_byte_order_mark_belongs_to_no_record() -> None:
    first, second = read(b"\xef\xbb\xbf\r\n" + GOOD + b"\xef\xbb\xbf" + GOOD + b"\xef\xbb\xbf\n")

    assert first.draft is not None
    assert first.draft.origin.content == GOOD
    assert second.draft == first.draft


def test_what_has_no_end_takes_no_memory() -> None:
    class Endless(io.RawIOBase):
        left = 40

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.left -= 1
            buffer[:] = b"x" * len(buffer)
            return len(buffer) if self.left > 0 else 0

    (entry,) = MarcReader(source="file").read(io.BufferedReader(Endless(), 1 << 20))

    assert "longer than 10,000,000 bytes" in entry.refusal


def test_a_gzipped_file_is_read_and_a_damaged_one_told_of() -> None:
    packed = gzip.compress(GOOD * 3)

    assert len(read(packed)) == 3
    with pytest.raises(UnreadableFile, match="damaged or not complete"):
        read(packed[:-10])


# ---- files that nobody here wrote

# What the counts are otherwise, and why: first of our side, then of theirs.
