"""Every field of a record is kept: a forgotten column is red at once."""

from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args, get_type_hints

import attrs
import pytest
from advanced_alchemy.base import DefaultBase
from sqlalchemy import inspect
from sqlalchemy.orm import Mapper

from catalog.adapters.sql import rows
from catalog.adapters.sql.repositories import SqlAuthorRepository, SqlBookRepository
from catalog.domain.books import Contributor, SourceRecord
from catalog.domain.receipts import Receipt
from catalog.domain.revisions import Revision

KEPT: dict[type[DefaultBase], Any] = {
    **{repository.ROWS.model_type: repository.RECORD for repository in (SqlAuthorRepository, SqlBookRepository)},
    rows.ContributorRow: Contributor,
    rows.SourceRow: SourceRecord,
    rows.RevisionRow: Revision,
    rows.ReceiptRow: Receipt,
}
"""What each row keeps."""


def row_classes() -> Iterator[type[DefaultBase]]:
    for thing in vars(rows).values():
        is_row = isinstance(thing, type) and issubclass(thing, DefaultBase) and thing is not DefaultBase
        # What counts and what is computed keep nothing that was said.
        if is_row and thing not in {rows.LogRow, rows.CardRow, rows.IsbnRow, rows.NumberRow}:
            yield thing


def columns_of(row_class: type[DefaultBase]) -> set[str]:
    mapper: Mapper[Any] = inspect(row_class)
    return {column.key for column in mapper.columns}


def kept_by(row_class: type[DefaultBase]) -> set[str]:
    mapper: Mapper[Any] = inspect(row_class)
    return columns_of(row_class) | set(mapper.relationships.keys())


each_row = pytest.mark.parametrize("row_class", list(row_classes()), ids=lambda row_class: row_class.__name__)


@each_row
def test_every_field_of_what_a_row_keeps_has_a_column_or_a_table_of_its_own(row_class: type[DefaultBase]) -> None:
    assert attrs.fields_dict(KEPT[row_class]).keys() <= kept_by(row_class)


@each_row
def test_every_column_keeps_something(row_class: type[DefaultBase]) -> None:
    # Where a row stands: not said by what it keeps, but by whose it is.
    places = {"book_id", "position"}

    kept = KEPT[row_class]

    for name in columns_of(row_class) - places:
        assert name in attrs.fields_dict(kept) or isinstance(getattr(kept, name), property), name


@each_row
def test_only_fields_that_may_be_missing_have_columns_that_may_be_null(row_class: type[DefaultBase]) -> None:
    mapper: Mapper[Any] = inspect(row_class)
    kept = get_type_hints(KEPT[row_class])

    nullable = {name for name, column in mapper.columns.items() if name in kept and column.nullable}

    assert nullable == {name for name, kind in kept.items() if name in mapper.columns and NoneType in get_args(kind)}
