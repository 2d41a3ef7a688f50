"""`schema`: the JSON Schema of pipelines."""

import click

from lineshaft.cli.command import Command
from lineshaft.cli.output import print_json, with_error_output


@click.command(
    cls=Command,
    short_help="Print the JSON Schema of pipelines, for editors.",
    examples=(
        "lineshaft schema > lineshaft.schema.json",
        "# Then, as the first line of lineshaft.yml:",
        "# yaml-language-server: $schema=lineshaft.schema.json",
    ),
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["native", "rest"]),
    default="native",
    show_default=True,
    help="Of which language: lineshaft.yml (native), or the JSON of the API's first format (rest).",
)
@with_error_output
def schema(shape: str) -> None:
    """Print the JSON Schema of pipelines (2020-12), by which editors complete and check while one types."""
    from lineshaft.definition.native.schema import native_schema
    from lineshaft.definition.rest import rest_schema

    print_json(native_schema() if shape == "native" else rest_schema())
