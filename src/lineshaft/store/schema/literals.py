"""Values spelt out in statements, where a parameter would keep an index from being used."""

from typing import Final

from sqlalchemy import Integer, String, literal_column
from sqlalchemy.sql.elements import ColumnElement

from lineshaft.model.state import State

ONE: Final = literal_column("1", Integer())
"""For LIMIT: where that is a parameter, PostgreSQL plans for a tenth of all rows."""


def literal_state(state: State) -> ColumnElement[str]:
    """Spell a state as a literal, for the conditions of partial indexes."""
    return literal_column(f"'{state.value}'", String())
