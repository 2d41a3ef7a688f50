"""`run`: pipelines on this machine, without a server."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.dialect import with_dialect, with_files
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.output import Output, with_output
from lineshaft.cli.pipeline_files import folder_of, pipeline_files
from lineshaft.cli.problem_text import place_text
from lineshaft.cli.start import Start, with_event, with_start

if TYPE_CHECKING:
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
@click.option(
    "--executor",
    type=click.Choice(("process", "docker")),
    default="process",
    show_default=True,
    help="In what tasks run: processes of this machine, or containers of its Docker engine.",
)
@click.option(
    "--default-image", metavar="IMAGE", help="With `--executor docker`: the image of tasks that name none."
)
@click.option("--docker-host", metavar="URL", help="The Docker engine's address. [env: DOCKER_HOST]")
@click.option(
    "--docker-wait-seconds",
    metavar="S",
    type=click.IntRange(0),
    default=60,
    show_default=True,
    help="How long tasks wait for an engine that goes away, before they are lost.",
)
@click.option("--ssh-agent", is_flag=True, help="Lend your ssh agent to tasks that say `ssh: {agent: true}`.")
@click.option(
    "--ssh-known-hosts",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The keys of hosts that tasks in containers may reach by ssh. [default: /etc/ssh/ssh_known_hosts]",
)
@click.option(
    "--ignore-images",
    is_flag=True,
    help="Run tasks that ask for an image or for services without them, on this machine as it is.",
)
@click.option(
    "--secret",
    "secrets",
    metavar="NAME",
    multiple=True,
    help="A secret that tasks name, out of the variable of that name; may be given again for others.",
)
@click.option(
    "--secrets-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file with secrets: NAME=value a line, or NAME<<END and lines up to END.",
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
    executor: str,
    default_image: str | None,
    docker_host: str | None,
    docker_wait_seconds: int,
    ssh_agent: bool,
    ssh_known_hosts: Path | None,
    ignore_images: bool,
    secrets: tuple[str, ...],
    secrets_file: Path | None,
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
    from lineshaft.cli.given_secrets import given_secrets
    from lineshaft.cli.local import LocalOptions, LocalPipeline, LocalTools, run_locally

    given = given_secrets(secrets, secrets_file)

    pipelines: list[LocalPipeline] = []
    for name in pipeline_files(files):
        found = _read(invocation, name, dialect, start)
        folder = source or folder_of(name)
        pipelines += (
            LocalPipeline(definition, folder, found.dialect, source_given=source is not None)
            for definition in found.definitions
        )
    called = [
        LocalPipeline(definition, source or folder_of(name), found.dialect)
        for name, found in ((name, _read(invocation, name, None, Start())) for name in callees)
        for definition in found.definitions
    ]
    invocation.source = None  # What is wrong from now on stands in no file.
    tools = LocalTools(
        executor=executor,
        default_image=default_image,
        docker_host=docker_host,
        engine_patience=timedelta(seconds=docker_wait_seconds),
        ssh_agent=ssh_agent,
        known_hosts=None if ssh_known_hosts is None else ssh_known_hosts.expanduser().absolute(),
        ignore_images=ignore_images,
    )
    options = LocalOptions(slots, output, start, cause, tools, all_logs=logs, secrets=given)
    return run_locally(pipelines, called, options)


def _read(invocation: Invocation, name: str, dialect: "Dialect | None", start: Start) -> "PipelineFile":
    from lineshaft.cli.definition_file import open_definition, read_definitions

    invocation.source = text = open_definition(name)
    found = read_definitions(text, dialect, start.overrides)
    for note in found.notes:
        print_note(f"{place_text(note, text.origin)}: {note.field} {note.message}")
    return found
