"""Where the Docker engine and the credentials for registries are."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_ADDRESS: Final = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class DockerAccess:
    """How a worker reaches Docker.

    Attributes:
        address: the engine's, as docker writes it: `unix:///path`, `tcp://host:port`, `http://` or `https://`.
        config_folder: the folder with docker's `config.json`, where the credentials for registries are.
        tls_folder: the folder with `ca.pem`, `cert.pem` and `key.pem` for an engine that wants TLS; None
            speaks plainly, or with the system's certificates where the address says `https://`.
        buildkit: whether BuildKit may build.
    """

    address: str
    config_folder: Path
    tls_folder: Path | None = None
    buildkit: bool = True

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, home: Path) -> "DockerAccess":
        """Read what the docker command would read.

        Args:
            environ: looked into for DOCKER_HOST, DOCKER_CONFIG, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and
                DOCKER_BUILDKIT.
            home: the home folder of whoever runs the worker.
        """
        config_folder = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
        certificates = Path(environ.get("DOCKER_CERT_PATH") or config_folder)
        return cls(
            address=environ.get("DOCKER_HOST") or DEFAULT_ADDRESS,
            config_folder=config_folder,
            tls_folder=certificates if environ.get("DOCKER_TLS_VERIFY") else None,
            buildkit=environ.get("DOCKER_BUILDKIT", "").lower() not in {"0", "false"},
        )
