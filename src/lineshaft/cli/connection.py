"""How a command reaches a server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from lineshaft.cli.command import SharedOption
from lineshaft.sdk.config import ClientConfig

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client

R = TypeVar("R")

_HEADING: Final = "Server and credentials"


@dataclass(frozen=True, slots=True)
class Connection:
    """What the command line says of the server; the rest comes from the environment or a file.

    Attributes:
        base_url: the server's address.
        username: who calls.
        password: proves it.
        token: proves it in place of both.
        config: the configuration file.
    """

    base_url: str | None
    username: str | None
    password: str | None = field(repr=False)
    config: Path | None
    token: str | None = field(default=None, repr=False)

    def client_config(self, *, needs_password: bool = True) -> ClientConfig:
        """Put together what a client needs.

        Args:
            needs_password: whether a server elsewhere has to be given one; not where a key takes its place.

        Raises:
            ConfigurationError: address, credentials or configuration file make no sense.
        """
        return ClientConfig.load(
            url=self.base_url,
            username=self.username,
            password=self.password,
            token=self.token,
            config=self.config,
            needs_password=needs_password,
        )

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """Open a client.

        Raises:
            ConfigurationError: address, credentials or configuration file make no sense.
        """
        from lineshaft.sdk.client import Client

        with Client(self.client_config()) as client:
            yield client


def connected(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options that tell which server to call, as its argument `connection`."""

    @click.option(
        "--base-url",
        metavar="URL",
        cls=SharedOption,
        heading=_HEADING,
        help="The server's address. [env: LINESHAFT_URL; default: http://localhost:5001]",
    )
    @click.option(
        "--username",
        cls=SharedOption,
        heading=_HEADING,
        help="Who calls. [env: LINESHAFT_USERNAME; default: admin]",
    )
    @click.option(
        "--password",
        cls=SharedOption,
        heading=_HEADING,
        help="Proves it; safer in the environment or a file, where other users cannot see it. "
        "[env: LINESHAFT_PASSWORD; default for a server here: admin]",
    )
    @click.option(
        "--token",
        cls=SharedOption,
        heading=_HEADING,
        help="Signs in in place of both, such as `lineshaft token create` makes; safer in the environment or "
        "a file. [env: LINESHAFT_TOKEN; default: what `lineshaft login` has made]",
    )
    @click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        cls=SharedOption,
        heading=_HEADING,
        help="TOML file with these settings in its table [client]. "
        "[env: LINESHAFT_CONFIG; default: ~/.config/lineshaft/config.toml]",
    )
    @wraps(command)
    def wrapper(
        *args: Any,
        base_url: str | None,
        username: str | None,
        password: str | None,
        token: str | None,
        config: Path | None,
        **options: Any,
    ) -> R:
        return command(*args, connection=Connection(base_url, username, password, config, token), **options)

    return wrapper
