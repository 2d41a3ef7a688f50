"""The commands of pipelines; all but `list` print the server's answer as it is."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import click

from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.dialect import with_dialect
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.invocation import Invocation
from lineshaft.cli.limit import limited
from lineshaft.cli.logs import LogPrinter, follow_logs
from lineshaft.cli.output import Output, print_json, print_table, with_error_output, with_output
from lineshaft.cli.pipeline_files import pipeline_file
from lineshaft.cli.problem_text import place_text
from lineshaft.cli.reference import find_pipeline, find_run
from lineshaft.cli.start import Start, with_start
from lineshaft.cli.waiting import waiting
from lineshaft.cli.watch import watch_run
from lineshaft.model.errors import ServerError
from lineshaft.model.priority import HIGHEST_PRIORITY, LOWEST_PRIORITY

if TYPE_CHECKING:
    from lineshaft.definition.dialect import Dialect
    from lineshaft.model.definition import Definition
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.pipeline import PipelineView

R = TypeVar("R")

_DATA_HELP: Final = "The pipeline as JSON, in place of FILE: the text itself, @FILE, or - for standard input."
_REPOSITORY_HELP: Final = "Where the source is, in place of what FILE says: a git URL, or a path."
_KEPT_HELP: Final = (
    "The file's path in the repository, which the server reads there. [default: lineshaft.yml]"
)
_REF_HELP: Final = "The branch at which the server reads the file. [default: the default branch]"
_NAME_HELP: Final = "The name of a pipeline that is kept in a repository."
_EXAMPLE_ID: Final = "078ba92d-63fc-4106-b9da-ac2fc6f2cec5"


def _with_content(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the configuration of a pipeline, as its argument `content`: a JSON text for each."""

    @click.argument(
        "file",
        required=False,
        type=click.Path(allow_dash=True),
        help="The pipeline in any language; - reads standard input.",
    )
    @click.option("--data", metavar="JSON", help=_DATA_HELP)
    @click.option("--repository", metavar="URL", help=_REPOSITORY_HELP)
    @click.option("--config-path", metavar="PATH", help=_KEPT_HELP)
    @click.option("--ref", metavar="REF", help=_REF_HELP)
    @click.option("--name", help=_NAME_HELP)
    @with_dialect
    @wraps(command)
    def wrapper(
        *args: Any,
        file: str | None,
        data: str | None,
        repository: str | None,
        config_path: str | None,
        ref: str | None,
        name: str | None,
        dialect: "Dialect | None",
        **options: Any,
    ) -> R:
        invocation = click.get_current_context().ensure_object(Invocation)
        if file is None and data is None and repository is not None:
            where = {"repository": repository, "ref": ref, "config_path": config_path}
            return command(*args, content=[_kept(name, where)], **options)
        for option, given in (("--config-path", config_path), ("--ref", ref), ("--name", name)):
            if given is not None:
                raise click.UsageError(f"{option} goes with --repository alone, without FILE and --data.")
        if (file is None) is (data is None):
            raise click.UsageError(
                "Give the pipeline: as FILE, by --data, or by --repository and --name where it is kept."
            )
        if data is not None:
            if repository is not None:
                raise click.UsageError("--repository goes with FILE; put it into the JSON of --data instead.")
            return command(*args, content=[invocation.read(data).data], **options)
        return command(*args, content=_read_file(invocation, file or "", dialect, repository), **options)

    return wrapper


def _kept(name: str | None, where: Mapping[str, str | None]) -> bytes:
    """Say in which file of which repository a pipeline is kept."""
    if name is None:
        raise click.UsageError("--repository without FILE goes with --name.")
    said = {key: value for key, value in where.items() if value is not None}
    return json.dumps({"name": name, "config_path": "lineshaft.yml", **said}).encode()


def _read_file(
    invocation: Invocation, file: str, dialect: "Dialect | None", repository: str | None
) -> list[bytes]:
    from lineshaft.cli.definition_file import open_definition, read_definitions

    invocation.source = text = open_definition(pipeline_file(file))
    read = read_definitions(text, dialect)
    for note in read.notes:
        print_note(f"{place_text(note, text.origin)}: {note.field} {note.message}")
    # The server sees another text, with all fragments in it, and its lines mean nothing here.
    invocation.source = None
    return [_text_of(definition, repository).encode() for definition in read.definitions]


def _text_of(definition: "Definition", repository: str | None) -> str:
    """Return what is sent of a definition, with another repository where one is named."""
    if repository is None:
        return definition.text
    from lineshaft.model.definition import Format

    key = "git_repository" if definition.format is Format.REST else "repository"
    return json.dumps(json.loads(definition.text) | {key: repository}, ensure_ascii=False)


