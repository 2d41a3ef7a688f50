"""What all declarations of tables share."""

from typing import Any, Final

from sqlalchemy import JSON, Column, Index, MetaData, String
from sqlalchemy.sql.elements import ColumnElement

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
"""All tables, once `lineshaft.store.schema` is imported, which imports every module of them."""

NULLABLE_JSON: Final = JSON(none_as_null=True)
"""JSON of which None is NULL, and not the text `null`."""


def reason_columns(prefix: str = "reason") -> tuple[Column[Any], Column[Any]]:
    """Make the two columns that a `model.reason.Reason` needs; both are NULL where there is none."""
    return Column(f"{prefix}_code", String), Column(f"{prefix}_text", String)


def partial_index(name: str, *columns: ColumnElement[Any], where: ColumnElement[bool]) -> None:
    """Declare an index of the rows that a condition holds for.

    Args:
        name: the index's.
        columns: of one table, in the index's order.
        where: spells its values as literals; see `schema.literals`.
    """
    Index(name, *columns, sqlite_where=where, postgresql_where=where)
