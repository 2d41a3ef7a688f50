"""What a registry wants to hear before it takes an image."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Credentials for one registry: a name and a password, or a token in their place.

    Attributes:
        username: whose they are.
        password: kept out of the type's representation, so that no log shows it.
        identity_token: an OAuth refresh token, which some registries give for a password.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    def as_header(self) -> dict[str, str]:
        """Write it as the Engine API's `X-Registry-Auth` wants it, before the encoding."""
        if self.identity_token:
            return {"identitytoken": self.identity_token}
        return {"username": self.username, "password": self.password}
