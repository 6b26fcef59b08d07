"""Datasette over a file: a canned query for each question, with the author joined and the total beside the page.

It only reads; its answers are rows, so the author is in columns of its own.
"""

import os

from datasette.app import Datasette

_COLUMNS = """
    book.id, book.title, book.subtitle, book.author_id, book.contributors, book.isbn, book.published, book.languages,
    book.version, book.created_at, book.updated_at, book.sources, author.name AS author_name, author.dob AS author_dob,
    author.version AS author_version, author.created_at AS author_created_at, author.updated_at AS author_updated_at
"""
_CONDITIONS = {
    "list": "1",
    "by_author": "author_id = :author_id",
    "search_one": "title LIKE '%' || :one || '%'",
    "search_two": "title LIKE '%' || :one || '%' AND title LIKE '%' || :two || '%'",
}
_PAGE = """
    SELECT (SELECT count(*) FROM book WHERE {condition}) AS total, {columns}
    FROM (SELECT * FROM book WHERE {condition} ORDER BY sort_title, id LIMIT :size OFFSET :offset) AS book
    JOIN author ON author.id = book.author_id ORDER BY sort_title, book.id
"""

queries = {
    name: {"sql": _PAGE.format(condition=condition, columns=_COLUMNS)} for name, condition in _CONDITIONS.items()
}
queries["one"] = {"sql": f"SELECT {_COLUMNS} FROM book JOIN author ON author.id = book.author_id WHERE book.id = :id"}

app = Datasette(
    [os.environ["PEER_DATABASE"]],
    metadata={"databases": {"books": {"queries": queries}}},
    settings={"suggest_facets": False, "sql_time_limit_ms": 10_000, "default_cache_ttl": 0},
).app()
