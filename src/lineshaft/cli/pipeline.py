"""The commands of pipelines; all but `list` print the server's answer as it is."""

from collections.abc import Callable
from functools import wraps
from itertools import islice
from typing import Any, Final, TypeVar

import click

from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.logs import LogPrinter, follow_logs
from lineshaft.cli.output import Output, print_json, print_table, with_error_output, with_output
from lineshaft.cli.reference import find_pipeline, find_run
from lineshaft.cli.waiting import waiting
from lineshaft.cli.watch import watch_run
from lineshaft.model.errors import ServerError

R = TypeVar("R")

_DATA_HELP: Final = "The pipeline as JSON: the text itself, @FILE, or - for standard input."
_EXAMPLE_ID: Final = "078ba92d-63fc-4106-b9da-ac2fc6f2cec5"

_with_data = click.option("--data", metavar="JSON", required=True, help=_DATA_HELP)


def _with_pipeline(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command its pipeline, as its argument `pipeline`: an id, or a name that no other has."""

    @click.argument("pipeline", required=False, help="The pipeline's id, or its name where no other has it.")
    @click.option("--pipeline-id", metavar="ID", help="The pipeline's id, in place of PIPELINE.")
    @wraps(command)
    def wrapper(*args: Any, pipeline: str | None, pipeline_id: str | None, **options: Any) -> R:
        if bool(pipeline) is bool(pipeline_id):
            raise click.UsageError("Give a pipeline, either as PIPELINE or by --pipeline-id.")
        return command(*args, pipeline=pipeline or pipeline_id, **options)

    return wrapper


@click.command(
    "list",
    cls=Command,
    examples=(
        "lineshaft list",
        "# The ids of all pipelines named 'shop'",
        "lineshaft list --name shop --output json | jq -r '.[].id'",
    ),
)
@click.option("--name", help="Only pipelines of exactly this name.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="How many at most.",
)
@with_output
@connected
def list_pipelines(connection: Connection, name: str | None, limit: int, output: Output) -> None:
    """List pipelines by name."""
    with connection.client() as client, waiting(f"Asking {client.url} for pipelines"):
        found = list(islice(client.pipelines(name, page_size=min(limit + 1, 100)), limit + 1))
    shown = found[:limit]
    if output is Output.JSON:
        print_json([pipeline.document for pipeline in shown])
    elif shown:
        rows = [
            (
                pipeline.name,
                f"{len(pipeline.stages)} {'in parallel' if pipeline.parallel else 'in sequence'}",
                pipeline.git_repository or "-",
                str(pipeline.id),
            )
            for pipeline in shown
        ]
        print_table(("NAME", "STAGES", "REPOSITORY", "ID"), rows, {})
    elif name is not None:
        print_note(f"No pipeline is named '{name}'.")
    else:
        print_note("There are no pipelines; `lineshaft create-pipeline --help` shows how to make one.")
    if output is Output.TEXT and len(found) > limit:
        print_note(f"There are more than {limit}; list them with a higher --limit.")


@click.command(
    "create-pipeline",
    cls=Command,
    examples=(
        "lineshaft create-pipeline --data @pipeline.json",
        "lineshaft create-pipeline --username admin --password admin --data '{",
        '  "name": "hello",',
        '  "git_repository": "https://github.com/example/repo",',
        '  "stages": [{"type": "Run", "name": "test", "command": "pytest", "timeout": 500}]',
        "}' | jq",
    ),
)
@_with_data
@with_error_output
@connected
@pass_invocation
def create_pipeline(invocation: Invocation, connection: Connection, data: str) -> None:
    """Make a pipeline, and print its id as JSON."""
    text = invocation.read(data)
    with connection.client() as client, waiting(f"Sending the pipeline to {client.url}"):
        answer = client.create_pipeline(text.data)
    print_json(answer.document)


@click.command(
    "get-pipeline",
    cls=Command,
    examples=("lineshaft get-pipeline shop | jq .stages",),
)
@_with_pipeline
@with_error_output
@connected
def get_pipeline(connection: Connection, pipeline: str) -> None:
    """Print a pipeline's configuration as JSON."""
    with connection.client() as client, waiting(f"Asking {client.url} for the pipeline"):
        found = client.pipeline(find_pipeline(client, pipeline))
    print_json(found.document)


@click.command(
    "update-pipeline",
    cls=Command,
    examples=(
        "lineshaft update-pipeline shop --data @pipeline.json",
        "# Change one thing of what is there",
        "lineshaft get-pipeline shop | jq 'del(.id) | .parallel = true' |",
        "  lineshaft update-pipeline shop --data -",
    ),
)
@_with_pipeline
@_with_data
@with_error_output
@connected
@pass_invocation
def update_pipeline(invocation: Invocation, connection: Connection, pipeline: str, data: str) -> None:
    """Replace a pipeline's whole configuration.

    What runs of it goes on with the configuration that it began with.
    """
    text = invocation.read(data)
    with connection.client() as client, waiting(f"Sending the pipeline to {client.url}"):
        answer = client.update_pipeline(find_pipeline(client, pipeline), text.data)
    print_json(answer.document)


@click.command(
    "delete-pipeline",
    cls=Command,
    examples=("lineshaft delete-pipeline shop",),
)
@_with_pipeline
@with_error_output
@connected
def delete_pipeline(connection: Connection, pipeline: str) -> None:
    """Delete a pipeline, and cancel what runs of it."""
    with connection.client() as client, waiting(f"Asking {client.url} to delete the pipeline"):
        answer = client.delete_pipeline(find_pipeline(client, pipeline))
    print_json(answer.document)


@click.command(
    "trigger-pipeline",
    cls=Command,
    short_help="Begin a run of a pipeline.",
    examples=(
        "lineshaft trigger-pipeline shop",
        f"lineshaft trigger-pipeline --pipeline-id {_EXAMPLE_ID}",
        "# Show the run as it goes, and exit with 1 when it does not succeed",
        "lineshaft trigger-pipeline shop --watch",
    ),
)
@_with_pipeline
@click.option("--watch", is_flag=True, help="Show the run until it has ended, as `lineshaft watch` does.")
@click.option(
    "--follow", is_flag=True, help="Print the run's logs as they come, as `lineshaft logs -f` does."
)
@with_output
@connected
def trigger_pipeline(
    connection: Connection, pipeline: str, *, watch: bool, follow: bool, output: Output
) -> ExitCode:
    """Begin a run of a pipeline; a run of it that is under way is cancelled.

    The server's answer is printed as JSON. With --watch or --follow the run itself is shown instead, and the
    exit code is 0 when it succeeded and 1 when it did not.
    """
    if watch and follow:
        raise click.UsageError("Choose one of --watch and --follow.")
    with connection.client() as client:
        with waiting(f"Asking {client.url} to begin a run"):
            answer = client.trigger_pipeline(find_pipeline(client, pipeline))
        if not watch and not follow:
            print_json(answer.document)
            return ExitCode.OK
        if answer.run_id is None:
            raise ServerError("The server did not say which run it has begun.", status=200)
        found = find_run(client, str(answer.run_id))
        if watch:
            return watch_run(client, found, output)
        follow_logs(client, found.run, found.run.tasks, LogPrinter(output, headings=True))
        return ExitCode.of_run(client.run(found.run.id).state)
