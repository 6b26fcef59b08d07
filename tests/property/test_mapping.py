"""What holds for all records and the rows that keep them, through a real database."""

from collections.abc import Generator
from typing import Any

import attrs
import pytest
from advanced_alchemy.base import DefaultBase
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, StaticPool, create_engine, insert
from sqlalchemy.orm import Session

from catalog.adapters.sql.mapping import JSON_CODEC, inserts_of, record_of, update_row
from catalog.adapters.sql.rows import AuthorRow, BookRow
from catalog.domain.authors import Author
from catalog.domain.books import Book
from catalog.testing.strategies import instances_of

KEPT: list[tuple[Any, Any]] = [(Author, AuthorRow), (Book, BookRow)]
each_kind = pytest.mark.parametrize(("record_class", "row_class"), KEPT, ids=lambda cls: cls.__name__)


@pytest.fixture(scope="module")
def engine() -> Generator[Engine]:
    """An empty database in which books may name authors that are not there."""
    engine = create_engine("sqlite://", poolclass=StaticPool, **JSON_CODEC)
    DefaultBase.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Generator[Session]:
    with Session(engine) as session:
        yield session


def insert_all(session: Session, records: Any, row_class: Any) -> None:
    session.rollback()
    for table, values in inserts_of(records, row_class):
        session.execute(insert(table), values)


@each_kind
@given(data=st.data())
def test_a_row_gives_back_the_record_that_it_was_given(
    session: Session, record_class: Any, row_class: Any, data: st.DataObject
) -> None:
    records = data.draw(st.lists(instances_of(record_class), min_size=1, max_size=3, unique_by=lambda r: r.id))

    insert_all(session, records, row_class)

    assert [record_of(session.get_one(row_class, record.id), record_class) for record in records] == records


@each_kind
@given(data=st.data())
def test_a_row_that_is_brought_up_to_date_gives_back_the_record_after(
    session: Session, record_class: Any, row_class: Any, data: st.DataObject
) -> None:
    before = data.draw(instances_of(record_class))
    after = attrs.evolve(data.draw(instances_of(record_class)), id=before.id)
    insert_all(session, [before], row_class)

    update_row(session.get_one(row_class, before.id), after)
    session.flush()
    session.expire_all()

    assert record_of(session.get_one(row_class, before.id), record_class) == after


@each_kind
@given(data=st.data())
def test_a_row_that_is_up_to_date_is_not_touched(
    session: Session, record_class: Any, row_class: Any, data: st.DataObject
) -> None:
    record = data.draw(instances_of(record_class))
    insert_all(session, [record], row_class)

    update_row(session.get_one(row_class, record.id), record)

    assert not session.dirty
    assert not session.new


@each_kind
@given(data=st.data())
def test_a_row_is_ordered_by_the_sort_key_of_its_record(
    session: Session, record_class: Any, row_class: Any, data: st.DataObject
) -> None:
    before, after = data.draw(instances_of(record_class)), data.draw(instances_of(record_class))
    insert_all(session, [before], row_class)
    row = session.get_one(row_class, before.id)

    assert row.sort_key == before.sort_key

    update_row(row, after)

    assert row.sort_key == after.sort_key
