"""Images that are built for tasks to run in: recognised by what they are built of, and kept for a while."""

import hashlib
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lineshaft.docker.context import pack
from lineshaft.docker.failure import engine_errors
from lineshaft.docker.ignore import BadIgnoreError, read_ignore
from lineshaft.docker.recipe import Recipe, SourceFiles
from lineshaft.model.image import ImageBuild
from lineshaft.model.reason import ReasonCode
from lineshaft.ports.executor import NotStarted
from lineshaft.telemetry.cause import cause_of

if TYPE_CHECKING:
    from aiodocker import Docker

REPOSITORY: Final = "lineshaft-built"
"""The name, without a tag, of all images that are built for tasks to run in."""

LABEL: Final = "lineshaft.image"
"""The label that they carry, also those that have lost their tag."""

KEPT_UNUSED: Final = timedelta(days=7)
"""How long an image stays that no task uses."""

_BUILT: Final = "built"
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """An image to build.

    Attributes:
        build: what the definition says.
        files: what it is built from.
        tag: names what it is built of: the same for the same files, arguments and target.
    """

    build: ImageBuild
    files: SourceFiles
    tag: str

    @property
    def name(self) -> str:
        """The image's name on its engine; it goes to no registry."""
        return f"{REPOSITORY}:{self.tag}"

    def recipe(self, marks: Mapping[str, str]) -> Recipe:
        """Say how it is built.

        Args:
            marks: what it carries as labels of whoever has it built first.
        """
        return Recipe(
            files=self.files,
            target=self.build.target,
            args=self.build.args,
            labels={**marks, LABEL: _BUILT},
            cache=self.build.cache,
            origin=self.build.dockerfile,
        )


def plan(build: ImageBuild, source: Path) -> Plan | NotStarted:
    """Find the files of a build, and what they are; reads all of them.

    Args:
        build: what the definition says.
        source: the workspace, out of which no path leads, and in which nothing else is at work.
    """
    try:
        files = SourceFiles(
            dockerfile=_confined(source, build.dockerfile), context=_confined(source, build.context)
        )
        if not files.dockerfile.is_file():
            return _failed(f"{build.dockerfile} is no file")
        if not files.context.is_dir():
            return _failed(f"{build.context} is no folder")
        return Plan(build, files, fingerprint(build, files))
    except BadIgnoreError as error:
        return _failed(str(error).removesuffix("."))
    except _OutsideError as error:
        return _failed(str(error))
    except OSError as error:
        return _failed(f"its files cannot be read ({cause_of(error)})")


def fingerprint(build: ImageBuild, files: SourceFiles) -> str:
    """Tell builds apart by what they are made of, but not by the times and the owners of their files.

    Args:
        build: what the definition says.
        files: what it is built from.

    Raises:
        BadIgnoreError: its `.dockerignore` cannot be used.
        OSError: a file cannot be read.
    """
    known = hashlib.sha256()

    def add(*facts: object) -> None:
        known.update(json.dumps(facts).encode() + b"\n")

    add(1, build.target, sorted(build.args.items()), hash_of(files.dockerfile))
    packed = pack(files.context, files.dockerfile, read_ignore(files.dockerfile, files.context))
    for entry in packed.entries():
        if entry is packed.beside:
            continue
        mode = entry.path.lstat().st_mode
        if stat.S_ISLNK(mode):
            add(entry.name, "link", str(entry.path.readlink()))
        elif stat.S_ISREG(mode):
            add(entry.name, stat.S_IMODE(mode), hash_of(entry.path))
        elif stat.S_ISDIR(mode):
            add(entry.name, stat.S_IMODE(mode))
    return known.hexdigest()[:40]


def hash_of(path: Path) -> str:
    """Hash a file's content."""
    known = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_PIECE_BYTES):
            known.update(data)
    return known.hexdigest()


async def mark_as_used(docker: "Docker", image: str, tag: str) -> None:
    """Remember that an image is used now. An engine keeps the time at which a tag was given last."""
    await docker.images.tag(image, REPOSITORY, tag=tag)


async def remove_unused(docker: "Docker", before: datetime, repository: str = REPOSITORY) -> int:
    """Remove images that were built for tasks and that none has used for a while, and those without a tag.

    What a container is made of stays. An engine that fails keeps what it has.

    Args:
        docker: the engine.
        before: when an image was used last that goes; aware.
        repository: their name without a tag.

    Returns:
        How many tags were removed.
    """
    removed = 0
    try:
        images = await docker.images.list(filters={"reference": [repository]})
        for name in [name for image in images for name in image.get("RepoTags") or []]:
            removed += name.startswith(f"{repository}:") and await _remove_if_unused(docker, name, before)
        # An image that was made a moment ago may be on its way to its tag.
        filters = {"dangling": ["true"], "label": [f"{LABEL}={_BUILT}"], "until": ["1h"]}
        await docker._query_json("images/prune", "POST", params={"filters": json.dumps(filters)})  # noqa: SLF001
    except engine_errors():
        return removed
    return removed


async def _remove_if_unused(docker: "Docker", name: str, before: datetime) -> bool:
    try:
        if _last_used(await docker.images.inspect(name)) >= before:
            return False
        await docker.images.delete(name)
    except engine_errors():
        # A container is made of it, or another worker was here first.
        return False
    return True


def _last_used(image: Mapping[str, Any]) -> datetime:
    created = datetime.fromisoformat(image["Created"])
    tagged = (image.get("Metadata") or {}).get("LastTagTime")
    return max(created, datetime.fromisoformat(tagged)) if tagged else created


class _OutsideError(Exception):
    """A path leads out of the workspace, or to nothing."""


def _confined(source: Path, path: str) -> Path:
    """Follow a path with all links in it, to a place in the workspace."""
    root = source.resolve(strict=True)
    try:
        real = (root / path).resolve(strict=True)
    except FileNotFoundError:
        raise _OutsideError(f"{path} is not there") from None
    except (RuntimeError, ValueError) as error:
        raise _OutsideError(f"{path} cannot be followed ({error})") from error
    if not real.is_relative_to(root):
        raise _OutsideError(f"{path} leads out of the workspace")
    return real


def _failed(cause: str) -> NotStarted:
    return NotStarted(f"The image could not be built: {cause}.", ReasonCode.IMAGE_BUILD_FAILED)
