"""Where a task finds what is its own, by the paths that it sees."""

from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from lineshaft.worker.handover import CHANGESET, MASK, OUTPUT, Handover

WORKSPACE: Final = PurePosixPath("/workspace")
"""Where a container shows the workspace."""

HANDOVER: Final = PurePosixPath("/lineshaft/handover")
"""Where it shows the files by which a task and its worker tell each other something."""

RESULTS: Final = PurePosixPath("/lineshaft/results")
"""Where it shows the folder for results."""

SSH_AGENT: Final = PurePosixPath("/lineshaft/ssh-agent")
"""Where it shows the socket of an ssh agent."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one attempt, as its task sees them.

    Attributes:
        workspace: the folder of its checkout.
        cwd: where in there it begins.
        handover: the folder with the files by which it and the worker tell each other something.
        results: the folder for results.
        ssh_agent: the socket of the ssh agent that it may use; None where it may use none.
    """

    workspace: PurePath
    cwd: PurePath
    handover: PurePath
    results: PurePath
    ssh_agent: PurePath | None = None

    @classmethod
    def of_process(cls, workspace: Path, cwd: Path, handover: Handover, agent: Path | None) -> "Layout":
        """Say where a process finds them: where they are."""
        return cls(workspace, cwd, handover.folder, handover.results, agent)

    @classmethod
    def of_container(cls, workspace: Path, cwd: Path, agent: Path | None) -> "Layout":
        """Say where a container shows them: at the same places on every machine."""
        root = workspace.parent.resolve() / workspace.name
        inside = WORKSPACE if cwd == workspace else WORKSPACE / cwd.relative_to(root)
        return cls(WORKSPACE, inside, HANDOVER, RESULTS, None if agent is None else SSH_AGENT)

    @property
    def changeset(self) -> PurePath:
        """Holds a changed path per line."""
        return self.handover / CHANGESET

    @property
    def output(self) -> PurePath:
        """Takes the task's outputs."""
        return self.handover / OUTPUT

    @property
    def mask(self) -> PurePath:
        """Takes the secrets that the task makes, a line each."""
        return self.handover / MASK
