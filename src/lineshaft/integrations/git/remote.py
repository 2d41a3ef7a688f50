"""Where git fetches from, and what it may use for that."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from lineshaft.definition.repository import LocalRepository, RemoteRepository, read_repository
from lineshaft.model.errors import InvalidInputError, SourceRefusedError
from lineshaft.ports.repositories import Login

_PROTOCOLS: Final = "https:http:ssh:git"
_GITFILE: Final = "gitdir: "
_BREAK: Final = re.compile(r"[\r\n\0]")

# What a process is called with, anybody on the machine can read; its environment, only its own user.
_HELPER: Final = (
    """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' """
    """"$LINESHAFT_GIT_USERNAME" "$LINESHAFT_GIT_PASSWORD"; }; f"""
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote repository, as it is handed to git.

    Attributes:
        address: for the command line; it carries no credentials.
        protocols: the transports that git may use, with colons between.
        upload_pack: the program that gives a local repository away; empty for all others.
        environment: what git needs besides.
        login: what is signed in with that did not come with the address; None where nothing is.
    """

    address: str
    protocols: str
    upload_pack: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    login: Login | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """Options of `git fetch` and `git ls-remote`."""
        return (f"--upload-pack={self.upload_pack}",) if self.upload_pack else ()

    def settings(self, name: str) -> tuple[str, ...]:
        """Return arguments for git, before its command, that give it a name."""
        program = ("-c", f"remote.{name}.uploadpack={self.upload_pack}") if self.upload_pack else ()
        return ("-c", f"remote.{name}.url={self.address}", *program)


def open_remote(address: str, allowed_roots: Sequence[Path], login: Login | None = None) -> Remote:
    """Read a repository's address; a local one must lie below an allowed root when all links are followed.

    Args:
        address: in one of the forms of `definition.repository`.
        allowed_roots: below which local repositories may lie.
        login: goes before what a URL carries; no other transport than http and https uses it.

    Raises:
        SourceRefusedError: the address is in no allowed form, or outside the allowed roots.
    """
    try:
        repository = read_repository(address)
    except InvalidInputError as error:
        raise SourceRefusedError(error.message) from error
    match repository:
        case RemoteRepository(url=url):
            return _by_url(url, login)
        case LocalRepository(path=path):
            folder = _git_folder(path, [root.resolve() for root in allowed_roots])
            # Strict, lest it look on its own for folders of similar names, which have not been checked.
            return Remote(str(folder), "file", "git-upload-pack --strict")


def same_host(one: Remote, other: Remote) -> bool:
    """Tell whether what signs in at one remote may be shown to the other."""
    first, second = urlsplit(one.address), urlsplit(other.address)
    return bool(first.netloc) and (first.scheme, first.netloc) == (second.scheme, second.netloc)


def _by_url(url: str, login: Login | None) -> Remote:
    if not url.startswith(("http://", "https://")):
        return Remote(url, _PROTOCOLS)
    parts = urlsplit(url)
    credentials, _, host = parts.netloc.rpartition("@")
    address = urlunsplit(parts._replace(netloc=host))
    if login is not None:
        return Remote(address, _PROTOCOLS, environment=_signing_in(parts.scheme, host, login), login=login)
    if not credentials:
        return Remote(address, _PROTOCOLS)
    username, _, password = credentials.partition(":")
    found = Login(unquote(username), unquote(password))
    return Remote(address, _PROTOCOLS, environment=_signing_in(parts.scheme, host, found))


def _signing_in(scheme: str, host: str, login: Login) -> Mapping[str, str]:
    if _BREAK.search(login.username) or _BREAK.search(login.password):
        raise SourceRefusedError("A name or a password of more than one line signs nobody in.")
    helper = f"credential.{scheme}://{host}.helper"
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": helper,
        "GIT_CONFIG_VALUE_0": "",
        "GIT_CONFIG_KEY_1": helper,
        "GIT_CONFIG_VALUE_1": _HELPER,
        "LINESHAFT_GIT_USERNAME": login.username,
        "LINESHAFT_GIT_PASSWORD": login.password,
    }


def _git_folder(path: PurePosixPath, roots: Sequence[Path]) -> Path:
    folder = _below(Path(path).resolve(), path, roots)
    inner = folder / ".git"
    if inner.is_file():
        # A work tree, or a submodule, says in this file where its repository is.
        text = inner.read_text(errors="replace").removeprefix(_GITFILE).strip()
        return _below((folder / text).resolve(), path, roots)
    return _below(inner.resolve(), path, roots) if inner.exists() else folder


def _below(real: Path, path: PurePosixPath, roots: Sequence[Path]) -> Path:
    if any(real.is_relative_to(root) for root in roots):
        return real
    allowed = ", ".join(map(str, roots)) or "none is"
    raise SourceRefusedError(
        f"{path} is not under a folder from which repositories may be taken (allowed: {allowed}).",
        advice="Name the folder in LINESHAFT_GIT_ROOTS.",
    )
