"""The settings of a Vault that keeps secrets: docs/settings.md explains each."""

import re
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints, model_validator

from lineshaft.executors.settings import Folder, MachineSettings
from lineshaft.integrations.vault import VaultAccess
from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.config import is_loopback

_LONGEST: Final = 1_000


def _address(url: str) -> str:
    """Check an address that is trusted with tokens: by HTTPS, except on this machine."""
    parts = urlsplit(url)
    if len(url) > _LONGEST or re.fullmatch(r"[!-~]+", url) is None:
        raise ValueError("the address must be written in visible ASCII")
    if not parts.hostname or "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError("the address must be one such as https://vault.example.org:8200")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)):
        raise ValueError("the address must begin with https://, except on localhost")
    return url.rstrip("/")


def _path(path: str) -> str:
    parts = path.strip("/").split("/")
    if len(path) > _LONGEST or not all(
        re.fullmatch(r"[\w.~-]*[\w~-][\w.~-]*", each, re.ASCII) for each in parts
    ):
        raise ValueError("the path must be made of letters, digits and ._-~, in parts joined by /")
    return "/".join(parts)


_Address = Annotated[str, AfterValidator(_address)]
_Path = Annotated[str, AfterValidator(_path)]
_Word = Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST, pattern=r"^[!-~]*$")]


class VaultSettings(MachineSettings):
    """What a server can be told of a Vault.

    Attributes:
        vault_url: the Vault's address; None means that there is none.
        vault_mount: where its KV v2 engine is mounted.
        vault_prefix: below which path of that the secrets are.
        vault_token_file: the file with the token to sign in by.
        vault_role_id: the AppRole to sign in by instead.
        vault_secret_id_file: the file with that role's secret id.
        vault_namespace: which namespace of the Vault; None means the root one.
        vault_ca_file: the file with the certificates that prove the Vault; None means the public authorities.
    """

    vault_url: _Address | None = None
    vault_mount: _Path = "secret"
    vault_prefix: _Path = "lineshaft"
    vault_token_file: Folder | None = None
    vault_role_id: _Word | None = None
    vault_secret_id_file: Folder | None = None
    vault_namespace: _Word | None = None
    vault_ca_file: Folder | None = None

    @property
    def vault_access(self) -> VaultAccess | None:
        """How to get at the Vault; None where there is none."""
        if self.vault_url is None:
            return None
        return VaultAccess(
            self.vault_url,
            self.vault_mount,
            self.vault_prefix,
            self.vault_token_file,
            self.vault_role_id,
            self.vault_secret_id_file,
            self.vault_namespace,
            self.vault_ca_file,
        )

    @model_validator(mode="after")
    def _refuse_half_a_sign_in(self) -> Self:
        role = self.vault_role_id is not None, self.vault_secret_id_file is not None
        ways = (self.vault_token_file is not None) + any(role)
        if self.vault_url is None:
            if ways:
                raise ConfigurationError(
                    "It is set how to sign in at Vault, but not where it is.",
                    advice="Set LINESHAFT_VAULT_URL.",
                )
        elif ways != 1 or any(role) != all(role):
            raise ConfigurationError(
                "For the Vault one way to sign in is needed.",
                advice="Set LINESHAFT_VAULT_TOKEN_FILE, or both LINESHAFT_VAULT_ROLE_ID and "
                "LINESHAFT_VAULT_SECRET_ID_FILE.",
            )
        if self.vault_ca_file is not None and not self.vault_ca_file.is_file():
            raise ConfigurationError(
                f"There is no file {self.vault_ca_file} with the Vault's certificates.",
                advice="Set LINESHAFT_VAULT_CA_FILE to a file in PEM.",
            )
        return self
