"""Sign-in by OpenID Connect: the provider, as the party that relies on it sees it."""

from lineshaft.integrations.openid.provider import OpenIdClient, OpenIdProvider

__all__ = ["OpenIdClient", "OpenIdProvider"]
