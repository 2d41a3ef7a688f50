"""Where git may fetch from: the guard of outgoing requests, put into git's words."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.proof import Proofs
from lineshaft.integrations.outgoing import AddressRefusedError, Guard, UnresolvedError
from lineshaft.integrations.outgoing.address import IPAddress, read_address
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError

FETCH_LIMIT: Final = timedelta(minutes=10)

_PORTS: Final = {"http": 80, "https": 443}
_PROXIES: Final = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
PRIVATE_ADVICE: Final = "Repositories in private networks are allowed by the setting `private_repositories`."


@dataclass(frozen=True, slots=True)
class _Place:
    """What an address names.

    Attributes:
        host: a name or an address.
        port: of http and https; None for other transports.
    """

    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What all mirrors of a process go by.

    Attributes:
        git: runs the program.
        guard: says which hosts may be fetched from.
        proofs: remembers whom remotes have answered.
        fetch_limit: how long one fetch may take.
        allowed_roots: below which local repositories may lie.
    """

    git: GitProgram
    guard: Guard
    proofs: Proofs
    fetch_limit: timedelta
    allowed_roots: tuple[Path, ...]


async def pins_of(address: str, guard: Guard, environment: Mapping[str, str] = os.environ) -> Sequence[str]:
    """Find out whether a remote repository may be fetched from, and have git connect just there.

    By http and https git connects to the addresses that were judged (`http.curloptResolve`, since git 2.37),
    and follows no redirect. The other transports resolve the name once more by themselves. Where a proxy of
    the environment resolves names, and this machine cannot, it is left to the proxy.

    Args:
        address: of the repository, in one of the forms of `definition.repository`.
        guard: says where requests may go.
        environment: tells of proxies.

    Returns:
        Arguments for git, before its command.

    Raises:
        SourceRefusedError: no request may go there.
        SourceUnreachableError: the host has no address.
    """
    place = _place_of(address)
    if place is None:
        return ()
    straight = () if place.port is None else ("-c", "http.followRedirects=false")
    try:
        found = await guard.addresses(place.host)
    except AddressRefusedError as error:
        raise SourceRefusedError(str(error), advice=PRIVATE_ADVICE) from error
    except UnresolvedError as error:
        by_ssh = place.port is None  # Whose configuration may give a name of its own to any host.
        if by_ssh or any(environment.get(name) for name in _PROXIES):
            return straight
        raise SourceUnreachableError(str(error)) from error
    if place.port is None or read_address(place.host) is not None:
        return straight
    return (
        *straight,
        "-c",
        f"http.curloptResolve={place.host}:{place.port}:{','.join(map(_bracketed, found))}",
    )


def _place_of(address: str) -> _Place | None:
    if address.startswith("/"):
        return None
    if "://" not in address:
        return _Place(address.partition(":")[0].rpartition("@")[2], None)
    parts = urlsplit(address)
    port = None if parts.scheme not in _PORTS else parts.port or _PORTS[parts.scheme]
    return _Place(parts.hostname or "", port)


def _bracketed(address: IPAddress) -> str:
    return f"[{address}]" if address.version == 6 else str(address)  # noqa: PLR2004 - the version of IP.
