"""Connections to forges as the API shows them; `wire.connection` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """What is known of a forge.

    Attributes:
        name: by which people know it.
        kind: whose words it speaks: `github`, `gitlab`, `bitbucket`, `gitea` or `git`.
        url: where its pages are.
        api_url: where its API is; empty where it has none.
        webhook_secret: the name of the secret that its webhooks are signed with; None where it sends none.
        token: the name of the secret that signs in there; None where none does.
        username: what git says who signs in with the token.
        statuses: whether it is told how runs are going.
        trusts_forks: whether changes from forks are treated as all others are.
        warnings: what is amiss with its secrets, as sentences.
        created_at: when it was made.
        updated_at: when it was last set.
        document: the JSON that this was read from.
    """

    name: str
    kind: str
    url: str
    api_url: str
    webhook_secret: str | None
    token: str | None
    username: str
    statuses: bool
    trusts_forks: bool
    warnings: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            name=document["name"],
            kind=document["kind"],
            url=document["url"],
            api_url=document["api_url"],
            webhook_secret=document["webhook_secret"],
            token=document["token"],
            username=document["username"],
            statuses=bool(document["statuses"]),
            trusts_forks=bool(document["trusts_forks"]),
            warnings=tuple(document.get("warnings", ())),
            created_at=datetime.fromisoformat(document["created_at"]),
            updated_at=datetime.fromisoformat(document["updated_at"]),
            document=document,
        )
