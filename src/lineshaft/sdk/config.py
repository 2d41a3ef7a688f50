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
from typing import Any, Final, Self
from urllib.parse import urlsplit

from lineshaft.model.errors import ConfigurationError

CONFIG_VARIABLE: Final = "LINESHAFT_CONFIG"
DEFAULT_URL: Final = "http://localhost:5001"
DEFAULT_CREDENTIAL: Final = "admin"
"""User name and password of a server that nobody has set up, which therefore serves on loopback only."""

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
    """

    url: str
    username: str
    password: str = field(repr=False)

    @classmethod
    def load(
        cls,
        *,
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        config: Path | None = None,
        needs_password: bool = True,
        environment: Mapping[str, str] = os.environ,
    ) -> Self:
        """Put together what is given here, in the environment, in the file, and by default, in this order.

        Args:
            url: the server's address; else LINESHAFT_URL, else `url` in the file, else port 5001 here.
            username: else LINESHAFT_USERNAME, else `username` in the file, else `admin`.
            password: else LINESHAFT_PASSWORD, else `password` in the file, else `admin` for a server here.
            config: the file; else LINESHAFT_CONFIG, else the user's own.
            needs_password: whether a server elsewhere has to be given one; not where a key takes its place.
            environment: the environment's variables; an empty one counts as absent.

        Raises:
            ConfigurationError: a value makes no sense, or there is no password for a server elsewhere.
        """
        table = read_table("client", frozenset({"url", "username", "password"}), config, environment)

        def value(name: str, given: str | None) -> str | None:
            found = given or environment.get(f"LINESHAFT_{name.upper()}") or table.values.get(name)
            if found is not None and not isinstance(found, str):
                raise ConfigurationError(f"{table.path}: `{name}` in [client] must be a string.")
            return found

        address = _address(value("url", url) or DEFAULT_URL)
        secret = value("password", password)
        if needs_password and secret is None and not is_loopback(urlsplit(address).hostname or ""):
            raise ConfigurationError(
                f"There is no password for {address}.",
                advice="Set LINESHAFT_USERNAME and LINESHAFT_PASSWORD, or `username` and `password` in "
                f"the [client] table of {table.path or default_path(environment) or CONFIG_VARIABLE}.",
            )
        return cls(address, value("username", username) or DEFAULT_CREDENTIAL, secret or DEFAULT_CREDENTIAL)


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
