"""Remote repositories, read by way of mirrors: the adapter of `ports.repositories`."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from lineshaft.integrations.git.changes import changed_between, changed_in
from lineshaft.integrations.git.commit import read_commit
from lineshaft.integrations.git.files import MirrorFiles
from lineshaft.integrations.git.merging import merged
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.shared_work import SharedWork
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError
from lineshaft.model.merge import Merge
from lineshaft.ports.repositories import CommitFiles, Remote, Revision

T = TypeVar("T")

# How git, curl and ssh say that a host does not know whoever calls.
_UNKNOWN: Final = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|Permission denied|requested URL returned "
    r"error: 40[13]"
)


class GitRepositories:
    """Reads remote repositories by the git program; see `ports.repositories.Repositories`."""

    def __init__(self, mirrors: Mirrors) -> None:
        """Read repositories.

        Args:
            mirrors: which are partial, since nothing is checked out; other processes may use their folder.
        """
        self._mirrors: Final = mirrors
        self._changes: Final = SharedWork[tuple[str, ...] | None]()
        self._merges: Final = SharedWork[str]()

    async def refs(self, remote: Remote) -> Mapping[str, str]:
        """See `Repositories.refs`."""
        with _unknown_refused():
            listing = await self._of(remote).git.listing("--heads", "--tags")
        return listing.commits

    async def default_branch(self, remote: Remote) -> str:
        """See `Repositories.default_branch`."""
        with _unknown_refused():
            listing = await self._of(remote).git.listing("--symref", refs=["HEAD"])
        return listing.symbolic.get("HEAD", "")

    async def revision(self, remote: Remote, ref: str | None = None) -> Revision:
        """See `Repositories.revision`."""
        mirror = self._of(remote)
        with _unknown_refused():
            found = await mirror.find(ref)
            commit = await read_commit(mirror, found.commit)
        return Revision(found.commit, found.ref, commit.author, commit.message, commit.committed_at)

    async def files(self, remote: Remote, commit: str) -> CommitFiles:
        """See `Repositories.files`."""
        mirror = self._of(remote)
        with _unknown_refused():
            await mirror.ensure(commit)
        return MirrorFiles(mirror, commit, asyncio.get_running_loop())

    async def changed(self, remote: Remote, before: str, after: str) -> tuple[str, ...] | None:
        """See `Repositories.changed`."""
        work = partial(changed_between, self._of(remote), before, after)
        with _unknown_refused():
            return await self._changes.result((remote, before, after), work)

    async def changed_by(self, remote: Remote, commits: Sequence[str]) -> tuple[str, ...] | None:
        """See `Repositories.changed_by`."""
        work = partial(changed_in, self._of(remote), tuple(commits))
        with _unknown_refused():
            return await self._changes.result((remote, tuple(commits)), work)

    async def merge(self, remote: Remote, merge: Merge) -> str:
        """See `Repositories.merge`."""
        work = partial(merged, self._of(remote), merge)
        with _unknown_refused():
            return await self._merges.result((remote, merge), work)

    def _of(self, remote: Remote) -> Mirror:
        return self._mirrors.of(remote.address, remote.login)


@contextmanager
def _unknown_refused() -> Iterator[None]:
    """Tell a host that does not know us from one that does not answer: trying again does not help there."""
    try:
        yield
    except SourceUnreachableError as error:
        if not _UNKNOWN.search(error.message):
            raise
        raise SourceRefusedError(
            f"Its host does not let us in: {error.message}",
            advice="See whether the repository's login is right, and whether it may read the repository.",
        ) from error
