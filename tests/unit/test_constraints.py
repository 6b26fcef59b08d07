"""What an annotation says, attrs keeps."""

from typing import Annotated, Any

import attrs
import pytest
from attrs import fields, frozen

from catalog.domain.authors import AuthorDetails
from catalog.domain.books import BookDetails, Classification, Contributor, Link, Series, Subject
from catalog.domain.constraints import Doc, Items, Number, Text, constrained, metadata_of
from catalog.domain.errors import InvalidValue
from catalog.domain.identifiers import Identifier


@frozen(kw_only=True, field_transformer=constrained)
class Label:
    """Something with every sort of field."""

    text: Annotated[str, Text(5), Doc("what it says")] = "fine"
    note: Annotated[str | None, Text(5)] = None
    tags: Annotated[tuple[str, ...], Items(3)] = ()
    free: Annotated[str, Doc("anything")] = ""
    plain: str = ""


@frozen(kw_only=True, field_transformer=constrained)
class NumberedLabel(Label):
    """A label with one field more."""

    number: int = 0


def test_text_is_kept_in_its_normal_form() -> None:
    assert Label(text=" e\u0301 ").text == "\u00e9"


@pytest.mark.parametrize("text", ["", "  ", "sixsix", "a\x00"])
def test_text_that_can_not_be_kept_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        Label(text=text)


def test_text_that_may_be_missing_may_be_missing_but_not_blank() -> None:
    assert Label(note=None).note is None
    with pytest.raises(InvalidValue, match="must not be blank"):
        Label(note="")


def test_as_many_items_as_allowed_are_taken_and_not_one_more() -> None:
    assert Label(tags=("a", "b", "c")).tags == ("a", "b", "c")
    with pytest.raises(InvalidValue, match="must have at most 3 items, and this has 4"):
        Label(tags=("a", "b", "c", "d"))


def test_an_item_that_comes_twice_is_refused_naming_both_places() -> None:
    with pytest.raises(InvalidValue, match="items 0 and 2 are equal"):
        Label(tags=("a", "b", "a"))


def test_items_are_told_apart_by_the_fields_that_the_annotation_names() -> None:
    once = Items(3, told_apart_by=("text", "note"))
    label, again = Label(text="a"), Label(text="a", free="otherwise")

    assert once.once([label, again, Label(text="a", note="b")]) == (label, Label(text="a", note="b"))
    once.check((label, Label(text="b")))
    with pytest.raises(InvalidValue, match="items 0 and 1 are equal in text and note"):
        once.check((label, again))


def test_what_is_no_list_is_refused() -> None:
    no_list: Any = 5

    with pytest.raises(InvalidValue, match="must be a list"):
        Label(tags=no_list)


def test_a_field_without_constraints_takes_anything() -> None:
    label = Label(free=" \x00", plain=" \x00")

    assert (label.free, label.plain) == (" \x00", " \x00")


def test_what_is_inherited_is_still_kept() -> None:
    assert NumberedLabel(text=" a ").text == "a"
    with pytest.raises(InvalidValue):
        NumberedLabel(tags=("a", "a"))


def test_a_copy_with_changes_is_checked_too() -> None:
    with pytest.raises(InvalidValue):
        attrs.evolve(Label(), text=" ")


def test_an_annotation_tells_what_it_says_beyond_its_type() -> None:
    assert metadata_of(Annotated[str, Text(5), Doc("what it says")]) == (Text(5), Doc("what it says"))
    assert metadata_of(str) == ()
    assert metadata_of(str | None) == ()


def test_a_title_has_at_most_a_thousand_characters_and_a_name_five_hundred() -> None:
    AuthorDetails(name="x" * 500)
    BookDetails(title="x" * 1000, subtitle="x" * 1000, author_id=None)

    with pytest.raises(InvalidValue, match="at most 500 "):
        AuthorDetails(name="x" * 501)
    with pytest.raises(InvalidValue, match="at most 1000 "):
        BookDetails(title="x" * 1001, author_id=None)
    with pytest.raises(InvalidValue, match="at most 1000 "):
        BookDetails(title="x", subtitle="x" * 1001, author_id=None)


@pytest.mark.parametrize(
    "cls", [AuthorDetails, BookDetails, Classification, Contributor, Identifier, Link, Series, Subject]
)
def test_every_field_that_a_client_writes_says_what_it_means(cls: Any) -> None:
    for field in fields(cls):
        assert any(isinstance(item, Doc) and item.text for item in metadata_of(field.type)), field.name


@frozen(kw_only=True, field_transformer=constrained)
class Sheet:
    """Something with lines, a list of texts and a bounded number."""

    text: Annotated[str, Text(20, has_lines=True)] = "fine"
    lines: Annotated[tuple[Annotated[str, Text(5)], ...], Items(3)] = ()
    number: Annotated[int | None, Number(1, 9)] = None


def test_only_text_that_has_lines_holds_line_feeds_and_tabs() -> None:
    assert Sheet(text=" one\r\ntwo\rthree\tfour\n").text == "one\ntwo\nthree\tfour"
    with pytest.raises(InvalidValue, match="U\\+0000 at position 3"):
        Sheet(text="a\nb\x00")
    with pytest.raises(InvalidValue, match="blank"):
        Sheet(text="\n\t\n")
    with pytest.raises(InvalidValue, match="U\\+000A"):
        Label(text="a\nb")


def test_each_text_of_a_list_is_kept_as_text_is() -> None:
    assert Sheet(lines=(" e\u0301 ", "b")).lines == ("é", "b")
    with pytest.raises(InvalidValue, match="at most 5 characters"):
        Sheet(lines=("fine", "far too long"))
    with pytest.raises(InvalidValue, match="items 0 and 1 are equal"):
        Sheet(lines=("a", " a "))


@pytest.mark.parametrize("number", [0, 10, -1])
def test_a_number_stays_within_its_bounds(number: int) -> None:
    with pytest.raises(InvalidValue, match="from 1 to 9"):
        Sheet(number=number)
    assert Sheet(number=None).number is None
