"""Forges: their webhooks read as changes, and statuses of commits told to them."""

from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import urlsplit, urlunsplit

from lineshaft.model.connection import ForgeKind
from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import StatusReporter, WebhookReader

if TYPE_CHECKING:
    from lineshaft.integrations.outgoing.client import OutgoingClient

__all__ = ["default_api_url", "default_username", "status_reporter", "webhook_reader"]

_WHOLE_HOSTS: Final = frozenset({"gitlab.com", "gitea.com", "codeberg.org"})
"""Forges at the beginning of their host, whatever path a connection names."""


def webhook_reader(kind: ForgeKind) -> WebhookReader | None:
    """Return what reads a forge's webhooks; None where it sends none."""
    match kind:
        case ForgeKind.GITHUB:
            from lineshaft.integrations.forges.github.webhook import GitHubWebhooks

            return GitHubWebhooks()
        case ForgeKind.GITLAB:
            from lineshaft.integrations.forges.gitlab.webhook import GitLabWebhooks

            return GitLabWebhooks()
        case ForgeKind.BITBUCKET:
            from lineshaft.integrations.forges.bitbucket.webhook import BitbucketWebhooks

            return BitbucketWebhooks()
        case ForgeKind.GITEA:
            from lineshaft.integrations.forges.gitea.webhook import GiteaWebhooks

            return GiteaWebhooks()
        case ForgeKind.GIT:
            return None
        case _:
            assert_never(kind)


def status_reporter(kind: ForgeKind, client: "OutgoingClient", clock: Clock) -> StatusReporter | None:
    """Return what tells a forge how runs are going; None where it takes no statuses.

    Args:
        kind: of the forge.
        client: by which it is called.
        clock: tells how far away the times are that a forge names.
    """
    match kind:
        case ForgeKind.GITHUB:
            from lineshaft.integrations.forges.github.status import GitHubStatuses

            return GitHubStatuses(client, clock)
        case ForgeKind.GITLAB:
            from lineshaft.integrations.forges.gitlab.status import GitLabStatuses

            return GitLabStatuses(client, clock)
        case ForgeKind.BITBUCKET:
            from lineshaft.integrations.forges.bitbucket.status import BitbucketStatuses

            return BitbucketStatuses(client, clock)
        case ForgeKind.GITEA:
            from lineshaft.integrations.forges.gitea.status import GiteaStatuses

            return GiteaStatuses(client, clock)
        case ForgeKind.GIT:
            return None
        case _:
            assert_never(kind)


def default_api_url(kind: ForgeKind, url: str) -> str:
    """Say where a forge's API is, unless somebody says otherwise; empty where it has none.

    Args:
        kind: of the forge.
        url: where its pages are. On a host of its maker's, the API is at the host's beginning; elsewhere a
            path means that the forge lies below it.
    """
    parts = urlsplit(url.rstrip("/"))
    host = (parts.hostname or "").removesuffix(".")
    path = "" if host in _WHOLE_HOSTS else parts.path.rstrip("/")
    start = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))
    match kind:
        case ForgeKind.GITHUB:
            return _github_api(host, start)
        case ForgeKind.GITLAB:
            return f"{start}/api/v4"
        case ForgeKind.BITBUCKET:
            return "https://api.bitbucket.org" if host == "bitbucket.org" else f"{start}/rest/api/latest"
        case ForgeKind.GITEA:
            return f"{start}/api/v1"
        case ForgeKind.GIT:
            return ""
        case _:
            assert_never(kind)


def default_username(kind: ForgeKind) -> str:
    """Say what git says who signs in, where a token is all that counts."""
    match kind:
        case ForgeKind.GITHUB | ForgeKind.GITEA:
            return "x-access-token"
        case ForgeKind.GITLAB:
            return "oauth2"
        case ForgeKind.BITBUCKET:
            return "x-token-auth"
        case ForgeKind.GIT:
            return "git"
        case _:
            assert_never(kind)


def _github_api(host: str, start: str) -> str:
    """Tell GitHub's own host from one with data residency, and from GitHub Enterprise Server."""
    if host in {"github.com", "www.github.com"}:
        return "https://api.github.com"
    return f"https://api.{host}" if host.endswith(".ghe.com") else f"{start}/api/v3"
