"""`NAME=VALUE` on the command line."""

from typing import Any

import click


class Assignment(click.ParamType[tuple[str, str]]):
    """A name, and the text that it is to stand for."""

    name = "assignment"

    def __init__(self, key: str) -> None:
        """Read `KEY=VALUE`."""
        self._key = key

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's.
        """Name it in help."""
        return f"{self._key}=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Split it at the first `=`."""
        if isinstance(value, tuple):
            return value
        name, equals, said = str(value).partition("=")
        if not name or not equals:
            self.fail(f"'{value}' is not {self._key}=VALUE.", param, ctx)
        return name, said
