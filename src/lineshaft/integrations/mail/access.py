"""Where a mail server is, and how to sign in there."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Security(StrEnum):
    """How a connection to a mail server is protected; the words are the schemes of its URL."""

    NONE = "smtp"
    TLS = "smtps"
    """From the first byte on (RFC 8314)."""
    STARTTLS = "smtp+starttls"
    """By the command of that name, which has to succeed (RFC 3207)."""


@dataclass(frozen=True, slots=True)
class SmtpAccess:
    """All that must be known of a mail server.

    Attributes:
        host: its name or address.
        port: its TCP port.
        security: how connections to it are protected.
        sender: the address that mails come from.
        username: who signs in; None signs nobody in.
        password: proves it, where no file is named.
        password_file: the file with the password, read again for each mail.
        ca_file: the file with the certificates that prove the server; None means the public authorities.
        hello: what this machine calls itself there; None means by its own name.
    """

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    ca_file: Path | None = None
    hello: str | None = None
