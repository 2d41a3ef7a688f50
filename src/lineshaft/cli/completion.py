"""`completion`: what makes a shell complete this command line."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.connection import Connection
from lineshaft.model.errors import LineshaftError

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client

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


def complete_forge_connection(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001 - click's.
    incomplete: str,
) -> list[str]:
    """List the names of the server's connections that begin so; none where the server cannot be asked."""
    return _names(context, lambda client: (each.name for each in client.connections()), incomplete)


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


def _names(context: click.Context, ask: Callable[["Client"], Iterable[str]], incomplete: str) -> list[str]:
    said = context.params
    connection = Connection(
        said.get("base_url"),
        said.get("username"),
        said.get("password"),
        said.get("config"),
        said.get("token"),
    )
    try:
        with connection.client() as client:
            return [name for name in ask(client) if name.startswith(incomplete)]
    except LineshaftError:
        return []


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
    """Print the script that makes a shell complete commands, options and the paths of nodes."""
    from click.shell_completion import get_completion_class

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(script(context.find_root().command, {}, _PROGRAM, _VARIABLE).source())
