"""The index of words in PostgreSQL: a tsvector with the fields as weights, in the column `document` of the cards."""

from collections.abc import Mapping

from sqlalchemy import Executable, FromClause, bindparam, cast, column, exists, literal_column, select, table
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.types import Text

from catalog.adapters.sql.rows import CardRow
from catalog.domain.search import AllOf, AndNot, AnyOf, Condition, Phrase, SearchField

WEIGHTS: Mapping[SearchField, str] = dict(zip(SearchField, "ABCD", strict=True))


_WORDS = table("card_words", column("word", Text()))
_QUOTED = r"'''' || replace(replace(card_words.word, '\', '\\'), '''', '''''') || ''''"
_ANY = literal_column(f"({_QUOTED})::tsquery", TSQUERY())
_VOCABULARY = select(_WORDS.c.word).where(
    _WORDS.c.word >= bindparam("first", type_=Text()),
    _WORDS.c.word < bindparam("beyond", type_=Text()),
    exists(select(CardRow.place).where(literal_column("card.document").op("@@")(_ANY))),
)


class PostgresqlWords:
    """Queries of text search (https://www.postgresql.org/docs/current/datatype-textsearch.html)."""

    @property
    def vocabulary(self) -> Executable:
        """The statement that finds words, of which some card still has each."""
        return _VOCABULARY

    def query(self, condition: Condition) -> str:
        """Return the condition as a tsquery."""
        match condition:
            case Phrase(words=words, fields=fields, is_prefix=is_prefix):
                weights = "" if fields is None else "".join(sorted(WEIGHTS[field] for field in fields))
                *others, last = words
                return " <-> ".join(
                    [*(_lexeme(word, weights) for word in others), _lexeme(last, "*" * is_prefix + weights)]
                )
            case AllOf(parts=parts):
                return " & ".join(f"({self.query(part)})" for part in parts)
            case AnyOf(parts=parts):
                return " | ".join(f"({self.query(part)})" for part in parts)
            case AndNot(what=what, without=without):
                return f"({self.query(what)}) & !({self.query(without)})"

    def matching(self, parameter: str) -> FromClause:
        """Return the places of the cards."""
        query = cast(cast(bindparam(parameter), Text), TSQUERY)
        matches = literal_column("card.document").op("@@")(query)
        return select(CardRow.place).where(matches).subquery(f"in_{parameter}")


def _lexeme(word: str, label: str) -> str:
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{quoted}'{':' * bool(label)}{label}"
