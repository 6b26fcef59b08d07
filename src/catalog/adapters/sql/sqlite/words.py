"""The index of words in SQLite: FTS5, over the cards."""

from sqlalchemy import Executable, FromClause, bindparam, column, literal_column, select, table

from catalog.domain.search import AllOf, AndNot, AnyOf, Condition, Phrase

_INDEX = table("card_words", column("rowid"))
_WORDS = table("card_words_vocabulary", column("term"))
_VOCABULARY = select(_WORDS.c.term).where(_WORDS.c.term >= bindparam("first"), _WORDS.c.term < bindparam("beyond"))


class SqliteWords:
    """Queries of FTS5 (https://www.sqlite.org/fts5.html, section 3)."""

    @property
    def vocabulary(self) -> Executable:
        """The statement that finds words, which FTS5 tells itself."""
        return _VOCABULARY

    def query(self, condition: Condition) -> str:
        """Return the condition as a query of FTS5."""
        match condition:
            case Phrase(words=words, fields=fields, is_prefix=is_prefix):
                where = "" if fields is None else f"{{{' '.join(sorted(fields))}}} : "
                quoted = " ".join(words).replace('"', '""')
                return f'{where}"{quoted}"{" *" * is_prefix}'
            case AllOf(parts=parts):
                return f"({' AND '.join(map(self.query, parts))})"
            case AnyOf(parts=parts):
                return f"({' OR '.join(map(self.query, parts))})"
            case AndNot(what=what, without=without):
                return f"({self.query(what)} NOT {self.query(without)})"

    def matching(self, parameter: str) -> FromClause:
        """Return the places of the cards; they come in their order without sorting."""
        # The name of the table stands for all its columns.
        matches = literal_column("card_words").op("MATCH")(bindparam(parameter))
        return select(_INDEX.c.rowid.label("place")).where(matches).subquery(f"in_{parameter}")
