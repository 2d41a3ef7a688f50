"""`run`: pipelines on this machine, without a server."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.dialect import with_dialect, with_files
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.given_secrets import with_secrets
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.local_tools import LocalTools, with_tools
from lineshaft.cli.output import Output, with_output
from lineshaft.cli.pipeline_files import folder_of, pipeline_files
from lineshaft.cli.problem_text import place_text
from lineshaft.cli.start import Start, with_event, with_start

if TYPE_CHECKING:
    from lineshaft.cli.local import LocalPipeline
    from lineshaft.definition.dialect import Dialect
    from lineshaft.definition.pipeline_file import PipelineFile
    from lineshaft.model.cause import Cause


@click.command(
    cls=Command,
    short_help="Run pipelines here and now, without a server.",
    examples=(
        "# The pipeline of this repository, on the files as they are",
        "lineshaft run",
        "lineshaft run --input level=full -o steps.test.timeout=5m",
        "# One node; or from one node on; or as if it were a push to a branch that changed one file",
        "lineshaft run --only test/unit",
        "lineshaft run --from ship",
        "lineshaft run --ref main --event push --changed api/views.py",
        "# As a change from a fork is run: what asks for secrets fails, unless it says `if: trusted`",
        "lineshaft run --untrusted",
        "# With all that the tasks wrote",
        "lineshaft run --only test/unit --logs",
        "# With each task in a container",
        "lineshaft run --executor docker",
        "# Another system's files, one after the other",
        "lineshaft run .cicd-pipelines/",
    ),
)
@with_files
@click.option(
    "--pipeline",
    "callees",
    metavar="FILE",
    type=click.Path(),
    multiple=True,
    help="A file with a pipeline that `pipeline:` nodes may call; may be given again for others.",
)
@click.option(
    "--source",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder to take the source from, in place of the repository that the pipeline names.",
)
@click.option(
    "--slots",
    metavar="N",
    type=click.IntRange(1),
    help="How many tasks at once. [default: one a processor, 2 at least]",
)
@with_tools
@with_secrets
@click.option(
    "--untrusted",
    is_flag=True,
    help="Run as a change from a fork is run: without secrets, and without keeping caches.",
)
@click.option("--logs", is_flag=True, help="Print the logs of all tasks at the end, not only of what failed.")
@with_start
@with_event
@with_dialect
@with_output
@pass_invocation
def run(
    invocation: Invocation,
    *,
    files: tuple[str, ...],
    callees: tuple[str, ...],
    source: Path | None,
    slots: int | None,
    tools: LocalTools,
    secrets: dict[str, str],
    untrusted: bool,
    logs: bool,
    start: Start,
    cause: "Cause",
    dialect: "Dialect | None",
    output: Output,
) -> ExitCode:
    """Run pipelines here and now, without a server, through the same engine as on one.

    Without FILE it runs lineshaft.yml, lineshaft.yaml or lineshaft.json of this folder, or all files of
    .cicd-pipelines/. Several pipelines run one after the other, all of them whatever becomes of the first.

    A pipeline that names no repository works on the folder that its file is in, or the git repository around
    that, as the files are: what is not committed is part of the run. With --ref it is what was committed.

    The log of what failed is printed at the end. The exit code is 0 when all succeeded, and 1 when one did
    not.
    """
    from lineshaft.cli.local import LocalOptions, run_locally

    pipelines = _wanted(invocation, files, source, dialect, start)
    called = _called(invocation, callees, source)
    invocation.source = None  # What is wrong from now on stands in no file.
    options = LocalOptions(
        slots, output, start, cause, tools, all_logs=logs, secrets=secrets, untrusted=untrusted
    )
    return run_locally(pipelines, called, options)


def _wanted(
    invocation: Invocation,
    files: Sequence[str],
    source: Path | None,
    dialect: "Dialect | None",
    start: Start,
) -> "list[LocalPipeline]":
    """Read the pipelines that are to run."""
    from lineshaft.cli.local import LocalPipeline

    found = ((name, _read(invocation, name, dialect, start)) for name in pipeline_files(files))
    return [
        LocalPipeline(definition, source or folder_of(name), read.dialect, source_given=source is not None)
        for name, read in found
        for definition in read.definitions
    ]


def _called(invocation: Invocation, files: Sequence[str], source: Path | None) -> "list[LocalPipeline]":
    """Read the pipelines that those may call."""
    from lineshaft.cli.local import LocalPipeline

    found = ((name, _read(invocation, name, None, Start())) for name in files)
    return [
        LocalPipeline(definition, source or folder_of(name), read.dialect)
        for name, read in found
        for definition in read.definitions
    ]


def _read(invocation: Invocation, name: str, dialect: "Dialect | None", start: Start) -> "PipelineFile":
    from lineshaft.cli.definition_file import open_definition, read_definitions

    invocation.source = text = open_definition(name)
    found = read_definitions(text, dialect, start.overrides)
    for note in found.notes:
        print_note(f"{place_text(note, text.origin)}: {note.field} {note.message}")
    return found
