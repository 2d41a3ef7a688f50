"""`ping`: whether a server can be worked with."""

import click

from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.waiting import waiting


@click.command(
    cls=Command,
    short_help="Ask whether a server can be worked with.",
    examples=("lineshaft ping", "lineshaft ping --base-url https://ci.example.org --output json"),
)
@with_output
@connected
def ping(connection: Connection, output: Output) -> None:
    """Ask whether the server is up, is ready for work, and takes these credentials."""
    with connection.client() as client, waiting(f"Waiting for {client.url}"):
        elapsed = client.ping()
        client.check_ready()
        next(client.pipelines(page_size=1), None)
        milliseconds = round(elapsed.total_seconds() * 1000, 1)
        if output is Output.JSON:
            print_json({"url": client.url, "milliseconds": milliseconds})
        else:
            click.echo(f"{client.url} is ready and takes your credentials; it answered in {milliseconds} ms.")
