"""`INSERT ... ON CONFLICT`, spelt once for both databases."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ClauseElement, Insert, Table, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import SyntaxExtension
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal


class _OnConflict(SyntaxExtension, ClauseElement):
    """The clause behind VALUES, which SQLite and PostgreSQL read alike.

    SQLAlchemy has one such construct for each of the two, and neither is meant to compile for the other.
    """

    _traverse_internals = [  # noqa: RUF012 # SQLAlchemy declares it as an attribute that is not final.
        ("keys", InternalTraversal.dp_string_list),
        ("replaced", InternalTraversal.dp_string_list),
    ]

    def __init__(self, keys: Sequence[str], replaced: Sequence[str]) -> None:
        self.keys = list(keys)
        self.replaced = list(replaced)

    def apply_to_insert(self, insert_stmt: Insert) -> None:
        """Place the clause."""
        insert_stmt.apply_syntax_extension_point(self.append_replacing_same_type, "post_values")


@compiles(_OnConflict)
def _compile(clause: _OnConflict, compiler: SQLCompiler, **_: Any) -> str:
    quote = compiler.preparer.quote
    target = ", ".join(quote(key) for key in clause.keys)
    if not clause.replaced:
        return f"ON CONFLICT ({target}) DO NOTHING"
    settings = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in clause.replaced)
    return f"ON CONFLICT ({target}) DO UPDATE SET {settings}"


def insert_or_replace(table: Table, *keys: str, keep: Sequence[str] = ()) -> Insert:
    """Make a statement that inserts a row, or gives the row of the same key other columns anew.

    Args:
        table: in which.
        keys: the columns that a row is told by; the primary key where none is named.
        keep: the columns that stay as they are, besides the key.
    """
    known = keys or tuple(table.primary_key.columns.keys())
    anew = [name for name in table.columns.keys() if name not in {*known, *keep}]  # noqa: SIM118 # A column collection iterates over columns.
    return insert(table).ext(_OnConflict(known, anew))


def insert_or_keep(table: Table, *keys: str) -> Insert:
    """Make a statement that inserts a row unless one is there with the same values in the key columns."""
    return insert(table).ext(_OnConflict(keys, ()))
