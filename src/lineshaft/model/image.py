"""The images that containers are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PullPolicy(StrEnum):
    """When an image is fetched from its registry."""

    MISSING = "missing"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ImageBuild:
    """An image to run in, built from the run's own source.

    Attributes:
        dockerfile: the Dockerfile's path in the workspace.
        context: the path of the folder that the build may use.
        target: the stage to stop at; None builds the last.
        args: the build's arguments by name.
        cache: a repository without a tag, `host[:port]/name`, through which machines share the layers; None
            keeps them on the machine that built them.
    """

    dockerfile: str
    context: str
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    cache: str | None = None


Image = str | ImageBuild
"""What a container is made of: an image's name as docker writes it, or how one is built."""


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """With what a registry is asked for images, and given them.

    Attributes:
        username: the user's name there.
        password: the name of the secret that holds the password or token.
    """

    username: str
    password: str
