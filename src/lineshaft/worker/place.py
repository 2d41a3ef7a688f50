"""The place of an attempt: its workspace and files, and what a worker puts around a task that runs there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.executors.label import attempt_label
from lineshaft.model.image import ImageBuild
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import Container
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.confined import OutsideError, confined
from lineshaft.worker.containers import Containers
from lineshaft.worker.environment import inheritable, task_environment
from lineshaft.worker.handover import Handover
from lineshaft.worker.layout import Layout
from lineshaft.worker.service_logs import ServiceLogs
from lineshaft.worker.source import Source
from lineshaft.worker.ssh import NoAgentError, SshAgents, refused, why_too_long
from lineshaft.worker.workspace import Workspaces

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Place:
    """Where one attempt runs.

    Attributes:
        source: its workspace.
        handover: its files.
        layout: where its task finds all that.
        environment: all of the task's environment, but for what an image adds.
        service_logs: the output of the services beside it.
        container: what it runs in; None where that is this machine itself.
        ssh_agent: the socket of the ssh agent that it may use, on this machine; None where it may use none.
    """

    source: Source
    handover: Handover
    layout: Layout
    environment: Mapping[str, str]
    service_logs: ServiceLogs
    container: Container | None = None
    ssh_agent: Path | None = None

    @property
    def writable(self) -> tuple[Path, ...]:
        """The folders that are its own."""
        return self.source.folder, self.handover.folder, self.handover.results

    @property
    def readable(self) -> tuple[Path, ...]:
        """The folders that it reads besides."""
        return (
            self.source.objects if self.ssh_agent is None else (*self.source.objects, self.ssh_agent.parent)
        )


class Places:
    """Makes the places of attempts, on this machine as it is or in containers."""

    def __init__(
        self,
        folders: Workspaces,
        ssh: SshAgents,
        environment: Mapping[str, str],
        *,
        label_prefix: str,
        containers: Containers | None = None,
        ignore_images: bool = False,
    ) -> None:
        """Prepare to make places.

        Args:
            folders: lends the folders for what is not in a workspace.
            ssh: gives ssh agents to tasks that ask for one.
            environment: what tasks inherit, but for what is the worker's alone; nothing in a container.
            label_prefix: of the labels of this worker's processes.
            containers: in what tasks run; None where they run as plain processes.
            ignore_images: whether tasks that ask for an image or for services run as processes without them.
        """
        self._folders = folders
        self._ssh = ssh
        self._environment = inheritable(environment)
        self._label_prefix = label_prefix
        self._containers = containers
        self._ignore_images = ignore_images

    def label(self, lease: LeaseMessage) -> str:
        """Make the label of an attempt's processes."""
        return attempt_label(self._label_prefix, lease.address)

    def refusal(self, lease: LeaseMessage) -> Outcome | None:
        """Say why this worker cannot run a task; None where it can."""
        if self._containers is not None:
            return self._containers.refusal(lease)
        wants_containers = lease.image is not None or lease.services
        return _no_images(lease) if wants_containers and not self._ignore_images else None

    def container(self, lease: LeaseMessage, source: Source) -> Container | None:
        """Say what the container of a task is to be made of; None where it runs on this machine itself.

        Args:
            lease: the attempt, which has not been refused.
            source: its workspace.
        """
        return None if self._containers is None else self._containers.container(lease, source)

    @asynccontextmanager
    async def place(
        self, assignment: Assignment, source: Source, container: Container | None
    ) -> AsyncIterator[Place | Outcome]:
        """Make a place for an attempt, as long as it lasts.

        Args:
            assignment: the attempt, which has not been refused.
            source: its workspace.
            container: what `container` has said, with the images that have been built since then.

        Yields:
            It, or how the attempt ends because it cannot be made.
        """
        lease = assignment.lease
        try:
            cwd = confined(source.folder, lease.cwd)
        except OutsideError as error:
            yield _folder_refused(lease.cwd, str(error))
            return
        if not cwd.is_dir():
            yield _folder_refused(lease.cwd, "is no folder")
            return
        async with self._handover(assignment) as handover, self._service_logs(assignment) as logs:
            try:
                async with self._agent(lease) as agent:
                    around = (handover, logs, agent)
                    yield self._place(lease, source, cwd, around, container)
            except NoAgentError as error:
                yield refused(error)

    def _place(
        self,
        lease: LeaseMessage,
        source: Source,
        cwd: Path,
        around: tuple[Handover, ServiceLogs, Path | None],
        container: Container | None,
    ) -> Place:
        handover, logs, agent = around
        inherited = self._environment
        layout = Layout.of_process(source.folder, cwd, handover, agent)
        if self._containers is not None and container is not None:
            container = self._containers.furnished(
                container, source, handover, ssh_agent=agent, service_logs=logs.sinks
            )
            layout, inherited = Layout.of_container(source.folder, cwd, agent), {}
        environment = task_environment(inherited, lease, layout, commit=source.commit)
        return Place(source, handover, layout, environment, logs, container, agent)

    @asynccontextmanager
    async def _handover(self, assignment: Assignment) -> AsyncIterator[Handover]:
        handover = Handover(self._folders.lend(), self._folders.lend())
        try:
            handover.fill(assignment.lease.changeset)
            async with assignment.masking.reading(handover.mask):
                yield handover
        finally:
            handover.clear()
            await self._folders.take_back(handover.folder)
            await self._folders.take_back(handover.results)

    @asynccontextmanager
    async def _service_logs(self, assignment: Assignment) -> AsyncIterator[ServiceLogs]:
        services = assignment.lease.services if self._containers is not None else ()
        if not services:
            yield ServiceLogs.none()
            return
        folder = self._folders.lend()
        logs = ServiceLogs(folder, services, assignment.masking)
        try:
            yield logs
        finally:
            logs.remove()
            await self._folders.take_back(folder)

    @asynccontextmanager
    async def _agent(self, lease: LeaseMessage) -> AsyncIterator[Path | None]:
        if lease.ssh is None:
            yield None
            return
        folder = self._folders.lend()
        try:
            async with self._ssh.agent(
                lease.ssh, lease.secret_values, folder, f"{self.label(lease)}/ssh"
            ) as agent:
                if self._containers is None and (why := why_too_long(agent)) is not None:
                    raise NoAgentError(why)
                yield agent
        finally:
            await self._folders.take_back(folder)


def _no_images(lease: LeaseMessage) -> Outcome:
    match lease.image:
        case None:
            what = "services beside it"
        case ImageBuild(dockerfile=dockerfile):
            what = f"an image built from '{dockerfile}'"
        case name:
            what = f"the image '{name}'"
    text = (
        f"The task wants {what}, and this worker runs tasks as plain processes. Take that out of the "
        "definition, or start the worker with --executor docker, or with --ignore-images to run such tasks "
        "without."
    )
    return Outcome(State.FAILED, Reason(ReasonCode.IMAGE_NOT_SUPPORTED, text))


def _folder_refused(folder: str, cause: str) -> Outcome:
    text = f"The task cannot run in the folder {folder[:_SHOWN]!r}, which {cause}."
    return Outcome(State.FAILED, Reason(ReasonCode.FOLDER_REFUSED, text))
