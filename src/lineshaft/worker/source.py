"""The source of an attempt: which commit it is, and its checkout in a workspace."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.integrations.git.mirror import Mirrors
from lineshaft.model.errors import SourceError, SourceRefusedError
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.driver import Assignment
from lineshaft.worker.drivers.limits import within_limits
from lineshaft.worker.workspace import Workspaces

_FULL_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A workspace with the source in it.

    Attributes:
        folder: the workspace.
        commit: what is checked out; None where the pipeline has no repository, and the folder is empty.
    """

    folder: Path
    commit: str | None


class Sources:
    """Lends workspaces with checkouts in them."""

    def __init__(self, workspaces: Workspaces, mirrors: Mirrors) -> None:
        """Check out into workspaces.

        Args:
            workspaces: lends the folders.
            mirrors: where sources come from.
        """
        self._workspaces = workspaces
        self._mirrors = mirrors

    @asynccontextmanager
    async def checked_out(self, assignment: Assignment) -> AsyncIterator[Source | Outcome]:
        """Check the source of an attempt out, within its limits; the folder is taken back at the end.

        Yields:
            Where it is, or how the attempt ends because there is none.
        """
        folder = self._workspaces.lend()
        try:
            yield await self._check_out(assignment, folder)
        finally:
            await self._workspaces.take_back(folder)

    async def _check_out(self, assignment: Assignment, folder: Path) -> Source | Outcome:
        if assignment.lease.repository is None:
            return Source(folder, None)
        try:
            commit = await within_limits(assignment, _check_out(assignment, self._mirrors, folder))
        except SourceError as error:
            return _source_outcome(assignment.lease, error)
        return commit if isinstance(commit, Outcome) else Source(folder, commit)


async def _check_out(assignment: Assignment, mirrors: Mirrors, folder: Path) -> str:
    lease = assignment.lease
    mirror = mirrors.of(lease.repository or "")
    commit = lease.commit
    if commit is None:
        found = await mirror.resolve(lease.address.run_id, _wanted_ref(lease))
        commit = await assignment.resolve_source(found)
    await mirror.ensure(commit)
    await mirror.checkout(commit, folder)
    return commit


def _wanted_ref(lease: LeaseMessage) -> str | None:
    """Name what is to be checked out as exactly as it is known.

    What was asked for goes before the branch: a plain name counts as one until the repository says that it is
    a tag, or the beginning of a commit's id.
    """
    if lease.ref is not None and (_FULL_COMMIT.fullmatch(lease.ref) or not lease.tag):
        return lease.ref
    if lease.tag:
        return f"refs/tags/{lease.tag}"
    return f"refs/heads/{lease.branch}" if lease.branch else None


def _source_outcome(lease: LeaseMessage, error: SourceError) -> Outcome:
    address = without_credentials(lease.repository or "")
    if isinstance(error, SourceRefusedError):
        text = f"The source {address} cannot be used: {error.message}"
        return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_REFUSED, text))
    text = f"The source {address} cannot be fetched: {error.message}"
    return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_UNREACHABLE, text))
