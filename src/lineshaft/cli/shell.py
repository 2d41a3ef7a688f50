"""`shell`: look around where a task would run."""

import asyncio
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.failure import print_note
from lineshaft.cli.loading import loading
from lineshaft.cli.reference import find_run
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import NodeNotFoundError

if TYPE_CHECKING:
    from lineshaft.sdk.run import RunView
    from lineshaft.wire.worker import LeaseMessage
    from lineshaft.worker.plan import WorkerPlan

_PLAIN_SHELL: Final = "sh"
_YAML: Final = "application/yaml"


@click.command(
    cls=Command,
    short_help="Open a shell where a task of a run would run.",
    examples=(
        "lineshaft shell shop/latest test/api",
        "lineshaft shell shop/12 test/api --shell bash --secret DB_PASSWORD",
    ),
)
@click.argument("run", help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
@click.argument("node", help="The task's path.")
@click.option("--shell", metavar="PROGRAM", default=_PLAIN_SHELL, show_default=True, help="Which shell.")
@click.option(
    "--executor",
    type=click.Choice(("process", "docker")),
    help="In what: a process of this machine, or a container. [default: what the task asks for]",
)
@click.option("--default-image", metavar="IMAGE", help="The image where the task names none.")
@click.option("--docker-host", metavar="URL", help="The Docker engine's address. [env: DOCKER_HOST]")
@click.option(
    "--secret",
    "secrets",
    metavar="NAME",
    multiple=True,
    help="A secret of the task, out of the variable of that name; may be given again for others.",
)
@click.option(
    "--secrets-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file with secrets: NAME=value a line, or NAME<<END and lines up to END.",
)
@connected
@click.pass_context
def shell(
    context: click.Context,
    /,
    connection: Connection,
    run: str,
    node: str,
    *,
    shell: str,
    executor: str | None,
    default_image: str | None,
    docker_host: str | None,
    secrets: tuple[str, ...],
    secrets_file: Path | None,
) -> None:
    """Open a shell on this machine where a task of a run would run.

    It has the commit of the run in its workspace, the image of the task with the services beside it, and the
    task's environment. What tasks leave to each other in files is not there, nor what the task itself has
    made, nor any secret but those that are given here. The shell's exit code is the command's.
    """
    from lineshaft.cli.given_secrets import given_secrets

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("A shell needs a terminal, as standard input and output.", context)
    given = given_secrets(secrets, secrets_file)
    with connection.client() as client, waiting(f"Asking {client.url} for the run"):
        found = find_run(client, run).run
        definition = client.definition(found.id, _YAML)
    with loading():
        lease = _given(_lease(found, definition, node.strip("/")), given)
    with tempfile.TemporaryDirectory(prefix="lineshaft-") as folder:
        from lineshaft.worker.shell import open_shell

        plan = _plan(Path(folder), lease, executor, default_image, docker_host)
        words = tuple(shlex.split(shell)) or (_PLAIN_SHELL,)
        context.exit(asyncio.run(open_shell(plan, lease, words, os.environ)))


def _lease(run: "RunView", definition: str, path: str) -> "LeaseMessage":
    """Say what a worker would be told of a task, by what the API tells of its run."""
    from lineshaft.definition import read_native
    from lineshaft.model.attempt import AttemptAddress
    from lineshaft.model.cause import Cause
    from lineshaft.model.node import Task
    from lineshaft.model.run import Run, Source, waiting_nodes
    from lineshaft.model.vector import Vector
    from lineshaft.services.fleet.leases import lease_message

    tree = read_native(definition.encode()).tree
    place = tree.find(path)
    if place is None or not isinstance(place.node, Task):
        raise NodeNotFoundError(
            f"The definition of run {run.number} has no task '{path}'.",
            advice="`lineshaft show` tells the paths; nodes that a task has made cannot be opened.",
        )
    of_path = {each.path: each for each in run.nodes}
    nodes = list(waiting_nodes(tree))
    outputs: dict[int, Mapping[str, str]] = {}
    for each in tree.below_root():
        told = of_path.get(each.path)
        if told is not None:
            nodes[each.index] = replace(nodes[each.index], state=told.state, exit_code=told.exit_code)
            outputs[each.index] = told.outputs
    source = run.source
    rebuilt = Run(
        id=run.id,
        pipeline_id=run.pipeline_id,
        number=run.number,
        definition_hash="",
        tree=tree,
        source=None
        if source is None
        else Source(source.repository or "", source.commit, source.ref, source.branch, source.tag),
        created_at=run.created_at,
        nodes=Vector(nodes),
        inputs=run.inputs,
        cause=Cause(run.cause),
        outputs=outputs,
    )
    attempt = max(1, of_path[path].attempt if path in of_path else 1)
    return lease_message(rebuilt, AttemptAddress(run.id, place.index, attempt), "none")


def _given(lease: "LeaseMessage", secrets: Mapping[str, str]) -> "LeaseMessage":
    """Give the task the secrets that are there, and tell of the others."""
    wanted = dict.fromkeys((*lease.secrets, *lease.lent_secrets))
    missing = [name for name in wanted if name not in secrets]
    if missing:
        print_note(f"Not given, and so not there: {', '.join(missing)}.")
    update: dict[str, object] = {"secret_values": {name: secrets[name] for name in wanted if name in secrets}}
    if lease.ssh is not None and any(name in missing for name in lease.ssh.keys):
        update["ssh"] = None
    return lease.model_copy(update=update)


def _plan(
    folder: Path, lease: "LeaseMessage", executor: str | None, image: str | None, host: str | None
) -> "WorkerPlan":
    from lineshaft.executors.settings import KNOWN_HOSTS, ExecutorChoice
    from lineshaft.worker.plan import WorkerPlan

    wants_container = lease.image is not None or lease.services or image is not None
    return WorkerPlan(
        name="shell",
        data=folder,
        slots=1,
        git_roots=(Path("/"),),
        executor=ExecutorChoice(executor or ("docker" if wants_container else "process")),
        default_image=image,
        docker_host=host,
        known_hosts=KNOWN_HOSTS,
        ignore_images=True,
    )
