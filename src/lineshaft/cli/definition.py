"""`definition`: what a run runs."""

import json

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_run
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.waiting import waiting


@click.command(
    cls=Command,
    short_help="Print the pipeline that a run runs, as it was then.",
    examples=(
        "lineshaft definition shop/12",
        "# What has changed between two runs",
        "diff <(lineshaft definition shop/11) <(lineshaft definition shop/12)",
    ),
)
@click.argument("run", shell_complete=complete_run, help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
@with_output
@connected
def definition(connection: Connection, run: str, output: Output) -> None:
    """Print the pipeline that a run runs, as it was when the run was made, overrides included.

    It is YAML; of a pipeline in the API's first format, and with --output json, it is JSON.
    """
    with connection.client() as client, waiting(f"Asking {client.url} for the definition"):
        found = json.loads(client.definition(find_run(client, run).run.id))
    if output is Output.JSON or "stages" in found:
        print_json(found)
        return
    from lineshaft.definition.yaml_writing import write_yaml

    click.echo(write_yaml(found), nl=False)
