"""Work on its way to a worker."""

from typing import Annotated, Any, Literal, assert_never

from pydantic import Field

from lineshaft.model.work import (
    BuilderWork,
    BuildWork,
    Cluster,
    DeployWork,
    DriverWork,
    ExecWork,
    LeasedWork,
    RunWork,
    SourceBuildWork,
    SourceDeployWork,
)
from lineshaft.wire.message import Message


class RunWorkMessage(Message):
    """See `model.work.RunWork`."""

    kind: Literal["run"] = "run"
    command: str
    shell: str = "sh"

    def to_model(self) -> RunWork:
        """Return what the message says."""
        return RunWork(self.command, self.shell)


class ExecWorkMessage(Message):
    """See `model.work.ExecWork`."""

    kind: Literal["exec"] = "exec"
    arguments: tuple[str, ...]

    def to_model(self) -> ExecWork:
        """Return what the message says."""
        return ExecWork(self.arguments)


class BuilderWorkMessage(Message):
    """See `model.work.BuilderWork`."""

    kind: Literal["builder"] = "builder"
    arguments: tuple[str, ...]

    def to_model(self) -> BuilderWork:
        """Return what the message says."""
        return BuilderWork(self.arguments)


class BuildWorkMessage(Message):
    """See `model.work.BuildWork`."""

    kind: Literal["build"] = "build"
    dockerfile: str
    repository: str
    tag: str

    def to_model(self) -> BuildWork:
        """Return what the message says."""
        return BuildWork(self.dockerfile, self.repository, self.tag)


class SourceBuildWorkMessage(Message):
    """See `model.work.SourceBuildWork`."""

    kind: Literal["source_build"] = "source_build"
    dockerfile: str
    context: str
    repository: str
    tag: str
    tags: tuple[str, ...] = ()
    target: str | None = None
    args: dict[str, str] = Field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    cache: str | None = None
    push: bool = True

    def to_model(self) -> SourceBuildWork:
        """Return what the message says; servers before version 4 name one tag."""
        return SourceBuildWork(
            dockerfile=self.dockerfile,
            context=self.context,
            repository=self.repository,
            tags=self.tags or (self.tag,),
            target=self.target,
            args=self.args,
            secrets=self.secrets,
            cache=self.cache,
            push=self.push,
        )


class DeployWorkMessage(Message):
    """See `model.work.DeployWork`."""

    kind: Literal["deploy"] = "deploy"
    manifest: dict[str, Any]
    cluster: Cluster

    def to_model(self) -> DeployWork:
        """Return what the message says."""
        return DeployWork(self.manifest, self.cluster)


class SourceDeployWorkMessage(Message):
    """See `model.work.SourceDeployWork`."""

    kind: Literal["source_deploy"] = "source_deploy"
    manifests: str
    cluster: Cluster

    def to_model(self) -> SourceDeployWork:
        """Return what the message says."""
        return SourceDeployWork(self.manifests, self.cluster)


class DriverWorkMessage(Message):
    """See `model.work.DriverWork`."""

    kind: Literal["driver"] = "driver"
    driver: str
    inputs: dict[str, Any] = Field(default_factory=dict)

    def to_model(self) -> DriverWork:
        """Return what the message says."""
        return DriverWork(self.driver, self.inputs)


AnyWorkMessage = (
    RunWorkMessage
    | ExecWorkMessage
    | BuilderWorkMessage
    | BuildWorkMessage
    | SourceBuildWorkMessage
    | DeployWorkMessage
    | SourceDeployWorkMessage
    | DriverWorkMessage
)
WorkMessage = Annotated[AnyWorkMessage, Field(discriminator="kind")]


def work_message(work: LeasedWork) -> AnyWorkMessage:  # noqa: PLR0911 - One line a kind of work.
    """Say a piece of work as a message."""
    match work:
        case RunWork(command=command, shell=shell):
            return RunWorkMessage(command=command, shell=shell)
        case ExecWork(arguments=arguments):
            return ExecWorkMessage(arguments=arguments)
        case BuilderWork(arguments=arguments):
            return BuilderWorkMessage(arguments=arguments)
        case BuildWork(dockerfile=dockerfile, repository=repository, tag=tag):
            return BuildWorkMessage(dockerfile=dockerfile, repository=repository, tag=tag)
        case DeployWork(manifest=manifest, cluster=cluster):
            return DeployWorkMessage(manifest=dict(manifest), cluster=cluster)
        case SourceBuildWork():
            return SourceBuildWorkMessage(
                dockerfile=work.dockerfile,
                context=work.context,
                repository=work.repository,
                tag=work.tags[0],
                tags=work.tags,
                target=work.target,
                args=dict(work.args),
                secrets=work.secrets,
                cache=work.cache,
                push=work.push,
            )
        case SourceDeployWork(manifests=manifests, cluster=cluster):
            return SourceDeployWorkMessage(manifests=manifests, cluster=cluster)
        case DriverWork(driver=driver, inputs=inputs):
            return DriverWorkMessage(driver=driver, inputs=dict(inputs))
        case _:
            assert_never(work)
