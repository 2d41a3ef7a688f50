"""The configuration file that all programs of Lineshaft share, and what a client needs to reach a server.

The file is TOML with a table for each kind of program: `[client]`, `[server]` and `[worker]`. It is the one
that is named (`--config`, LINESHAFT_CONFIG), else `lineshaft/config.toml` under XDG_CONFIG_HOME, where it may
be absent. This module is light on purpose: the command line reads it at every start.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.client_tls import SYSTEM_TLS, ClientTls

if TYPE_CHECKING:
    from lineshaft.sdk.credentials_file import CredentialsFile, Login

CONFIG_VARIABLE: Final = "LINESHAFT_CONFIG"
DEFAULT_URL: Final = "http://localhost:5001"
DEFAULT_CREDENTIAL: Final = "admin"
"""User name and password of a server that nobody has set up, which therefore serves on loopback only."""

_TLS: Final[Mapping[str, None]] = {"ca_file": None, "client_cert": None, "client_key": None}
"""What is said of a client's TLS; no flag of the command line says it."""

_TABLES: Final = frozenset({"client", "server", "worker"})


@dataclass(frozen=True, slots=True)
class ConfigTable:
    """One program's table of the configuration file.

    Attributes:
        path: the file; None when there is none.
        values: by key; empty when the file or the table is absent.
    """

    path: Path | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """What a client needs to reach a server.

    Attributes:
        url: the server's address, without a slash at the end.
        username: who calls.
        password: proves it.
        token: proves it in place of both; None where they do.
        tls: how it sees whether the server is the right one, and shows a certificate of its own.
    """

    url: str
    username: str
    password: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    tls: ClientTls = SYSTEM_TLS

    @classmethod
    def load(
        cls,
        *,
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        config: Path | None = None,
        needs_password: bool = True,
        environment: Mapping[str, str] = os.environ,
    ) -> Self:
        """Put together what is given here, in the environment, in the file, and by default, in this order.

        A token goes before a user name and a password that are given in the same place, and these before a
        token that is given in a weaker one. Where no password is given at all, it is the token that
        `lineshaft login` has made for the server. TLS' files are named by LINESHAFT_CA_FILE,
        LINESHAFT_CLIENT_CERT and LINESHAFT_CLIENT_KEY, or by `ca_file`, `client_cert` and `client_key` in the
        file.

        Args:
            url: the server's address; else LINESHAFT_URL, else `url` in the file, else port 5001 here.
            username: else LINESHAFT_USERNAME, else `username` in the file, else `admin`.
            password: else LINESHAFT_PASSWORD, else `password` in the file, else `admin` for a server here.
            token: else LINESHAFT_TOKEN, else `token` in the file.
            config: the file; else LINESHAFT_CONFIG, else the user's own.
            needs_password: whether a server elsewhere has to be given one; not where a key takes its place.
            environment: the environment's variables; an empty one counts as absent.

        Raises:
            ConfigurationError: a value makes no sense, or there is no password for a server elsewhere.
        """
        given = {"url": url, "username": username, "password": password, "token": token, **_TLS}
        said = _Said.of(given, config, environment)
        address, tls = _address(said.value("url") or DEFAULT_URL), said.tls()
        name, secret, shown = said.value("username"), said.value("password"), said.token()
        if shown is None and secret is None and needs_password:
            login = _login(address, environment)
            if login is not None and name in {None, login.username}:
                name, shown = login.username, login.token
        if shown is not None:
            return cls(address, name or "", "", shown, tls=tls)
        if needs_password and secret is None and not is_loopback(urlsplit(address).hostname or ""):
            raise ConfigurationError(
                f"There is no password for {address}.",
                advice="Sign in with `lineshaft login`; or set LINESHAFT_TOKEN, or LINESHAFT_USERNAME and "
                "LINESHAFT_PASSWORD, or the like in the [client] table of "
                f"{said.path or default_path(environment) or CONFIG_VARIABLE}.",
            )
        return cls(address, name or DEFAULT_CREDENTIAL, secret or DEFAULT_CREDENTIAL, tls=tls)


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said of a client, in all places, the strongest first."""

    places: tuple[Mapping[str, Any], ...]
    path: Path | None

    @classmethod
    def of(cls, given: Mapping[str, str | None], config: Path | None, environment: Mapping[str, str]) -> Self:
        table = read_table("client", frozenset(given), config, environment)
        variables = {name: environment.get(f"LINESHAFT_{name.upper()}") for name in given}
        for name, value in table.values.items():
            if not isinstance(value, str):
                raise ConfigurationError(f"{table.path}: `{name}` in [client] must be a string.")
        return cls((given, variables, table.values), table.path)

    def value(self, name: str) -> str | None:
        """Find the strongest value."""
        return next((place[name] for place in self.places if place.get(name)), None)

    def tls(self) -> ClientTls:
        """Find the files of TLS."""
        ca_file, certificate, key = (self.value(name) for name in _TLS)
        return ClientTls(
            None if ca_file is None else Path(ca_file).expanduser(),
            None if certificate is None else Path(certificate).expanduser(),
            None if key is None else Path(key).expanduser(),
        )

    def token(self) -> str | None:
        """Find the token; None where a user name or a password is said in a stronger place than one."""
        for place in self.places:
            if place.get("token"):
                return _checked_token(place["token"])
            if place.get("username") or place.get("password"):
                return None
        return None


def credentials_file(environment: Mapping[str, str] = os.environ) -> "CredentialsFile | None":
    """Name the file with the tokens of `lineshaft login`; None where the user has no home folder."""
    from lineshaft.sdk.credentials_file import CredentialsFile

    path = default_path(environment)
    return None if path is None else CredentialsFile(path.with_name("credentials.json"))


def _login(url: str, environment: Mapping[str, str]) -> "Login | None":
    file = credentials_file(environment)
    return None if file is None else file.find(url)


def _checked_token(token: str) -> str:
    from lineshaft.sdk.credentials_file import is_token

    if not is_token(token):
        # It is not repeated.
        raise ConfigurationError(
            "What is given as a token is none.",
            advice="A token is one word of ASCII characters, such as `lineshaft token create` makes.",
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def default_path(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Name the user's own configuration file, after the XDG Base Directory Specification.

    None where the user has no home folder, as in a container under any user id.
    """
    base = environment.get("XDG_CONFIG_HOME") or "~/.config"
    try:
        return Path(base).expanduser() / "lineshaft" / "config.toml"
    except RuntimeError:
        return None


