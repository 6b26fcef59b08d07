"""A book as a record of MARC 21: what stands in the record it came from stays, but for what was changed here since."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from attrs import Factory, frozen
from pymarc import Field, Indicators, Leader, Record, Subfield

from catalog.domain.authors import Author, AuthorDetails
from catalog.domain.books import Classification, Link, Series, SourceRecord, Subject
from catalog.domain.errors import InvalidValue
from catalog.domain.exports import Exported
from catalog.domain.identifiers import INVALID, VALID, Identifier
from catalog.domain.sources import BookDraft
from catalog.domain.values import Isbn, Language, PartialDate, Role

from .extents import with_pages
from .fields import Fields, FieldText
from .headings import heading, revised, without_roles
from .mapping import CLASSES, NOTES, NUMBERS_024, SUBJECTS, TERM_LISTS, YEAR, draft_of
from .parts import (
    aligned,
    composed,
    ended,
    ending,
    first_place,
    inserted,
    leads_on,
    name_in_imprint,
    place_behind,
    renamed_in_imprint,
    rewritten,
    with_title,
    without,
)
from .people import ADDED, MAIN, headings_of
from .subfields import LETTERS, LINKS, links_first, trimmed

_NEW_LEADER = "00000nam a2200000 a 4500"
_EXTENT = "abce"
_NAMES = {"name", "sort_name"}
_NOTHING = SourceRecord("", "")
_UNTITLED = Field(tag="245", indicators=Indicators("0", "0"), subfields=[Subfield("a", "-")])
_LISTS = {name: digit for digit, name in TERM_LISTS.items()}
_TITLE_MARKS = {"b": " :", "c": " /"}
"""What leads on to a subtitle and to a responsibility (ISBD)."""
_IMPRINT_MARKS = {"a": " ;", "b": " :", "c": ","}
_CLASS_TAGS = {scheme: tag for tag, scheme in CLASSES.items()}
_INDICATORS_024 = {scheme: digit for digit, scheme in NUMBERS_024.items()}


def record_of(exported: Exported, original: Record | None) -> Record:
    """Return the book as a record; `original` is the one that it came from, and is changed."""
    if original is None:
        record = Record(force_utf8=True)
        record.leader = Leader(_NEW_LEADER)
        record.add_field(Field(tag="001", data=str(exported.book.id)), _fixed(exported))
        before: BookDraft | None = None
    else:
        record = original
        try:
            before = draft_of(Fields.of_record(record), _NOTHING, [])
        except InvalidValue:
            before = None
    changes = _Changes(record, exported, before)
    changes.make()
    if changes.made:
        record.remove_fields("005")
        record.add_ordered_field(Field(tag="005", data=f"{changes.made_at:%Y%m%d%H%M%S}.0"))
    return record


@frozen
class _Changes:
    """Brings one record to what the book says."""

    record: Record
    exported: Exported
    before: BookDraft | None
    """What the record says of a book; None where it says nothing yet."""
    _noted: list[str] = Factory(list[str])
    _edited: list[datetime] = Factory(list[datetime])
    """When those were edited whose headings are others by now."""

    @property
    def made(self) -> bool:
        """Whether anything was changed."""
        return bool(self._noted)

    @property
    def made_at(self) -> datetime:
        """When the last of the edits was made that the record shows."""
        return max([self.exported.book.updated_at, *self._edited])

    def make(self) -> None:
        """Change whatever the book says otherwise."""
        self._people()
        if self._differs("title", "subtitle", "responsibility"):
            self._title()
        self._list(("020", "010", "022", "024", "035"), "identifiers", _identifier_field)
        if self._differs("published"):
            self._published()
        if self._differs("languages"):
            self._languages()
        if self._differs("publishers", "places"):
            self._imprint()
        if self._differs("edition"):
            self._edition()
        if self._differs("extent", "pages"):
            self._extent()
        self._list(("490", "440", "830"), "series", _series_field)
        self._list((*SUBJECTS,), "subjects", _subject_field)
        self._list((*CLASSES, "084"), "classifications", _class_field)
        if self._differs("description"):
            self._description()
        self._list(NOTES, "notes", lambda note: _field("500", "  ", a=note))
        self._list(("856",), "links", _link_field)

    def _differs(self, *names: str) -> bool:
        differs = any(self._value(name) != getattr(self.exported.book, name) for name in names)
        if differs:
            self._noted.append(names[0])
        return differs

    def _value(self, name: str) -> Any:
        return getattr(self.before.details, name) if self.before is not None else _EMPTY[name]

    def _add(self, *fields: Field) -> None:
        self.record.add_ordered_field(*fields)

    def _list(self, tags: Sequence[str], name: str, make: Callable[[Any], Field]) -> None:
        """Take away the fields that say what the book does not, and add what none of the others says."""
        items = list(getattr(self.exported.book, name))
        if set(items) == set(self._value(name)):
            return
        self._noted.append(name)
        missing = dict.fromkeys(items)
        for field in self.record.get_fields(*tags):
            told = _told_by(field, name)
            if told <= set(items):
                for item in told:
                    missing.pop(item, None)
            else:
                self.record.remove_field(field)
        # What a field that was taken away said besides is among the missing, and comes back in one of its own.
        self._add(*(make(item) for item in missing))

    def _edition(self) -> None:
        edition = self.exported.book.edition
        telling = [field for field in self.record.get_fields("250") if FieldText.of(field).joined("ab")]
        if edition is None:
            self.record.remove_field(*telling)
            return
        if telling:
            self._say(telling[0], ended(edition, ending(FieldText.of(telling[0]).joined("ab"))))
        else:
            self._add(_field("250", "  ", a=edition))

    def _description(self) -> None:
        """Write the paragraphs that are others into the fields that told those before, as far as there are as many."""
        telling = [field for field in self.record.get_fields("520") if FieldText.of(field).joined("ab")]
        said = [composed(FieldText.of(field).joined("ab")) for field in telling]
        paragraphs = [" ".join(each.split()) for each in (self.exported.book.description or "").split("\n\n")]
        paragraphs = [each for each in paragraphs if each]
        for place in (-1, 0):  # what stands at the end and at the beginning as it was
            while (
                telling
                and paragraphs
                and said[place] == paragraphs[place]
                and (len(telling) > 1 or len(paragraphs) == 1)
            ):
                del telling[place], said[place], paragraphs[place]
        if not telling and paragraphs:
            self._add(_field("520", "  ", a=" ".join(paragraphs)))
        if 0 < len(telling) < len(paragraphs):
            paragraphs[len(telling) - 1 :] = [" ".join(paragraphs[len(telling) - 1 :])]
        for field, text in zip(telling, paragraphs, strict=False):
            self._say(field, text)
        self.record.remove_field(*telling[len(paragraphs) :])

    def _say(self, field: Field, text: str) -> None:
        """Write the text into the field, in the place of what it said in $a and $b."""
        kept = [part for part in field.subfields if part.code not in "ab"]
        place = next(place for place, part in enumerate(field.subfields) if part.code in "ab")
        field.subfields = [*kept[:place], Subfield("a", text), *kept[place:]]

    def _title(self) -> None:
        book, standing = self.exported.book, self.record.get("245")
        parts = [] if standing is None else list(standing.subfields)
        first, second = (None if standing is None else standing.indicators) or ("0", "0")
        if book.title != self._value("title"):
            parts = with_title(parts, book.title, _TITLE_MARKS)
            first = "1" if self.exported.author is not None else "0"
            article = (self._value("title") or "")[: int(second)] if second.isdecimal() else ""
            if not (article and book.title.startswith(article)):
                second = str(_passed_over(book.title, book.languages))
        if book.subtitle != self._value("subtitle"):
            parts = rewritten(parts, "b", book.subtitle, "ahnp", _TITLE_MARKS)
        if book.responsibility != self._value("responsibility"):
            parts = rewritten(parts, "c", book.responsibility, LETTERS, _TITLE_MARKS)
        last = place_behind(parts, LETTERS) - 1
        if standing is None:
            parts[last] = Subfield(parts[last].code, ended(parts[last].value, ".", "", " /"))
        elif leads_on(parts[last].value) and parts[last] not in standing.subfields:  # and nothing follows
            parts[last] = Subfield(parts[last].code, ended(trimmed(parts[last].value), ".", "", " /"))
        new = Field(tag="245", indicators=Indicators(first, second), subfields=links_first(parts))
        if standing is None:
            self._add(new)
        else:
            self.record.fields[self.record.fields.index(standing)] = new

    def _published(self) -> None:
        published, before = self.exported.book.published, self._value("published")
        self._code(6, _coded(published, Fields.of_record(self.record).data("008")))
        statements = [*self._published_fields(), *self.record.get_fields("260")]
        dated = [field for field in statements if FieldText.of(field).said("c")]
        if published is None:
            for field in dated:
                field.subfields = [part for part in field.subfields if part.code != "c"]
            self._drop_empty(dated)
        elif dated:
            year = "" if before is None else _year(before)
            told = [field for field in dated if any(_first_year(part) == year for part in _dates_in(field))]
            for field in told or dated[:1]:
                dates = _dates_in(field)
                telling = [part for part in dates if told and _first_year(part) == year] or dates[:1]
                field.subfields = [
                    Subfield("c", _dated(part.value, published)) if part in telling else part
                    for part in field.subfields
                ]
        elif statements:
            parts = statements[0].subfields
            place, new = place_behind(parts, "ab"), Subfield("c", str(published))
            statements[0].subfields = inserted(parts, place, new, _IMPRINT_MARKS)
        else:
            self._add(_field("264", " 1", c=str(published)))

    def _imprint(self) -> None:
        book = self.exported.book
        held = [field for field in self._imprint_fields() if FieldText.of(field).said("ab")]
        for code, name in (("a", "places"), ("b", "publishers")):
            if getattr(book, name) != self._value(name):
                self._names_in_imprint(code, self._value(name), getattr(book, name))
        self._drop_orphans(held)

    def _names_in_imprint(self, code: str, before: Sequence[str], after: Sequence[str]) -> None:
        """Write each place or name where the one in its stead stood, so that it keeps what it stands beside."""
        fields = self._imprint_fields()
        said = [composed(name_in_imprint(text)) for field in fields for text in FieldText.of(field).said(code)]
        becomes, added = aligned([name for name in dict.fromkeys(said) if name in before], after)
        for field in reversed(fields):
            parts = list(field.subfields)
            for place in reversed([place for place, part in enumerate(parts) if part.code == code]):
                told = composed(name_in_imprint(parts[place].value))
                for text in reversed(added.pop(told, ())):
                    parts = inserted(parts, place + 1, Subfield(code, text), _IMPRINT_MARKS, ",")
                name = becomes.get(told, told)
                if name is None:
                    parts = without(parts, place)
                elif name != told:
                    parts[place] = Subfield(code, renamed_in_imprint(parts[place].value, name))
            field.subfields = parts
        self._first_in_imprint(code, [text for texts in added.values() for text in texts])

    def _first_in_imprint(self, code: str, names: Sequence[str]) -> None:
        """Write names before all others of their kind; where there are none, each into a statement of its own."""
        fields = self._imprint_fields()
        if names and not fields:
            fields = [Field(tag="264", indicators=_indicators(" 1"), subfields=[])]
            self._add(*fields)
        having = [field for field in fields if any(part.code == code for part in field.subfields)]
        for text in reversed(names) if having else ():
            place = next(place for place, part in enumerate(having[0].subfields) if part.code == code)
            having[0].subfields = inserted(having[0].subfields, place, Subfield(code, text), _IMPRINT_MARKS, ",")
        for number, text in enumerate(() if having else names):
            field = fields[min(number, len(fields) - 1)]
            place = place_behind(field.subfields, "a" if code == "a" else "ab")
            field.subfields = inserted(field.subfields, place, Subfield(code, text), _IMPRINT_MARKS, ",")

    def _drop_orphans(self, fields: Sequence[Field]) -> None:
        """Take away what is left of statements that name nobody and no place any more, but for the only date."""
        for field in reversed(fields):
            is_orphan = all(part.code in f"c{LINKS}" for part in field.subfields)
            others = [other for other in self._imprint_fields() if other is not field]
            if not is_orphan or (not others and field.subfields):
                continue
            dates = _dates_in(field)
            if dates and not any(_dates_in(other) for other in others):
                parts = others[-1].subfields
                others[-1].subfields = inserted(parts, place_behind(parts, "ab"), dates[0], _IMPRINT_MARKS)
            self.record.fields = [other for other in self.record.fields if other is not field]

    def _imprint_fields(self) -> Sequence[Field]:
        return self._published_fields() or self.record.get_fields("260")

    def _published_fields(self) -> Sequence[Field]:
        return [field for field in self.record.get_fields("264") if field.indicators and field.indicators[1] == "1"]

    def _drop_empty(self, fields: Iterable[Field]) -> None:
        for field in fields:
            if not field.subfields and field in self.record.fields:
                self.record.remove_field(field)

    def _languages(self) -> None:
        codes = [str(each) for each in self.exported.book.languages]
        self._code(35, codes[0] if codes else "   ")
        fields = self.record.get_fields("041")
        telling = [field for field in fields if FieldText.of(field).said("a")]
        ours = [field for field in telling or fields if not field.indicators or field.indicators[1] != "7"]
        ours = ours[:1] or telling[:1]
        for field in telling:
            says_more = any(part.code not in f"a2{LINKS}" for part in field.subfields)
            if field in ours and codes and (says_more or len(codes) > 1):
                continue
            field.subfields = [part for part in field.subfields if part.code != "a" or part.value.lower() in codes[1:]]
            if all(part.code in f"2{LINKS}" for part in field.subfields):
                self.record.remove_field(field)
        if ours and ours[0] in self.record.fields and codes and (ours[0] in telling or len(codes) > 1):
            parts = ours[0].subfields
            place = next((place for place, part in enumerate(parts) if part.code == "a"), first_place(parts))
            kept = [part for part in parts if part.code != "a"]
            ours[0].subfields = [*kept[:place], *(Subfield("a", code) for code in codes), *kept[place:]]
        elif not ours and len(codes) > 1:
            subfields = [Subfield("a", code) for code in codes]
            self._add(Field(tag="041", indicators=_indicators("0 "), subfields=subfields))

    def _extent(self) -> None:
        book = self.exported.book
        fields = [field for field in self.record.get_fields("300") if FieldText.of(field).joined(_EXTENT)]
        if book.extent == self._value("extent"):
            if book.pages is not None:
                self._pages(book.pages, fields[0] if fields else None)
            return
        extent = book.extent or (None if book.pages is None else f"{book.pages} p.")
        said = [] if extent is None else [Subfield("a", " ".join(extent.split()))]
        if fields:
            kept = [part for part in fields[0].subfields if part.code not in _EXTENT]
            fields[0].subfields = links_first([*said, *kept])
            self._drop_empty(fields[:1])
        elif said:
            self._add(Field(tag="300", indicators=_indicators("  "), subfields=said))

    def _pages(self, pages: int, field: Field | None) -> None:
        """Write how many pages there are, into what the field says of the extent."""
        if field is None:
            self._add(_field("300", "  ", a=f"{pages} p."))
            return
        said = [place for place, part in enumerate(field.subfields) if part.code == "a"]
        for place in said:
            if (told := with_pages(field.subfields[place].value, pages)) is not None:
                field.subfields[place] = Subfield("a", told)
                return
        if said:
            text = field.subfields[said[0]].value
            end = len(trimmed(text)) if text.rstrip()[-1:] in ":;+" else len(text)
            field.subfields[said[0]] = Subfield("a", f"{text[:end]} ({pages} p.){text[end:]}")
        else:
            field.subfields = links_first([Subfield("a", f"{pages} p. ;"), *field.subfields])

    def _code(self, place: int, text: str) -> None:
        """Write a part of 008."""
        field = self.record.get("008")
        if field is None:
            field = _fixed(self.exported)
            self._add(field)
        data = (field.data or "").ljust(40)
        field.data = data[:place] + text + data[place + len(text) :]

    def _people(self) -> None:
        exported, before = self.exported, self.before
        author, told = exported.author, None if before is None else before.author
        named, is_same = list(exported.contributors()), _is_same(told, author)
        if self._was_edited(author) and told is not None:
            main = self._headings(MAIN)
            is_named_below = not main and author in [other for other, _ in named]
            is_same = is_same or (self._was_renamed(author) and (bool(main) or is_named_below))
            for field, described, _ in main[:1] if is_same else ():
                self._revise(field, described, author)
        if not is_same:
            self._noted.append("author")
            self.record.remove_fields(*MAIN)
            if author is not None:
                self._add(heading(author, "1", None))
        self._contributors(named, [] if before is None else [(each.author, each.role) for each in before.contributors])

    def _contributors(
        self, named: Sequence[tuple[Author, Role | None]], told: Sequence[tuple[AuthorDetails, Role | None]]
    ) -> None:
        said, credited = list(dict.fromkeys(_names(dict.fromkeys(told)))), _names(self.exported.credits())
        # Whom the record calls as the book credits them was not edited since, whatever the author is called.
        keys = [credit if credit in said else name for name, credit in zip(_names(named), credited, strict=True)]
        credits = {key for key, name in zip(keys, _names(named), strict=True) if key != name}
        keys = self._as_told(named, keys, said)
        stands = keys == said
        if stands and not any(self._was_edited(author) for author, _ in named):
            return
        fields: dict[tuple[str, Role | None], Field] = {}
        for field, described, roles in self._headings(ADDED):
            told_here = [(described.folded_name, role) for role in roles or (None,)]
            ours = [key for key in told_here if key in keys and (stands or key not in fields)]
            authors = [named[keys.index(key)][0] for key in ours]
            ours = [key for key, author in zip(ours, authors, strict=True) if author.id == authors[0].id]
            if ours:
                field.subfields = without_roles(field, {role for _, role in told_here} - {role for _, role in ours})
                revised_here = self._revise(field, described, authors[0], name_stands=ours[0] in credits)
                fields.update(dict.fromkeys(ours, revised_here))
            elif not stands:
                self.record.remove_field(field)
        if stands:
            return
        self._noted.append("contributors")
        for (author, role), key in zip(named, keys, strict=True):
            if key not in fields:
                fields[key] = heading(author, "7", role)
        # In the order of the book, which is not always that of the tags.
        ordered = list({id(fields[key]): fields[key] for key in keys}.values())
        self.record.fields = [field for field in self.record.fields if field not in ordered]
        before = [place for place, field in enumerate(self.record.fields) if field.tag < "700"]
        place = before[-1] + 1 if before else 0
        self.record.fields[place:place] = ordered

    def _as_told(
        self,
        named: Sequence[tuple[Author, Role | None]],
        keys: Sequence[tuple[str, Role | None]],
        said: Sequence[tuple[str, Role | None]],
    ) -> list[tuple[str, Role | None]]:
        """Return the keys; of who was renamed since, that of the heading in the same place which nobody else has."""
        if len(keys) != len(said):
            return [*keys]
        return [
            told if key not in said and told not in keys and role == told[1] and self._was_renamed(author) else key
            for (author, role), key, told in zip(named, keys, said, strict=True)
        ]

    def _headings(self, tags: AbstractSet[str]) -> Sequence[tuple[Field, AuthorDetails, Sequence[Role]]]:
        """Return the fields of these tags that name somebody, whom, and for what; another work names nobody here."""
        return [
            (field, each.author, each.roles)
            for field in self.record.get_fields(*tags)
            for each in headings_of(Fields.of_record(_only(field)), tags, [])
        ]

    def _was_edited(self, author: Author | None) -> bool:
        """Whether the author was edited since the book is here: who was found for it may always have had more."""
        return author is not None and bool(self.exported.edited.get(author.id))

    def _was_renamed(self, author: Author | None) -> bool:
        return author is not None and not _NAMES.isdisjoint(self.exported.edited.get(author.id, ()))

    def _revise(
        self, field: Field, described: AuthorDetails, author: Author | None, *, name_stands: bool = False
    ) -> Field:
        """Bring a heading to what was edited since, and return it."""
        if author is None or not self._was_edited(author):
            return field
        is_same = _is_same(described, author) or self.exported.book.version == 1
        edited = self.exported.edited[author.id] - (_NAMES if name_stands else set())
        new = revised(field, described, author, edited, is_same=is_same)
        if new is None:
            return field
        self._noted.append("people")
        self._edited.append(author.updated_at)
        self.record.fields[self.record.fields.index(field)] = new
        return new


_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("title", "subtitle", "responsibility", "published", "edition", "extent", "pages", "description")),
    **dict.fromkeys(
        (
            *("identifiers", "languages", "publishers", "places", "series", "subjects", "classifications"),
            *("notes", "links"),
        ),
        (),
    ),
}
"""What a record says that says nothing."""


def _is_same(described: AuthorDetails | None, author: Author | None) -> bool:
    if described is None or author is None:
        return described is author
    return described.folded_name == author.folded_name or not described.numbers().isdisjoint(author.numbers())


def _names(named: Iterable[tuple[AuthorDetails, Role | None]]) -> list[tuple[str, Role | None]]:
    return [(author.folded_name, role) for author, role in named]


def _only(field: Field) -> Record:
    record = Record(force_utf8=True)
    record.add_field(field)
    return record


def _told_by(field: Field, name: str) -> set[Any]:
    """Return what the field says alone."""
    record = _only(field)
    record.add_field(_UNTITLED)
    return set(getattr(draft_of(Fields.of_record(record), _NOTHING, []).details, name))


def _fixed(exported: Exported) -> Field:
    """Return a field 008 that says when the record was made, and leaves the rest open."""
    data = f"{exported.book.created_at:%y%m%d}" + "n" + " " * 8 + "xx " + "|" * 17 + "   " + " d"
    return Field(tag="008", data=data.ljust(40)[:40])


def _passed_over(title: str, languages: Sequence[Language]) -> int:
    """Return how many characters an article at the beginning has, with the space after it: none is filed under it."""
    articles = ARTICLES.get(str(languages[0]) if languages else "eng", ())
    return next((len(each) for each in articles if title.lower().startswith(each)), 0)


ARTICLES: Mapping[str, Sequence[str]] = {
    "dut": ("de ", "het ", "een "),
    "eng": ("the ", "an ", "a "),
    "fre": ("le ", "la ", "les ", "l'", "un ", "une "),
    "ger": ("der ", "die ", "das ", "ein ", "eine "),
    "ita": ("il ", "lo ", "la ", "i ", "gli ", "le ", "l'", "un ", "uno ", "una ", "un'"),
    "por": ("o ", "a ", "os ", "as ", "um ", "uma "),
    "spa": ("el ", "la ", "los ", "las ", "un ", "una "),
    "swe": ("en ", "ett "),
}
"""Articles that a title may begin with, by its language; of a title whose language nobody tells, those of English."""


def _coded(published: PartialDate | None, before: str) -> str:
    """Return the type of date and the two dates of 008; a second date stays only beside a type that has it."""
    kind, first, second = before.ljust(15)[6], before.ljust(15)[7:11], before.ljust(15)[11:15]
    if published is None:
        return "n" + " " * 8
    year = _year(published)
    if not year.strip():  # years before the first have no room there: b says that the date is one of them
        return "b" + " " * 8
    if kind == "e":  # the second date is the day
        day = "".join(str(published).split("-")[1:])
        return f"e{year}{day:4}" if day else f"s{year}    "
    if (first == year and kind.isalpha() and kind not in "nb") or (kind in "rt" and re.fullmatch("[0-9u]{4}", second)):
        return f"{kind}{year}{second}"
    return f"s{year}    "


def _dates_in(field: Field) -> list[Subfield]:
    return [part for part in field.subfields if part.code == "c"]


def _first_year(part: Subfield) -> str | None:
    found = YEAR.search(part.value)
    return found and found[1]


def _dated(text: str, published: PartialDate) -> str:
    """Return what a statement says of the date with another one, and the year of the copyright as it was.

    A bracket that opened in a subfield before is closed as it was.
    """
    kept = _COPYRIGHT.search(text) or _LAST_MARKS.search(text)
    tail = kept[0] if kept else ""
    closes, is_closed = text.count("]") > text.count("["), tail.count("]") > tail.count("[")
    opening, closing = ("[" if is_closed and not closes else ""), ("]" if closes and not is_closed else "")
    return f"{opening}{published}{closing}{tail}"


_COPYRIGHT = re.compile(r"(?<=[\d?\]]),? ?\[?(?:[cp©℗]|cop\. ?|copyright )\d{4}\b.*$")
_LAST_MARKS = re.compile(r"[\s.,;:]*$")


def _year(published: PartialDate) -> str:
    return f"{published.year:04d}" if 0 < published.year <= 9999 else "    "


def _indicators(both: str) -> Indicators:
    return Indicators(both[0], both[1])


def _field(tag: str, indicators: str, **parts: str) -> Field:
    subfields = [Subfield(code, " ".join(value.split())) for code, value in parts.items()]
    return Field(tag=tag, indicators=_indicators(indicators), subfields=subfields)


def _identifier_field(identifier: Identifier) -> Field:
    scheme, value = str(identifier.scheme), identifier.as_given or identifier.value
    code = "z" if identifier.status != VALID and (scheme == "isbn" or identifier.status != INVALID) else "a"
    if scheme == "isbn":
        return _field("020", "  ", **{code: _isbn(identifier)})
    if scheme in {"lccn", "issn"}:
        return _field({"lccn": "010", "issn": "022"}[scheme], "  ", **{code: value})
    if scheme in _INDICATORS_024:
        return _field("024", f"{_INDICATORS_024[scheme]} ", **{code: value})
    if scheme in {"doi", "uri", "urn", "hdl"}:
        return _field("024", "7 ", **{code: value, "2": scheme})
    giver = "OCoLC" if scheme == "oclc" else scheme
    given = re.match(rf"\s*\({re.escape(giver)}\)\s*", value, re.IGNORECASE)  # some write it as MARC does
    return _field("035", "  ", **{code: f"({giver}){value[given.end() :] if given else value}"})


def _isbn(identifier: Identifier) -> str:
    """Return the ISBN as it was given, without the hyphens, where that is one way to write it; a wrong one as it is."""
    given = identifier.as_given or identifier.value
    try:
        return re.sub("[^0-9X]", "", given.upper()) if Isbn.canonical(given) == identifier.value else identifier.value
    except InvalidValue:
        return identifier.value


def _series_field(series: Series) -> Field:
    if series.position is None:
        return _field("490", "0 ", a=series.title)
    return _field("490", "0 ", a=f"{series.title} ;", v=series.position)


def _subject_field(subject: Subject) -> Field:
    heading, *divisions = subject.term.split(" -- ")
    parts = [Subfield("a", heading), *(Subfield("x", division) for division in divisions)]
    scheme = None if subject.scheme is None else str(subject.scheme)
    if scheme is None:
        return Field(tag="650", indicators=_indicators(" 4"), subfields=parts)
    if scheme in _LISTS:
        return Field(tag="650", indicators=_indicators(f" {_LISTS[scheme]}"), subfields=parts)
    return Field(tag="650", indicators=_indicators(" 7"), subfields=[*parts, Subfield("2", scheme)])


def _class_field(classification: Classification) -> Field:
    scheme, value = str(classification.scheme), classification.value
    if scheme in _CLASS_TAGS:
        return _field(_CLASS_TAGS[scheme], {"082": "04", "050": " 4"}.get(_CLASS_TAGS[scheme], "  "), a=value)
    return _field("084", "  ", **{"a": value, "2": scheme})


def _link_field(link: Link) -> Field:
    return _field("856", "4 ", **({"u": str(link.url)} | ({"3": link.label} if link.label is not None else {})))
