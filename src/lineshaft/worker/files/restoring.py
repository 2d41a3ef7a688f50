"""Before a task: the artifacts that it needs, and its caches, come into its workspace."""

import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lineshaft.archive import PathRules
from lineshaft.integrations.git.mirror import FoundBranches
from lineshaft.model.errors import (
    ArchiveRefusedError,
    ArtifactNotFoundError,
    ExpressionError,
    InvalidInputError,
    LineshaftError,
    OtherContentError,
    StaleLeaseError,
)
from lineshaft.model.kept_files import CacheRule
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.files import CacheAnswer, CacheRequest, FilesRequest
from lineshaft.worker.files.downloading import unpack, what_text
from lineshaft.worker.files.progress import counted

BranchesOf = Callable[[Assignment], Awaitable[FoundBranches]]
"""Tells on which branch an attempt's source was found, and which one is the repository's default."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@dataclass(slots=True)
class FoundCaches:
    """What was found of a task's caches.

    Attributes:
        why_not: why a cache is not to be kept behind the task, by its key.
        branch: the branch that the source was found on, where the server does not know it.
    """

    why_not: dict[str, str] = field(default_factory=dict)
    branch: str = ""


async def restore_files(
    assignment: Assignment, folder: Path, branches_of: BranchesOf
) -> FoundCaches | Outcome:
    """Place what an attempt needs, and what spares it work, in its workspace. The log tells of all of it.

    Args:
        assignment: the attempt.
        folder: its workspace, in which nobody is at work.
        branches_of: asked where there are caches.

    Returns:
        What was found of the caches; or how the attempt ends, for it cannot have what it needs.

    Raises:
        StaleLeaseError: the lease is dead.
    """
    if assignment.lease.needs_files:
        failure = await _place_needed(assignment, folder)
        if failure is not None:
            return failure
    if not assignment.lease.cache:
        return FoundCaches()
    branches = await branches_of(assignment)
    found = FoundCaches(branch=branches.branch)
    for rule in assignment.lease.cache:
        found.why_not[rule.key] = await _restore_cache(assignment, rule, folder, branches)
    return found


async def _place_needed(assignment: Assignment, folder: Path) -> Outcome | None:
    lease = assignment.lease
    try:
        answer = await assignment.files.needed_files(FilesRequest(address=lease.address, token=lease.token))
        for kept in answer.files:
            count = await unpack(assignment, kept, folder, what=f"Artifact '{kept.name}'")
            await assignment.log.write_lines(
                f"Placed artifact {what_text(kept)}, {counted(count, 'file')}.\n"
            )
    except ArchiveRefusedError as error:
        text = f"An artifact that it needs cannot be placed. {error}"
        return Outcome(State.FAILED, Reason(ReasonCode.FILES_REFUSED, text))
    except (OtherContentError, ArtifactNotFoundError, InvalidInputError) as error:
        return _lost(
            ReasonCode.FILES_UNAVAILABLE, f"An artifact that it needs cannot be had. {error.message}"
        )
    except OSError as error:
        code = ReasonCode.DISK_FULL if error.errno in _FULL else ReasonCode.FILES_UNAVAILABLE
        return _lost(code, f"An artifact that it needs cannot be written on its worker ({error.strerror}).")
    return None


async def _restore_cache(
    assignment: Assignment, rule: CacheRule, folder: Path, branches: FoundBranches
) -> str:
    """Look for one cache, and tell why it is not to be kept behind the task; empty where it is."""
    lease = assignment.lease
    request = CacheRequest(
        address=lease.address,
        token=lease.token,
        key=rule.key,
        restore=rule.restore,
        branch=branches.branch,
        default_branch=branches.default,
    )
    say = assignment.log.write_lines
    try:
        answer = await assignment.files.find_cache(request)
    except InvalidInputError as error:
        await say(f"Cache '{rule.key}': not looked for. {error.message}\n")
        return error.message
    if answer.files is None:
        await say(f"Cache '{rule.key}': a miss, for {_what_was_looked_for(rule)}.\n")
        return answer.why_not
    try:
        only = PathRules(rule.paths)
        count = await unpack(assignment, answer.files, folder, what=f"Cache '{rule.key}'", only=only)
    except StaleLeaseError:
        raise
    except (LineshaftError, OSError, ExpressionError) as error:
        await say(f"Cache '{rule.key}': as good as a miss. {error}\n")
        return answer.why_not
    await say(_hit(rule, answer, count))
    if answer.exact:
        return "It is the one that was found."
    return answer.why_not


def _what_was_looked_for(rule: CacheRule) -> str:
    also = f", nor under one that begins with {_either(rule.restore)}" if rule.restore else ""
    return f"nothing is kept under its key{also}, on this branch or the default one"


def _either(beginnings: tuple[str, ...]) -> str:
    return " or ".join(f"'{each}'" for each in beginnings)


def _hit(rule: CacheRule, answer: CacheAnswer, count: int) -> str:
    branch = f" on branch '{answer.branch}'" if answer.branch else ""
    what = "" if answer.files is None else what_text(answer.files)
    how = "a hit" if answer.exact else "a hit in part, by a beginning of its key"
    return f"Cache '{rule.key}': {how}{branch}: {what}, {counted(count, 'file')}.\n"


def _lost(code: ReasonCode, text: str) -> Outcome:
    return Outcome(State.LOST, Reason(code, text), begun=False)
