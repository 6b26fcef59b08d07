"""The subfields of a field while some of them change: the marks between them (ISBD) go on saying what follows."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from unicodedata import normalize

from pymarc import Subfield

from .subfields import LETTERS, LINKS, one_line, trimmed


def composed(text: str) -> str:
    """Return the text as a catalogue keeps it, whose letters and accents are one character where there is one."""
    return normalize("NFC", one_line(text))


def ending(text: str) -> str:
    """Return the marks with which the text leads on to the next part, or ends the field."""
    line = one_line(text)
    return line[len(trimmed(line)) :]


def ended(text: str, *marks: str) -> str:
    """Return the text with the first of these marks, or none, behind which it is read again as it is."""
    return next((f"{text}{each}" for each in (*marks, "") if trimmed(f"{text}{each}") == text), text)


def leads_on(text: str) -> bool:
    """Whether the text ends with a mark behind which something should follow."""
    return not set("/:;=,").isdisjoint(ending(text))


def first_place(parts: Sequence[Subfield]) -> int:
    """Return the place behind the subfields that say to what the field is linked."""
    return next((place for place, part in enumerate(parts) if part.code not in LINKS), len(parts))


def place_behind(parts: Sequence[Subfield], codes: str) -> int:
    """Return the place behind the last of these subfields; where there is none of them, the first place."""
    places = [place for place, part in enumerate(parts) if part.code in codes]
    return places[-1] + 1 if places else first_place(parts)


def inserted(
    parts: Sequence[Subfield], place: int, new: Subfield, marks: Mapping[str, str], last: str = ""
) -> list[Subfield]:
    """Return the parts with a new one: it leads on to what the one before it led on to, and that one leads on to it.

    `marks` says what leads on to which subfield, `last` what may end the new one where it could not be told otherwise.
    """
    made = list(parts)
    if place and made[place - 1].code in LETTERS:
        before = made[place - 1]
        led_on = ending(before.value)
        made[place - 1] = Subfield(before.code, ended(trimmed(one_line(before.value)), marks.get(new.code, "")))
    else:
        led_on = marks.get(made[place].code, "") if place < len(made) else ""
    return [*made[:place], Subfield(new.code, ended(new.value, led_on, last)), *made[place:]]


def without(parts: Sequence[Subfield], place: int) -> list[Subfield]:
    """Return the parts without one of them: the one before it leads on to what that one led on to."""
    made = [*parts[:place], *parts[place + 1 :]]
    if place and parts[place].code in LETTERS and made[place - 1].code in LETTERS:
        before, gone = made[place - 1], parts[place].value
        marks = ending(gone) or ("." if gone.endswith(".") and place == len(made) else "")
        made[place - 1] = Subfield(before.code, ended(trimmed(one_line(before.value)), marks, ending(before.value)))
    return made


def rewritten(
    parts: Sequence[Subfield], code: str, text: str | None, behind: str, marks: Mapping[str, str]
) -> list[Subfield]:
    """Return the parts with this text in the subfield, which stands `behind` these where there is none yet."""
    made = list(parts)
    places = [place for place, part in enumerate(made) if part.code == code]
    for place in reversed(places if text is None else places[1:]):
        made = without(made, place)
    if text is None:
        return made
    if not places:
        return inserted(made, place_behind(made, behind), Subfield(code, text), marks)
    made[places[0]] = Subfield(code, ended(text, ending(made[places[0]].value)))
    return made


def with_title(parts: Sequence[Subfield], title: str, marks: Mapping[str, str]) -> list[Subfield]:
    """Return the parts of a title statement with another title: of $a, $n and $p, those stay that it has as well."""
    made = list(parts)
    places = [place for place, part in enumerate(made) if part.code in "anp" and trimmed(one_line(part.value))]
    if not places:
        made = [part for part in made if part.code not in "anp"]
        return inserted(made, first_place(made), Subfield("a", title), marks, " /")
    texts = [composed(made[place].value) for place in places]
    texts[-1] = trimmed(texts[-1])
    left, right, rest = 0, len(places), title
    while right - left > 1 and rest.endswith(f" {texts[right - 1]}"):
        right -= 1
        rest = rest[: -len(texts[right]) - 1]
    while right - left > 1 and rest.startswith(f"{texts[left]} "):
        rest = rest[len(texts[left]) + 1 :]
        left += 1
    for place in reversed(places[left + 1 : right]):
        made = without(made, place)
    place = places[left]
    if right < len(places):
        made[place] = Subfield(made[place].code, rest)
    else:
        is_followed = right - left == 1 or places[left + 1] == place + 1
        made[place] = Subfield(made[place].code, ended(rest, ending(made[place].value) if is_followed else "", " /"))
    return made


def name_in_imprint(text: str) -> str:
    """Return the place or the name of publication that a subfield says."""
    return trimmed(one_line(text)).strip("[] ")


def renamed_in_imprint(text: str, name: str) -> str:
    """Return the text of the subfield with another place or name, and the marks round it."""
    line, before = one_line(text), name_in_imprint(text)
    place = line.index(before)
    head, tail = line[:place], line[place + len(before) :]
    tries = (f"{head}{name}{tail}", f"{head}{name}", f"{name}{tail}", f"{name},")
    return next((each for each in tries if name_in_imprint(each) == name), tries[0])


def aligned(before: Sequence[str], after: Sequence[str]) -> tuple[dict[str, str | None], dict[str, list[str]]]:
    """Return what each becomes, None where it is no more, and what is new behind which; behind "", at the beginning.

    As many as before stand each for the one in its place; otherwise those that are the same stay.
    """
    if len(before) == len(after):
        return dict(zip(before, after, strict=True)), {}
    becomes: dict[str, str | None] = {}
    added: dict[str, list[str]] = {}
    for _, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = before[start:end], after[first:last]
        becomes.update(dict.fromkeys(old))
        becomes.update(zip(old, new, strict=False))
        if len(new) > len(old):
            added.setdefault(before[end - 1] if end else "", []).extend(new[len(old) :])
    return becomes, added
