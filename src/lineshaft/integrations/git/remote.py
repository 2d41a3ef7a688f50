"""Where git fetches from, and what it may use for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from lineshaft.definition.repository import LocalRepository, RemoteRepository, read_repository
from lineshaft.model.errors import InvalidInputError, SourceRefusedError

_PROTOCOLS: Final = "https:http:ssh:git"
_GITFILE: Final = "gitdir: "

# What a process is called with, anybody on the machine can read; its environment, only its own user.
_HELPER: Final = (
    """!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' """
    """"$LINESHAFT_GIT_USERNAME" "$LINESHAFT_GIT_PASSWORD"; }; f"""
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote repository, as it is handed to `git fetch`.

    Attributes:
        address: for the command line; it carries no credentials.
        protocols: the transports that git may use, with colons between.
        options: of `git fetch`.
        environment: what git needs besides.
    """

    address: str
    protocols: str
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def open_remote(address: str, allowed_roots: Sequence[Path]) -> Remote:
    """Read a repository's address; a local one must lie below an allowed root when all links are followed.

    Raises:
        SourceRefusedError: the address is in no allowed form, or outside the allowed roots.
    """
    try:
        repository = read_repository(address)
    except InvalidInputError as error:
        raise SourceRefusedError(error.message) from error
    match repository:
        case RemoteRepository(url=url):
            return _by_url(url)
        case LocalRepository(path=path):
            folder = _git_folder(path, [root.resolve() for root in allowed_roots])
            # Strict, lest it look on its own for folders of similar names, which have not been checked.
            return Remote(str(folder), "file", ("--upload-pack=git-upload-pack --strict",))


def _by_url(url: str) -> Remote:
    if not url.startswith(("http://", "https://")):
        return Remote(url, _PROTOCOLS)
    parts = urlsplit(url)
    credentials, _, host = parts.netloc.rpartition("@")
    if not credentials:
        return Remote(url, _PROTOCOLS)
    username, _, password = credentials.partition(":")
    helper = f"credential.{parts.scheme}://{host}.helper"
    environment = {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": helper,
        "GIT_CONFIG_VALUE_0": "",
        "GIT_CONFIG_KEY_1": helper,
        "GIT_CONFIG_VALUE_1": _HELPER,
        "LINESHAFT_GIT_USERNAME": unquote(username),
        "LINESHAFT_GIT_PASSWORD": unquote(password),
    }
    return Remote(urlunsplit(parts._replace(netloc=host)), _PROTOCOLS, environment=environment)


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
