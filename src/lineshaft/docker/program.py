"""The docker program, which speaks to BuildKit: found, and called with nothing but what one build needs."""

import asyncio
import json
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.login import RegistryLogin
from lineshaft.docker.logins import program_configuration
from lineshaft.docker.recipe import Workshop
from lineshaft.ports.executor import Broken, ByteSink, Command, Exit, NotStarted

_GRACE: Final = timedelta(seconds=2)
_TRIAL: Final = timedelta(seconds=20)
_KEPT_BYTES: Final = 64 * 1024
_INHERITED: Final = ("PATH", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
                     "SSL_CERT_FILE", "SSL_CERT_DIR")  # fmt: skip


class Tail:
    """Hands on what a program prints, and keeps the end of it."""

    def __init__(self, sink: ByteSink | None = None) -> None:
        """Hand on to `sink`; None drops it."""
        self._sink = sink
        self._parts: deque[bytes] = deque()
        self._size = 0

    async def write(self, data: bytes) -> None:
        """Take the next bytes; see `ports.executor.ByteSink`."""
        self._parts.append(data)
        self._size += len(data)
        while self._size - len(self._parts[0]) >= _KEPT_BYTES:
            self._size -= len(self._parts.popleft())
        if self._sink is not None:
            await self._sink.write(data)

    def text(self) -> str:
        """Return the last 64 KiB."""
        return b"".join(self._parts)[-_KEPT_BYTES:].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class DockerProgram:
    """The docker program in a folder of its own, which is its configuration, too.

    Attributes:
        path: where it is.
        folder: of this build alone.
        workshop: where it runs.
        environment: all of its environment.
    """

    path: Path
    folder: Path
    workshop: Workshop
    environment: Mapping[str, str]

    async def run(
        self,
        arguments: Sequence[str],
        output: ByteSink,
        secret: Mapping[str, str] | None = None,
        limit: timedelta | None = None,
    ) -> Exit | NotStarted:
        """Run it to its end; it is killed with all that it has started when the caller is cancelled.

        Args:
            arguments: of the program.
            output: takes what it prints.
            secret: added to its environment, where no other user can see it.
            limit: how long it may take.
        """
        command = Command(
            argv=(str(self.path), *arguments),
            cwd=self.folder,
            env={**self.environment, **(secret or {})},
            timeout=limit,
            grace=_GRACE,
            label=f"{self.workshop.label}/docker",
        )
        result = await self.workshop.executor.execute(command, output, asyncio.Event())
        if isinstance(result, Broken):
            return NotStarted(result.text, result.code, ours=True)
        return result


@asynccontextmanager
async def buildkit_program(
    access: DockerAccess, workshop: Workshop | None, logins: Mapping[str, RegistryLogin]
) -> AsyncIterator[DockerProgram | str]:
    """Find a docker program that can speak to BuildKit, and make its folder, which is removed at the end.

    The program is one of version 23 and newer with its buildx plugin, or an older one that has BuildKit
    built in (https://docs.docker.com/build/buildkit/#getting-started). Of several on the PATH the first that
    can is taken.

    Args:
        access: where the engine is.
        workshop: where it may be called; None where it may not.
        logins: all the credentials that it has.

    Yields:
        The program, or why there is none.
    """
    if not access.buildkit:
        yield "DOCKER_BUILDKIT=0 says so"
        return
    if workshop is None:
        yield "no programs are called here"
        return
    if access.address.startswith("https://") and access.tls_folder is None:
        yield "the docker program speaks TLS only with certificates of its own"
        return
    with tempfile.TemporaryDirectory(
        prefix="docker-", dir=workshop.folder, ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        _configure(folder, access, logins)
        environment = _environment(folder, access)
        for path in _candidates(environment["PATH"]):
            program = DockerProgram(path, folder, workshop, environment)
            if await _can_build(program):
                yield program
                return
        yield "there is no docker program with BuildKit, such as docker with its plugin buildx, on the PATH"


async def _can_build(program: DockerProgram) -> bool:
    """Ask for help, which tells of secrets only where BuildKit would do the work."""
    said = Tail()
    ended = await program.run(("build", "--help"), said, limit=_TRIAL)
    return isinstance(ended, Exit) and ended.exit_code == 0 and "--secret" in said.text()


def _candidates(search_path: str) -> list[Path]:
    found = (Path(folder, "docker") for folder in search_path.split(os.pathsep) if folder)
    return list(dict.fromkeys(path for path in found if path.is_absolute() and os.access(path, os.X_OK)))


def _configure(folder: Path, access: DockerAccess, logins: Mapping[str, RegistryLogin]) -> None:
    plugins = access.config_folder / "cli-plugins"
    document = {"auths": program_configuration(logins), "cliPluginsExtraDirs": [str(plugins)]}
    file = folder / "config.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(document))


def _environment(folder: Path, access: DockerAccess) -> dict[str, str]:
    inherited = {name: value for name in _INHERITED if (value := os.environ.get(name)) is not None}
    scheme, _, rest = access.address.partition("://")
    address = access.address if scheme == "unix" else f"tcp://{rest.rstrip('/')}"
    tls = (
        {}
        if access.tls_folder is None
        else {
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(access.tls_folder),
        }
    )
    return {
        "PATH": os.defpath,
        **inherited,
        **tls,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "DOCKER_CONFIG": str(folder),
        "DOCKER_HOST": address,
        "DOCKER_BUILDKIT": "1",
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
    }
