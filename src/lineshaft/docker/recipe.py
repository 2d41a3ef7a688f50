"""What an image is built of."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lineshaft.ports.executor import Executor


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """What of the source an image is built from; real paths, at which nothing else is at work.

    Attributes:
        dockerfile: the Dockerfile, within the context or outside of it.
        context: the folder that the build may use.
    """

    dockerfile: Path
    context: Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """One image to build.

    Attributes:
        files: what it is built from.
        target: the stage to stop at; None builds the last.
        args: the build's arguments by name.
        labels: what the image says of itself.
        secrets: what its instructions may mount, by id; only BuildKit can.
        ssh: the socket of an ssh agent that they may mount, under the id `default`; only BuildKit can.
        cache: a repository without a tag through which engines share the layers of the last stage; None
            keeps them on the engine that built them.
        origin: tells the caches of one repository apart, such as the Dockerfile's path in the source.
    """

    files: SourceFiles
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    ssh: Path | None = None
    cache: str | None = None
    origin: str = ""

    @property
    def needs_buildkit(self) -> bool:
        """Whether only BuildKit can build it."""
        return bool(self.secrets) or self.ssh is not None

    def cache_tag(self, builder: str) -> str:
        """Name the tag of the cache in its repository: one for each stage of each Dockerfile.

        Args:
            builder: which one builds, since no builder can use what another has written.
        """
        named = f"{self.origin}\n{self.target or ''}"
        return f"{builder}-{hashlib.sha256(named.encode(errors='surrogateescape')).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a build may call programs; see `docker.program`.

    Attributes:
        executor: runs them as plain processes of this machine, and sees to it that nothing of them survives.
        folder: of the caller's own and for nobody else to read; what a build writes there is gone behind it.
        label: names the build among all that the executor runs at the time; see `ports.executor.Command`.
    """

    executor: Executor
    folder: Path
    label: str
