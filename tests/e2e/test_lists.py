"""Lists as REST clients ask for them: sorted, filtered, searched, counted, and walked."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import pytest

from catalog.entrypoints.settings import Settings

from .clients import Client, added_author, added_book, in_process, problem_in

BOOKS = [
    ("The Left Hand of Darkness", "Le Guin", "1969", ["eng"]),
    ("Émile", "Rousseau", "1762", ["fre"]),
    ("The Dispossessed", "Le Guin", "1974-05", ["eng"]),
    ("Solaris", "Lem", "1961", ["pol"]),
    ("Æsop's Fables", "Aesop", None, []),
    ("Darkness at Noon", "Koestler", "1940", ["eng", "ger"]),
]


@pytest.fixture
async def library(settings: Settings) -> AsyncGenerator[Client]:
    """A client of a catalogue with six books, in each storage."""
    async with in_process(settings) as client:
        authors: dict[str, str] = {}
        for title, name, published, languages in BOOKS:
            if name not in authors:
                authors[name] = (await added_author(client, name))["id"]
            await added_book(client, title, authors[name], published=published, languages=languages)
        yield client


async def listed(client: Client, query: str) -> Any:
    response = await client.get(f"/books?{query}")
    assert response.status_code == 200, response.text
    return response.json()


async def titles(client: Client, query: str) -> Sequence[str]:
    return [item["title"] for item in (await listed(client, query))["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=published", ["Émile", "Darkness at Noon", "Solaris", "The Left Hand of Darkness", "The Dispossessed"]),
        ("sort=-published", ["The Dispossessed", "The Left Hand of Darkness", "Solaris", "Darkness at Noon", "Émile"]),
    ],
)
async def test_what_has_no_date_comes_last_in_both_directions(
    library: Client, query: str, expected: Sequence[str]
) -> None:
    assert await titles(library, query) == [*expected, "Æsop's Fables"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("published=1974", {"The Dispossessed"}),
        ("published[gte]=1961&published[lt]=1970", {"Solaris", "The Left Hand of Darkness"}),
        ("languages=ger", {"Darkness at Noon"}),
        ("title[contains]=DARKNESS", {"The Left Hand of Darkness", "Darkness at Noon"}),
        ("title[startswith]=emi", {"Émile"}),
        ("published[isnull]=true", {"Æsop's Fables"}),
        ("q=darkness", {"The Left Hand of Darkness", "Darkness at Noon"}),
        ("q=darkness -noon", {"The Left Hand of Darkness"}),
        ('q="hand of darkness"', {"The Left Hand of Darkness"}),
        ("q=dispos*", {"The Dispossessed"}),
        ("q=author:guin", {"The Left Hand of Darkness", "The Dispossessed"}),
        ("q=aesop fables", {"Æsop's Fables"}),
        ("q=guin&published=1969", {"The Left Hand of Darkness"}),
        ("q=nothing such", set()),
    ],
)
async def test_filters_and_searches_find_these_books(library: Client, query: str, expected: set[str]) -> None:
    page = await listed(library, query)

    assert {item["title"] for item in page["items"]} == expected
    assert page["total"] == len(expected)


async def test_the_links_of_a_list_lead_through_it_and_back(library: Client) -> None:
    page = await listed(library, "pageSize=4&sort=-title")
    response = await library.get(page["next"])
    following = response.json()
    back = (await library.get(following["prev"])).json()

    assert page["prev"] is None
    assert following["next"] is None
    assert response.headers["link"] == f'<{following["prev"]}>; rel="prev"'
    assert [*page["items"], *following["items"]] == (await listed(library, "sort=-title"))["items"]
    assert back["items"] == page["items"]


async def test_a_walk_begins_with_an_empty_cursor_and_has_no_offset(library: Client) -> None:
    seen: list[str] = []
    target: str | None = "/books?cursor=&pageSize=2&q=the"
    while target:
        page = (await library.get(target)).json()
        assert page["offset"] is None
        seen += [item["title"] for item in page["items"]]
        target = page["next"]

    assert seen == await titles(library, "q=the")


async def test_a_list_of_some_fields_has_no_others(library: Client) -> None:
    page = await listed(library, "fields=title,published&pageSize=1")

    assert page["items"] == [{"title": "Æsop's Fables", "published": None}]


async def test_a_list_that_nobody_counts_has_no_total(library: Client) -> None:
    assert (await listed(library, "count=none&q=darkness"))["total"] is None


async def test_facets_count_the_books_of_the_whole_list(library: Client) -> None:
    facets = (await listed(library, "facet=language,decade&pageSize=1&q=the"))["facets"]

    assert facets["language"] == [{"value": "eng", "count": 2, "label": None}]
    assert [(each["value"], each["count"]) for each in facets["decade"]] == [("1960", 1), ("1970", 1)]


async def test_a_misspelt_search_is_told_what_it_perhaps_meant(library: Client) -> None:
    page = await listed(library, "q=dispossesed")

    assert page["items"] == []
    assert page["did_you_mean"] == "dispossessed"


async def test_highlights_tell_where_each_item_shows_what_was_searched_for(library: Client) -> None:
    page = await listed(library, "q=darkness guin&highlight=true&fields=title")

    assert page["items"] == [{"title": "The Left Hand of Darkness"}]
    assert page["highlights"] == [{"title": [[17, 25]], "author": [[3, 7]]}]


async def test_a_list_brings_the_contributors_along_where_that_is_asked(library: Client) -> None:
    (book,) = (await listed(library, "q=solaris"))["items"]
    translators = [await added_author(library, name) for name in ("Joanna Kilmartin", "Steve Cox")]
    people = [{"author_id": each["id"], "role": "trl"} for each in translators]
    await library.patch(f"/books/{book['id']}", json={"contributors": people})

    page = await listed(library, "q=solaris&include=contributors&fields=title")
    plain = await listed(library, "q=solaris")
    nobody = await listed(library, "q=dispossessed&include=contributors")

    assert page["items"] == [{"title": "Solaris"}]
    assert page["included"] == {each["id"]: each for each in translators}
    assert plain["included"] is None
    assert nobody["included"] == {}


async def test_what_is_renamed_is_found_by_its_new_name_only(library: Client) -> None:
    author = (await library.get("/authors?name=Lem")).json()["items"][0]
    await library.patch(f"/authors/{author['id']}", json={"name": "Stanisław Lem"})

    assert await titles(library, "q=stanislaw solaris") == ["Solaris"]


async def test_a_removed_book_is_no_longer_found(library: Client) -> None:
    (book,) = (await listed(library, "q=solaris"))["items"]
    await library.delete(f"/books/{book['id']}")

    assert await titles(library, "q=solaris") == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("sort=colour", "sort"),
        ("sort=title,published", "sort"),
        ("published[like]=1969", "published[like]"),
        ("published=yesterday", "published"),
        ("fields=title,colour", "fields"),
        ("facet=colour", "facet"),
        ("include=publisher", "include"),
        ("count=perhaps", "count"),
        ("cursor=nonsense", "cursor"),
        ("cursor=&currentPage=2", "currentPage"),
        ("highlight=true", "highlight"),
        ("highlight=perhaps&q=the", "highlight"),
        (f"q={'a' * 501}", "q"),
        ("format=csv&fields=title", "fields"),
        ("format=marc&facet=language", "facet"),
        ("format=ndjson&include=contributors", "include"),
        ("format=csv&q=the&highlight=true", "highlight"),
        ("created_at[gt]=0001-01-01T00:00:00%2B14:00", "created_at[gt]"),
        ("updated_at=9999-12-31T23:59:59-01:00", "updated_at"),
    ],
)
async def test_a_list_that_can_not_be_is_refused_with_the_name_of_the_parameter(
    library: Client, query: str, parameter: str
) -> None:
    problem: Mapping[str, Any] = problem_in(await library.get(f"/books?{query}"), 400, "invalid-request")

    assert [error["parameter"] for error in problem["errors"]] == [parameter]


@pytest.mark.parametrize("other", ["sort=title", "sort=-published&q=the", "sort=-published&published[gt]=1900"])
async def test_a_cursor_of_another_list_is_refused(library: Client, other: str) -> None:
    page = await listed(library, "sort=-published&pageSize=2")
    cursor = page["next"].partition("cursor=")[2]

    problem_in(await library.get(f"/books?pageSize=2&{other}&cursor={cursor}"), 400, "invalid-request")


@pytest.mark.parametrize(
    "q", ["*", '"', "-", ":", "title:", '"" -""', "a" * 500, "(((", "🐉", "\x00", "- - -", "%00 OR 1=1"]
)
async def test_no_search_is_too_strange_to_be_answered(library: Client, q: str) -> None:
    response = await library.get("/books", params={"q": q})

    assert response.status_code in {200, 400}, response.text
