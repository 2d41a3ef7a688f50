"""Mirrors: a bare repository here for each remote one, from which checkouts cost milliseconds."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from lineshaft.integrations.git.checkout import Wanted, check_out
from lineshaft.integrations.git.folder import MirrorFolder
from lineshaft.integrations.git.mirror_git import KEPT_BACK, MirrorGit
from lineshaft.integrations.git.reach import Reach
from lineshaft.integrations.git.ref import FULL_COMMIT, check_commit, names_of
from lineshaft.integrations.git.remote import Remote
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError

_ABBREVIATED: Final = re.compile(r"[0-9a-f]{4,63}")
_SHOWN: Final = 80
_HEAD_REF: Final = "refs/lineshaft/head"


@dataclass(frozen=True, slots=True)
class FoundBranches:
    """What a repository says of branches now.

    Attributes:
        branch: the one that a ref means; empty where it means none.
        default: the default one; empty where there is none.
    """

    branch: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A commit, and the whole name by which it was found; empty where that was its id."""

    commit: str
    ref: str = ""


class Mirror:
    """One repository's mirror, as one who may read it uses it. All methods may be called concurrently.

    Attributes:
        remote: where it fetches from.
        origin: the address that checkouts are told.
        folder: where it is; others use that at the same time.
        reach: what all mirrors of this process go by.
        git: runs git for it.
    """

    def __init__(self, remote: Remote, origin: str, folder: MirrorFolder, reach: Reach) -> None:
        """Use a folder, which is made at the first fetch when it is not there."""
        self.remote: Final = remote
        self.origin: Final = origin
        self.folder: Final = folder
        self.reach: Final = reach
        self.git: Final = MirrorGit(remote, folder, reach)

    @property
    def objects(self) -> Path:
        """The folder that the repositories of checkouts read their objects from."""
        return self.folder.objects

    async def resolve(self, trip: object, ref: str | None = None) -> str:
        """Fetch the commit that a ref names now, at depth 1 where that is possible, and return its id.

        Args:
            trip: whoever asks for the same trip at the same time gets the same answer, by one fetch.
            ref: a branch, else a tag, else a commit's full or abbreviated id; a whole name such as
                `refs/tags/v1` is only that. None means the default branch.

        Raises:
            SourceRefusedError: the repository has no such commit.
            SourceUnreachableError: the repository does not answer.
        """
        key = (self.reach.proofs.digest(self.remote), trip, ref)
        return await self.folder.resolving.result(key, partial(self._resolve, ref))

    async def find(self, ref: str | None = None) -> Found:
        """Tell the commit that a ref names now, which is fetched where it is not there yet.

        Args:
            ref: as for `resolve`.

        Raises:
            SourceRefusedError: the repository has no such commit.
            SourceUnreachableError: the repository does not answer.
        """
        if ref is not None and FULL_COMMIT.fullmatch(ref):
            await self.ensure(ref)
            return Found(ref)
        names = names_of(ref)
        listing = await self.git.listing(
            "--symref", refs=[each for name in names for each in _and_peeled(name)]
        )
        for name in names:
            if name in listing.commits:
                commit = await self._fetched(name, listing.commits[name])
                if commit is not None:
                    return Found(commit, listing.symbolic.get(name, name))
        async with self.folder.turn():
            return Found(self._noted(await self._commit_that_begins(ref), ref))

    async def ensure(self, commit: str) -> None:
        """Have a commit in the mirror, fetched at depth 1 when it is not there yet.

        Raises:
            SourceRefusedError: the repository has no such commit, or does not give it away.
            SourceUnreachableError: the repository does not answer.
        """
        if commit in self.folder.commits or await self.has(commit):
            await self.git.prove()
            return
        check_commit(commit)
        with self.folder.wanting(commit):
            async with self.folder.turn():
                await self.ensure_in_turn(commit)
        # Another login may have fetched it while this one waited for its turn.
        await self.git.prove()

    async def ensure_in_turn(self, commit: str, remote: Remote | None = None) -> None:
        """Do as `ensure` does, in the folder's turn.

        Args:
            commit: which one.
            remote: what is asked for it; None means the mirror's own.

        Raises:
            SourceRefusedError: the repository has no such commit, or does not give it away.
            SourceUnreachableError: the repository does not answer.
        """
        check_commit(commit)
        if not await self.has(commit):
            await self._fetch_commit(commit, remote or self.remote)
        self.folder.commits.add(commit)

    async def has(self, commit: str) -> bool:
        """Tell whether a commit is in the mirror; the network is not asked."""
        if commit in self.folder.commits:
            return True
        if not FULL_COMMIT.fullmatch(commit) or not self.folder.path.exists():
            return False
        info = await self.folder.info(commit)
        # A tag that says something itself has an id of its own, and is of a commit.
        if info is None or info.kind == "tag":
            known = await self._commit_of(commit) is not None
        else:
            known = info.kind == "commit"
        if not known:
            return False
        self.folder.commits.add(commit)
        return True

    async def checkout(
        self,
        commit: str,
        folder: Path,
        keeper: Path,
        *,
        intact: bool = False,
        fill: "Fill | None" = None,
    ) -> None:
        """Bring a work tree to a commit that the mirror has, writing only what differs.

        The folder becomes a repository of its own that reads the mirror's objects and never writes to it. Git
        itself goes by the keeper alone, so that nothing that lies in the folder can tell it what to do.

        Args:
            commit: the full commit id.
            folder: empty; or it holds nothing but files of the last checkout with this keeper, as that has
                left them. It has no `.git`.
            keeper: where what is known of the folder is kept, outside of it; made when it is not there.
                Whoever sees this fail trusts neither of them again.
            intact: whether not a file of the last checkout is missing.
            fill: finishes what git has written, before anybody sees it; given at each checkout with this
                keeper, or at none.

        Raises:
            SourceUnreachableError: git failed.
            OSError: a file of the repository could not be written.
            Exception: what `fill` raises.
        """
        wanted = Wanted(self.folder.path, self.origin, commit)
        finish = None if fill is None else partial(fill, self, folder, keeper)
        await check_out(self.reach.git, wanted, folder, keeper, intact=intact, fill=finish)

    async def branches(self, ref: str | None = None) -> FoundBranches:
        """Ask the repository which branch a ref means, and which one is the default.

        Args:
            ref: as for `resolve`.

        Raises:
            SourceRefusedError: git allows no such name.
            SourceUnreachableError: the repository does not answer.
        """
        name = names_of(ref)[0]
        listing = await self.git.listing("--symref", refs=["HEAD", name])
        default = listing.branch_of("HEAD")
        return FoundBranches(default if name == "HEAD" else listing.branch_of(name), default)

    async def _resolve(self, ref: str | None) -> str:
        if ref is not None and FULL_COMMIT.fullmatch(ref):
            await self.ensure(ref)
            return ref
        async with self.folder.turn():
            for name in names_of(ref):
                commit = await self._newest(name)
                if commit is not None:
                    return self._noted(commit, ref)
            return self._noted(await self._commit_that_begins(ref), ref)

    async def _fetched(self, name: str, commit: str) -> str | None:
        """Have the commit that a name leads to; it may lead to another by now, or to none."""
        if await self.has(commit):
            return commit
        async with self.folder.turn():
            if not await self.has(commit):
                return await self._newest(name)
            return commit

    async def _newest(self, name: str) -> str | None:
        """Fetch what a whole name leads to; None where there is no such name, or no commit."""
        pins = await self.git.pins(self.remote)
        try:
            await self.git.fetch("--depth=1", refspecs=[f"+{name}:{_HEAD_REF}"], pins=pins)
        except SourceRefusedError:
            return None
        commit = await self._commit_of(_HEAD_REF)
        if commit is not None:
            self.folder.commits.add(commit)
        return commit

    async def _commit_that_begins(self, ref: str | None) -> str | None:
        """Find the one commit whose id begins so; only the whole history can tell that it is the only one."""
        if ref is None or not _ABBREVIATED.fullmatch(ref):
            return None
        await self.git.fetch_everything()
        return await self._commit_of(ref)

    def _noted(self, commit: str | None, ref: str | None) -> str:
        if commit is None:
            raise SourceRefusedError(
                "It has no commit on its default branch yet."
                if ref is None
                else f"It has no branch, tag or commit '{ref[:_SHOWN]}'."
            )
        self.folder.commits.add(commit)
        return commit

    async def _commit_of(self, name: str) -> str | None:
        """Look a commit up in the mirror, tags followed to what they are of; None when it is none."""
        try:
            answer = await self.git.ask(
                "rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"
            )
        except SourceUnreachableError:
            return None
        commit = answer.data.decode().strip()
        return commit if FULL_COMMIT.fullmatch(commit) else None

    async def _fetch_commit(self, commit: str, remote: Remote) -> None:
        pins = await self.git.pins(remote)
        if remote is self.remote and await self._fetched_with_others(commit, pins):
            return
        try:
            await self.git.fetch("--depth=1", refspecs=[commit], remote=remote, pins=pins)
        except SourceRefusedError as error:
            # A server that speaks no protocol 2 may have the commit, but gives away only what a ref points
            # at.
            if KEPT_BACK in error.message:
                await self.git.fetch_everything(remote)
            if not await self.has(commit):
                raise SourceRefusedError(f"It has no commit {commit}.") from error

    async def _fetched_with_others(self, commit: str, pins: Sequence[str]) -> bool:
        """Fetch a commit, and what others wait for: a fetch of many takes hardly longer than one of one."""
        beside = self.folder.wanted_beside(commit)
        if not beside:
            return False
        try:
            await self.git.fetch("--depth=1", refspecs=[commit, *beside], pins=pins)
        except SourceRefusedError:
            # One of them is not to be had; each finds out for itself whether it is its own.
            return False
        return True


Fill = Callable[[Mirror, Path, Path], Awaitable[None]]
"""Finishes a work tree, given what it is a checkout of, the folder, and the keeper."""


def _and_peeled(name: str) -> tuple[str, ...]:
    return (name, f"{name}^{{}}") if name.startswith("refs/tags/") else (name,)
