"""With what git reaches a host: its logins, its certificates, its ssh. Others than git use them, too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lineshaft.integrations.git.program import Captured, GitProgram
from lineshaft.ports.repositories import Login

_FILL: Final = """printf 'protocol=%s\\nhost=%s\\npath=%s\\n\\n' "$@" | git credential fill"""
_SSH: Final = 'eval "exec $GIT_SSH_COMMAND \\"\\$@\\""'
_TRUSTED: Final = """
if test -n "$GIT_SSL_CAINFO"; then printf %s "$GIT_SSL_CAINFO"
else git config --type=path -z --get-urlmatch http.sslCAInfo "$1"
fi
"""


async def login_for(git: GitProgram, url: str, environment: Mapping[str, str]) -> Login | None:
    """Ask git what it signs in with, as gitcredentials(7) tells it.

    Args:
        git: the program.
        url: of http or https, without credentials.
        environment: added to what git gets always.

    Returns:
        It; None where git knows nothing.

    Raises:
        SourceUnreachableError: git could not be started, or did not end.
    """
    parts = urlsplit(url)
    said = await git.capture_script(
        _FILL,
        (parts.scheme, parts.netloc, parts.path.lstrip("/")),
        folder=git.folder,
        environment=environment,
        exit_codes=range(-1, 256),
    )
    pairs = (line.partition("=") for line in said.data.decode("utf-8", "replace").splitlines())
    told = {key: value for key, _, value in pairs}
    username, password = told.get("username", ""), told.get("password", "")
    return Login(username, password) if username or password else None


async def certificates_for(git: GitProgram, url: str) -> Path | None:
    """Ask git for the file of certificates that it trusts at an address; None means those of the system.

    Raises:
        SourceUnreachableError: git could not be started, or did not end.
    """
    said = await git.capture_script(_TRUSTED, (url,), folder=git.folder, exit_codes=(0, 1))
    named = said.records()
    return Path(named[0]) if named else None


async def ask_by_ssh(git: GitProgram, *arguments: str, most_bytes: int) -> Captured:
    """Run ssh as git does, and return what it prints, without what it complains of.

    Args:
        git: the program.
        *arguments: of ssh; the host stands behind `--`.
        most_bytes: how much is kept.

    Raises:
        SourceUnreachableError: it failed.
    """
    return await git.capture_script(_SSH, arguments, folder=git.folder, most_bytes=most_bytes)
