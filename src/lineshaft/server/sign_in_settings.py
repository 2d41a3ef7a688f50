"""The settings of sign-in by a browser: docs/settings.md explains each."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, model_validator
from pydantic_settings import NoDecode

from lineshaft.executors.settings import MachineSettings
from lineshaft.integrations.openid import OpenIdClient
from lineshaft.model.errors import ConfigurationError
from lineshaft.model.role import Role
from lineshaft.sdk.config import is_loopback
from lineshaft.server.named_values import named_values
from lineshaft.services.access.admission import AdmissionRules
from lineshaft.services.access.browser_sessions import SessionTimes

_LONGEST_URL: Final = 2_048
_LONGEST_SESSION_HOURS: Final = 8_760
_MOST_SCOPES: Final = 50


def _address(url: str) -> str:
    """Check an address whose answers are trusted: by HTTPS, except on this machine."""
    parts = urlsplit(url)
    if len(url) > _LONGEST_URL or re.fullmatch(r"[!-~]+", url) is None:
        raise ValueError("the address must be written in visible ASCII")
    if not parts.hostname or "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("the address must be one such as https://ci.example.org")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("the address must begin with https://, except on localhost")
    return url


def _scopes(said: Any) -> Any:
    return tuple(said.replace(",", " ").split()) if isinstance(said, str) else said


def _with_openid(scopes: tuple[str, ...]) -> tuple[str, ...]:
    if len(scopes) > _MOST_SCOPES or not all(re.fullmatch(r"[!#-\[\]-~]{1,255}", scope) for scope in scopes):
        raise ValueError("scopes are words of visible ASCII, separated by spaces")
    return scopes if "openid" in scopes else ("openid", *scopes)


def _group_roles(said: Any) -> Any:
    return named_values(said, "the roles of groups must be written as GROUP=ROLE,GROUP=ROLE")


_Address = Annotated[str, AfterValidator(_address)]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x1f]*$")]


class SignInSettings(MachineSettings):
    """What a server can be told of browsers, and of the provider that people sign in at.

    Attributes:
        session_hours: how long a browser stays signed in at most.
        session_idle_hours: how long it stays signed in without a call.
        public_url: the server's address as browsers know it; None where nothing needs it.
        oidc_issuer: the OpenID Connect provider that people may sign in at; None means that there is none.
        oidc_client_id: what the provider calls this server.
        oidc_client_secret: proves that to the provider.
        oidc_scopes: what the provider is asked for.
        oidc_default_role: the role of new users, and of those in no group that has one; None means no role.
        oidc_groups_claim: the claim that lists somebody's groups; None means that groups do not matter.
        oidc_roles: the roles of groups.
        oidc_label: what the sign-in page calls the provider; None means by its host.
    """

    session_hours: float = Field(default=12, gt=0, le=_LONGEST_SESSION_HOURS)
    session_idle_hours: float = Field(default=1, gt=0, le=_LONGEST_SESSION_HOURS)
    public_url: _Address | None = None
    oidc_issuer: _Address | None = None
    oidc_client_id: _Word | None = None
    oidc_client_secret: SecretStr | None = Field(default=None, min_length=1, max_length=_LONGEST_URL)
    oidc_scopes: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_scopes), AfterValidator(_with_openid)
    ] = Field(default_factory=lambda: ("openid", "profile", "email"))
    oidc_default_role: Role | None = None
    oidc_groups_claim: _Word | None = None
    oidc_roles: Annotated[dict[_Word, Role], NoDecode, BeforeValidator(_group_roles)] = Field(
        default_factory=dict
    )
    oidc_label: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None

    @property
    def session_times(self) -> SessionTimes:
        """How long browsers stay signed in."""
        return SessionTimes(timedelta(hours=self.session_hours), timedelta(hours=self.session_idle_hours))

    @property
    def openid_client(self) -> OpenIdClient | None:
        """What this server is to the provider; None where there is none."""
        if self.oidc_issuer is None or self.oidc_client_id is None or self.oidc_client_secret is None:
            return None
        return OpenIdClient(
            self.oidc_issuer,
            self.oidc_client_id,
            self.oidc_client_secret.get_secret_value(),
            self.oidc_scopes,
            self.oidc_groups_claim,
        )

    @property
    def admission(self) -> AdmissionRules:
        """What those get who sign in at the provider."""
        return AdmissionRules(self.oidc_default_role, self.oidc_roles)

    @property
    def provider_label(self) -> str:
        """What the sign-in page calls the provider, where there is one."""
        return self.oidc_label or urlsplit(self.oidc_issuer or "").netloc

    @model_validator(mode="after")
    def _refuse_half_a_provider(self) -> Self:
        needed = {
            "LINESHAFT_OIDC_CLIENT_ID": self.oidc_client_id,
            "LINESHAFT_OIDC_CLIENT_SECRET": self.oidc_client_secret,
            "LINESHAFT_PUBLIC_URL": self.public_url,
        }
        missing = [name for name, value in needed.items() if value is None]
        if self.oidc_issuer is not None and missing:
            raise ConfigurationError(
                f"Sign-in at {self.oidc_issuer} needs {' and '.join(missing)}.",
                advice="Register this server at the provider, with the redirect URI "
                "https://YOUR-SERVER/sign-in/oidc/callback, and set what it gives you.",
            )
        if self.oidc_roles and self.oidc_groups_claim is None:
            raise ConfigurationError(
                "LINESHAFT_OIDC_ROLES says which role a group has, but not by which claim groups are told.",
                advice="Set LINESHAFT_OIDC_GROUPS_CLAIM to the claim that lists them, often `groups`.",
            )
        return self
