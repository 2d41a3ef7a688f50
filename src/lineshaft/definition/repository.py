"""Where a pipeline's source is: the forms in which a repository can be named."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from lineshaft.model.errors import InvalidInputError

LONGEST: Final = 2_048
SCHEMES: Final = ("https", "http", "ssh", "git")
ALLOWED: Final = (
    "Allowed are https://, http://, ssh:// and git:// URLs, user@host:path, and a local path under one of "
    "the roots in LINESHAFT_GIT_ROOTS."
)

_FORBIDDEN: Final = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_SCP: Final = re.compile(
    r"(?:[A-Za-z0-9_.][A-Za-z0-9_.+-]*@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^:].*)"
)
_CREDENTIALS: Final = re.compile(r"^(https?://)[^/]*@")
_SSH_PASSWORD: Final = re.compile(r"^(ssh://[^/:@]*):[^/]*@")
_REMOTE_HELPER: Final = re.compile(r"[A-Za-z0-9+.-]*::")
_DEFAULT_PORTS: Final = frozenset({22, 80, 443, 9418})
_MAIN_HOSTS: Final = {
    "ssh.github.com": "github.com",
    "altssh.bitbucket.org": "bitbucket.org",
    "altssh.gitlab.com": "gitlab.com",
}
"""Where forges answer to ssh on the port of https, and where their repositories are."""
_PLAIN_IN_PATHS: Final = "!$&'()*+,;=:@~"
"""What may stand in a path as it is (RFC 3986, section 3.3), besides letters, digits and `-._`."""


@dataclass(frozen=True, slots=True)
class RemoteRepository:
    """A repository behind a protocol of git's.

    Attributes:
        url: as git takes it.
    """

    url: str


@dataclass(frozen=True, slots=True)
class LocalRepository:
    """A repository in a folder of the machine on which the work runs.

    Attributes:
        path: absolute. Whether it lies under an allowed root is to be checked where it is used, since links
            can be laid at any time.
    """

    path: PurePosixPath


Repository = RemoteRepository | LocalRepository


def read_repository(text: str) -> Repository:
    """Read a repository's address.

    Only its form is checked, so that it can be no option of the git program and no other transport than the
    allowed ones; nothing is looked up.

    Args:
        text: as it stands in the definition.

    Raises:
        InvalidInputError: it is in no allowed form; the message says what is allowed.
    """
    if not text:
        raise InvalidInputError(f"The address is empty. {ALLOWED}")
    if len(text) > LONGEST:
        raise InvalidInputError(f"The address has {len(text)} characters; at most {LONGEST} are allowed.")
    if _FORBIDDEN.search(text):
        raise InvalidInputError("The address holds a space or a control character.")
    if text.startswith("-"):
        raise InvalidInputError(f"The address begins with '-', as an option of git would. {ALLOWED}")
    if _REMOTE_HELPER.match(text):
        raise InvalidInputError(f"Remote helpers of git, such as ext::, are not allowed. {ALLOWED}")
    if text.startswith("/"):
        return _local(text)
    if "://" in text:
        return _url(text)
    if _SCP.fullmatch(text):
        return RemoteRepository(text)
    raise InvalidInputError(f"This is no address of a repository. {ALLOWED}")


def repository_key(address: str) -> str:
    """Return what all addresses of one repository have in common, for finding the one by another.

    Protocol, user, default port, trailing slashes, `.git` and the case of letters make no difference. Of a
    forge's own address it is what the keys of its repositories begin with.

    Args:
        address: in any form that `read_repository` takes.

    Returns:
        Such as `git.example:8443/team/shop`, or `file:/srv/git/Shop` for a folder.

    Raises:
        InvalidInputError: it is in no allowed form.
    """
    repository = read_repository(address)
    if isinstance(repository, LocalRepository):
        return f"file:/{'/'.join(_without_git(list(repository.path.parts[1:])))}"
    segments = _without_git([segment.lower() for segment in repository_segments(address)])
    quoted = (quote(segment, safe=_PLAIN_IN_PATHS, errors="surrogateescape") for segment in segments)
    return "/".join((_host_of(repository.url), *quoted))


def repository_segments(address: str) -> tuple[str, ...]:
    """Return the path of a repository's address, decoded, without `.git`, `.` and `..`.

    Args:
        address: in any form that `read_repository` takes.

    Returns:
        The parts between slashes, in their own case; what is no UTF-8 is kept as lone surrogates.

    Raises:
        InvalidInputError: it is in no allowed form.
    """
    repository = read_repository(address)
    if isinstance(repository, LocalRepository):
        return tuple(_without_git(list(repository.path.parts[1:])))
    found: list[str] = []
    for segment in _raw_segments(repository.url):
        if segment == "..":
            del found[-1:]
        elif segment not in {"", "."}:
            found.append(segment)
    return tuple(_without_git(found))


def without_credentials(text: str) -> str:
    """Return an address as it may be shown, without a password or token that a URL may carry."""
    return _SSH_PASSWORD.sub(r"\1@", _CREDENTIALS.sub(r"\1", text))


def _url(text: str) -> Repository:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInputError(f"This URL cannot be read: {error}. {ALLOWED}") from error
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"}:
            raise InvalidInputError("A file: URL names a folder of this machine: file:///path.")
        return _local(unquote(parts.path))
    if parts.scheme not in SCHEMES:
        raise InvalidInputError(f"The protocol '{parts.scheme}' is not allowed. {ALLOWED}")
    # A host that begins with '-' would reach ssh as an option.
    if not host or host.startswith("-") or (parts.username or "").startswith("-"):
        raise InvalidInputError(f"The URL names no host. {ALLOWED}")
    if _FORBIDDEN.search(unquote(parts.netloc)):
        raise InvalidInputError("The URL's host or credentials hold a space or a control character.")
    return RemoteRepository(text)


def _local(path: str) -> LocalRepository:
    if not path.startswith("/") or _FORBIDDEN.search(path.replace(" ", "")):
        raise InvalidInputError(f"A local repository is named by its absolute path. {ALLOWED}")
    return LocalRepository(PurePosixPath(path))


def _raw_segments(url: str) -> list[str]:
    if "://" not in url:
        return url.partition(":")[2].split("/")
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return [unquote_to_bytes(each).decode("utf-8", "surrogateescape") for each in path.split("/")]


def _host_of(url: str) -> str:
    port = None
    if "://" in url:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    else:
        host = url.partition(":")[0].rpartition("@")[2]
    host = host.lower().rstrip(".")
    if not host:
        raise InvalidInputError(f"The address names no host. {ALLOWED}")
    main = _MAIN_HOSTS.get(host, host)
    shown = f"[{main}]" if ":" in main else main
    return shown if port is None or port in _DEFAULT_PORTS else f"{shown}:{port}"


def _without_git(segments: list[str]) -> list[str]:
    """Take `.git` from the end of a path, where it is a suffix or a folder of its own."""
    while segments and segments[-1].lower().endswith(".git"):
        last = segments.pop()[: -len(".git")]
        segments += [last] if last else []
    return segments
