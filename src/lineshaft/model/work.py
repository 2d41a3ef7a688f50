"""What a task asks of a driver: one frozen type a kind of work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, assert_never

MOST_TAGS: Final = 20
"""How many tags an image may be pushed under."""

BUILD_OUTPUTS: Final = ("digest", "image")
"""What a node with a `build` gives to later nodes: the digest of what was pushed, and its name with that."""


class WorkKind(StrEnum):
    """The kinds of work that Lineshaft brings with it.

    Each but `pipeline`, which the server does itself, is also the name of the driver that serves it. Drivers
    that others write have other names, which are kinds of work as well.
    """

    RUN = "run"
    BUILD = "build"
    DEPLOY = "deploy"
    PIPELINE = "pipeline"


@dataclass(frozen=True, slots=True)
class RunWork:
    """A script for a shell in a workspace.

    Attributes:
        command: the script.
        shell: the program that is to run it, looked for on the worker's path.
    """

    command: str
    shell: str = "sh"


@dataclass(frozen=True, slots=True)
class ExecWork:
    """A program to run in a workspace, without a shell.

    Attributes:
        arguments: the program and its arguments.
    """

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BuilderWork:
    """A build entry point: a program that tells of its own spans and log lines by OpenTelemetry.

    Attributes:
        arguments: the program and its own arguments, before the ones that every entry point receives.
    """

    arguments: tuple[str, ...]


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
class SourceBuildWork:
    """An image to build from a Dockerfile in the source, and to push.

    Attributes:
        dockerfile: the Dockerfile's path in the workspace.
        context: the path of the folder that the build may use.
        repository: the image repository without a tag, `host[:port]/name`.
        tags: the tags to push, one at least.
        target: the stage to stop at; None builds the last.
        args: the build's arguments by name.
        secrets: the names of secrets that the Dockerfile's instructions may mount, by these as the ids.
        cache: a repository without a tag through which machines share the layers; None keeps them on the
            machine that built them.
        push: whether it is pushed, or only built.
    """

    dockerfile: str
    context: str
    repository: str
    tags: tuple[str, ...]
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    cache: str | None = None
    push: bool = True


@dataclass(frozen=True, slots=True)
class Cluster:
    """A Kubernetes cluster as a definition names it.

    Attributes:
        name: the cluster's name, also looked for in the worker's kubeconfig.
        server_url: the API server's address, `https://host[:port]`; empty where the kubeconfig knows it.
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


@dataclass(frozen=True, slots=True)
class SourceDeployWork:
    """Manifests in the source to apply, and their rollouts to wait for.

    Attributes:
        manifests: the path of a file, or of a folder whose YAML and JSON files are applied by name.
        cluster: where they go.
    """

    manifests: str
    cluster: Cluster


@dataclass(frozen=True, slots=True)
class PipelineWork:
    """Another pipeline to run, as a run of its own.

    Attributes:
        pipeline: its name.
        inputs: what it is given, by name.
    """

    pipeline: str
    inputs: Mapping[str, "str | bool | int | float"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriverWork:
    """A task for a driver that somebody has written.

    Attributes:
        driver: its name.
        inputs: what it is given, JSON by name.
    """

    driver: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


LeasedWork = (
    RunWork
    | ExecWork
    | BuilderWork
    | BuildWork
    | SourceBuildWork
    | DeployWork
    | SourceDeployWork
    | DriverWork
)
"""What is leased: to a worker, or to a driver."""

Work = LeasedWork | PipelineWork


def kind_of(work: Work) -> str:
    """Name the kind of a piece of work: a `WorkKind`, or the name of the driver that somebody has written."""
    match work:
        case DriverWork(driver=driver):
            return driver
        case RunWork() | ExecWork() | BuilderWork():
            return WorkKind.RUN
        case BuildWork() | SourceBuildWork():
            return WorkKind.BUILD
        case DeployWork() | SourceDeployWork():
            return WorkKind.DEPLOY
        case PipelineWork():
            return WorkKind.PIPELINE
        case _:
            assert_never(work)


def may_begin_twice(work: Work) -> bool:
    """Whether a task with this work is tried again by itself when its worker is lost.

    A deploy changes the world outside, so it never begins a second time on its own.
    """
    return not isinstance(work, DeployWork | SourceDeployWork)
