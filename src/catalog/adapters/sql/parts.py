"""The parts of a record, which have rows of their own, as one column of JSON: [[value, …], …], in their order."""

from collections.abc import Sequence
from typing import Any

from advanced_alchemy.types import GUID
from sqlalchemy import JSON, ColumnElement, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement


class _Rows(FunctionElement[Any]):
    """An aggregate: a JSON array of these columns for each row."""

    type = JSON()
    inherit_cache = True
    name = "json_rows"


@compiles(_Rows, "sqlite")
def _in_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    columns = (func.lower(func.hex(clause)) if isinstance(clause.type, GUID) else clause for clause in element.clauses)
    return f"json_group_array(json_array({', '.join(compiler.process(column, **kw) for column in columns)}))"


@compiles(_Rows, "postgresql")
def _in_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    columns = ", ".join(compiler.process(column, **kw) for column in element.clauses)
    return f"coalesce(json_agg(json_build_array({columns})), '[]')"


def parts_of(table: Any, columns: Sequence[str], of: Any) -> ColumnElement[Any]:
    """Return the rows of the table that belong to a book, in the order of their `position`."""
    ordered = select(*(table.c[name] for name in columns)).where(table.c.book_id == of).order_by(table.c.position)
    rows = ordered.correlate_except(table).subquery(f"ordered_{table.name}")
    return select(_Rows(*rows.c)).scalar_subquery()
