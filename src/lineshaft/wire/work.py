"""Work on its way to a worker."""

from typing import Annotated, Any, Literal, assert_never

from pydantic import Field

from lineshaft.model.work import BuildWork, Cluster, DeployWork, RunWork, Work
from lineshaft.wire.message import Message


class RunWorkMessage(Message):
    """See `model.work.RunWork`."""

    kind: Literal["run"] = "run"
    command: str

    def to_model(self) -> RunWork:
        """Return what the message says."""
        return RunWork(self.command)


class BuildWorkMessage(Message):
    """See `model.work.BuildWork`."""

    kind: Literal["build"] = "build"
    dockerfile: str
    repository: str
    tag: str

    def to_model(self) -> BuildWork:
        """Return what the message says."""
        return BuildWork(self.dockerfile, self.repository, self.tag)


class DeployWorkMessage(Message):
    """See `model.work.DeployWork`."""

    kind: Literal["deploy"] = "deploy"
    manifest: dict[str, Any]
    cluster: Cluster

    def to_model(self) -> DeployWork:
        """Return what the message says."""
        return DeployWork(self.manifest, self.cluster)


WorkMessage = Annotated[RunWorkMessage | BuildWorkMessage | DeployWorkMessage, Field(discriminator="kind")]


def work_message(work: Work) -> RunWorkMessage | BuildWorkMessage | DeployWorkMessage:
    """Say a piece of work as a message."""
    match work:
        case RunWork(command=command):
            return RunWorkMessage(command=command)
        case BuildWork(dockerfile=dockerfile, repository=repository, tag=tag):
            return BuildWorkMessage(dockerfile=dockerfile, repository=repository, tag=tag)
        case DeployWork(manifest=manifest, cluster=cluster):
            return DeployWorkMessage(manifest=dict(manifest), cluster=cluster)
        case _:
            assert_never(work)
