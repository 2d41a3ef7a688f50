"""`shell`: look around where a task would run."""

import os
import shlex
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_run
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.failure import print_note
from lineshaft.cli.loading import loading
from lineshaft.cli.reference import find_run
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting

if TYPE_CHECKING:
    from uuid import UUID

    from lineshaft.model.tree import Tree
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.kept import KeptView
    from lineshaft.sdk.run import RunView
    from lineshaft.wire.worker import LeaseMessage
    from lineshaft.worker.failed import FailedWorkspace
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
@click.argument("run", shell_complete=complete_run, help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
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
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(path_type=Path),
    envvar="LINESHAFT_DATA",
    help="The data folder of the worker here, with the workspaces that it has kept. "
    "[env: LINESHAFT_DATA; default: ~/.local/share/lineshaft]",
)
@click.option("--fresh", is_flag=True, help="Make a new workspace, whether or not the task's own is kept.")
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
    data: Path | None,
    fresh: bool,
) -> None:
    """Open a shell on this machine where a task of a run would run.

    Where a worker here has kept the workspace of the task's failed attempt, that is opened as the task has
    left it, and what the shell changes stays. Otherwise the shell has the commit of the run in a workspace of
    its own, with the artifacts that the task needs. It has the image of the task with the services beside it,
    and the task's environment, but no secret that is not given here. The shell's exit code is the command's.
    """
    from lineshaft.cli.given_secrets import given_secrets

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("A shell needs a terminal, as standard input and output.", context)
    given = given_secrets(secrets, secrets_file)
    said = _Said(tuple(shlex.split(shell)) or (_PLAIN_SHELL,), executor, default_image, docker_host)
    path = node.strip("/")
    with ExitStack() as opened, tempfile.TemporaryDirectory(prefix="lineshaft-") as folder:
        client = opened.enter_context(connection.client())
        with waiting(f"Asking {client.url} for the run"):
            found = find_run(client, run).run
        if not fresh and (kept := _kept(opened, data, found.id, path)) is not None:
            client.close()
            context.exit(_open_kept(Path(folder), kept, given, said))
        lease, tree = _lease(client, found, path)
        artifacts = _artifacts(client, found, tree, path, Path(folder))
        client.close()
        context.exit(_open_new(Path(folder), _given(lease, given), artifacts, said))


@dataclass(frozen=True, slots=True)
class _Said:
    """What the command line says of the shell."""

    argv: tuple[str, ...]
    executor: str | None
    default_image: str | None
    docker_host: str | None


def _kept(opened: ExitStack, data: Path | None, run_id: "UUID", path: str) -> "FailedWorkspace | None":
    """Find what a worker here has kept, and keep it from being removed as long as the command lasts."""
    with loading():
        from lineshaft.executors.settings import default_data
        from lineshaft.worker.failed import opened_failed

    return opened.enter_context(opened_failed(data or default_data(), run_id, path))


def _lease(client: "Client", run: "RunView", path: str) -> tuple["LeaseMessage", "Tree"]:
    with waiting(f"Asking {client.url} for the run"):
        definition = client.definition(run.id, _YAML)
    with loading():
        from lineshaft.cli.retold_lease import retold_lease
        from lineshaft.definition import read_native

        tree = read_native(definition.encode()).tree
        return retold_lease(run, tree, path), tree


def _artifacts(
    client: "Client", run: "RunView", tree: "Tree", path: str, folder: Path
) -> "Sequence[tuple[KeptView, Path]]":
    """Download the artifacts of the nodes that a task needs, in the order in which they are placed."""
    from lineshaft.cli.download import download
    from lineshaft.cli.kept import chosen
    from lineshaft.engine.files import file_sources

    place = tree.find(path)
    sources = () if place is None else file_sources(tree, place.index)
    order = {tree[index].path: index for index in sources}
    if not order:
        return ()
    with waiting(f"Asking {client.url} for artifacts"):
        found = [each for each in chosen(client.artifacts(run.id), None) if each.path in order]
    downloaded: list[tuple[KeptView, Path]] = []
    for each in sorted(found, key=lambda kept: (order[kept.path], kept.name)):
        if each.expired:
            print_note(printable(f"Not there, for it has expired: '{each.full_name}'."))
            continue
        archive = folder / "artifacts" / str(len(downloaded))
        download(client, each, archive)
        downloaded.append((each, archive))
    return downloaded


def _open_kept(folder: Path, kept: "FailedWorkspace", given: Mapping[str, str], said: _Said) -> int:
    import asyncio

    from lineshaft.worker.shell import open_shell

    facts = kept.facts
    print_note(
        f"The workspace is as attempt {facts.lease.address.attempt} has left it, and is kept until "
        f"{kept.until_text}. What its task has put there runs with your rights when you start it; `--fresh` "
        "makes a new one."
    )
    executor = said.executor or facts.executor.value
    plan = _plan(folder, said, executor, said.default_image or facts.default_image)
    return asyncio.run(open_shell(plan, _given(facts.lease, given), said.argv, os.environ, kept=kept))


def _open_new(
    folder: Path, lease: "LeaseMessage", artifacts: "Sequence[tuple[KeptView, Path]]", said: _Said
) -> int:
    import asyncio

    from lineshaft.archive import extract
    from lineshaft.worker.shell import open_shell

    def place_artifacts(workspace: Path) -> None:
        for kept, archive in artifacts:
            extract(archive, kept.format, workspace)
            print_note(printable(f"Placed artifact '{kept.full_name}'."))

    wants_container = lease.image is not None or lease.services or said.default_image is not None
    executor = said.executor or ("docker" if wants_container else "process")
    plan = _plan(folder, said, executor, said.default_image)
    return asyncio.run(open_shell(plan, lease, said.argv, os.environ, fill=place_artifacts))


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


def _plan(folder: Path, said: _Said, executor: str, image: str | None) -> "WorkerPlan":
    from lineshaft.executors.settings import KNOWN_HOSTS, ExecutorChoice
    from lineshaft.worker.plan import WorkerPlan

    return WorkerPlan(
        name="shell",
        data=folder,
        slots=1,
        git_roots=(Path("/"),),
        executor=ExecutorChoice(executor),
        default_image=image,
        docker_host=said.docker_host,
        known_hosts=KNOWN_HOSTS,
        ignore_images=True,
    )
