"""Repositories, as a server reads them: it looks, fetches and merges, and never checks anything out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from lineshaft.model.merge import Merge

MOST_CHANGED: Final = 10_000
"""How many changed paths are told; of more nobody wants to know which."""


@dataclass(frozen=True, slots=True)
class Login:
    """What git signs in with.

    Attributes:
        username: as the host knows it.
        password: or a token; it is no part of what the object shows of itself.
    """

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository somewhere else.

    Attributes:
        address: in one of the forms of `definition.repository`.
        login: None where none is needed, or the machine's own settings of git have it.
    """

    address: str
    login: Login | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit, and how it was found.

    Attributes:
        commit: its full id.
        ref: the whole name by which it was found, such as `refs/heads/main`; empty for one that was asked for
            by its id.
        author: `Name <email>`, as the commit says it: anybody may write anything there.
        message: all of it.
        committed_at: as the commit says it.
    """

    commit: str
    ref: str
    author: str
    message: str
    committed_at: datetime

    @property
    def branch(self) -> str:
        """The branch by which it was found; empty where it was none."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""

    @property
    def tag(self) -> str:
        """The tag by which it was found; empty where it was none."""
        return self.ref.removeprefix("refs/tags/") if self.ref.startswith("refs/tags/") else ""


class CommitFiles(Protocol):
    """The files of one commit; a `definition` FileSource. Blocks, so that it is used in a thread."""

    def read(self, path: str) -> bytes | None:
        """Read a file.

        Args:
            path: relative to the repository's root, without `..`. Links are not followed.

        Returns:
            Its content; None where there is no such file. Of a file that is longer than a definition may be,
            one byte more than that suffices. What was left out when the commit was fetched is fetched now.

        Raises:
            SourceRefusedError: the repository does not give it away any more.
            SourceUnreachableError: git failed, or the repository does not answer.
        """


class Repositories(Protocol):
    """Mirrors of remote repositories. All methods may be called concurrently; what is the same is done once.

    Every method but `refs`, `default_branch` and `revision` goes without the network for what was fetched
    before, as far as the remote has answered the same login lately; nobody reads what was fetched by
    another's login before that. None is bound to a transaction, and none may be called in one. Each may be
    called again at any time.

    Whatever the host refuses because it does not know the login is a `SourceRefusedError`.
    """

    async def refs(self, remote: Remote) -> Mapping[str, str]:
        """Ask which branches and tags there are now: whole names, and the commits that they lead to.

        Raises:
            SourceRefusedError: the settings do not allow the address, or its host does not know us.
            SourceUnreachableError: the repository does not answer.
        """
        ...

    async def default_branch(self, remote: Remote) -> str:
        """Ask which branch is the default one: its whole name; empty where the repository does not say.

        Raises:
            SourceRefusedError: the settings do not allow the address, or its host does not know us.
            SourceUnreachableError: the repository does not answer.
        """
        ...

    async def revision(self, remote: Remote, ref: str | None = None) -> Revision:
        """Fetch what a ref leads to now, and describe it.

        Args:
            remote: which repository.
            ref: a branch, else a tag, else a commit's full or abbreviated id; a whole name such as
                `refs/tags/v1` is only that. None means the default branch. A full id that was fetched before
                costs nothing.

        Raises:
            SourceRefusedError: the repository has no such commit, or the settings do not allow the address.
            SourceUnreachableError: the repository does not answer.
        """
        ...

    async def files(self, remote: Remote, commit: str) -> CommitFiles:
        """Have a commit's files at hand, which is fetched where it is not there yet; nothing is checked out.

        Raises:
            SourceRefusedError: the repository has no such commit, or the settings do not allow the address.
            SourceUnreachableError: the repository does not answer.
        """
        ...

    async def changed(self, remote: Remote, before: str, after: str) -> tuple[str, ...] | None:
        """Tell what changed from where two commits have parted to the second of them.

        The old and the new name of what was renamed are both among it.

        Returns:
            Paths in the order of git; None where there are more than 10,000 or 8 MiB of them, where the two
            have nothing in common, or where `before` is gone.

        Raises:
            SourceRefusedError: the repository has not `after`, or the settings do not allow the address.
            SourceUnreachableError: the repository does not answer.
        """
        ...

    async def changed_by(self, remote: Remote, commits: Sequence[str]) -> tuple[str, ...] | None:
        """Tell what single commits have changed, each compared with its first parent, all put together.

        Returns:
            Paths in the order of the commits; None where there are more than `changed` tells, or more than
            2,048 commits.

        Raises:
            SourceRefusedError: the repository has not one of them, or the settings do not allow the address.
            SourceUnreachableError: the repository does not answer.
        """
        ...

    async def merge(self, remote: Remote, merge: Merge) -> str:
        """Merge two commits, and return the id of the commit that comes of it.

        It depends on the two alone: names, times and message are derived from them. Where the one is an
        ancestor of the other, a merge is made nevertheless.

        Raises:
            MergeConflictError: they cannot be merged without a person.
            SourceRefusedError: one of them cannot be had, the settings do not allow an address, or git is too
                old.
            SourceUnreachableError: the repository does not answer.
        """
        ...