def _with_pipeline(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command its pipeline, as its argument `pipeline`: an id, or a name that no other has."""

    @click.argument("pipeline", required=False, help="The pipeline's id, or its name where no other has it.")
    @click.option("--pipeline-id", metavar="ID", help="The pipeline's id, in place of PIPELINE.")
    @wraps(command)
    def wrapper(*args: Any, pipeline: str | None, pipeline_id: str | None, **options: Any) -> R:
        if pipeline and pipeline_id and options.get("file", "") is None:
            # The one word that stands there is the file.
            pipeline, options["file"] = None, pipeline
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
@limited(100)
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
                f"{len(pipeline.stages or pipeline.steps)} {_order(pipeline)}",
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


def _order(pipeline: "PipelineView") -> str:
    if pipeline.parallel:
        return "in parallel"
    return "by their needs" if any("needs" in step for step in pipeline.steps) else "in sequence"


@click.command(
    "create-pipeline",
    cls=Command,
    examples=(
        "lineshaft create-pipeline lineshaft.yml",
        "# A file of the repository, which the server reads for each run",
        "lineshaft create-pipeline --name shop --repository https://git.example/shop.git",
        "# Another system's file, which says nothing of where the source is",
        "lineshaft create-pipeline .cicd-pipelines/build.yml --repository https://git.example/shop.git",
        "lineshaft create-pipeline --username admin --password admin --data '{",
        '  "name": "hello",',
        '  "git_repository": "https://github.com/example/repo",',
        '  "stages": [{"type": "Run", "name": "test", "command": "pytest", "timeout": 500}]',
        "}' | jq",
    ),
)
@_with_content
@with_error_output
@connected
def create_pipeline(connection: Connection, content: Sequence[bytes]) -> None:
    """Make a pipeline, and print its id as JSON.

    FILE may be in any language that `lineshaft check` knows; fragments that it uses are sent along. A file
    that defines several pipelines makes each of them. With --repository and without FILE the pipeline is kept
    in that repository.
    """
    for each in content:
        with connection.client() as client, waiting(f"Sending the pipeline to {client.url}"):
            answer = client.create_pipeline(each)
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
        "lineshaft update-pipeline shop lineshaft.yml",
        "# Change one thing of what is there",
        "lineshaft get-pipeline shop | jq 'del(.id) | .parallel = true' |",
        "  lineshaft update-pipeline shop --data -",
    ),
)
@_with_pipeline
@_with_content
@with_error_output
@connected
def update_pipeline(connection: Connection, pipeline: str, content: Sequence[bytes]) -> None:
    """Replace a pipeline's whole configuration.

    What runs of it goes on with the configuration that it began with.
    """
    if len(content) != 1:
        raise click.UsageError(f"The file defines {len(content)} pipelines, and one is to be replaced.")
    with connection.client() as client, waiting(f"Sending the pipeline to {client.url}"):
        answer = client.update_pipeline(find_pipeline(client, pipeline), content[0])
    print_json(answer.document)


@click.command(
    "refresh-pipeline",
    cls=Command,
    short_help="Have a pipeline's file read again.",
    examples=("lineshaft refresh-pipeline shop",),
)
@_with_pipeline
@with_error_output
@connected
def refresh_pipeline(connection: Connection, pipeline: str) -> None:
    """Have the server read a pipeline's file again, where it is kept in a repository.

    That is what says when it starts by itself, and what it does where no commit is named. Each run reads the
    file at its own commit anyway.
    """
    with connection.client() as client, waiting(f"Asking {client.url} to read the pipeline"):
        answer = client.refresh_pipeline(find_pipeline(client, pipeline))
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
        "# A branch, with inputs, from one node on",
        "lineshaft trigger-pipeline shop --ref release/2 --input level=full --from ship",
        "# Before all that waits for a worker",
        "lineshaft trigger-pipeline shop --priority 50",
    ),
)
@_with_pipeline
@click.option("--watch", is_flag=True, help="Show the run until it has ended, as `lineshaft watch` does.")
@click.option(
    "--follow", is_flag=True, help="Print the run's logs as they come, as `lineshaft logs -f` does."
)
@click.option(
    "--priority",
    metavar="N",
    type=click.IntRange(LOWEST_PRIORITY, HIGHEST_PRIORITY),
    help="Of what waits for a worker, the highest goes first: -100 to 100. [default: as the pipeline says]",
)
@click.option(
    "--untrusted",
    is_flag=True,
    help="The change is not trusted, as one from a fork is not: it gets no secrets, and keeps no caches.",
)
@click.option(
    "--hold",
    is_flag=True,
    help="Begin it only when somebody has approved it; --ref is a full commit id then.",
)
@with_start
@with_output
@connected
def trigger_pipeline(
    connection: Connection,
    pipeline: str,
    *,
    watch: bool,
    follow: bool,
    priority: int | None,
    untrusted: bool,
    hold: bool,
    start: Start,
    output: Output,
) -> ExitCode:
    """Begin a run of a pipeline; its `concurrency` says what becomes of those that are under way.

    The server's answer is printed as JSON. With --watch or --follow the run itself is shown instead, and the
    exit code is 0 when it succeeded and 1 when it did not.
    """
    if watch and follow:
        raise click.UsageError("Choose one of --watch and --follow.")
    with connection.client() as client:
        with waiting(f"Asking {client.url} to begin a run"):
            answer, run_id = _begin(
                client, find_pipeline(client, pipeline), start, priority, untrusted=untrusted, hold=hold
            )
        if not watch and not follow:
            print_json(answer)
            return ExitCode.OK
        found = find_run(client, str(run_id))
        if watch:
            return watch_run(client, found, output)
        follow_logs(client, found.run, found.run.tasks, LogPrinter(output, headings=True))
        return ExitCode.of_run(client.run(found.run.id).state)


def _begin(
    client: "Client", pipeline_id: UUID, start: Start, priority: int | None, *, untrusted: bool, hold: bool
) -> tuple[Mapping[str, Any], UUID]:
    """Begin a run, and return the server's answer with the run's id."""
    if start == Start() and priority is None and not untrusted and not hold:
        answer = client.trigger_pipeline(pipeline_id)
        if answer.run_id is None:
            raise ServerError("The server did not say which run it has begun.", status=200)
        return answer.document, answer.run_id
    run = client.start_run(
        pipeline_id,
        inputs=start.inputs or None,
        ref=start.ref,
        overrides=start.overrides or None,
        changed=start.changed,
        only=start.only,
        from_=start.from_,
        priority=priority,
        untrusted=untrusted,
        hold=hold,
    )
    return run.document, run.id
