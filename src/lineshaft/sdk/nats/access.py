"""How to get at NATS."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from lineshaft.model.errors import ConfigurationError

SCHEMES: Final = ("nats", "tls")
"""With what the address of a NATS server begins."""

_LONGEST: Final = 2_000
_PORT: Final = 4222


@dataclass(frozen=True, slots=True)
class NatsAccess:
    """How to get at NATS.

    Attributes:
        servers: the addresses, any of which will do.
        user: the name to sign in with; None signs in with none.
        password: proves it.
        credentials: a file with a JWT and an NKey, instead.
        ca_file: the certificates that prove the servers; None means the public authorities.
    """

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    credentials: Path | None = None
    ca_file: Path | None = None

    @classmethod
    def of(
        cls,
        addresses: str,
        *,
        user: str | None = None,
        password: str | None = None,
        credentials: Path | None = None,
        ca_file: Path | None = None,
    ) -> Self:
        """Check what somebody has said.

        Args:
            addresses: separated by commas.
            user: see the class, as for the others.
            password: see there.
            credentials: see there.
            ca_file: see there.

        Raises:
            ConfigurationError: it makes no sense.
        """
        try:
            servers = read_addresses(addresses)
        except ValueError as error:
            raise ConfigurationError(
                f"The address of NATS cannot be used: {error}.", advice="One is nats://nats.example.org:4222."
            ) from error
        if (user is None) != (password is None) or (user is not None and credentials is not None):
            raise ConfigurationError(
                "To sign in at NATS, a name with its password is needed, or a credentials file.",
                advice="Say both of the name and the password, or the file, or nothing.",
            )
        for file in (credentials, ca_file):
            if file is not None and not file.is_file():
                raise ConfigurationError(f"There is no file {file} for NATS.", advice="Check its name.")
        return cls(servers, user, password, credentials, ca_file)

    @property
    def tls_only(self) -> bool:
        """Whether nothing is to go there but by TLS."""
        return any(each.startswith("tls:") for each in self.servers)

    @property
    def shown(self) -> str:
        """The addresses, for people."""
        return ",".join(self.servers)


def read_addresses(text: str) -> tuple[str, ...]:
    """Read addresses of NATS servers, separated by commas.

    Raises:
        ValueError: one is none; its text says why.
    """
    if len(text) > _LONGEST or re.fullmatch(r"[!-~]+", text) is None:
        raise ValueError("it must be written in visible ASCII")
    return tuple(_address(each) for each in text.split(","))


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("it must begin with nats:// or tls://")
    if "@" in parts.netloc:
        raise ValueError("it must hold no password; there are settings for that")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port must be a number up to 65535") from None
    if not parts.hostname or port == 0 or parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("it must be one such as nats://nats.example.org:4222")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or _PORT}"
