"""The git program, run so that neither an address nor a repository can make it do anything else."""

import asyncio
import hashlib
import itertools
import os
import re
import secrets
from collections import deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import MappingProxyType
from typing import Final

from lineshaft.model.errors import SourceError, SourceRefusedError, SourceUnreachableError
from lineshaft.ports.executor import ByteSink, Command, Ending, Executor, Exit

GRACE: Final = timedelta(seconds=2)
CAPTURED_BYTES: Final = 16 * 1024 * 1024
"""How much of git's data is kept when nobody says otherwise."""

_KEPT_BYTES: Final = 16 * 1024
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")
_URL_CREDENTIALS: Final = re.compile(r"(\w+://)[^/\s]*@")
_NOT_THERE: Final = re.compile(r"not our ref|unadvertised object|find remote ref")
_OF_MACHINE: Final = (Path("/etc/gitconfig"), Path("/etc/gitattributes"))
_REFUSED_VARIABLE: Final = re.compile(r"LINESHAFT_|GIT_(?!SSL_)")

# What the user's own configuration says comes first, such as credential helpers and proxies; what is below it
# is not theirs to change. Any owner of a local repository is fine, since only allowed roots are reached. The
# program git-lfs would go by settings that a repository brings along.
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
[filter "lfs"]
\tclean =
\tsmudge =
\tprocess =
\trequired = false
"""


@dataclass(frozen=True, slots=True)
class Captured:
    """What git has printed.

    Attributes:
        data: all of it, or as much as was wanted.
        exit_code: with which git has ended; 0 where it was not left to its end.
        whole: whether this is all.
    """

    data: bytes
    exit_code: int
    whole: bool = True

    def records(self) -> list[str]:
        """Return what stands between NULs; of what is no UTF-8 each byte is kept as a surrogate."""
        return [each.decode("utf-8", "surrogateescape") for each in self.data.split(b"\0") if each]


class GitProgram:
    """Runs git without a terminal, hooks, or transports other than the allowed ones.

    Attributes:
        folder: where its configuration is.
        label: what all of its processes carry, and those of no other one.
    """

    def __init__(self, executor: Executor, folder: Path, label: str) -> None:
        """Prepare to run git.

        Args:
            executor: runs it, and sees to it that nothing of it survives.
            folder: where its configuration is written; several may share it.
            label: begins the names of its processes among all of the machine.
        """
        self._executor = executor
        self.folder: Final = folder
        self._numbers = itertools.count(1)
        self._version: tuple[int, int] | None = None
        self.label: Final = f"{label}/{secrets.token_hex(8)}"
        configuration = folder / "gitconfig"
        # Other processes may share the folder, and their git reads this at any moment.
        unfinished = folder / f"gitconfig-{secrets.token_hex(8)}"
        unfinished.write_text(_CONFIGURATION)
        unfinished.replace(configuration)
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
        states = [_CONFIGURATION, *(_state_of(path) for path in self._settings)]
        return hashlib.sha256(repr(states).encode()).hexdigest()

    async def run(
        self,
        *arguments: str,
        folder: Path,
        protocols: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
        limit: timedelta = timedelta(minutes=1),
    ) -> str:
        """Run git to its end and return what it printed, the end of it where it is much.

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
        output = _Tail()
        command = self._command(("git", *arguments), folder, protocols, environment, limit)
        if await self._execute(command, output) != 0:
            raise _failed(output)
        return output.text().strip()

    async def capture(
        self,
        *arguments: str,
        folder: Path,
        protocols: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
        limit: timedelta = timedelta(minutes=1),
        most_bytes: int = CAPTURED_BYTES,
        exit_codes: Container[int] = (0,),
    ) -> Captured:
        """Run git, and return the bytes that it prints, without what it complains of.

        Args:
            *arguments: as for `run`; so are `folder`, `protocols`, `environment` and `limit`.
            folder: see there.
            protocols: see there.
            environment: see there.
            limit: see there.
            most_bytes: how much is kept; git ends as soon as it prints more.
            exit_codes: those with which it has not failed.

        Raises:
            SourceRefusedError: as for `run`.
            SourceUnreachableError: as for `run`.
        """
        return await self.capture_script(
            'exec git "$@"',
            arguments,
            folder=folder,
            protocols=protocols,
            environment=environment,
            limit=limit,
            most_bytes=most_bytes,
            exit_codes=exit_codes,
        )

    async def capture_script(
        self,
        script: str,
        arguments: Sequence[str],
        *,
        folder: Path,
        protocols: str = "",
        environment: Mapping[str, str] = MappingProxyType({}),
        limit: timedelta = timedelta(minutes=1),
        most_bytes: int = CAPTURED_BYTES,
        exit_codes: Container[int] = (0,),
    ) -> Captured:
        """Run a script with the environment that git gets, and return the bytes that it prints.

        Args:
            script: for sh; a constant.
            arguments: of the script.
            folder: as for `capture`, and so is the rest.
            protocols: see there.
            environment: see there.
            limit: see there.
            most_bytes: see there.
            exit_codes: see there.

        Raises:
            SourceRefusedError: as for `run`.
            SourceUnreachableError: as for `run`.
        """
        with NamedTemporaryFile(prefix="complaints-", dir=self.folder) as complaints:
            # An executor brings both of a command's streams as one; data must stand alone.
            argv = ("sh", "-c", f'exec 2>"$0"; {script}', complaints.name, *arguments)
            output = _Head(most_bytes)
            command = self._command(argv, folder, protocols, environment, limit)
            try:
                exit_code = await self._execute(command, output)
            except _EnoughError:
                return Captured(output.data, 0, whole=False)
            if exit_code not in exit_codes:
                tail = _Tail()
                await tail.write(complaints.read(_KEPT_BYTES) + b"\n")
                raise _failed(tail)
            return Captured(output.data, exit_code)

    async def attend(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        questions: Path,
        answers: ByteSink,
    ) -> None:
        """Run a git that answers questions, until it ends by itself or the caller is cancelled.

        Args:
            *arguments: as for `run`.
            folder: as for `run`.
            environment: as for `run`.
            questions: what it reads: a named pipe that somebody can write to.
            answers: takes what it prints, without what it complains of.

        Raises:
            SourceUnreachableError: it could not be started.
        """
        argv = ("sh", "-c", 'exec git "$@" <"$0" 2>/dev/null', str(questions), *arguments)
        await self._execute(self._command(argv, folder, "", environment, None), answers)

    async def sweep(self, label: str) -> None:
        """Kill what another git program has left, of which nothing is alive but what it had begun.

        Args:
            label: that one's `label`.
        """
        await self._executor.sweep(f"{label}/")

    async def version(self) -> tuple[int, int]:
        """Tell which version of git this is, the first two numbers of it; asked once.

        Raises:
            SourceUnreachableError: there is no git.
        """
        if self._version is None:
            found = _VERSION.search(await self.run("version", folder=self.folder))
            self._version = (int(found[1]), int(found[2])) if found else (0, 0)
        return self._version

    def _command(
        self,
        argv: tuple[str, ...],
        folder: Path,
        protocols: str,
        environment: Mapping[str, str],
        limit: timedelta | None,
    ) -> Command:
        # Without a ceiling git would look for a repository in the folders above one that is damaged.
        guarded = {"GIT_ALLOW_PROTOCOL": protocols, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
        return Command(
            argv=argv,
            cwd=folder,
            env={**self._environment, **environment, **guarded},
            timeout=limit,
            grace=GRACE,
            label=f"{self.label}/{next(self._numbers)}",
        )

    async def _execute(self, command: Command, output: ByteSink) -> int:
        """Run git to its end and return its exit code; -1 where a signal has ended it."""
        result = await self._executor.execute(command, output, asyncio.Event())
        if not isinstance(result, Exit):
            raise SourceUnreachableError(f"git could not be started: {result.text}")
        if result.ending is Ending.TIMED_OUT:
            seconds = 0 if command.timeout is None else command.timeout.total_seconds()
            raise SourceUnreachableError(f"git did not end within {seconds:g} seconds.")
        return -1 if result.exit_code is None else result.exit_code


def _failed(output: "_Tail") -> SourceError:
    complaint = output.complaint()
    return (SourceRefusedError if _NOT_THERE.search(complaint) else SourceUnreachableError)(complaint)


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


class _EnoughError(Exception):
    """More comes than is kept."""


class _Head:
    """Keeps the beginning of what git prints, and wants no more than that."""

    def __init__(self, most_bytes: int) -> None:
        self._kept = bytearray()
        self._most_bytes = most_bytes

    async def write(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > self._most_bytes:
            raise _EnoughError

    @property
    def data(self) -> bytes:
        return bytes(self._kept[: self._most_bytes])


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
