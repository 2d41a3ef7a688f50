"""The source of an attempt: which commit it is, and its checkout in a workspace."""

import re
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

_FULL_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


async def check_out(assignment: Assignment, mirrors: Mirrors, folder: Path) -> str | Outcome | None:
    """Check the source of an attempt out, within the attempt's limits.

    Args:
        assignment: the attempt.
        mirrors: where sources come from.
        folder: an empty one.

    Returns:
        The commit, None where the pipeline has no repository, or how the attempt ends because there is none.
    """
    if assignment.lease.repository is None:
        return None
    try:
        return await within_limits(assignment, _check_out(assignment, mirrors, folder))
    except SourceError as error:
        return _source_outcome(assignment.lease, error)


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
    """Name what is to be checked out as exactly as it is known."""
    if lease.ref is not None and _FULL_COMMIT.fullmatch(lease.ref):
        return lease.ref
    if lease.branch:
        return f"refs/heads/{lease.branch}"
    return f"refs/tags/{lease.tag}" if lease.tag else lease.ref


def _source_outcome(lease: LeaseMessage, error: SourceError) -> Outcome:
    address = without_credentials(lease.repository or "")
    if isinstance(error, SourceRefusedError):
        text = f"The source {address} cannot be used: {error.message}"
        return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_REFUSED, text))
    text = f"The source {address} cannot be fetched: {error.message}"
    return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_UNREACHABLE, text))
