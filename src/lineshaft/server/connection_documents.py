"""Connections, as requests say them and as the API shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from lineshaft.model.connection import ForgeKind
from lineshaft.model.secret import LONGEST_SECRET_NAME
from lineshaft.server.documents import Document
from lineshaft.server.requests import Request
from lineshaft.services.sources.connections import ConnectionTerms

_Url = Annotated[str, StringConstraints(max_length=2_048, pattern=r"^[^\x00]*$")]
_SecretName = Annotated[str, StringConstraints(max_length=LONGEST_SECRET_NAME, pattern=r"^[^\x00]*$")]


class ConnectionRequest(Request):
    """All of a connection but its name."""

    kind: ForgeKind = Field(description="Whose words the forge speaks.", strict=False)
    url: _Url = Field(
        description="Where its pages are; repositories on its host, below its path, are the connection's."
    )
    api_url: _Url | None = Field(
        default=None, description="Where its API is; null means where such a forge has it."
    )
    webhook_secret: _SecretName | None = Field(
        default=None,
        description="The name of the secret that its webhooks are signed with; null takes none.",
    )
    token: _SecretName | None = Field(
        default=None,
        description="The name of the secret by which repositories are fetched and statuses told.",
    )
    username: Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")] | None = Field(
        default=None, description="What git says who signs in; null means as such a forge wants it."
    )
    statuses: bool | None = Field(
        default=None,
        description="Whether it is told how runs are going; null means where there is a token for it.",
    )
    trusts_forks: bool = Field(
        default=False, description="Whether changes from forks are treated as all others are."
    )

    def to_terms(self) -> ConnectionTerms:
        """Say it as the services take it."""
        return ConnectionTerms(**dict(self))


class ConnectionDocument(Document):
    """A connection to a forge."""

    name: str
    kind: ForgeKind
    url: str
    api_url: str = Field(description="Where its API is; empty where it has none.")
    webhook_secret: str | None = Field(description="The name of a secret; never its value.")
    token: str | None = Field(description="The name of a secret; never its value.")
    username: str = Field(description="What git says who signs in with the token.")
    statuses: bool = Field(description="Whether it is told how runs are going.")
    trusts_forks: bool = Field(description="Whether changes from forks are treated as all others are.")
    warnings: list[str] = Field(
        description="What is amiss with its secrets, such as one that any task may name, as sentences."
    )
    created_at: datetime
    updated_at: datetime


class ConnectionPage(Document):
    """Some of the connections, by name."""

    items: list[ConnectionDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")
