"""Which address and which credentials a cluster is reached with."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from lineshaft.integrations.kubernetes.access import ClusterAccess, ServiceAccount
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.work import Cluster
from lineshaft.telemetry.cause import brief

if TYPE_CHECKING:
    from lightkube import KubeConfig, SingleConfig

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# The names of a cluster's own API server that its certificate carries.
_IN_CLUSTER_URLS: Final = (
    "https://kubernetes.default",
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, slots=True)
class Connection:
    """A cluster's address with what it wants to see.

    Attributes:
        config: in lightkube's terms.
        source: where the credentials come from, in words for people.
    """

    config: "SingleConfig"
    source: str

    @property
    def address(self) -> str:
        """The API server's URL."""
        return self.config.cluster.server


def find_connection(cluster: Cluster, access: ClusterAccess) -> Connection | Reason:
    """Look for a cluster's credentials: in the kubeconfigs, then in the pod's service account.

    A cluster that neither knows is asked without credentials.

    Credentials go only to the address that stands beside them, because whoever writes a pipeline could
    otherwise have them sent anywhere. A kubeconfig that knows the cluster's name with another address is
    therefore an error, and better told here than by a cluster that is asked without credentials.

    Where a pipeline leaves the address out, that of the context or the cluster of its name holds.
    """
    found = _in_kubeconfigs(cluster, access)
    if isinstance(found, Connection):
        return found
    if not cluster.server_url:
        return found or _unknown(cluster, access)
    account = access.service_account
    if account is not None and any(
        _same_server(cluster.server_url, url) for url in (account.server_url, *_IN_CLUSTER_URLS)
    ):
        return _with_service_account(cluster, account)
    return found or _without_credentials(cluster)


def _in_kubeconfigs(cluster: Cluster, access: ClusterAccess) -> Connection | Reason | None:
    """Look for a cluster in all kubeconfigs; where none has it, tell what is wrong with the first that is."""
    not_usable: Reason | None = None
    for path in access.kubeconfigs:
        match _search(path, cluster):
            case Connection() as found:
                return found
            case Reason() as reason:
                not_usable = not_usable or reason
            case None:
                pass
    return not_usable


def unreachable(address: str, cause: str) -> Reason:
    """Say which address did not answer, and why."""
    return Reason(ReasonCode.CLUSTER_UNREACHABLE, f"No Kubernetes API answered at {address}: {cause}.")


def _search(path: Path, cluster: Cluster) -> Connection | Reason | None:
    """Look for a cluster in one kubeconfig; None if it knows neither its address nor its name."""
    from lightkube import ConfigError, KubeConfig
    from msgspec import MsgspecError

    yaml_error: type[Exception] = importlib.import_module("yaml").YAMLError
    if not path.exists():
        return None
    try:
        config = KubeConfig.from_file(path)
        context = _context_of(config, cluster)
        if context is not None:
            return Connection(_complete(config.get(context)), f"the context {context} of {path}")
    except (ConfigError, MsgspecError, OSError, LookupError, TypeError, ValueError, AttributeError) as error:
        return _unusable(path, brief(repr(error)))
    except yaml_error as error:
        # The text of the error quotes the file, secrets included.
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        return _unusable(path, f"it is no YAML from line {line} on")
    elsewhere = _address_of_name(config, cluster.name) if cluster.server_url else None
    if elsewhere is None:
        return None
    return unreachable(
        cluster.server_url,
        f"it was not tried, because {path} has the cluster {cluster.name} at {elsewhere}; "
        "write the same address in both",
    )


def _unknown(cluster: Cluster, access: ClusterAccess) -> Reason:
    looked_at = ", ".join(map(str, access.kubeconfigs)) or "none"
    return Reason(
        ReasonCode.CLUSTER_UNREACHABLE,
        f"No kubeconfig has a context or a cluster {cluster.name} (looked at: {looked_at}); "
        "add it there, or name its server_url.",
    )


def _unusable(path: Path, cause: str) -> Reason:
    return Reason(ReasonCode.CLUSTER_UNREACHABLE, f"The kubeconfig {path} cannot be used: {cause}.")


def _context_of(config: "KubeConfig", cluster: Cluster) -> str | None:
    """Choose among the contexts of a cluster: the one with its name, else the current one."""
    matching = [
        name
        for name, context in config.contexts.items()
        if context.cluster in config.clusters
        and (
            _same_server(config.clusters[context.cluster].server, cluster.server_url)
            if cluster.server_url
            else cluster.name in {name, context.cluster}
        )
    ]

    def preference(name: str) -> tuple[bool, bool, bool]:
        return (
            name != cluster.name,
            config.contexts[name].cluster != cluster.name,
            name != config.current_context,
        )

    return min(matching, key=preference, default=None)


def _address_of_name(config: "KubeConfig", name: str) -> str | None:
    """Look up the address of a context or a cluster by its name."""
    context = config.contexts.get(name)
    entry = config.clusters.get(context.cluster if context else name)
    return entry.server if entry else None


def _complete(config: "SingleConfig | None") -> "SingleConfig":
    """Give a configuration without a user an empty one, which the client insists on."""
    from lightkube import ConfigError
    from lightkube.config.models import User

    if config is None:
        raise ConfigError("the context is empty")
    return config if config.user is not None else config._replace(user=User())


def _with_service_account(cluster: Cluster, account: ServiceAccount) -> Connection:
    from lightkube import SingleConfig
    from lightkube.config import models

    server = models.Cluster(server=cluster.server_url, certificate_auth=str(account.folder / "ca.crt"))
    user = models.User(token_file=str(account.folder / "token"))
    config = SingleConfig(cluster.name, models.Context(cluster=cluster.name), server, user)
    return Connection(config, "the service account of this pod")


def _without_credentials(cluster: Cluster) -> Connection:
    from lightkube import SingleConfig
    from lightkube.config import models

    server = models.Cluster(server=cluster.server_url)
    config = SingleConfig(cluster.name, models.Context(cluster=cluster.name), server, models.User())
    return Connection(config, "no credentials")


def _same_server(one: str, other: str) -> bool:
    try:
        return _parts(one) == _parts(other)
    except ValueError:
        return False


def _parts(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    return (
        parts.scheme,
        parts.hostname,
        parts.port or _DEFAULT_PORTS.get(parts.scheme),
        parts.path.rstrip("/"),
    )
