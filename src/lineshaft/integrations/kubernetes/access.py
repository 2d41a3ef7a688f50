"""Where the credentials for clusters are."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What Kubernetes gives to a worker that runs in a pod.

    Attributes:
        folder: holds `token` and `ca.crt`.
        server_url: the API server of the worker's own cluster.
    """

    folder: Path
    server_url: str


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """How a worker reaches clusters.

    Attributes:
        kubeconfigs: configuration files of kubectl; the first one that knows a cluster wins, and those that
            do not exist are passed over.
        service_account: None outside of a cluster.
    """

    kubeconfigs: tuple[Path, ...]
    service_account: ServiceAccount | None = None

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str], *, home: Path, service_account: Path = _SERVICE_ACCOUNT
    ) -> "ClusterAccess":
        """Read what kubectl would read.

        Args:
            environ: looked into for KUBECONFIG, KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT.
            home: the home folder of whoever runs the worker.
            service_account: where a pod's service account is mounted.
        """
        paths = [Path(path) for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
        host = environ.get("KUBERNETES_SERVICE_HOST", "")
        port = environ.get("KUBERNETES_SERVICE_PORT", "443")
        return cls(
            kubeconfigs=tuple(paths or [home / ".kube" / "config"]),
            service_account=ServiceAccount(
                service_account, f"https://{f'[{host}]' if ':' in host else host}:{port}"
            )
            if host and (service_account / "token").exists()
            else None,
        )
