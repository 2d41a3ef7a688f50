"""The settings of mail: docs/settings.md explains each."""

import re
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import NoDecode

from lineshaft.executors.settings import Folder, MachineSettings
from lineshaft.integrations.mail import Security, SmtpAccess
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.mail_address import is_address
from lineshaft.sdk.config import is_loopback

_LONGEST: Final = 1_000
_MOST_DOMAINS: Final = 1_000
_PORTS: Final = {Security.NONE: 25, Security.TLS: 465, Security.STARTTLS: 587}
_SCHEMES: Final = " or ".join(f"{each.value}://" for each in Security)


def _server(url: str) -> str:
    if len(url) > _LONGEST or re.fullmatch(r"[!-~]+", url) is None:
        raise ValueError("the address must be written in visible ASCII")
    parts = urlsplit(url)
    if parts.scheme not in set(Security):
        raise ValueError(f"the address must begin with {_SCHEMES}")
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the port must be a number up to 65535") from None
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if not parts.hostname or port == 0 or more:
        raise ValueError("the address must be one such as smtp+starttls://mail.example.org:587")
    return url


def _sender(address: str) -> str:
    if not is_address(address):
        raise ValueError("the sender must be an address such as ci@example.org")
    return address


def _domains(said: Any) -> Any:
    listed = said.split(",") if isinstance(said, str) else said
    domains = tuple(str(each).strip().lower().removeprefix("@") for each in listed)
    domains = tuple(filter(None, domains))
    if len(domains) > _MOST_DOMAINS or not all(is_address(f"a@{each}") for each in domains):
        raise ValueError("domains must be written as example.org,example.com")
    return domains


class MailSettings(MachineSettings):
    """What a server can be told of mail.

    Attributes:
        smtp_url: the mail server that mails are handed over to; None means that no mail is sent.
        smtp_from: the address that mails come from.
        smtp_username: who signs in there; None signs nobody in.
        smtp_password: proves it, where no file is named.
        smtp_password_file: the file with the password.
        smtp_ca_file: the file with the certificates that prove the server; None means the public authorities.
        mail_author_domains: the domains to which mails to the author of a commit may go.
    """

    smtp_url: Annotated[str, AfterValidator(_server)] | None = None
    smtp_from: Annotated[str, AfterValidator(_sender)] | None = None
    smtp_username: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST)] | None = None
    smtp_password: SecretStr | None = Field(default=None, min_length=1, max_length=_LONGEST)
    smtp_password_file: Folder | None = None
    smtp_ca_file: Folder | None = None
    mail_author_domains: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_domains)] = ()

    @property
    def smtp_access(self) -> SmtpAccess | None:
        """How to hand mails over; None where none are sent."""
        if self.smtp_url is None or self.smtp_from is None:
            return None
        parts = urlsplit(self.smtp_url)
        security = Security(parts.scheme)
        return SmtpAccess(
            host=parts.hostname or "",
            port=parts.port or _PORTS[security],
            security=security,
            sender=self.smtp_from,
            username=self.smtp_username,
            password=None if self.smtp_password is None else self.smtp_password.get_secret_value(),
            password_file=self.smtp_password_file,
            ca_file=self.smtp_ca_file,
        )

    @model_validator(mode="after")
    def _refuse_half_a_mail_server(self) -> Self:
        if (self.smtp_url is None) != (self.smtp_from is None):
            missing = "LINESHAFT_SMTP_URL" if self.smtp_url is None else "LINESHAFT_SMTP_FROM"
            raise ConfigurationError(
                f"Mail needs {missing}: the server that takes it, and the address that it comes from.",
                advice=f"Set {missing} as well, or neither.",
            )
        said = {
            "LINESHAFT_SMTP_USERNAME": self.smtp_username,
            "LINESHAFT_SMTP_PASSWORD": self.smtp_password,
            "LINESHAFT_SMTP_PASSWORD_FILE": self.smtp_password_file,
            "LINESHAFT_SMTP_CA_FILE": self.smtp_ca_file,
        }
        useless = [name for name, value in said.items() if value is not None]
        if self.smtp_url is None and useless:
            raise ConfigurationError(
                f"{useless[0]} does nothing without a mail server.", advice="Set LINESHAFT_SMTP_URL."
            )
        return self

    @model_validator(mode="after")
    def _refuse_half_a_mail_sign_in(self) -> Self:
        passwords = (self.smtp_password is not None) + (self.smtp_password_file is not None)
        if passwords != (self.smtp_username is not None):
            raise ConfigurationError(
                "To sign in at the mail server, a name and one password are needed.",
                advice="Set LINESHAFT_SMTP_USERNAME, and either LINESHAFT_SMTP_PASSWORD_FILE or "
                "LINESHAFT_SMTP_PASSWORD.",
            )
        access = self.smtp_access
        open_to_all = access is not None and access.security is Security.NONE and not is_loopback(access.host)
        if self.smtp_username is not None and open_to_all:
            raise ConfigurationError(
                "The password for the mail server would go over the network for anyone to read.",
                advice="Begin LINESHAFT_SMTP_URL with smtps:// or smtp+starttls://.",
            )
        if self.smtp_ca_file is not None and not self.smtp_ca_file.is_file():
            raise ConfigurationError(
                f"There is no file {self.smtp_ca_file} with the mail server's certificates.",
                advice="Set LINESHAFT_SMTP_CA_FILE to a file in PEM.",
            )
        return self
