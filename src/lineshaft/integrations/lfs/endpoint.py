"""Where the LFS server of a repository is, and what it is asked with.

See https://github.com/git-lfs/git-lfs/blob/main/docs/api/server-discovery.md. What a repository says of it in
its `.lfsconfig` is not read: who may change a file of a repository does not choose where its worker calls.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from lineshaft.integrations.git.access import ask_by_ssh
from lineshaft.integrations.git.reach import Reach, pins_of
from lineshaft.integrations.git.remote import Remote
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError

_GIT: Final = ".git"
_ABOVE: Final = "/info/lfs"
_LONGEST_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An LFS server, as far as it serves one repository.

    Attributes:
        url: what the paths of its API begin with.
        headers: for it alone, and for nobody to see.
        signs_in: whether git's own credentials for the remote are for it as well.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    signs_in: bool = False


class _Given(BaseModel):
    """What a host answers to `git-lfs-authenticate`."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    href: str | None = None
    header: dict[str, str] | None = None


async def endpoint_of(remote: Remote, reach: Reach) -> Endpoint:
    """Find the LFS server of a repository that is not on this machine.

    Args:
        remote: the repository.
        reach: what may be asked.

    Raises:
        SourceRefusedError: no request may go there, or the host gives nobody away.
        SourceUnreachableError: it does not answer.
    """
    address = remote.address
    if address.startswith(("http://", "https://")):
        return Endpoint(_beside(address), signs_in=True)
    if address.startswith("git://"):
        return Endpoint(_beside(f"https://{_host(address)}{urlsplit(address).path}"))
    return await _by_ssh(remote, reach)


async def _by_ssh(remote: Remote, reach: Reach) -> Endpoint:
    address = remote.address
    # Judges the host, as before each fetch.
    await pins_of(address, reach.guard)
    if "://" in address:
        parts = urlsplit(address)
        user = f"{parts.username}@" if parts.username else ""
        where, path = f"{user}{parts.hostname}", parts.path
        options = ("-p", str(parts.port)) if parts.port else ()
        guessed = f"https://{_host(address)}{path}"
    else:
        where, _, path = address.partition(":")
        options = ()
        guessed = f"https://{where.rpartition('@')[2]}/{path.lstrip('/')}"
    command = shlex.join(("git-lfs-authenticate", path, "download"))
    try:
        said = await ask_by_ssh(reach.git, *options, "--", where, command, most_bytes=_LONGEST_BYTES)
    except (SourceRefusedError, SourceUnreachableError) as error:
        text = f"{where} does not let this worker read Git LFS by ssh: {error.message}"
        raise type(error)(
            text, advice="Name the repository by https, or let the host answer `ssh`."
        ) from error
    try:
        given = _Given.model_validate_json(said.data)
    except ValidationError as error:
        raise SourceRefusedError(f"{where} answers to git-lfs-authenticate with something else.") from error
    return Endpoint((given.href or _beside(guessed)).rstrip("/"), given.header or {})


def _host(address: str) -> str:
    host = urlsplit(address).hostname or ""
    return f"[{host}]" if ":" in host else host


def _beside(address: str) -> str:
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    whole = path if path.endswith(_GIT) else f"{path}{_GIT}"
    return urlunsplit(parts._replace(path=f"{whole}{_ABOVE}", query="", fragment=""))
