"""`NAME=VALUE` on the command line."""

from typing import Any

import click


class Assignment(click.ParamType):
    """A name, and the value that it is to have."""

    name = "assignment"

    def __init__(self, key: str, *, typed: bool = False) -> None:
        """Read `KEY=VALUE`.

        Args:
            key: what the name is called in help.
            typed: whether the value is one of YAML, such as a number or a list, and not always text.
        """
        self._key = key
        self._typed = typed

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's.
        """Name it in help."""
        return f"{self._key}=VALUE"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        """Split it at the first `=`."""
        if isinstance(value, tuple):
            return value
        name, equals, said = str(value).partition("=")
        if not name or not equals:
            self.fail(f"'{value}' is not {self._key}=VALUE.", param, ctx)
        return name, self._typed_value(said, param, ctx) if self._typed else said

    def _typed_value(self, said: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from lineshaft.definition.yaml_text import read_yaml
        from lineshaft.model.errors import InvalidInputError

        if not said.strip():
            return said
        try:
            text = read_yaml(said.encode("utf-8", "surrogateescape"))
            if text.findings:
                raise text.findings.error()
        except InvalidInputError as error:
            self.fail(f"'{said}' is no value in YAML: {error.message}", param, ctx)
        return text.value
