"""`up`, `server` and `worker`: the programs that serve; docs/settings.md explains their options."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from lineshaft.cli.command import Command, SharedOption
from lineshaft.cli.connection import Connection, connected

if TYPE_CHECKING:
    from lineshaft.sdk.worker_protocol import WorkerProtocol
    from lineshaft.server.serve import InnerWorker
    from lineshaft.server.settings import ServerSettings

F = TypeVar("F", bound=Callable[..., Any])

_MACHINE: Final = "This machine"
_SERVER: Final = "Server"


def _setting(
    heading: str, flag: str, metavar: str | None, text: str, default: str, *, variable: str = ""
) -> Callable[[F], F]:
    """Make the option of a setting; one without a `metavar` is a switch, which says true or nothing."""
    own = f"LINESHAFT_{flag[2:].replace('-', '_').upper()}"
    variables = f"{own}, {variable}" if variable else own
    hint = f"{text} [env: {variables}; default: {default}]"
    if metavar is None:
        return click.option(flag, is_flag=True, default=None, cls=SharedOption, heading=heading, help=hint)
    return click.option(flag, metavar=metavar, cls=SharedOption, heading=heading, help=hint)


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        return reduce(lambda inner, option: option(inner), reversed(options), command)

    return decorate


_machine_options = _all(
    _setting(_MACHINE, "--data", "DIR", "Folder for all that is kept.", "~/.local/share/lineshaft"),
    _setting(_MACHINE, "--slots", "N", "How many tasks run at once.", "one a processor, 2 at least"),
    _setting(
        _MACHINE,
        "--git-roots",
        "DIRS",
        "Folders, separated by colons, below which a repository may be a local path.",
        "none",
    ),
    _setting(
        _MACHINE,
        "--docker-host",
        "URL",
        "The Docker engine's address.",
        "the engine's own",
        variable="DOCKER_HOST",
    ),
    _setting(
        _MACHINE,
        "--kubeconfig",
        "FILE",
        "How to reach Kubernetes clusters.",
        "Kubernetes' own",
        variable="KUBECONFIG",
    ),
    _setting(_MACHINE, "--grace-seconds", "S", "How long a task may take to stop before it is killed.", "10"),
    _setting(_MACHINE, "--ignore-images", None, "Run tasks without the image that they ask for.", "False"),
    _setting(
        _MACHINE, "--otlp-traces-endpoint", "URL", "Where builder tasks send their spans.", "their own logs"
    ),
    _setting(
        _MACHINE,
        "--otlp-logs-endpoint",
        "URL",
        "Where builder tasks send their log records.",
        "their own logs",
    ),
    _setting(_MACHINE, "--log-level", "LEVEL", "debug, info, warning or error.", "info"),
)

_server_options = _all(
    _setting(_SERVER, "--host", "HOST", "Name or address to listen on.", "127.0.0.1"),
    _setting(_SERVER, "--port", "PORT", "Port to listen on; 0 takes a free one.", "5001"),
    _setting(
        _SERVER,
        "--database-url",
        "URL",
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME.",
        "a SQLite file in the data folder",
    ),
    _setting(_SERVER, "--username", "NAME", "Who may call.", "admin"),
    _setting(_SERVER, "--password", "SECRET", "Proves it; safer in the environment or the file.", "admin"),
    _setting(_SERVER, "--workers", "N", "How many server processes; several need PostgreSQL.", "1"),
    _setting(
        _SERVER, "--lease-seconds", "S", "How long a worker may be silent before its work is lost.", "30"
    ),
    _setting(_SERVER, "--run-time-limit", "S", "How many seconds any run may take.", "86400"),
    _setting(
        _SERVER,
        "--worker-keys-file",
        "FILE",
        "Keys that let workers in, one a line; read as it changes.",
        "none",
    ),
    _setting(
        _SERVER,
        "--pipeline-limits",
        "LIMITS",
        "How many tasks of a pipeline run at once: shop=4,*=20.",
        "none",
    ),
    _setting(
        _SERVER, "--label-limits", "LIMITS", "How many tasks that ask for a label run at once: gpu=2.", "none"
    ),
    _setting(_SERVER, "--keep-runs-days", "N", "Remove runs that ended longer ago.", "for ever"),
    _setting(_SERVER, "--keep-runs", "N", "Keep so many ended runs of each pipeline.", "all"),
    _setting(_SERVER, "--keep-logs-days", "N", "Remove logs of runs that ended longer ago.", "for ever"),
)

_config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="TOML file with these settings in its table [server]. "
    "[env: LINESHAFT_CONFIG; default: ~/.config/lineshaft/config.toml]",
)


@click.command(
    cls=Command,
    examples=(
        "# Everything on this machine, at http://localhost:5001",
        "lineshaft up",
        "# State in a folder of its own, four tasks at once",
        "lineshaft up --data ./state --slots 4",
        "# For other machines, too: with a password of your own",
        "LINESHAFT_PASSWORD=... lineshaft up --host 0.0.0.0",
    ),
)
@_config_option
@_server_options
@_machine_options
def up(**flags: Any) -> None:
    """Start Lineshaft: a server with a worker inside."""
    _serve(flags, worker=True)


@click.command(
    cls=Command,
    short_help="Start a server without a worker.",
    examples=(
        "# Four processes on PostgreSQL; workers do the work",
        "lineshaft server --workers 4 --database-url postgresql://lineshaft@db/lineshaft",
    ),
)
@_config_option
@_server_options
@_machine_options
def server(**flags: Any) -> None:
    """Start a server without a worker; `lineshaft worker` does the work, here or elsewhere."""
    _serve(flags, worker=False)


@click.command(
    cls=Command,
    examples=(
        "# On the server's own machine",
        "lineshaft worker",
        "# On another one",
        "LINESHAFT_PASSWORD=... lineshaft worker --base-url https://ci.example.org --slots 8",
    ),
)
@click.option(
    "--name",
    metavar="NAME",
    help="Unique among the server's workers. [env: LINESHAFT_NAME; default: the host's name]",
)
@_machine_options
@connected
def worker(connection: Connection, **flags: Any) -> None:
    """Start a worker that takes tasks from a server."""
    with _loading():
        from lineshaft.worker.serve import serve
        from lineshaft.worker.settings import WorkerSettings

    serve(WorkerSettings.load(config=connection.config, **flags), connection.client_config())


def _serve(flags: dict[str, Any], *, worker: bool) -> None:
    with _loading():
        from lineshaft.server.serve import serve
        from lineshaft.server.settings import ServerSettings

        settings = ServerSettings.load(**flags)
        inner = _inner_worker(settings) if worker else None
    serve(settings, worker=inner)


def _inner_worker(settings: "ServerSettings") -> "InnerWorker":
    from lineshaft.worker.assembly import WorkerPlan, open_agent

    plan = WorkerPlan.of("inside", settings)

    async def work(protocol: "WorkerProtocol") -> None:
        async with open_agent(plan, protocol) as agent:
            await agent.run()

    return work


@contextmanager
def _loading() -> Iterator[None]:
    """Keep the garbage collector from going through modules while they load, and ever after.

    They are no garbage as long as the program runs, and looking for it in them took a sixth of the start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
