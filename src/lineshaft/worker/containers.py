"""The containers of tasks: whether one can be had, what is in it, and what stands beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.executor import ByteSink, Container, Login, Mount
from lineshaft.wire.work import BuilderWorkMessage
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.handover import Handover
from lineshaft.worker.layout import HANDOVER, RESULTS, SSH_AGENT, WORKSPACE
from lineshaft.worker.source import Source

KNOWN_HOSTS: Final = PurePosixPath("/etc/ssh/ssh_known_hosts")
"""Where ssh looks for the keys of hosts besides the user's own file (ssh_config(5), GlobalKnownHostsFile)."""


@dataclass(frozen=True, slots=True)
class Containers:
    """How a worker runs tasks in containers.

    Attributes:
        default_image: what tasks run in that name no image; None refuses these.
        known_hosts: the file with the keys of hosts that tasks with ssh may reach; None, or one that is not
            there, leaves them to the image.
    """

    default_image: str | None = None
    known_hosts: Path | None = None

    def refusal(self, lease: LeaseMessage) -> Outcome | None:
        """Say why a task cannot run in a container here; None where it can."""
        if isinstance(lease.work, BuilderWorkMessage):
            text = (
                "A build entry point cannot run in a container: what it tells by OpenTelemetry would not "
                "reach its worker from there. Give it the label `executor:process`, and start a worker with "
                "that executor."
            )
            return Outcome(State.FAILED, Reason(ReasonCode.IMAGE_NOT_SUPPORTED, text))
        if lease.image is None and self.default_image is None:
            text = (
                "The task names no image, and its worker runs tasks in containers alone. Say `image` in the "
                "definition, or start the worker with --default-image."
            )
            return Outcome(State.FAILED, Reason(ReasonCode.IMAGE_MISSING, text))
        return None

    def container(self, lease: LeaseMessage, source: Source) -> Container:
        """Say what the container of a task is to be made of, which has not been refused.

        Args:
            lease: the attempt.
            source: its workspace.
        """
        values = lease.secret_values
        return Container(
            image=lease.image or self.default_image or "",
            source=source.folder,
            pull=lease.pull,
            read_only=lease.read_only,
            cpus=lease.cpus,
            memory_bytes=lease.memory_bytes,
            services=lease.services,
            service_env={
                name: {secret: values[secret] for secret in service.secrets if secret in values}
                for name, service in lease.services.items()
            },
            registries={
                host: Login(access.username, values[access.password])
                for host, access in lease.registries.items()
                if access.password in values
            },
            marks={
                "lineshaft.pipeline": lease.pipeline_name,
                "lineshaft.run": str(lease.address.run_id),
                "lineshaft.node": lease.path,
                "lineshaft.attempt": str(lease.address.attempt),
            },
        )

    def furnished(
        self,
        container: Container,
        source: Source,
        handover: Handover,
        *,
        ssh_agent: Path | None,
        service_logs: Mapping[str, ByteSink],
    ) -> Container:
        """Say besides what the container shows, and where what its services print goes.

        Args:
            container: of a task, as `container` has made it.
            source: its workspace.
            handover: its files.
            ssh_agent: the socket of the agent that it may use; None where it may use none.
            service_logs: what takes the output of the containers beside it, by their names.
        """
        mounts = (*_own(source, handover), *self._ssh(ssh_agent))
        return replace(container, mounts=mounts, service_logs=service_logs)

    def _ssh(self, agent: Path | None) -> tuple[Mount, ...]:
        if agent is None:
            return ()
        shown = Mount(agent, SSH_AGENT, writable=True)
        if self.known_hosts is None or not self.known_hosts.is_file():
            return (shown,)
        return shown, Mount(self.known_hosts, KNOWN_HOSTS)


def _own(source: Source, handover: Handover) -> tuple[Mount, ...]:
    return (
        Mount(source.folder, WORKSPACE, writable=True),
        Mount(handover.folder, HANDOVER, writable=True),
        Mount(handover.results, RESULTS, writable=True),
        # The repository in the workspace names this folder by its path on this machine.
        *(Mount(objects, PurePosixPath(objects)) for objects in source.objects),
    )
