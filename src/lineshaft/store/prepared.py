"""Statements that are compiled once, for the few that every event of a run executes.

Each time it executes a Core statement, SQLAlchemy looks for its compiled form and works out its parameters
anew, which takes several times as long as SQLite takes to execute it. Here the driver's form of the statement
and the functions that convert its values are kept, and the driver's own cursor executes it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Delete, Dialect, Float, Insert, Select, Update

from lineshaft.store.driver import execute

T = TypeVar("T")

Values = Mapping[str, Any]

_FLOAT8: Final = 701
"""PostgreSQL's number for the type of a Float column, which SQLAlchemy asks its driver for elsewhere."""

_Convert = Callable[[Any], Any] | None


class Prepared:
    """A statement with a fixed set of parameters.

    Attributes:
        statement: the statement.
    """

    def __init__(self, statement: Insert | Update | Delete | Select[*tuple[Any, ...]], *columns: str) -> None:
        """Take a statement without expanding parameters.

        Args:
            statement: what to execute.
            columns: of an INSERT or UPDATE that does not say itself, the columns that it sets; the values are
                then given by the columns' names.
        """
        self.statement: Final = statement
        self._columns: Final = columns or None
        self._forms: Final[dict[str, _Form]] = {}

    def execute(self, connection: Connection, values: Values) -> int:
        """Execute it once; returns the number of rows that it changed."""
        form = self._form(connection)
        return execute(connection, form.text, form.bound(values)).rowcount

    def execute_many(self, connection: Connection, many: Sequence[Values]) -> None:
        """Execute it for each of the values."""
        form = self._form(connection)
        if len(many) == 1:
            execute(connection, form.text, form.bound(many[0]))
        elif many:
            execute(connection, form.text, [form.bound(values) for values in many])

    def rows(self, connection: Connection, values: Values) -> list[tuple[Any, ...]]:
        """Execute it and return all rows, in the order of the columns that it selects or returns."""
        form = self._form(connection)
        rows = execute(connection, form.text, form.bound(values)).fetchall()
        return [form.read(row) for row in rows]

    def _form(self, connection: Connection) -> "_Form":
        form = self._forms.get(connection.dialect.name)
        if form is None:
            form = self._forms[connection.dialect.name] = _Form(
                self.statement, self._columns, connection.dialect
            )
        return form


def padded(values: Collection[T]) -> list[T]:
    """List values, the last one again and again up to a power of two, for an `IN` of few different lengths.

    Statements of each length are prepared for themselves.

    Args:
        values: one at least.
    """
    listed = list(values)
    missing = (1 << (len(listed) - 1).bit_length()) - len(listed)
    return listed + listed[-1:] * missing


class _Form:
    """A statement as a database's driver takes it."""

    def __init__(
        self,
        statement: Insert | Update | Delete | Select[*tuple[Any, ...]],
        columns: Sequence[str] | None,
        dialect: Dialect,
    ) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        binds = compiled.binds
        self.text: Final = str(compiled)
        self._parameters: Final[list[tuple[str | None, Any, _Convert]]] = [
            (
                name if binds[name].required else None,
                binds[name].value,
                binds[name].type.dialect_impl(dialect).bind_processor(dialect),
            )
            for name in compiled.positiontup or ()
        ]
        results = [
            column.type.dialect_impl(dialect).result_processor(
                dialect, _FLOAT8 if isinstance(column.type, Float) else None
            )
            for column in statement.exported_columns
        ]
        self._results: Final[list[tuple[int, Callable[[Any], Any]]]] = [
            (at, convert) for at, convert in enumerate(results) if convert is not None
        ]

    def bound(self, values: Values) -> tuple[Any, ...]:
        """Put values into the driver's form and order, those among them that the statement itself fixes.

        Raises:
            KeyError: a value is missing.
        """
        ordered = [fixed if name is None else values[name] for name, fixed, _ in self._parameters]
        return tuple(
            [
                value if convert is None else convert(value)
                for value, (_, _, convert) in zip(ordered, self._parameters, strict=True)
            ]
        )

    def read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Take the values of a row out of the driver's form."""
        values = list(row)
        for at, convert in self._results:
            values[at] = convert(values[at])
        return tuple(values)
