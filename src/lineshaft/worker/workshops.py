"""What builds of images are lent: a folder and a label for programs, and an ssh agent."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path

from lineshaft.docker import Workshop
from lineshaft.executors.label import attempt_label
from lineshaft.ports.executor import Executor
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.ssh import NoAgentError, SshAgents, why_too_long
from lineshaft.worker.workspace import Workspaces


class Workshops:
    """Lends what the docker program needs to run for one attempt."""

    def __init__(
        self, executor: Executor, folders: Workspaces, label_prefix: str, ssh: SshAgents | None = None
    ) -> None:
        """Prepare to lend.

        Args:
            executor: runs programs as plain processes.
            folders: lends folders that no task sees.
            label_prefix: of the labels of this worker's processes.
            ssh: gives ssh agents to builds that ask for one; None gives none.
        """
        self._executor = executor
        self._folders = folders
        self._label_prefix = label_prefix
        self._ssh = ssh
        self._numbers = count(1)

    def lent(self, lease: LeaseMessage) -> AbstractAsyncContextManager[Workshop]:
        """Lend to one attempt, and clear up behind it."""
        return self._lend(attempt_label(self._label_prefix, lease.address))

    def for_images(self) -> AbstractAsyncContextManager[Workshop]:
        """Lend to the build of an image that tasks run in, and clear up behind it."""
        return self._lend(f"{self._label_prefix}image/{next(self._numbers)}")

    @asynccontextmanager
    async def _lend(self, label: str) -> AsyncIterator[Workshop]:
        folder = self._folders.lend()
        try:
            yield Workshop(self._executor, folder, label)
        finally:
            await self._folders.take_back(folder)

    @asynccontextmanager
    async def agent(self, lease: LeaseMessage) -> AsyncIterator[Path | None]:
        """Have the ssh agent that an attempt asks for, as long as it lasts.

        Yields:
            The agent's socket; None where it asks for none.

        Raises:
            NoAgentError: there can be none.
        """
        if lease.ssh is None or self._ssh is None:
            yield None
            return
        folder = self._folders.lend()
        label = f"{attempt_label(self._label_prefix, lease.address)}/ssh"
        try:
            async with self._ssh.agent(lease.ssh, lease.secret_values, folder, label) as socket:
                if (why := why_too_long(socket)) is not None:
                    raise NoAgentError(why)
                yield socket
        finally:
            await self._folders.take_back(folder)
