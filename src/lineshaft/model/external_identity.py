"""External identities: who somebody is to an OpenID Connect provider."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """Who the provider says that somebody is.

    Attributes:
        issuer: the provider, by its issuer identifier.
        subject: who they are there; unique for the issuer and never given to another.
        name: what they may be called here; None where the provider says nothing that can be relied on.
        groups: the groups that they are in there; None where the provider was not asked or did not say.
    """

    issuer: str
    subject: str
    name: str | None = None
    groups: frozenset[str] | None = None
