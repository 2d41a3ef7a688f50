"""A folder to build images from, with one of the two builders of a real engine."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from integration.output import Output
from lineshaft.docker import (
    Built,
    Destination,
    DockerAccess,
    Recipe,
    SourceFiles,
    Trouble,
    Workshop,
    build_and_push,
)
from lineshaft.executors.process import ProcessExecutor
from lineshaft.ports.executor import Login

CLASSIC, BUILDKIT = "classic", "buildkit"


@dataclass
class Site:
    """Builds images of what is in a folder.

    Attributes:
        folder: what they are built from.
        access: where the engine is.
        workshop: where programs are called; None for the classic builder.
        output: what the builders have printed.
    """

    folder: Path
    access: DockerAccess
    workshop: Workshop | None
    output: Output = field(default_factory=Output)

    async def build(
        self,
        dockerfile: str,
        repository: str,
        *tags: str,
        push: bool = True,
        registries: Mapping[str, Login] | None = None,
        **facts: Any,
    ) -> Built | Trouble:
        """Build an image of a Dockerfile; what is said of the recipe besides is in `facts`."""
        (self.folder / "Dockerfile").write_text(dockerfile)
        return await build_and_push(
            Recipe(SourceFiles(self.folder / "Dockerfile", self.folder), **facts),
            Destination(repository, tags or ("v1",), push=push),
            access=self.access,
            workshop=self.workshop,
            sink=self.output,
            registries=registries or {},
        )


def site_in(folder: Path, address: str, builder: str) -> Site:
    """Make a site below a folder; skips the test where there is no program for BuildKit."""
    (folder / "context").mkdir()
    (folder / "workshop").mkdir(mode=0o700)
    workshop = None
    if builder == BUILDKIT:
        need_program()
        label = f"test{folder}/build".replace(" ", "_")
        workshop = Workshop(ProcessExecutor(), folder / "workshop", label)
    return Site(folder / "context", DockerAccess(address, folder / "no-configuration"), workshop)


def need_program() -> None:
    """Skip the test where no docker program speaks to BuildKit."""
    for folder in os.environ["PATH"].split(os.pathsep):
        program = Path(folder, "docker")
        if not os.access(program, os.X_OK):
            continue
        said = subprocess.run(
            [program, "build", "--help"],
            env={**os.environ, "DOCKER_BUILDKIT": "1"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        if said.returncode == 0 and b"--secret" in said.stdout:
            return
    pytest.skip("no docker program speaks to BuildKit; Debian has one in the package docker.io")
