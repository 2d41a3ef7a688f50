"""What a task asks of a driver: one frozen type a kind of work."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never


class WorkKind(StrEnum):
    """The kinds of work with a built-in driver; each is also that driver's name."""

    RUN = "run"
    BUILD = "build"
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True)
class RunWork:
    """A command for a shell in a workspace.

    Attributes:
        command: the text that `sh -c` receives.
    """

    command: str


@dataclass(frozen=True, slots=True)
class BuildWork:
    """An image to build and to push.

    Attributes:
        dockerfile: the text of the Dockerfile.
        repository: the image repository without a tag, `host[:port]/name`.
        tag: the tag to push.
    """

    dockerfile: str
    repository: str
    tag: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kubernetes cluster as a definition names it.

    Attributes:
        name: the cluster's name, also looked for in the worker's kubeconfig.
        server_url: the API server's address, `https://host[:port]`.
        namespace: where the manifest is applied.
    """

    name: str
    server_url: str
    namespace: str


@dataclass(frozen=True, slots=True)
class DeployWork:
    """A manifest to apply, and a rollout to wait for.

    Attributes:
        manifest: one Kubernetes object as JSON.
        cluster: where it goes.
    """

    manifest: Mapping[str, Any]
    cluster: Cluster


Work = RunWork | BuildWork | DeployWork


def kind_of(work: Work) -> WorkKind:
    """Name the kind of a piece of work."""
    match work:
        case RunWork():
            return WorkKind.RUN
        case BuildWork():
            return WorkKind.BUILD
        case DeployWork():
            return WorkKind.DEPLOY
        case _:
            assert_never(work)


def may_begin_twice(work: Work) -> bool:
    """Whether a task with this work is tried again by itself when its worker is lost.

    A deploy changes the world outside, so it never begins a second time on its own.
    """
    return not isinstance(work, DeployWork)
