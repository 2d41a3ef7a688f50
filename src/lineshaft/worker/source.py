"""The source of an attempt: which commit it is, and its checkout in a workspace."""

import errno
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.integrations.git.merging import merged
from lineshaft.integrations.git.mirror import Fill, FoundBranches, Mirror
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.submodules import Place, check_out_submodules
from lineshaft.integrations.git.uses import held
from lineshaft.integrations.lfs import LargeFiles
from lineshaft.model.errors import (
    MergeConflictError,
    SourceError,
    SourceRefusedError,
    SourceUnreachableError,
)
from lineshaft.model.merge import Merge
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.ports.repositories import Login
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.checkouts import Checkout, Checkouts
from lineshaft.worker.drivers.limits import within_limits
from lineshaft.worker.failed_workspaces import KEPT_STATES, FailedWorkspaces
from lineshaft.worker.workspace import Workspaces

_NO_ROOM: Final = "there is no space left on the worker's disk."
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_ROOM_BYTES: Final = 1024 * 1024
_FULL_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_Brought = tuple[Checkout, str, tuple[Path, ...]]


@dataclass(frozen=True, slots=True)
class Source:
    """A workspace with the source in it.

    Attributes:
        folder: the workspace.
        commit: what is checked out; None where the pipeline has no repository, and the folder is empty.
        objects: the folders outside of the workspace that its repository reads.
    """

    folder: Path
    commit: str | None
    objects: tuple[Path, ...] = ()