def read_table(
    name: str,
    known: Collection[str],
    path: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> ConfigTable:
    """Read one program's table of the configuration file.

    Args:
        name: the table's name.
        known: the keys that it may have.
        path: the file; else LINESHAFT_CONFIG, else the user's own, which may be absent.
        environment: the environment's variables.

    Raises:
        ConfigurationError: the file cannot be read, is no TOML, or has a table or key that is not known.
    """
    import tomllib

    named = path or (Path(given) if (given := environment.get(CONFIG_VARIABLE)) else None)
    path = named or default_path(environment)
    if path is None:
        return ConfigTable(None, {})
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if named is None:
            return ConfigTable(None, {})
        raise ConfigurationError(f"There is no configuration file {path}.") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is no valid TOML: {error}.") from error
    _refuse_unknown(document, _TABLES, f"{path}: there is no table or key")
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: `{name}` must be a table, written as [{name}].")
    _refuse_unknown(table, known, f"{path}: [{name}] has no key")
    return ConfigTable(path, table)


def _refuse_unknown(given: Collection[str], known: Collection[str], complaint: str) -> None:
    from difflib import get_close_matches

    for key in given:
        if key not in known:
            nearest = get_close_matches(key, known, n=1)
            advice = f"Did you mean `{nearest[0]}`?" if nearest else f"Known: {', '.join(sorted(known))}."
            raise ConfigurationError(f"{complaint} `{key}`.", advice=advice)


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        valid = False
    else:
        valid = valid and not (parts.username or parts.query or parts.fragment)
    if not valid:
        # The text itself is not repeated: it may hold a password.
        raise ConfigurationError(
            "The server's address is no plain http or https URL.",
            advice=f"Write it as {DEFAULT_URL}, with the credentials apart from it.",
        )
    return url.rstrip("/")
