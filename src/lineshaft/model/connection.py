"""Connections: what Lineshaft knows of a forge, so that both can talk to each other."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ForgeKind(StrEnum):
    """Whose words a forge speaks."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    GITEA = "gitea"
    GIT = "git"
    """Any host of repositories; it sends no webhooks and takes no statuses."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One forge, or one part of it with credentials of its own.

    Attributes:
        id: UUIDv7.
        name: by which people know it; no other one has it.
        kind: whose words it speaks.
        url: where its pages are, such as `https://github.com`, or `https://git.example/team`. Repositories on
            its host, below its path, are this connection's; of several, the longest path counts.
        api_url: where its API is.
        webhook_secret: the name of the secret that it signs its webhooks with; None where it sends none. It
            is one for the server alone, or else one for all pipelines; so is the next.
        token: the name of the secret by which its API and its repositories are used; None where that takes
            none.
        username: what git says who signs in with the token.
        statuses: whether it is told how runs are going.
        trusts_forks: whether changes from forks are treated as all others are.
        created_at: when it was made.
        updated_at: when it was last changed.
    """

    id: UUID
    name: str
    kind: ForgeKind
    url: str
    api_url: str
    webhook_secret: str | None
    token: str | None
    username: str
    statuses: bool
    trusts_forks: bool
    created_at: datetime
    updated_at: datetime
