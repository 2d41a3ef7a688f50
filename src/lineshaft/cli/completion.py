"""`completion`: what makes a shell complete this command line."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from heapq import nlargest
from itertools import islice
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeVar

import click
from click.shell_completion import CompletionItem

from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection
from lineshaft.cli.reference import find_run
from lineshaft.model.errors import LineshaftError

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.kept import KeptView
    from lineshaft.sdk.pipeline import PipelineView
    from lineshaft.sdk.run import RunView

T = TypeVar("T")

PATIENCE: Final = "lineshaft.completion.patience_seconds"
"""The key in a context's `meta` under which stands how long a server may take, where it is not as usual."""

_PATIENCE_SECONDS: Final = 2.0
"""How long whoever presses the key waits for a server; what has come by then is offered."""

_MOST_LOOKED_AT: Final = 200
_MOST_PIPELINES: Final = 10
_MOST_RUNS: Final = 20
_ID: Final = re.compile(r"0[0-9a-f-]{2,35}")
"""How ids begin: with the time, whose first digit stays 0 for centuries."""

_PROGRAM: Final = "lineshaft"
_VARIABLE: Final = "_LINESHAFT_COMPLETE"


def complete_node(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the paths of nodes that begin so, of the pipeline that the command line names or that is here."""
    from lineshaft.cli.definition_file import open_definition, read_definitions
    from lineshaft.cli.pipeline_files import STANDARD_INPUT, pipeline_files

    named = context.params.get("files") or ()
    if STANDARD_INPUT in named:
        return []
    try:
        read = [read_definitions(open_definition(name)) for name in pipeline_files(named)]
    except LineshaftError:
        return []
    places = (
        place for each in read for definition in each.definitions for place in definition.tree.below_root()
    )
    return [place.path for place in places if place.path.startswith(incomplete)]


def complete_pipeline(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the server's pipelines that begin so; none where the server cannot be asked."""
    return _names(context, lambda client: (pipeline.name for pipeline in client.pipelines()), incomplete)


def complete_worker(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the server's workers that begin so; none where the server cannot be asked."""
    return _names(context, lambda client: (worker.name for worker in client.workers()), incomplete)


def complete_worker_key(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the server's worker keys that begin so; none where the server cannot be asked."""
    return _names(context, lambda client: (key.name for key in client.worker_keys()), incomplete)


def complete_delivery(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the ids of the newest deliveries that begin so; none where the server cannot be asked."""
    return _names(
        context, lambda client: (str(each.id) for each in islice(client.deliveries(), _MOST_RUNS)), incomplete
    )


def complete_forge_connection(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the server's connections that begin so; none where the server cannot be asked."""
    return _names(context, lambda client: (each.name for each in client.connections()), incomplete)


def complete_resource_type(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the types of resources that begin so; none where the server cannot be asked."""
    return _names(context, lambda client: (each.name for each in client.resource_definitions()), incomplete)


def complete_resource(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the resources that begin so, of the type that is named."""
    type_name = context.params.get("type_name")
    if not isinstance(type_name, str):
        return []
    return _names(context, lambda client: (each.name for each in client.resources(type_name)), incomplete)


def complete_driver(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the drivers that the server knows and that begin so."""
    return _names(context, lambda client: (each.name for each in client.drivers()), incomplete)


def complete_user(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the server's users that begin so; none where the server cannot be asked."""
    return _names(context, lambda client: (user.name for user in client.users()), incomplete)


def complete_token(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the tokens that begin so, of the user who is named or of one's own."""
    user = context.params.get("user")
    return _names(context, lambda client: (token.name for token in client.tokens(user=user)), incomplete)


def complete_run(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[CompletionItem]:
    """List the newest runs that begin so, newest first, as `PIPELINE/NUMBER` or by their ids."""
    return _asked(context, lambda client: _runs(client, incomplete))


def complete_artifact(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[CompletionItem]:
    """List what the run that is named has kept as artifacts and that begins so, as `NODE/NAME`."""
    return _kept(context, incomplete, lambda client, run: client.artifacts(run.id))


def complete_result(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[CompletionItem]:
    """List what the run that is named has kept as results and that begins so, as `NODE/NAME`."""
    return _kept(context, incomplete, lambda client, run: client.results(run.id))


def _runs(client: "Client", incomplete: str) -> Iterator[CompletionItem]:
    whole, slash, _ = incomplete.rpartition("/")
    by_id = _ID.fullmatch(incomplete) is not None
    pipelines: list[PipelineView] = list(islice(client.pipelines(name=whole), 1)) if slash else []
    if pipelines:
        yield from _fitting([CompletionItem(f"{whole}/latest", help="its newest run")], incomplete)
    else:
        looked_at = islice(client.pipelines(), _MOST_LOOKED_AT)
        fitting = (each for each in looked_at if by_id or each.name.startswith(incomplete))
        pipelines = list(islice(fitting, _MOST_PIPELINES))
    found = ((run, each.name) for each in pipelines for run in _newest_runs(client, each))
    for run, name in nlargest(_MOST_RUNS, found, key=lambda pair: pair[0].created_at):
        told = CompletionItem(f"{name}/{run.number}", help=run.state.value)
        if by_id:
            told = CompletionItem(f"{run.id}", help=f"{told.value} {told.help}")
        yield from _fitting([told], incomplete)


def _newest_runs(client: "Client", pipeline: "PipelineView") -> Iterator["RunView"]:
    return islice(client.runs(pipeline.id, page_size=_MOST_RUNS), _MOST_RUNS)


def _kept(
    context: click.Context, incomplete: str, ask: Callable[["Client", "RunView"], Iterable["KeptView"]]
) -> list[CompletionItem]:
    reference = context.params.get("reference")
    if not isinstance(reference, str):
        return []

    def items(client: "Client") -> Iterator[CompletionItem]:
        from lineshaft.model.memory_size import memory_size

        kept = {each.full_name: each for each in ask(client, find_run(client, reference).run)}
        told = (CompletionItem(name, help=memory_size(each.size_bytes)) for name, each in kept.items())
        return _fitting(told, incomplete)

    return _asked(context, items)


def _fitting(items: Iterable[CompletionItem], incomplete: str) -> Iterator[CompletionItem]:
    return (item for item in items if item.value.startswith(incomplete))


def _names(context: click.Context, ask: Callable[["Client"], Iterable[str]], incomplete: str) -> list[str]:
    return _asked(context, lambda client: (name for name in ask(client) if name.startswith(incomplete)))


def _asked(context: click.Context, ask: Callable[["Client"], Iterable[T]]) -> list[T]:
    """Ask the server, and return what it has told in time; nothing where it cannot be asked.

    It is asked in a thread, because some of what takes long, such as finding an address, can be given no
    limit. The thread holds up nothing: this process ends when its list is printed.
    """
    said = context.params
    connection = Connection(
        said.get("base_url"),
        said.get("username"),
        said.get("password"),
        said.get("config"),
        said.get("token"),
    )
    found: list[T] = []

    def work() -> None:
        with suppress(LineshaftError, click.ClickException), connection.client() as client:
            for each in ask(client):
                found.append(each)  # noqa: PERF402 - so that what has come in time is there.

    asking = Thread(target=work, daemon=True)
    asking.start()
    asking.join(context.meta.get(PATIENCE, _PATIENCE_SECONDS))
    return list(found)


@click.command(
    cls=Command,
    short_help="Print what makes a shell complete commands.",
    examples=(
        "# bash, in ~/.bashrc",
        'eval "$(lineshaft completion bash)"',
        "# zsh, in ~/.zshrc",
        'eval "$(lineshaft completion zsh)"',
        "# fish",
        "lineshaft completion fish > ~/.config/fish/completions/lineshaft.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), help="Which shell.")
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands, options, nodes, and what the server knows."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(script(context.find_root().command, {}, _PROGRAM, _VARIABLE).source())