class Sources:
    """Lends workspaces with checkouts in them."""

    def __init__(
        self,
        workspaces: Workspaces,
        checkouts: Checkouts,
        mirrors: Mirrors,
        large: LargeFiles,
        failed: FailedWorkspaces | None = None,
    ) -> None:
        """Check out into workspaces.

        Args:
            workspaces: lends the empty folders of pipelines without a repository.
            checkouts: lends those of all others.
            mirrors: where sources come from.
            large: brings the content of files that Git LFS keeps.
            failed: keeps the workspaces of failed attempts; None keeps none.
        """
        self._failed = failed
        self._workspaces = workspaces
        self._checkouts = checkouts
        self._mirrors = mirrors
        self._large = large

    @asynccontextmanager
    async def checked_out(self, assignment: Assignment) -> AsyncIterator[Source | Outcome]:
        """Check the source of an attempt out, within its limits; the folder is taken back at the end.

        Yields:
            Where it is, or how the attempt ends because there is none.
        """
        if assignment.lease.repository is None:
            folder = self._workspaces.lend()
            try:
                yield Source(folder, None)
            finally:
                await self._workspaces.take_back(folder)
            return
        try:
            found = await within_limits(assignment, self._check_out(assignment, assignment.lease.repository))
        except SourceError as error:
            found = _source_outcome(assignment.lease, error)
        if isinstance(found, Outcome):
            yield found
            return
        checkout, commit, objects = found
        try:
            with held(each.parent for each in objects):
                yield Source(checkout.folder, commit, objects)
        finally:
            if checkout.is_there():
                await self._checkouts.take_back(checkout)
            else:
                self._checkouts.discard(checkout)

    async def keep_failed(self, assignment: Assignment, source: Source, outcome: Outcome) -> None:
        """Keep the workspace of an attempt that has failed, where the worker does so. The log tells of it.

        Args:
            assignment: the attempt.
            source: its workspace, in which nobody is at work; it is gone from there when it is kept.
            outcome: how the attempt ends.
        """
        if self._failed is None or outcome.state not in KEPT_STATES:
            return
        kept = await self._failed.keep(assignment.lease, source.folder, source.commit, source.objects)
        if kept is not None:
            await assignment.log.write_lines(self._failed.line_about(kept))

    async def branches_of(self, assignment: Assignment) -> FoundBranches:
        """Tell on which branch an attempt's source was found; where nobody can tell, say of none."""
        lease = assignment.lease
        if lease.repository is None:
            return FoundBranches()
        try:
            return await self._mirrors.of(lease.repository, _login(lease)).branches(_wanted_ref(lease))
        except SourceError as error:
            await assignment.log.write_lines(
                f"Its repository does not tell of its branches, so that caches are looked for without: "
                f"{error.message}\n"
            )
            return FoundBranches()

    async def _check_out(self, assignment: Assignment, repository: str) -> _Brought:
        try:
            return await self._try(assignment, repository)
        except SourceUnreachableError as error:
            if not _wants_room(error):
                raise
        # What is kept is worth less than the attempt.
        if self._failed is not None:
            await self._failed.discard_all()
        await self._checkouts.discard_idle()
        await self._large.make_room()
        try:
            return await self._try(assignment, repository)
        except SourceUnreachableError as error:
            if _wants_room(error):
                raise SourceUnreachableError(_NO_ROOM) from error
            raise

    async def _try(self, assignment: Assignment, repository: str) -> _Brought:
        lease = assignment.lease
        mirror = self._mirrors.of(repository, _login(lease))
        commit = lease.commit
        if lease.merge is not None and commit is not None:
            await _ensure_merged(mirror, lease.merge, commit)
        elif commit is None:
            found = await mirror.resolve(lease.address.run_id, _wanted_ref(lease))
            commit = await assignment.resolve_source(found)
        await mirror.ensure(commit)
        fill = self._large.fill if lease.lfs else None
        wanted = _Wanted(mirror, repository, commit, lease.submodules, fill)
        checkout, inner = await self._bring(wanted, _key(lease, repository, self._mirrors.settings_stamp()))
        return checkout, commit, (mirror.objects, *inner)

    async def _bring(self, wanted: "_Wanted", key: str) -> tuple[Checkout, tuple[Path, ...]]:
        """Bring a workspace to a commit; one that was used before and fails is thrown away for a new one."""
        checkout = await self._checkouts.lend(key)
        used = checkout.used
        try:
            return checkout, await self._bring_one(wanted, checkout)
        except SourceUnreachableError as error:
            if not used or _NO_ROOM in error.message:
                raise
        checkout = self._checkouts.make(key)
        return checkout, await self._bring_one(wanted, checkout)

    async def _bring_one(self, wanted: "_Wanted", checkout: Checkout) -> tuple[Path, ...]:
        inner: tuple[Path, ...] = ()
        try:
            checkout.create()
            await wanted.mirror.checkout(
                wanted.commit,
                checkout.folder,
                checkout.keeper,
                intact=checkout.intact,
                fill=wanted.fill,
            )
            if wanted.submodules:
                whole = Place(wanted.mirror, wanted.repository, wanted.commit, checkout.folder)
                keepers = checkout.place / "modules"
                inner = await check_out_submodules(self._mirrors, whole, keepers, wanted.fill)
            checkout.begin()
        except (SourceUnreachableError, OSError) as error:
            # Throwing it away makes room again.
            full = _is_full(checkout.place.parent, error)
            self._checkouts.discard(checkout)
            if full:
                raise SourceUnreachableError(_NO_ROOM) from error
            if isinstance(error, OSError):
                text = f"the worker cannot write its workspace ({error.strerror})."
                raise SourceUnreachableError(text) from error
            raise
        except BaseException:
            self._checkouts.discard(checkout)
            raise
        return inner


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a workspace is to hold: a commit that the mirror has."""

    mirror: Mirror
    repository: str
    commit: str
    submodules: bool
    fill: Fill | None


async def _ensure_merged(mirror: Mirror, merge: Merge, commit: str) -> None:
    """Have a merge in the mirror, which no repository gives away."""
    if await mirror.has(commit):
        return
    made = await merged(mirror, merge)
    if made != commit:
        raise SourceRefusedError(
            f"Merging {merge.head} into {merge.base} gives {made} here, and not {commit}.",
            advice="Bring git on the server and on this worker to the same version.",
        )


def _wants_room(error: SourceUnreachableError) -> bool:
    return _NO_ROOM in error.message or os.strerror(errno.ENOSPC) in error.message


def _is_full(folder: Path, error: Exception) -> bool:
    """Whether something failed for want of room, which git does not always say."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize < _ROOM_BYTES or (state.f_files > 0 and state.f_favail == 0)


def _key(lease: LeaseMessage, repository: str, stamp: str) -> str:
    """Name whose workspace it is, without the credentials that a repository's address may carry."""
    files = "lfs" if lease.lfs else "pointers"
    return hashlib.sha256(f"{lease.pipeline_id}\n{files}\n{stamp}\n{repository}".encode()).hexdigest()


def _login(lease: LeaseMessage) -> Login | None:
    given = lease.source_login
    return None if given is None else Login(given.username, given.password)


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
    if isinstance(error, SourceRefusedError | MergeConflictError):
        text = f"The source {address} cannot be used: {error.message}"
        return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_REFUSED, text))
    text = f"The source {address} cannot be fetched: {error.message}"
    return Outcome(State.FAILED, Reason(ReasonCode.SOURCE_UNREACHABLE, text))
