"""Work with files: what an attempt needs is placed before it, and what it leaves is kept behind it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from lineshaft.model.outcome import Outcome
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.worker.drivers.limits import within_limits
from lineshaft.worker.files.keeping import keep_files
from lineshaft.worker.files.restoring import BranchesOf, restore_files


async def with_files(
    assignment: Assignment, folder: Path, branches_of: BranchesOf, work: Callable[[], Awaitable[Outcome]]
) -> Outcome:
    """Do work in a workspace that has what it needs, and keep what its definition says.

    Args:
        assignment: the attempt, whose limits hold.
        folder: its workspace, in which nobody is at work before and behind the work.
        branches_of: tells on which branch its source was found.
        work: does the work.

    Returns:
        How the attempt ends.

    Raises:
        StaleLeaseError: the lease is dead.
    """
    found = await within_limits(assignment, restore_files(assignment, folder, branches_of))
    if isinstance(found, Outcome):
        return found
    return await keep_files(assignment, folder, await work(), found)
