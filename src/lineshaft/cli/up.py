"""`up` and `server`: the programs that serve; docs/settings.md explains their options."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.loading import loading
from lineshaft.cli.setting import machine_options, setting, together

if TYPE_CHECKING:
    from lineshaft.sdk.worker_files import WorkerFiles
    from lineshaft.sdk.worker_protocol import WorkerProtocol
    from lineshaft.server.serve import InnerWorker
    from lineshaft.server.settings import ServerSettings

_SERVER: Final = "Server"
_SIGN_IN: Final = "Sign-in by a browser"
_MAIL: Final = "Mail"
_EVENTS: Final = "Events"


_server_options = together(
    setting(_SERVER, "--host", "HOST", "Name or address to listen on.", "127.0.0.1"),
    setting(_SERVER, "--port", "PORT", "Port to listen on; 0 takes a free one.", "5001"),
    setting(
        _SERVER,
        "--database-url",
        "URL",
        "sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME.",
        "a SQLite file in the data folder",
    ),
    setting(
        _SERVER,
        "--blobs-url",
        "URL",
        "Where finished logs are kept: s3://BUCKET/PREFIX.",
        "a folder in the data folder",
    ),
    setting(_SERVER, "--username", "NAME", "Who may call.", "admin"),
    setting(_SERVER, "--password", "SECRET", "Proves it; safer in the environment or the file.", "admin"),
    setting(_SERVER, "--workers", "N", "How many server processes; several need PostgreSQL.", "1"),
    setting(
        _SERVER, "--lease-seconds", "S", "How long a worker may be silent before its work is lost.", "30"
    ),
    setting(_SERVER, "--run-time-limit", "S", "How many seconds any run may take.", "86400"),
    setting(
        _SERVER,
        "--worker-keys-file",
        "FILE",
        "Keys that let workers in, one a line; read as it changes.",
        "none",
    ),
    setting(
        _SERVER,
        "--secrets-key-file",
        "FILE",
        "Keys that seal secrets, one a line: the first seals, all open.",
        "secrets.key in the data folder, made where it is missing",
    ),
    setting(
        _SERVER,
        "--secrets-key",
        "KEY",
        "Such a key itself; safer in the environment or a file.",
        "none",
    ),
    setting(_SERVER, "--vault-url", "URL", "A HashiCorp Vault or OpenBao with more secrets.", "none"),
    setting(_SERVER, "--vault-mount", "PATH", "Where its KV engine of version 2 is mounted.", "secret"),
    setting(_SERVER, "--vault-prefix", "PATH", "Below which path of that secrets are.", "lineshaft"),
    setting(_SERVER, "--vault-token-file", "FILE", "A token to sign in there by.", "none"),
    setting(_SERVER, "--vault-role-id", "ID", "An AppRole to sign in there by instead.", "none"),
    setting(_SERVER, "--vault-secret-id-file", "FILE", "That role's secret id.", "none"),
    setting(_SERVER, "--vault-namespace", "NAME", "Which namespace of it.", "the root one"),
    setting(
        _SERVER,
        "--vault-ca-file",
        "FILE",
        "Certificates in PEM that prove it.",
        "the public authorities",
    ),
    setting(_SERVER, "--id-token-seconds", "S", "How long identity tokens of tasks are good.", "900"),
    setting(
        _SERVER,
        "--pipeline-limits",
        "LIMITS",
        "How many tasks of a pipeline run at once: shop=4,*=20.",
        "none",
    ),
    setting(
        _SERVER, "--label-limits", "LIMITS", "How many tasks that ask for a label run at once: gpu=2.", "none"
    ),
    setting(_SERVER, "--keep-runs-days", "N", "Remove runs that ended longer ago.", "for ever"),
    setting(_SERVER, "--keep-runs", "N", "Keep so many ended runs of each pipeline.", "all"),
    setting(_SERVER, "--keep-logs-days", "N", "Remove logs of runs that ended longer ago.", "for ever"),
    setting(_SERVER, "--keep-deliveries-days", "N", "Remove what came in by webhooks longer ago.", "30"),
    setting(_SERVER, "--keep-caches-days", "N", "Remove caches that nobody used for so long.", "14"),
    setting(_SERVER, "--artifact-gib", "N", "How large an artifact, result or cache may be.", "10"),
    setting(_SERVER, "--run-artifacts-gib", "N", "How much the artifacts of a run may be.", "50"),
    setting(_SERVER, "--pipeline-caches-gib", "N", "How much the caches of a pipeline may be.", "10"),
    setting(
        _SERVER,
        "--pipelines",
        "FILE|URL",
        "Pipelines of one JSON file, which are kept as it says; read as it changes.",
        "none",
    ),
    setting(_SERVER, "--tls-cert", "FILE", "PEM file with the server's certificate: serve by HTTPS.", "none"),
    setting(_SERVER, "--tls-key", "FILE", "PEM file with its key.", "in the same file"),
    setting(_SERVER, "--tls-client-ca", "FILE", "PEM file with the authorities of clients.", "none"),
    setting(_SERVER, "--tls-client-required", None, "Serve only who shows a client certificate.", "who asks"),
    setting(
        _SERVER,
        "--trusted-proxies",
        "A,B",
        "Proxies that say truly who calls through them: 10.0.0.5,10.1.0.0/16.",
        "none",
    ),
    setting(_SERVER, "--request-log", "WHICH", "Which requests are logged: all, changes or none.", "changes"),
)

_sign_in_options = together(
    setting(_SIGN_IN, "--session-hours", "H", "How long a browser stays signed in at most.", "12"),
    setting(_SIGN_IN, "--session-idle-hours", "H", "How long it stays signed in without a call.", "1"),
    setting(_SIGN_IN, "--public-url", "URL", "The server's address as browsers know it.", "none"),
    setting(_SIGN_IN, "--oidc-issuer", "URL", "An OpenID Connect provider to sign in at.", "none"),
    setting(_SIGN_IN, "--oidc-client-id", "ID", "What the provider calls this server.", "none"),
    setting(
        _SIGN_IN,
        "--oidc-client-secret",
        "SECRET",
        "Proves that to the provider; safer in the environment or the file.",
        "none",
    ),
    setting(_SIGN_IN, "--oidc-scopes", "SCOPES", "What the provider is asked for.", "openid profile email"),
    setting(_SIGN_IN, "--oidc-default-role", "ROLE", "The role of new users of the provider.", "none"),
    setting(_SIGN_IN, "--oidc-groups-claim", "CLAIM", "Where the provider tells groups.", "none"),
    setting(_SIGN_IN, "--oidc-roles", "ROLES", "The roles of groups: devs=runner,ops=admin.", "none"),
    setting(
        _SIGN_IN, "--oidc-label", "NAME", "What the sign-in page calls the provider.", "the provider's host"
    ),
)

_mail_options = together(
    setting(_MAIL, "--smtp-url", "URL", "The server that takes mail: smtp+starttls://HOST:PORT.", "none"),
    setting(_MAIL, "--smtp-from", "ADDRESS", "Where mails come from.", "none"),
    setting(_MAIL, "--smtp-username", "NAME", "Who signs in there.", "nobody"),
    setting(_MAIL, "--smtp-password", "SECRET", "Proves it; safer in the environment or a file.", "none"),
    setting(_MAIL, "--smtp-password-file", "FILE", "The password, read again for each mail.", "none"),
    setting(_MAIL, "--smtp-ca-file", "FILE", "Certificates in PEM that prove it.", "the public authorities"),
    setting(
        _MAIL,
        "--mail-author-domains",
        "A,B",
        "Domains to which mails to the author of a commit may go.",
        "none",
    ),
    setting(_EVENTS, "--events", "URL", "NATS that events go to: nats://HOST:4222, or tls://.", "none"),
    setting(_EVENTS, "--events-user", "NAME", "Who signs in there.", "nobody"),
    setting(
        _EVENTS, "--events-password", "SECRET", "Proves it; safer in the environment or the file.", "none"
    ),
    setting(_EVENTS, "--events-credentials", "FILE", "A JWT and an NKey to sign in by instead.", "none"),
    setting(
        _EVENTS, "--events-ca-file", "FILE", "Certificates in PEM that prove it.", "the public authorities"
    ),
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
@_sign_in_options
@_mail_options
@machine_options
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
@_sign_in_options
@_mail_options
@machine_options
def server(**flags: Any) -> None:
    """Start a server without a worker; `lineshaft worker` does the work, here or elsewhere."""
    _serve(flags, worker=False)


def _serve(flags: dict[str, Any], *, worker: bool) -> None:
    with loading():
        from lineshaft.executors.process.privacy import keep_private
        from lineshaft.server.serve import serve
        from lineshaft.server.settings import ServerSettings

        settings = ServerSettings.load(**flags)
        inner = _inner_worker(settings) if worker else None
    # Tasks may run as the same user, here or beside.
    keep_private()
    serve(settings, worker=inner)


def _inner_worker(settings: "ServerSettings") -> "InnerWorker":
    import asyncio
    import logging

    from lineshaft.model.errors import ConflictError
    from lineshaft.worker.assembly import open_agent
    from lineshaft.worker.plan import WorkerPlan

    log = logging.getLogger("lineshaft.worker")
    plan = WorkerPlan.of("inside", settings)

    async def work(protocol: "WorkerProtocol", files: "WorkerFiles") -> None:
        async with open_agent(plan, protocol, files=files) as agent:
            try:
                await agent.run()
            except ConflictError as error:
                log.warning("The worker inside is not needed any more: %s", error)
            log.warning("The worker inside has ended; the server goes on without one until its next start.")
            await asyncio.Event().wait()

    return work
