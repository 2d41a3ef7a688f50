"""Where a Vault is, how to sign in, and where in it the secrets are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class VaultAccess:
    """All that must be known of a Vault.

    Attributes:
        url: its address.
        mount: where the KV v2 engine is mounted.
        prefix: below which path of it the secrets are.
        token_file: the file with the token to sign in by; None where a role is used.
        role_id: the AppRole to sign in by; None where a token is used.
        secret_id_file: the file with the secret id of that role.
        namespace: which namespace; None means the root one.
        ca_file: the file with the certificates that prove the Vault; None means the public authorities.
    """

    url: str
    mount: str = "secret"
    prefix: str = "lineshaft"
    token_file: Path | None = None
    role_id: str | None = None
    secret_id_file: Path | None = None
    namespace: str | None = None
    ca_file: Path | None = None

    @property
    def server_path(self) -> str:
        """Where the secrets are within the mount that are for the server alone."""
        return f"{self.prefix}/server"

    def paths(self, pipeline: str | None, environment: str) -> Iterator[str]:
        """List where secrets of a task may be within the mount, the closest first.

        Args:
            pipeline: the pipeline's name, whatever it holds; None where the server wants one for itself: it
                alone is shown where its own are.
            environment: what the task works for; empty where it does not say.
        """
        if pipeline is None:
            yield self.server_path
            yield f"{self.prefix}/global"
            return
        own = f"{self.prefix}/pipelines/{segment(pipeline)}"
        if environment:
            yield f"{own}/environments/{segment(environment)}"
        yield own
        if environment:
            yield f"{self.prefix}/environments/{segment(environment)}"
        yield f"{self.prefix}/global"


def segment(name: str) -> str:
    """Write a name as one segment of a path, which no other name is written as, and which leads nowhere else.

    All but ASCII letters, digits and `._-~` is percent-encoded (RFC 3986), and so are dots that stand alone.
    """
    if not name.strip("."):
        return name.replace(".", "%2E") or "%"
    return quote(name, safe="", errors="surrogatepass")
