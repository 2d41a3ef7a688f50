"""The git program, run so that neither an address nor a repository can make it do anything else."""

import asyncio
import hashlib
import itertools
import os
import re
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError
from lineshaft.ports.executor import Command, Ending, Executor, Exit

GRACE: Final = timedelta(seconds=2)

_KEPT_BYTES: Final = 16 * 1024
_URL_CREDENTIALS: Final = re.compile(r"(\w+://)[^/\s]*@")
_NOT_THERE: Final = re.compile(r"not our ref|unadvertised object|find remote ref")
_OF_MACHINE: Final = (Path("/etc/gitconfig"), Path("/etc/gitattributes"))
_REFUSED_VARIABLE: Final = re.compile(r"LINESHAFT_|GIT_(?!SSL_)")

# What the user's own configuration says comes first, such as credential helpers and proxies; what is below it
# is not theirs to change. Any owner of a local repository is fine, since only allowed roots are reached.
_CONFIGURATION: Final = """\
[include]
\tpath = ~/.gitconfig
[core]
\thooksPath = /dev/null
\tfsmonitor = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[safe]
\tdirectory = *
[http]
\tlowSpeedLimit = 1000
\tlowSpeedTime = 30
[advice]
\tdetachedHead = false
[submodule]
\trecurse = false
[fetch]
\trecurseSubmodules = false
"""


class GitProgram:
    """Runs git without a shell, a terminal, hooks, or transports other than the allowed ones."""

    def __init__(self, executor: Executor, folder: Path, label: str) -> None:
        """Prepare to run git.

        Args:
            executor: runs it, and sees to it that nothing of it survives.
            folder: where its configuration is written.
            label: names its processes among all of the machine.
        """
        self._executor = executor
        self._labels = (f"{label}/{number}" for number in itertools.count(1))
        configuration = folder / "gitconfig"
        configuration.write_text(_CONFIGURATION)
        inherited = {name: value for name, value in os.environ.items() if not _REFUSED_VARIABLE.match(name)}
        home = Path(inherited.get("HOME") or "/")
        user = Path(inherited.get("XDG_CONFIG_HOME") or home / ".config") / "git"
        self._settings = (home / ".gitconfig", user / "attributes", *_OF_MACHINE)
        self._environment: Final = inherited | {
            "GIT_CONFIG_GLOBAL": str(configuration),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=15",
            "GIT_OPTIONAL_LOCKS": "0",
            "LC_ALL": "C",
        }

    def settings_stamp(self) -> str:
        """Tell which settings of the user and the machine git goes by now, such as those of line ends.

        What was checked out under another stamp may differ from what would be checked out now.
        """
        return hashlib.sha256(repr([_state_of(path) for path in self._settings]).encode()).hexdigest()

    async def run(
        self,
        *arguments: str,
        folder: Path,
        protocols: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
        limit: timedelta = timedelta(minutes=1),
    ) -> str:
        """Run git to its end and return what it printed.

        Args:
            *arguments: of git; addresses stand behind `--`.
            folder: the repository in which it runs; no other one is looked for.
            protocols: the transports that it may use, with colons between.
            environment: added to what it gets always.
            limit: how long it may take.

        Raises:
            SourceRefusedError: the remote repository has not, or does not give away, what was asked for.
            SourceUnreachableError: it failed otherwise; the message is its most useful line.
        """
        # Without a ceiling git would look for a repository in the folders above one that is damaged.
        guarded = {"GIT_ALLOW_PROTOCOL": protocols, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        command = Command(
            argv=("git", *arguments),
            cwd=folder,
            env={**self._environment, **environment, **guarded},
            timeout=limit,
            grace=GRACE,
            label=next(self._labels),
        )
        output = _Tail()
        result = await self._executor.execute(command, output, asyncio.Event())
        if not isinstance(result, Exit):
            raise SourceUnreachableError(f"git could not be started: {result.text}")
        if result.ending is Ending.TIMED_OUT:
            raise SourceUnreachableError(f"git did not end within {limit.total_seconds():g} seconds.")
        if result.exit_code != 0:
            complaint = output.complaint()
            raise (SourceRefusedError if _NOT_THERE.search(complaint) else SourceUnreachableError)(complaint)
        return output.text().strip()


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class _Tail:
    """Keeps the end of what git prints."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._size = 0

    async def write(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        while self._size - len(self._parts[0]) >= _KEPT_BYTES:
            self._size -= len(self._parts.popleft())

    def text(self) -> str:
        return b"".join(self._parts)[-_KEPT_BYTES:].decode("utf-8", "replace")

    def complaint(self) -> str:
        """Return the line that says most about why it failed, without credentials."""
        lines = [line.strip() for line in self.text().splitlines() if line.strip()]
        telling = ("fatal:", "error:", "ssh:", "remote: ")
        at = next((at for at, line in enumerate(lines) if line.startswith(telling)), len(lines) - 1)
        if at < 0:
            return "git failed and said nothing"
        # A line that ends in a colon announces the next one.
        line = " ".join(lines[at : at + 2]) if lines[at].endswith(":") else lines[at]
        return _URL_CREDENTIALS.sub(r"\1", line.removeprefix("fatal: "))[:500]
