"""`worker`: starts a worker; its commands look after those that a server has."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import click

from lineshaft.cli.command import CommandGroup
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.loading import loading
from lineshaft.cli.setting import machine_options, setting, together
from lineshaft.cli.workers import COMMANDS
from lineshaft.model.errors import ConfigurationError

if TYPE_CHECKING:
    from lineshaft.sdk.config import ClientConfig

_WORKER: Final = "Worker"

_worker_options = together(
    setting(_WORKER, "--name", "NAME", "Unique among the server's workers.", "the host's name"),
    setting(
        _WORKER,
        "--key-file",
        "FILE",
        "The worker's key, in its first line; LINESHAFT_WORKER_KEY holds the key itself.",
        "the user's credentials are used",
    ),
    setting(_WORKER, "--drivers", "A,B", "Which work it does: run, build, deploy.", "all"),
    setting(_WORKER, "--workspace-root", "DIR", "Where workspaces are kept.", "in the data folder"),
)


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND]",
    examples=(
        "# On the server's own machine",
        "lineshaft worker",
        "# On another one, with a key that `lineshaft worker-key create` has made",
        "lineshaft worker --server https://ci.example.org --key-file ./key --labels linux,gpu --slots 8",
    ),
)
@click.option("--server", metavar="URL", help="Whom to work for: the same as --base-url.")
@_worker_options
@machine_options
@connected
@click.pass_context
def worker(context: click.Context, /, connection: Connection, server: str | None, **flags: Any) -> None:
    """Start a worker that takes tasks from a server."""
    if context.invoked_subcommand is not None:
        _refuse_options_before(context.invoked_subcommand, context)
        return
    if None not in {server, connection.base_url} and server != connection.base_url:
        raise click.UsageError("--server and --base-url name two servers.", context)
    if not _work(replace(connection, base_url=server or connection.base_url), flags):
        context.exit(ExitCode.INTERRUPTED)


for _command in COMMANDS:
    worker.add_command(_command)


def _work(connection: Connection, flags: dict[str, Any]) -> bool:
    with loading():
        from lineshaft.executors.process.privacy import forget, keep_private
        from lineshaft.sdk.key import KEY_VARIABLE, worker_key
        from lineshaft.telemetry.logging import set_up_logging
        from lineshaft.worker.serve import serve
        from lineshaft.worker.settings import WorkerSettings

        settings = WorkerSettings.load(config=connection.config, **flags)
    set_up_logging(settings.log_level)
    key = worker_key(settings.key_file, named=flags["key_file"] is not None)
    # What tasks run as this user they may not read off this process.
    keep_private()
    forget(KEY_VARIABLE)
    return serve(settings, _server(connection, key), key)


def _server(connection: Connection, key: str | None) -> "ClientConfig":
    """Tell how to reach the server; without a key that takes a user's credentials."""
    config = connection.client_config(needs_password=False)
    if key is not None:
        return config
    try:
        return connection.client_config()
    except ConfigurationError as error:
        raise ConfigurationError(
            f"This worker has no key for {config.url}.",
            advice="Name its file with --key-file; `lineshaft worker-key create NAME` makes one.",
        ) from error


def _refuse_options_before(command: str, context: click.Context) -> None:
    """Refuse options that stand before a command's name, where nothing would read them."""
    for parameter in context.command.params:
        if context.params.get(str(parameter.name)) is not None:
            raise click.UsageError(f"{parameter.opts[0]} must stand behind `{command}`.", context)
